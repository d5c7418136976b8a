"""The training loop."""

import numpy as np
import pytest
from training.trainings import Images, model

from cae_np.backend import to_device
from cae_np.errors import ConfigError, DivergenceError
from cae_np.training import Plan, train
from cae_np.training.optim import SGD


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"rate": -1}, "rate = -1"),
        ({"momentum": 1}, "momentum = 1"),
        ({"schedule": "cosine"}, "'cosine' is not one of constant"),
        ({"optimizer": "rmsprop"}, "'rmsprop' is not one of sgd"),
        ({"noise": "salt"}, "'salt' is not one of none"),
        ({"noise": "binomial", "amount": 1.5}, "amount = 1.5 of binomial"),
    ],
)
def test_impossible_plans_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        Plan(**({"epochs": 1, "batch_size": 10, "rate": 0.1} | changes))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("noise", "amount"), [("none", 0), ("binomial", 0.3), ("gaussian", 0.1)])
def test_training_lowers_the_loss(xp, optimizer, noise, amount):
    rate = 2e-3 if optimizer == "sgd" else 2e-2
    plan = Plan(6, 10, rate, optimizer=optimizer, momentum=0.9, noise=noise, amount=amount)
    history = train(model(), Images(), plan, seed=0)
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert history[-1]["rate"] < history[0]["rate"] and history[0]["images_per_second"] > 0


def test_same_seed_same_bits_other_seed_other_bits():
    plan = Plan(2, 16, 1e-3, noise="binomial", amount=0.5)

    def weights(seed):
        m = model()
        train(m, Images(), plan, seed)
        return m.params["w"]

    np.testing.assert_array_equal(weights(0), weights(0))
    assert (weights(0) != weights(1)).any()


def test_a_diverging_run_says_where_and_what_to_do(xp):
    with (
        np.errstate(all="ignore"),
        pytest.raises(DivergenceError, match=r"step \d+ with learning rate .* try a learning"),
    ):
        train(model(pool=None), Images(), Plan(50, 10, 1e6, schedule="constant"), seed=0)


def test_no_copy_to_the_host_inside_a_training_step():
    """Counted on the stand-in: what a step may not do on a GPU, where it would wait."""
    import strict_cupy

    from cae_np import backend

    strict_cupy.register_stand_in()
    before = backend.active().name
    backend.use("strict")
    try:
        m, optimizer = model(), SGD(0.9)
        x = to_device(Images().batch(slice(10)))
        with strict_cupy.count_host_copies() as copies:
            for _ in range(3):
                _, gradients = m.loss_and_gradients(x)
                optimizer.step(m.params, gradients, 1e-3)
        assert copies.to_host == []
    finally:
        backend.use(before)
