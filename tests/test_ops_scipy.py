"""scipy.signal as an oracle that nobody here wrote."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from cae_np.backend import to_numpy

SIZES = {name: st.integers(1, 3) for name in ("N", "C", "K")} | {
    name: st.integers(1, 5) for name in ("kh", "kw")
}
EXTRA = {name: st.integers(0, 4) for name in ("more_h", "more_w")}


def correlated(function, x, w, mode):
    """Σ_c function(x[n, c], w[k, c])."""
    return np.array([[sum(map(function, xn, wk, [mode] * len(wk))) for wk in w] for xn in x])


def convolved(function, h, w, mode):
    """Σ_k function(h[n, k], w[k, c])."""
    return correlated(function, h, w.swapaxes(0, 1), mode)


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


@settings(max_examples=20)
@given(**SIZES, **EXTRA)
def test_same(impl, xp, N, C, K, kh, kw, more_h, more_w):
    rng = np.random.default_rng(N + 10 * kh)
    x, w = (
        rng.standard_normal((N, C, kh + more_h, kw + more_w)),
        rng.standard_normal((K, C, kh, kw)),
    )
    y = impl.correlate_same(xp.asarray(x), xp.asarray(w))
    np.testing.assert_allclose(to_numpy(y), correlated(correlate2d, x, w, "same"), atol=1e-12)
    h = rng.standard_normal(y.shape)
    back = impl.convolve_same(xp.asarray(h), xp.asarray(w))
    np.testing.assert_allclose(to_numpy(back), convolved(convolve2d, h, w, "same"), atol=1e-12)


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
