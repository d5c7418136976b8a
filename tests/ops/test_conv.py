"""Valid correlation, full convolution and their gradients, with SciPy as an oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from ops.properties import properties_of
from ops.scipy_oracle import EXTRA, SIZES, convolved, correlated
from scipy.signal import convolve2d, correlate2d

from cae_np.backend import to_numpy


@properties_of("correlate_valid", "convolve_full", "kernel_gradient")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


def test_maps_come_out_batch_last(impl, arrays):
    """Shapes are NCHW; the images of a batch are neighbours in memory."""
    for y in (
        impl.correlate_valid(arrays["x"], arrays["w"]),
        impl.convolve_full(arrays["h"], arrays["w"]),
        impl.correlate_same(arrays["x"], arrays["w"]),
        impl.pad_same(arrays["x"], 3, 3),
    ):
        assert y.strides[0] == y.itemsize


def test_mixed_precision(impl, arrays):
    """A wider kernel makes a wider result, as everywhere in NumPy."""
    narrow = arrays["x"].astype("float32")
    assert impl.correlate_valid(narrow, arrays["w"]).dtype == np.float64
    assert impl.correlate_valid(narrow, arrays["w"].astype("float32")).dtype == np.float32


def test_both_ways_back_have_the_types_of_what_they_are_products_of(impl, arrays):
    """Whether the columns are made of the maps or of the image."""
    narrow = {name: array.astype("float32") for name, array in arrays.items()}
    dh, dw = impl.convolve_full_backward(narrow["x"], arrays["h"], narrow["w"])
    assert dh.dtype == np.float32 and dw.dtype == np.float64


@settings(max_examples=20)
@given(**SIZES, **EXTRA)
def test_valid_and_full(impl, xp, N, C, K, kh, kw, more_h, more_w):
    rng = np.random.default_rng(N + 10 * kh)
    x, w = (
        rng.standard_normal((N, C, kh + more_h, kw + more_w)),
        rng.standard_normal((K, C, kh, kw)),
    )
    y = impl.correlate_valid(xp.asarray(x), xp.asarray(w))
    np.testing.assert_allclose(to_numpy(y), correlated(correlate2d, x, w, "valid"), atol=1e-12)
    h = rng.standard_normal(y.shape)
    back = impl.convolve_full(xp.asarray(h), xp.asarray(w))
    np.testing.assert_allclose(to_numpy(back), convolved(convolve2d, h, w, "full"), atol=1e-12)


def test_full_encoder_of_a_valid_decoder(impl, xp):
    """M11 allows the sizes the other way round: encode full, decode valid."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((4, 3, 3, 2))
    h = impl.convolve_full(xp.asarray(x), xp.asarray(w.swapaxes(0, 1)))
    np.testing.assert_allclose(to_numpy(h), correlated(convolve2d, x, w, "full"), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_of_a_real_size(impl, xp, dtype):
    """Sums of hundreds of products, as in training."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 20, 12, 12)).astype(dtype)
    w = rng.standard_normal((30, 20, 5, 5)).astype(dtype)
    y = impl.correlate_valid(xp.asarray(x), xp.asarray(w))
    expected = correlated(correlate2d, x.astype("float64"), w.astype("float64"), "valid")
    np.testing.assert_allclose(to_numpy(y), expected, atol=1e-3 if dtype == "float32" else 1e-10)
