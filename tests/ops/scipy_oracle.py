"""scipy.signal as an oracle that nobody here wrote."""

import numpy as np
from hypothesis import strategies as st

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
