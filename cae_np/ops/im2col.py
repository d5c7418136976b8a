"""Patches as columns, and back: the adjoint pair under every convolution of this package."""

from ..backend import get_array_module
from .checks import takes
from .kernels.layout import batch_last, zeros_batch_last


@takes(x="N C H W, kept")
def im2col(x, kh, kw, out=None):
    """Lay every kh × kw patch of ``x`` out as one column.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width in pixels; 1 <= kh <= H and 1 <= kw <= W.
    out : array, shape (C, kh, kw, N, OH, OW), optional
        Takes the columns, in its own memory order; x then stays in the one that it has.

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
    xp = get_array_module(x)
    N, C, H, W = x.shape
    if not (1 <= kh <= H and 1 <= kw <= W):
        raise ValueError(
            f"a {kh}×{kw} kernel does not fit into {H}×{W} images; choose 1 <= kh <= {H} and "
            f"1 <= kw <= {W}, or pad the images"
        )
    if out is None:  # the batch last in memory, so that :func:`as_matrix` sees a matrix in it
        x, shape = batch_last(x), (C, kh, kw, H - kh + 1, W - kw + 1, N)
        out = xp.empty(shape, x.dtype).transpose(0, 1, 2, 5, 3, 4)
    # x[n, c, p, q, i, j]: a view that lists the overlapping patches without copying them.
    patches = xp.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    out[...] = patches.transpose(1, 4, 5, 0, 2, 3)
    return out


@takes(col="C kh kw N OH OW", shape="(N, C, H, W)")
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
