"""Max-pooling with the positions of the maxima, unpooling, and their gradients.

Non-overlapping pooling (M11, section 3.1) returns a boolean mask in the image's shape; overlapping
pooling (M14) returns the flat position of each window's maximum, since a pixel may win several
windows.  Of equal values the first in row-major order wins, on both backends.  A NaN counts as
larger than any number: a window that holds one gives NaN, and the first of its NaN is the winner.
"""

from numbers import Integral

import numpy

from ..backend import get_array_module, scatter_add
from .checks import takes
from .kernels.blocks import block_bytes, for_each_block


@takes(x="N C H W, kept")
def max_pool(x, size):
    """The largest value of each window of a grid of non-overlapping windows.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    size : int, or pair (ph, pw)
        Height and width of a window in pixels.  Where they do not divide H and W, the last
        windows are clipped to the image.

    Returns
    -------
    y : array, shape (N, C, ceil(H / ph), ceil(W / pw))
    mask : boolean array, shape (N, C, H, W)
        True at the one pixel of each window that y was taken from: its first maximum, or its
        first NaN.

    Raises
    ------
    ValueError
        If a window is larger than the image, or smaller than one pixel.
    """
    xp = get_array_module(x)
    ph, pw = window_size(size, x.shape)
    y = xp.empty_like(x[:, :, ::ph, ::pw])
    mask = xp.empty_like(x, dtype=bool)

    def pool(maps):
        highest = y[:, maps]
        highest[...] = x[:, maps, ::ph, ::pw]
        for i, j in _offsets(ph, pw):
            pixels, windows = _under(x[:, maps], highest, i, j, ph, pw)
            xp.maximum(windows, pixels, out=windows)
        is_open = xp.ones_like(highest, dtype=bool)  # windows whose winner has not been met yet
        for i, j in _offsets(ph, pw):
            pixels, windows = _under(x[:, maps], highest, i, j, ph, pw)
            marks, still_open = _under(mask[:, maps], is_open, i, j, ph, pw)
            xp.logical_and(pixels == windows, still_open, out=marks)
            still_open ^= marks
        # What is open still has a NaN for its maximum, which is equal to nothing.  A device is not
        # asked whether there are such windows: it would have to be waited for.
        if xp is not numpy or is_open.any():
            for i, j in _offsets(ph, pw):
                pixels, _ = _under(x[:, maps], highest, i, j, ph, pw)
                marks, still_open = _under(mask[:, maps], is_open, i, j, ph, pw)
                first = still_open & xp.isnan(pixels)
                marks |= first
                still_open ^= first

    for_each_block(pool, x.shape[1], _maps_in_block(x), xp)
    return y, mask


@takes(mask="N C H W, kept", dy="N C OH OW")
def max_pool_backward(dy, mask, size):
    """Gradient of :func:`max_pool`: each window's gradient goes to the pixel that won it.

    Parameters
    ----------
    dy : array, shape (N, C, OH, OW)
    mask, size : from the forward

    Returns
    -------
    dx : array, shape (N, C, H, W)
    """
    return unpool(dy, mask, size)


@takes(y="N C OH OW", mask="N C H W, kept")
def unpool(y, mask, size):
    """Put each window's value at the pixel that the mask marks, zeros elsewhere.

    Parameters
    ----------
    y : array, shape (N, C, OH, OW)
    mask : boolean array, shape (N, C, H, W), from :func:`max_pool`
    size : int, or pair (ph, pw)

    Returns
    -------
    x : array, shape (N, C, H, W)
        Of a value that is NaN or infinite the whole window becomes NaN.

    Raises
    ------
    ValueError
        If y is not what pooling the mask's shape by ``size`` gives.
    """
    xp = get_array_module(y, mask)
    ph, pw = window_size(size, mask.shape)
    _check_pooled(y, mask, ph, pw)
    x = xp.empty_like(mask, dtype=y.dtype)

    def put(maps):
        for i, j in _offsets(ph, pw):
            pixels, windows = _under(x[:, maps], y[:, maps], i, j, ph, pw)
            # An infinite value leaves NaN where the mask is False; to choose instead (copyto with
            # where) takes ten times as long.
            xp.multiply(windows, mask[:, maps, i::ph, j::pw], out=pixels)

    for_each_block(put, x.shape[1], _maps_in_block(x), xp)
    return x


@takes(mask="N C H W, kept", dx="N C H W")
def unpool_backward(dx, mask, size):
    """Gradient of :func:`unpool`: each window collects the gradient at its marked pixel.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
    mask, size : from the forward

    Returns
    -------
    dy : array, shape (N, C, OH, OW)

    Raises
    ------
    ValueError
        If dx is not of the mask's shape.
    """
    xp = get_array_module(dx, mask)
    ph, pw = window_size(size, mask.shape)
    dy = xp.zeros_like(dx[:, :, ::ph, ::pw])

    def collect(maps):
        for i, j in _offsets(ph, pw):
            pixels, windows = _under(dx[:, maps], dy[:, maps], i, j, ph, pw)
            windows += pixels * mask[:, maps, i::ph, j::pw]

    for_each_block(collect, dx.shape[1], _maps_in_block(dx), xp)
    return dy


@takes(x="N C H W, kept")
def erase_non_maximal(x, size):
    """Set everything but each window's maximum to zero and keep the image's resolution.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    size : int, or pair (ph, pw)

    Returns
    -------
    y : array, shape (N, C, H, W), ``x * mask``
    mask : boolean array, shape (N, C, H, W)

    Notes
    -----
    M11, section 3.1: "erasing all non-maximal values in non overlapping subregions".  The same
    as pooling and unpooling with the same mask.
    """
    _, mask = max_pool(x, size)
    return x * mask, mask


@takes(mask="N C H W, kept", dy="N C H W")
def erase_non_maximal_backward(dy, mask):
    """Gradient of :func:`erase_non_maximal`: what was erased gets none.

    Parameters
    ----------
    dy : array, shape (N, C, H, W)
    mask : from the forward

    Returns
    -------
    dx : array, shape (N, C, H, W)
    """
    return dy * mask


@takes(x="N C H W, kept")
def overlapping_max_pool(x, width, stride):
    """The largest value of each of many square windows that may overlap.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    width, stride : int
        Side of a window and step between windows in pixels; stride <= width, so that every
        pixel lies in some window.

    Returns
    -------
    y : array, shape (N, C, OH, OW), with OH = ceil(H / stride) and OW = ceil(W / stride)
    winner : integer array, shape (N, C, OH, OW)
        Flat position ``u * W + v`` of the pixel that y was taken from: the first maximum in
        row-major order, or the first NaN.

    Raises
    ------
    ValueError
        If width or stride is out of range.

    Notes
    -----
    Windows are centred: along a side of S pixels the total padding is
    ``max((n - 1)·stride + width - S, 0)``, half of it (rounded down) before.  This gives M14's
    sizes (28 → 10 with 5/3, 10 → 5 with 3/2, 32 → 8 with 5/4 and 6/4).  Padding is never a value:
    a window at the border ranges over real pixels only.

    The maximum over a square is taken along rows, then over them, which is also the first maximum
    in row-major order.
    """
    xp = get_array_module(x)
    H, W = x.shape[2:]
    check_overlapping(width, stride, H, W)
    in_row, column = _first_largest(x.swapaxes(2, 3), width, stride)  # (N, C, OW, H)
    y, row = _first_largest(in_row.swapaxes(2, 3), width, stride)  # (N, C, OH, OW)
    return y, row * W + xp.take_along_axis(column.swapaxes(2, 3), row, axis=2)


@takes(winner="N C OH OW, below H W", shape="(N, C, H, W)", dy="N C OH OW")
def overlapping_max_pool_backward(dy, winner, shape):
    """Gradient of :func:`overlapping_max_pool`: a pixel collects from all windows that it won.

    Parameters
    ----------
    dy : array, shape (N, C, OH, OW)
    winner : from the forward
    shape : tuple (N, C, H, W)

    Returns
    -------
    dx : array, shape (N, C, H, W)
    """
    xp = get_array_module(dy, winner)
    N, C, H, W = shape
    dx, windows = xp.zeros((N * C, H * W), dy.dtype), (N * C, dy.shape[2] * dy.shape[3])
    image = xp.arange(N * C)[:, None]
    scatter_add(dx, (image, winner.reshape(windows)), dy.reshape(windows))
    return dx.reshape(shape)


# --- windows --------------------------------------------------------------------------------------


def window_size(size, shape):
    """``size`` as a checked pair (ph, pw) for images of this shape."""
    ph, pw = (size, size) if isinstance(size, Integral) else size
    H, W = shape[2:]
    if not (1 <= ph <= H and 1 <= pw <= W):
        raise ValueError(
            f"{ph}×{pw} pooling windows do not fit into {H}×{W} maps; choose 1 to {H} and 1 to {W}"
        )
    return ph, pw


def _offsets(ph, pw):
    return [(i, j) for i in range(ph) for j in range(pw)]


def _under(x, y, i, j, ph, pw):
    """Views of the pixels at offset (i, j) of each window, and of the windows that have one."""
    pixels = x[:, :, i::ph, j::pw]
    return pixels, y[:, :, : pixels.shape[2], : pixels.shape[3]]


# Of the image.  In blocks that fit a cache the calls are so short that threads wait for each other.
BLOCK_BYTES = 1 << 23


def _maps_in_block(x):
    """How many maps take at most a block's bytes; at least one."""
    map_bytes = x.shape[0] * x.shape[2] * x.shape[3] * x.dtype.itemsize
    return max(1, block_bytes(get_array_module(x), BLOCK_BYTES) // max(1, map_bytes))


def _check_pooled(y, mask, ph, pw):
    N, C, H, W = mask.shape
    expected = (N, C, -(-H // ph), -(-W // pw))
    if y.shape != expected:
        raise ValueError(
            f"y has shape {y.shape}; pooling {mask.shape} by {ph}×{pw} gives {expected}"
        )


def check_overlapping(width, stride, H, W):
    """Raise ValueError unless such windows can be laid on maps of this size."""
    if not 1 <= stride <= width <= min(H, W):
        raise ValueError(
            f"pooling width {width} and stride {stride} on {H}×{W} maps: "
            f"expected 1 <= stride <= width <= {min(H, W)}"
        )


def largest_in_windows(x, width, stride):
    """The values of :func:`overlapping_max_pool`, whose windows they are, without their positions.

    Parameters
    ----------
    x : array, shape (..., H, W)
    width, stride : int

    Returns
    -------
    y : array, shape (..., OH, OW)
    """
    for _ in range(2):  # down the columns, then along the rows
        x = _largest_of(_overlapping(x, width, stride)).swapaxes(-1, -2)
    return x


def _first_largest(x, width, stride):
    """Windowed maximum down the columns, and the index of the first row that has it."""
    xp, n, S = get_array_module(x), -(-x.shape[-2] // stride), x.shape[-2]
    pixels = _overlapping(x, width, stride)
    y = _largest_of(pixels)
    offset = xp.zeros(y.shape, dtype="int64")
    for i in reversed(range(width)):
        has_it = (pixels[i] == y) | (pixels[i] != pixels[i])  # where there is a NaN, y is one
        offset = xp.where(has_it, i, offset)
    first = xp.arange(n) * stride - _rows_before(S, width, stride)
    return y, xp.clip(first[:, None] + offset, 0, S - 1)


def _overlapping(x, width, stride):
    """For each offset in a window down the columns, the pixels there of all windows: views,
    (..., n, W).  The edge pixels are repeated outwards, which every window there contains."""
    *lead, S, W = x.shape
    n, before = -(-S // stride), _rows_before(S, width, stride)
    padded = get_array_module(x).empty((*lead, (n - 1) * stride + width, W), x.dtype)
    padded[..., :before, :] = x[..., :1, :]
    padded[..., before : before + S, :] = x
    padded[..., before + S :, :] = x[..., -1:, :]
    return [padded[..., i : i + n * stride : stride, :] for i in range(width)]


def _rows_before(S, width, stride):
    return ((-(-S // stride) - 1) * stride + width - S) // 2


def _largest_of(arrays):
    largest, *others = arrays
    largest, xp = largest.copy(), get_array_module(largest)
    for other in others:
        xp.maximum(largest, other, out=largest)
    return largest
