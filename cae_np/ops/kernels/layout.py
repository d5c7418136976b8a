"""The memory of maps: the images of a batch are neighbours.

Shapes are (N, C, H, W), as in the papers' notation, but the *memory* of every map that an
operation makes is ordered (C, H, W, N).  Shifting an image by one pixel then moves long contiguous
runs (a row of the map times the batch) instead of short ones, which makes im2col a plain memory
copy and its adjoint a plain vector addition.
"""

from ...backend import get_array_module


def batch_last(x):
    """``x``, shape (N, C, H, W), with memory ordered (C, H, W, N); copied only where it is not."""
    xp = get_array_module(x)
    return xp.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)


def empty_batch_last(xp, shape, dtype):
    """An uninitialised array of shape (N, C, H, W) with memory ordered (C, H, W, N)."""
    N, C, H, W = shape
    return xp.empty((C, H, W, N), dtype).transpose(3, 0, 1, 2)


def zeros_batch_last(xp, shape, dtype):
    """Zeros of shape (N, C, H, W) with memory ordered (C, H, W, N)."""
    N, C, H, W = shape
    return xp.zeros((C, H, W, N), dtype).transpose(3, 0, 1, 2)


def as_matrix(x):
    """The matrix with a row for each (c, kh, kw) of columns, or each c of maps.

    Parameters
    ----------
    x : array, shape (C, kh, kw, N, OH, OW) from :func:`~cae_np.ops.im2col.im2col`, or (N, C, H, W)
        from :func:`batch_last`, or rows of such maps

    Returns
    -------
    array, shape (C·kh·kw, OH·OW·N) or (C, H·W·N)
        A view where x's memory allows one: always where x is as described.
    """
    if x.ndim == 6:
        C, kh, kw, *_ = x.shape
        return x.transpose(0, 1, 2, 4, 5, 3).reshape(C * kh * kw, -1)
    return x.transpose(1, 2, 3, 0).reshape(x.shape[1], -1)
