"""The convolutional auto-encoder of Masci et al. 2011."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.moved import shaken, trained
from ops.properties import properties_of
from scipy.signal import convolve2d, correlate2d

from cae_np.backend import to_device, to_numpy
from cae_np.gradcheck import check_model
from cae_np.models.cae import ConvAutoEncoder


@properties_of("tied_cae_gradient")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pool", [None, 2])
@pytest.mark.parametrize("output", ["linear", "scaled_tanh", "logistic"])
def test_cae_gradients(xp, mode, tied, pool, output):
    rng = np.random.default_rng([1, mode == "full", tied])
    model = shaken(
        ConvAutoEncoder(
            2, 3, (3, 2), mode=mode, tied=tied, pool=pool, output=output, dtype="float64"
        ),
        rng,
    )
    x, target = (to_device(rng.random((2, 2, 6, 7))) for _ in range(2))
    assert (report := check_model(model, x, target, elements=12, directions=2)).passed, report
    trained(model, x, target)
    assert (report := check_model(model, x, target, elements=12, directions=2)).passed, report


@given(
    channels=st.integers(1, 2),
    maps=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    extra=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    mode=st.sampled_from(["valid", "full"]),
    pool=st.sampled_from([None, 1, 2]),
    activation=st.sampled_from(["scaled_tanh", "logistic", "linear"]),
)
def test_cae_gradients_for_any_shape(channels, maps, kernel, extra, mode, pool, activation):
    rng = np.random.default_rng(2)
    shape = (2, channels, kernel[0] + extra[0], kernel[1] + extra[1])
    model = ConvAutoEncoder(
        channels, maps, kernel, mode=mode, pool=pool, activation=activation, dtype="float64"
    )
    x, target = rng.random(shape), rng.random(shape)
    report = check_model(shaken(model, rng), x, target, elements=6, directions=2)
    assert report.passed, report


def test_cae_is_what_the_paper_writes():
    """h = σ(x ∗ W + b) and y = σ(Σ_k h_k ∗ W̃_k + c), map by map, with scipy's convolutions."""
    rng = np.random.default_rng(3)
    model = shaken(ConvAutoEncoder(2, 3, (3, 4), output="scaled_tanh", dtype="float64"), rng)
    w, b, c = (to_numpy(model.params[name]) for name in "wbc")
    x = rng.random((1, 2, 6, 7))

    def sigma(z):
        return 1.7159 * np.tanh(2 * z / 3)

    h = [
        sigma(sum(correlate2d(x[0, c], w[k, c], "valid") for c in (0, 1)) + b[k]) for k in range(3)
    ]
    y = [sigma(sum(convolve2d(h[k], w[k, ch]) for k in range(3)) + c[ch]) for ch in (0, 1)]
    np.testing.assert_allclose(model.hidden(x)[0], h, rtol=1e-12)
    np.testing.assert_allclose(model.reconstruct(x)[0], y, rtol=1e-12)
    loss, _ = model.loss_and_gradients(x)
    np.testing.assert_allclose(loss, ((np.array(y) - x[0]) ** 2).sum() / 2, rtol=1e-12)


def test_tied_gradient_is_the_sum_of_both_untied_ones(xp):
    """∂E/∂W = x ∗ δh + h̃ ∗ δy: the untied model with equal kernels has one term for each."""
    rng = np.random.default_rng(4)
    tied = shaken(ConvAutoEncoder(1, 4, (3, 3), pool=2, dtype="float64"), rng)
    untied = ConvAutoEncoder(1, 4, (3, 3), pool=2, tied=False, dtype="float64")
    arrays, _ = tied.state()
    untied.load_state(arrays | {"w_dec": arrays["w"]})
    x = to_device(rng.random((3, 1, 7, 7)))
    loss, together = tied.loss_and_gradients(x)
    same_loss, apart = untied.loss_and_gradients(x)
    assert float(loss) == float(same_loss)
    np.testing.assert_allclose(
        to_numpy(together["w"]), to_numpy(apart["w"] + apart["w_dec"]), rtol=1e-12
    )
    assert float(abs(apart["w_dec"]).max()) > 0 < float(abs(apart["w"]).max())


def test_pooled_code_keeps_one_unit_a_window():
    model = ConvAutoEncoder(1, 5, (3, 3), pool=2)
    x = np.random.default_rng(5).random((4, 1, 10, 10), dtype="float32")
    h, code = model.hidden(x), model.encode(x)
    assert h.shape == (4, 5, 8, 8) and code.shape == (4, 5, 4, 4)
    assert (h != 0).mean() == 0.25
    np.testing.assert_array_equal(h.reshape(4, 5, 4, 2, 4, 2).sum(axis=(3, 5)), code)


def test_corrupted_input_is_compared_with_the_clean_target():
    model = ConvAutoEncoder(1, 2, (3, 3), dtype="float64")
    rng = np.random.default_rng(6)
    x, clean = rng.random((2, 1, 6, 6)), rng.random((2, 1, 6, 6))
    loss, _ = model.loss_and_gradients(x, clean)
    np.testing.assert_allclose(loss, ((model.reconstruct(x) - clean) ** 2).sum() / 4)
