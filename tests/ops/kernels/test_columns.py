"""Products with columns, cut into strips in memory that is used again."""

import numpy as np
import pytest

from cae_np import ops
from cae_np.backend import to_numpy
from cae_np.ops import correlate_valid
from cae_np.ops.kernels import blocks, columns

DIRECTIONS = {
    "correlate_valid": ["x", "w"],
    "correlate_valid_backward": ["h", "x", "w"],
    "convolve_full": ["h", "w"],
    "convolve_full_backward": ["x", "h", "w"],
    "kernel_gradient": ["x", "h"],
    "correlate_same": ["x", "w"],
    "correlate_same_backward": ["same", "x", "w"],
    "convolve_same": ["same", "w"],
    "convolve_same_backward": ["x", "same", "w"],
}


def results(impl, name, arrays):
    found = getattr(impl, name)(*[arrays[a] for a in DIRECTIONS[name]])
    return [to_numpy(a) for a in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("strip", [1, 1 << 23], ids=["a row at a time", "at once"])
def test_products_with_columns_are_those_with_im2col(xp, arrays, strip, monkeypatch):
    """What :mod:`cae_np.ops.conv` promises: W · im2col(x), col2im(Wᵀ · h), h · im2col(x)ᵀ."""
    monkeypatch.setattr(columns, "STRIP_BYTES", strip)
    monkeypatch.setitem(blocks._device_bytes, xp, strip)
    x, w, h = arrays["x"], arrays["w"], arrays["h"]
    (K, C, kh, kw), (N, _, OH, OW) = w.shape, h.shape
    matrix, col = w.reshape(K, -1), ops.im2col(x, kh, kw).reshape(C * kh * kw, -1)
    maps = h.swapaxes(0, 1).reshape(K, -1)
    y = (matrix @ col).reshape(K, N, OH, OW).swapaxes(0, 1)
    dw = (maps @ col.T).reshape(w.shape)
    folded = ops.col2im((matrix.T @ maps).reshape(C, kh, kw, N, OH, OW), x.shape)
    for found, expected in [
        (columns.kernels_times_columns(w, x), y),
        (columns.maps_times_columns(h, x), dw),
        (columns.fold_columns(w, h), folded),
        *zip(columns.both_times_columns(w, h, x), (y, dw), strict=True),
    ]:
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("name", DIRECTIONS)
def test_strips_do_not_change_results(xp, impl, arrays, name, rows, monkeypatch):
    expected = results(impl, name, arrays)
    N, C = arrays["x"].shape[:2]
    row_bytes = 8 * N * C * (3 * 2) * 5  # a row of 5 places, a kernel of 3×2
    monkeypatch.setattr(columns, "STRIP_BYTES", rows * row_bytes)
    monkeypatch.setitem(blocks._device_bytes, xp, rows * row_bytes)
    assert columns._strip_height(arrays["x"], 5, 3, 2) == rows
    for found, a in zip(results(impl, name, arrays), expected, strict=True):
        np.testing.assert_allclose(found, a, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_memory_used_again_does_not_change_results(impl, arrays, name):
    """Columns go to memory that served others before, and no result lives in that memory."""
    expected = results(impl, name, arrays)
    correlate_valid(arrays["x"], arrays["x"][:, :, :4, :5])  # more bytes, another shape
    found = getattr(impl, name)(*[arrays[a] for a in DIRECTIONS[name]])
    results(impl, name, {key: -3 * a for key, a in arrays.items()})
    for a, b in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        np.testing.assert_array_equal(to_numpy(a), b)
