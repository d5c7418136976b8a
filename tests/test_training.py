"""Optimisers, the training loop, and layers."""

import json

import numpy as np
import pytest

from cae_np import storage
from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError, DataError, DivergenceError
from cae_np.gradcheck import check_gradients
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.wta import WinnerTakeAll
from cae_np.ops import softmax_cross_entropy, softmax_cross_entropy_backward
from cae_np.training import Plan, layers, optim, progress, train
from cae_np.training.optim import SCHEDULES, SGD, Adam, adam_step, sgd_step


class Images:
    """Random images, with a way to be interrupted after so many batches."""

    def __init__(self, n=40, fail_after=None):
        self._x = np.random.default_rng(0).random((n, 1, 8, 8), dtype="float32")
        self._left = fail_after

    def __len__(self):
        return len(self._x)

    def batch(self, indices):
        if self._left is not None:
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
        return self._x[indices]


def model(seed=0, pool=2):
    return ConvAutoEncoder(1, 3, (3, 3), pool=pool, seed=seed)


# --- optimisers ---------------------------------------------------------------------------------


def test_sgd_with_momentum_by_hand(xp):
    p, dp, v = xp.asarray([1.0]), xp.asarray([2.0]), xp.asarray([3.0])
    new_p, new_v = sgd_step(p, dp, v, rate=0.1, momentum=0.5)
    assert float(new_v[0]) == 0.5 * 3 - 0.1 * 2 and float(new_p[0]) == 1 + float(new_v[0])
    assert float(p[0]) == 1 and float(v[0]) == 3  # pure


def test_adam_against_the_formulas_of_its_paper(xp):
    rng = np.random.default_rng(1)
    p0, gradients = rng.standard_normal(5), rng.standard_normal((4, 5))
    p, m, v = xp.asarray(p0), xp.zeros(5), xp.zeros(5)
    expected, em, ev = p0.copy(), np.zeros(5), np.zeros(5)
    for t, dp in enumerate(gradients, 1):
        p, m, v = adam_step(p, xp.asarray(dp), m, v, t, rate=0.01)
        em = 0.9 * em + 0.1 * dp
        ev = 0.999 * ev + 0.001 * dp**2
        expected -= 0.01 * (em / (1 - 0.9**t)) / (np.sqrt(ev / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(to_numpy(p), expected, rtol=1e-12)
    assert abs(to_numpy(p) - p0).max() > 0.02  # it moved


@pytest.mark.parametrize("make", [lambda: SGD(0.9), Adam])
def test_large_parameters_are_updated_in_blocks_to_the_same_bits(make, monkeypatch):
    rng = np.random.default_rng(3)
    # Kernels with the channels last in memory, as winner-take-all has them.
    start = rng.standard_normal((11, 3, 2, 4)).transpose(0, 3, 1, 2)
    gradients = [{"w": rng.standard_normal((11, 4, 3, 2))} for _ in range(3)]

    def run(limit):
        monkeypatch.setattr(optim, "UPDATE_BYTES", limit)
        optimizer, params = make(), {"w": start.copy(order="K")}
        for g in gradients:
            optimizer.step(params, g, 0.1)
        return params["w"]

    whole, blocks, rows = (run(limit) for limit in (1 << 20, 400, 1))
    assert abs(whole - start).min() > 0
    np.testing.assert_array_equal(blocks, whole)
    np.testing.assert_array_equal(rows, whole)


@pytest.mark.parametrize("make", [lambda: SGD(0.9), Adam])
def test_optimiser_taken_up_again_goes_on_alike(xp, make):
    rng = np.random.default_rng(2)
    gradients = [{"w": to_device(rng.standard_normal((3, 2)))} for _ in range(6)]

    def run(optimizer, params, some):
        for g in some:
            optimizer.step(params, g, 0.1)
        return params

    whole = run(make(), {"w": xp.ones((3, 2))}, gradients)
    first = make()
    params = run(first, {"w": xp.ones((3, 2))}, gradients[:3])
    arrays, settings = first.state()
    second = make()
    second.load_state({n: to_device(to_numpy(a).copy()) for n, a in arrays.items()}, settings)
    np.testing.assert_array_equal(
        to_numpy(run(second, params, gradients[3:])["w"]), to_numpy(whole["w"])
    )


def test_schedules_start_whole_and_do_not_rise():
    for name, schedule in SCHEDULES.items():
        shares = [schedule(t) for t in np.linspace(0, 1, 11)]
        assert shares[0] == 1 and all(a >= b for a, b in zip(shares, shares[1:], strict=False)), (
            name
        )
    assert SCHEDULES["linear_to_zero"](1) == 0
    assert SCHEDULES["exponential"](1) == pytest.approx(0.01)


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


# --- the loop -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("interrupted_after", [1, 4, 7])
def test_interrupted_training_ends_with_the_same_bits(tmp_path, optimizer, interrupted_after):
    plan = Plan(3, 16, 1e-3, optimizer=optimizer, momentum=0.9, noise="gaussian", amount=0.1)
    whole = model()
    history = train(whole, Images(), plan, seed=3)

    checkpoint = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(
            model(),
            Images(fail_after=interrupted_after),
            plan,
            seed=3,
            checkpoint=checkpoint,
            checkpoint_every=0,
        )
    resumed = model(seed=99)  # its own weights must not matter
    again = train(resumed, Images(), plan, seed=3, checkpoint=checkpoint)
    for name, p in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)
    assert [e["loss"] for e in again] == [e["loss"] for e in history]


@pytest.mark.parametrize(
    "record",
    [
        {"epoch": -1},
        {"epoch": 10**400},
        {"epoch": 1.0},
        {"epoch": True},
        {"step_in_epoch": -1},
        {"step_in_epoch": None},
        {"history": 7},
        {"history": [{}] * 5},
        {"optimizer": []},
        {"training": 3},
        {"arrays": {}},
    ],
    ids=str,
)
def test_whatever_a_checkpoint_says_that_cannot_be_is_one_line(tmp_path, record):
    path, plan = tmp_path / "checkpoint.npz", Plan(2, 16, 1e-3)
    with pytest.raises(KeyboardInterrupt):
        train(model(), Images(fail_after=2), plan, 3, checkpoint=path, checkpoint_every=0)
    arrays = storage.load_arrays(path)
    whole = json.loads(arrays["record"].tobytes()) | record
    arrays["record"] = np.frombuffer(json.dumps(whole).encode(), np.uint8)
    storage.save_arrays(path, arrays)
    with pytest.raises(DataError, match="is no whole checkpoint"):
        train(model(), Images(), plan, 3, checkpoint=path)


def test_progress_of_a_run_taken_up_within_an_epoch_ends_at_a_hundred_percent(
    tmp_path, monkeypatch, capsys
):
    plan, checkpoint = Plan(2, 16, 1e-3), tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(model(), Images(fail_after=2), plan, 3, checkpoint=checkpoint, checkpoint_every=0)
    monkeypatch.setattr(progress, "LINE_INTERVAL", 0.0)
    train(model(), Images(), plan, 3, label="digits", checkpoint=checkpoint)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "digits:  50%" in first and "digits: 100%" in last  # 2 × 16 + 8 of 2 × 40


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


# --- layers -------------------------------------------------------------------------------------


def network():
    return layers.Sequential(
        [
            layers.Conv2d(2, 3, (3, 2), seed=1, dtype="float64"),
            layers.Activation("scaled_tanh"),
            layers.MaxPool2d(2),
            layers.Conv2d(3, 4, (2, 2), seed=1, layer=1, dtype="float64"),
            layers.Activation("relu"),
            layers.Dense(4 * 2 * 2, 5, seed=1, layer=2, dtype="float64"),
        ]
    )


def test_network_gradients_for_input_and_every_parameter(xp):
    rng = np.random.default_rng(4)
    net = network()
    for p in net.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.1)
    x = to_device(rng.standard_normal((2, 2, 8, 7)))
    names = list(net.params)

    def forward(x, *params):
        for name, p in zip(names, params, strict=True):
            net.params[name][...] = p
        return net.forward(x)

    def backward(dy, x, *params):
        _, saved = forward(x, *params)
        dx, gradients = net.backward(dy, saved)
        return dx, *(gradients[name] for name in names)

    report = check_gradients(
        forward, backward, x, *[p.copy() for p in net.params.values()], elements=30
    )
    assert report.passed, report


def test_network_learns_to_tell_two_classes():
    rng = np.random.default_rng(5)
    net = layers.Sequential([layers.Conv2d(1, 4, (3, 3)), layers.MaxPool2d(2), layers.Dense(36, 2)])
    labels = rng.integers(0, 2, 60)
    x = rng.random((60, 1, 8, 8), dtype="float32") * 0.3
    x[labels == 1, :, 3] += 1  # a horizontal line
    optimizer = SGD(0.9)
    losses = []
    for _ in range(30):
        z, saved = net.forward(x)
        losses.append(float(softmax_cross_entropy(z, labels)))
        _, gradients = net.backward(softmax_cross_entropy_backward(z, labels), saved)
        optimizer.step(net.params, gradients, 0.05)
    assert losses[-1] < 0.1 * losses[0]


def test_unknown_activation_is_refused():
    with pytest.raises(ConfigError, match="choose one of"):
        layers.Activation("softplus")


def test_progress_lines_say_what_the_model_reported(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_INTERVAL", 0.0)
    wta = WinnerTakeAll(1, 3, (3, 3))
    plan = Plan(epochs=2, batch_size=20, rate=1e-3)
    history = train(wta, Images(), plan, seed=0, label="digits")
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "digits" in first and "dead" not in first  # nothing is known yet
    reported = history[0]
    assert f"dead {reported['dead_maps']}" in last
    assert f"sparsity {reported['hidden_sparsity']:.2%}" in last
    assert f"active on {reported['active_share'][0]:.0%}" in last and "ties" in last
