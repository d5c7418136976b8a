"""What the auto-encoders of Masci et al. 2011 save, keep and refuse."""

import numpy as np
import pytest
from models.moved import shaken

from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError
from cae_np.models.autoencoder import AutoEncoder
from cae_np.models.cae import ConvAutoEncoder


@pytest.mark.parametrize("model", [ConvAutoEncoder(1, 2, (3, 3)), AutoEncoder(36, 2)])
def test_inputs_and_parameters_are_left_alone_and_dtype_is_kept(model):
    x = np.random.default_rng(7).random((2, 1, 6, 6), dtype="float32")
    before = x.copy(), {name: p.copy() for name, p in model.params.items()}
    loss, gradients = model.loss_and_gradients(x)
    assert loss.dtype == np.float32
    assert {g.dtype for g in gradients.values()} == {np.dtype("float32")}
    assert {n: g.shape for n, g in gradients.items()} == {
        n: p.shape for n, p in model.params.items()
    }
    assert model.reconstruct(x).shape == x.shape
    np.testing.assert_array_equal(x, before[0])
    for name, p in model.params.items():
        np.testing.assert_array_equal(p, before[1][name])


def test_state_makes_an_equal_model(xp):
    rng = np.random.default_rng(9)
    for model in (ConvAutoEncoder(1, 3, (3, 3), tied=False, pool=2), AutoEncoder(49, 3)):
        shaken(model, rng)
        arrays, config = model.state()
        assert all(isinstance(a, np.ndarray) for a in arrays.values())
        twin = type(model)(**config)
        twin.load_state(arrays)
        x = to_device(rng.random((2, 1, 7, 7)), "float32")
        np.testing.assert_array_equal(to_numpy(twin.reconstruct(x)), to_numpy(model.reconstruct(x)))
        with pytest.raises(ConfigError, match="are not those of this model"):
            twin.load_state({"w": arrays["w"]})


def test_seed_and_stage_decide_the_weights():
    same, other, deeper = (
        ConvAutoEncoder(1, 2, (3, 3), **k) for k in ({}, {"seed": 1}, {"layer": 1})
    )
    again = ConvAutoEncoder(1, 2, (3, 3)).params["w"]
    np.testing.assert_array_equal(same.params["w"], again)
    assert (other.params["w"] != again).all() and (deeper.params["w"] != again).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvAutoEncoder(1, 2, (3, 3), mode="same"), "'valid' or 'full'"),
        (lambda: ConvAutoEncoder(1, 2, (3, 3), output="tanh"), "choose one of linear"),
        (lambda: ConvAutoEncoder(1, 0, (3, 3)), "at least 1"),
        (lambda: ConvAutoEncoder(1, 2, (3, 3), pool=0), "at least 1"),
        (lambda: AutoEncoder(4, 2, activation="sigmoid"), "choose one of linear"),
        (lambda: AutoEncoder(4, 0), "at least 1"),
        (lambda: AutoEncoder(4, 3, k=4), "k = 4 of 3 hidden units: expected 1 to 3"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
