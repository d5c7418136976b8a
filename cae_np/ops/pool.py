"""Max-pooling that remembers where its maxima were, and the ways back.

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
            pixels, places = _under(x[:, maps], highest, i, j, ph, pw)
            xp.maximum(places, pixels, out=places)
        is_open = xp.ones_like(highest, dtype=bool)  # windows whose winner has not been met yet
        for i, j in _offsets(ph, pw):
            pixels, places = _under(x[:, maps], highest, i, j, ph, pw)
            marks, still_open = _under(mask[:, maps], is_open, i, j, ph, pw)
            xp.logical_and(pixels == places, still_open, out=marks)
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


@takes(dy="N C OH OW", mask="N C H W, kept")
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
    """Put each window's value at the place that the mask marks, zeros elsewhere.

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
            pixels, places = _under(x[:, maps], y[:, maps], i, j, ph, pw)
            # An infinite value leaves NaN where the mask is False; to choose instead (copyto with
            # where) takes ten times as long.
            xp.multiply(places, mask[:, maps, i::ph, j::pw], out=pixels)

    for_each_block(put, x.shape[1], _maps_in_block(x), xp)
    return x


@takes(dx="N C H W", mask="N C H W, kept")
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
            pixels, places = _under(dx[:, maps], dy[:, maps], i, j, ph, pw)
            places += pixels * mask[:, maps, i::ph, j::pw]

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


@takes(dy="N C H W", mask="N C H W, kept")
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

    The maximum over a square is taken over columns, then over rows, which is also the first
    maximum in row-major order.
    """
    xp = get_array_module(x)
    H, W = x.shape[2:]
    if not 1 <= stride <= width <= min(H, W):
        raise ValueError(
            f"pooling width {width} and stride {stride} on {H}×{W} maps: "
            f"expected 1 <= stride <= width <= {min(H, W)}"
        )
    in_row, column = _max_along_last_axis(x, width, stride)  # (N, C, H, OW)
    y, row = _max_along_last_axis(in_row.swapaxes(2, 3), width, stride)  # (N, C, OW, OH)
    y, row = y.swapaxes(2, 3), row.swapaxes(2, 3)
    return y, row * W + xp.take_along_axis(column, row, axis=2)


@takes(dy="N C OH OW", winner="N C OH OW, below H W", shape="(N, C, H, W)")
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


def _max_along_last_axis(x, width, stride):
    """Windowed maximum along the last axis, and the index of the first pixel that has it."""
    xp = get_array_module(x)
    S = x.shape[-1]
    n = -(-S // stride)
    nan = xp is not numpy or (
        x.size and numpy.isnan(x.max())
    )  # a device would have to be waited for
    left = max((n - 1) * stride + width - S, 0) // 2
    first = xp.maximum(xp.arange(n) * stride - left, 0)  # each window's first real pixel
    y = x[..., first]
    index = xp.broadcast_to(first, y.shape).copy()
    for offset in range(width):
        # Windows begin ... end - 1 have a real pixel here: 0 <= p·stride - left + offset < S.
        begin = max(0, -(-(left - offset) // stride))
        end = min(n, (S - 1 + left - offset) // stride + 1)
        position = xp.arange(begin, end) * stride - left + offset
        pixels = x[..., begin * stride - left + offset :: stride][..., : end - begin]
        places, indices = y[..., begin:end], index[..., begin:end]
        better = pixels > places
        if nan:  # the first of a window is better than all
            better |= (pixels != pixels) & (places == places)
        places[...] = xp.where(better, pixels, places)
        indices[...] = xp.where(better, position, indices)
    return y, index
