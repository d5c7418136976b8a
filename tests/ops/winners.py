"""Sizes and arrays for passes through winners."""

import numpy as np
from hypothesis import strategies as st

from cae_np.backend import to_device, to_numpy


@st.composite
def sizes(draw):
    """N, C, K, H, W, kh, kw; kernels may be larger than the image.  17 channels are "many"."""
    side = st.integers(1, 6)
    return (
        draw(st.integers(1, 5)),
        draw(st.sampled_from([1, 2, 3, 17])),
        draw(st.integers(1, 5)),
        *(draw(side) for _ in range(4)),
    )


def close(found, expected):
    found, expected = to_numpy(found), to_numpy(expected)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def on_device(rng, *shape):
    return to_device(rng.standard_normal(shape))
