"""Patches as columns, and back: the adjoint pair under every convolution of this package.

Shapes are (N, C, H, W), as in the papers' notation, but the *memory* of every map that an
operation makes is ordered (C, H, W, N): the images of a batch are neighbours.  Shifting an image
by one pixel then moves long contiguous runs (a row of the map times the batch) instead of short
ones, which makes im2col a plain memory copy and its adjoint a plain vector addition.
"""

from ..backend import get_array_module


def im2col(x, kh, kw, out=None):
    """Lay every kh × kw patch of ``x`` out as one column.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width in pixels; 1 <= kh <= H and 1 <= kw <= W.
    out : array, shape (C, kh, kw, OH, OW, N), optional
        C-contiguous memory that takes the columns.

    Returns
    -------
    col : array, shape (C, kh, kw, N, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1
        ``col[c, i, j, n, p, q] == x[n, c, p + i, q + j]``.  A copy, in x's dtype.

    Raises
    ------
    ValueError
        If the kernel does not fit into the image.

    Notes
    -----
    One strided copy; no loop over pixels.  The adjoint is :func:`col2im`.
    """
    # In memory (C, kh, kw, OH, OW, N), so that :func:`as_matrix` sees a matrix in it.
    xp = get_array_module(x)
    N, C, H, W = x.shape
    if not (1 <= kh <= H and 1 <= kw <= W):
        raise ValueError(
            f"a {kh}×{kw} kernel does not fit into {H}×{W} images; choose 1 <= kh <= {H} and "
            f"1 <= kw <= {W}, or pad the images"
        )
    OH, OW = H - kh + 1, W - kw + 1
    shape = (C, kh, kw, OH, OW, N)
    col = xp.empty(shape, x.dtype) if out is None else out
    # x[n, c, p, q, i, j]: a view that lists the overlapping patches without copying them.
    patches = xp.lib.stride_tricks.sliding_window_view(batch_last(x), (kh, kw), axis=(2, 3))
    col[...] = patches.transpose(1, 4, 5, 2, 3, 0)
    return col.transpose(0, 1, 2, 5, 3, 4)


def col2im(col, shape):
    """Add every column back to the pixels that it was taken from.

    Parameters
    ----------
    col : array, shape (C, kh, kw, N, OH, OW)
    shape : tuple (N, C, H, W), with H = OH + kh - 1 and W = OW + kw - 1

    Returns
    -------
    x : array, shape (N, C, H, W)
        ``x[n, c, u, v]`` is the sum of ``col[c, i, j, n, u - i, v - j]`` over all i, j for which
        the indices exist: a pixel counts as often as patches contain it.

    Raises
    ------
    ValueError
        If ``shape`` is not the shape of the images that such columns are taken from.

    Notes
    -----
    Loops over kernel offsets, never over pixels.  The adjoint of :func:`im2col`:
    ``<im2col(x), col> == <x, col2im(col)>`` for all x and col.
    """
    C, kh, kw, N, OH, OW = col.shape
    if tuple(shape) != (N, C, OH + kh - 1, OW + kw - 1):
        raise ValueError(
            f"columns of shape {col.shape} come from images of shape "
            f"{(N, C, OH + kh - 1, OW + kw - 1)}, not {tuple(shape)}"
        )
    x = zeros_batch_last(get_array_module(col), shape, col.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + OH, j : j + OW] += col[:, i, j].swapaxes(0, 1)
    return x


# --- the memory order ---------------------------------------------------------------------------


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
    x : array, shape (C, kh, kw, N, OH, OW) from :func:`im2col`, or (N, C, H, W) from
        :func:`batch_last`, or rows of such maps

    Returns
    -------
    array, shape (C·kh·kw, OH·OW·N) or (C, H·W·N)
        A view where x's memory allows one: always where x is as described.
    """
    if x.ndim == 6:
        C, kh, kw, *_ = x.shape
        return x.transpose(0, 1, 2, 4, 5, 3).reshape(C * kh * kw, -1)
    return x.transpose(1, 2, 3, 0).reshape(x.shape[1], -1)
