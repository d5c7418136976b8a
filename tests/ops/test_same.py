"""Same-size correlation and convolution, with SciPy as an oracle."""

import numpy as np
from hypothesis import given, settings
from ops.properties import properties_of
from ops.scipy_oracle import EXTRA, SIZES, convolved, correlated
from scipy.signal import convolve2d, correlate2d

from cae_np.backend import to_numpy


@properties_of("correlate_same", "convolve_same")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


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
