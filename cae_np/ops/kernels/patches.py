"""Patches under winners: the kernel-sized pieces of images that a few units look at.

Winners and their values are (N, K), kernels (K, C, kh, kw), images (N, C, H, W), padded with zeros
as "same" pads.  Images are laid out with the channels last and kernels as rows of (kh, kw, C), so
that a patch is kh runs of kw·C neighbouring numbers.  Kernels whose memory has that order already,
under their shape (K, C, kh, kw), are not copied; gradients come in it.

There are two algorithms.  Patches can be *gathered*, which any array module does.  Or the winners
are entries of a *sparse matrix*, with a row for each element of each kernel and a column for each
pixel: SciPy's product with it spares the copies.  Which one is faster decides, here and nowhere
else.
"""

import numpy

from ...backend import get_array_module, scatter_add
from ..padding import crop_same
from .blocks import block_bytes, for_each_block, scratch

# Measured, 128 → 2048 maps of 5×5, 32 images, processor time of the decoder's backward: 101 ms at
# 2 MB and at 4 MB, 129 ms at 8 MB, which no cache holds; below, short calls wait for each other.
# Tried beside it, with the same measure: copying into memory that is used again (``take``), a tenth
# less but a second way to gather; one kernel offset at a time, 1.2 times as much; winners grouped
# by position, so that they share patches, 5 times, since each group gathers its kernels instead.
PATCH_BYTES = 1 << 22
MATRIX_ENTRIES = 1 << 19
MANY_CHANNELS = 16  # from here on the sparse matrix is faster than gathering


def lay_down(a, winner, w, image_shape):
    """Σ_k a[n, k] · W_k, each kernel laid down at its winner.

    Parameters
    ----------
    a : array, shape (N, K)
    winner : integer array, shape (N, K)
    w : array, shape (K, C, kh, kw)
    image_shape : tuple (H, W)

    Returns
    -------
    array, shape (N, C, H, W)
    """
    xp = get_array_module(a, winner, w)
    (N, K), (C, kh, kw), (H, W) = a.shape, w.shape[1:], image_shape
    a, winner, elements = by_map(a), by_map(winner), as_rows(w).reshape(K, kh * kw, C)
    images = xp.zeros((N, H + kh - 1, W + kw - 1, C), xp.result_type(a, w))

    def multiply(some):
        pixel = _covered_pixels(winner[:, some], kh, kw, W, images.shape)
        pixels = images[some].reshape(-1, C)
        pixels += _winner_matrix(a[:, some], pixel, len(pixels)).T @ elements.reshape(-1, C)

    def scatter(maps):
        pixel = _covered_pixels(winner[maps], kh, kw, W, images.shape)
        scatter_add(
            images.reshape(-1, C), (pixel,), a[maps, None, :, None] * elements[maps, :, None]
        )

    if xp is numpy:
        for_each_block(multiply, N, _within(MATRIX_ENTRIES, K * kh * kw), xp)
    else:
        for_each_block(scatter, K, _maps_at_a_time(xp, N, elements), xp)
    return crop_same(images.transpose(0, 3, 1, 2), kh, kw)


def for_each_patches(use, x, winner, kh, kw):
    """Call ``use(maps, patches)`` for a few maps at a time.

    Parameters
    ----------
    use : callable, (slice, array of shape (maps, N, kh·kw·C)) -> None
        It writes its results into arrays, each slice to rows of its own.
    x : array, shape (N, C, H, W)
    winner : integer array, shape (N, K)
    kh, kw : int
    """
    xp, (N, C), winner = get_array_module(x, winner), x.shape[:2], by_map(winner)
    windows = xp.lib.stride_tricks.sliding_window_view(_channels_last(x, kh, kw), (kh, kw), (1, 2))
    windows = windows.transpose(0, 1, 2, 4, 5, 3)  # (N, H, W, kh, kw, C), not copied
    W = windows.shape[2]
    image = xp.arange(N)

    def gather(maps):
        corner = winner[maps]
        patches = windows[image, corner // W, corner % W]  # a copy
        use(maps, patches.reshape(*corner.shape, kh * kw * C))

    map_bytes = N * kh * kw * C * x.dtype.itemsize
    for_each_block(gather, len(winner), _within(block_bytes(xp, PATCH_BYTES), map_bytes), xp)


def sum_patches(a, winner, x, kh, kw, rows):
    """Σ_n a[n, k] · the patch of x[n] at winner[n, k].

    Parameters
    ----------
    a : array, shape (N, K)
    winner : integer array, shape (N, K)
    x : array, shape (N, C, H, W)
    kh, kw : int
    rows : array, shape (K, kh·kw·C)
        Filled with the sums.
    """
    xp, (N, C, _, W), a = get_array_module(a, winner, x), x.shape, by_map(a)

    def add_up(maps, patches):
        rows[maps] = (a[maps, None, :] @ patches)[:, 0]

    if xp is not numpy or C < MANY_CHANNELS:
        return for_each_patches(add_up, x, winner, kh, kw)

    padded, winner = _channels_last(x, kh, kw), by_map(winner)
    pixels = padded.reshape(-1, C)

    def multiply(maps):
        pixel = _covered_pixels(winner[maps], kh, kw, W, padded.shape)
        rows[maps] = (_winner_matrix(a[maps], pixel, len(pixels)) @ pixels).reshape(
            rows[maps].shape
        )

    for_each_block(multiply, len(a), _within(MATRIX_ENTRIES, N * kh * kw), xp)


# --- layouts --------------------------------------------------------------------------------------


def by_map(array):
    """(N, K) as (K, N), contiguous: the passes go map by map."""
    return get_array_module(array).ascontiguousarray(array.T)


def as_rows(w):
    """Kernels (K, C, kh, kw) as (K, kh·kw·C): a view where their memory has the channels last."""
    return w.transpose(0, 2, 3, 1).reshape(len(w), -1)


def empty_kernels(xp, shape, dtype, out=None):
    """Memory for kernels (K, C, kh, kw) of which :func:`as_rows` is a view: channels last.

    Raises
    ------
    ValueError
        If ``out``, which is to be that memory, is not: it would be left as it is.
    """
    K, C, kh, kw = shape
    if out is None:
        return xp.empty((K, kh, kw, C), dtype).transpose(0, 3, 1, 2)
    if out.shape != tuple(shape) or not out.transpose(0, 2, 3, 1).flags.c_contiguous:
        raise ValueError(
            f"out has shape {out.shape} and strides {out.strides}; expected {shape} with the "
            "channels last in memory, as in xp.empty((K, kh, kw, C)).transpose(0, 3, 1, 2)"
        )
    return out


def _channels_last(x, kh, kw):
    """Images (N, C, H, W) as (N, H + kh - 1, W + kw - 1, C), contiguous, zeros around them."""
    N, C, H, W = x.shape
    padded = get_array_module(x).zeros((N, H + kh - 1, W + kw - 1, C), x.dtype)
    crop_same(padded.transpose(0, 3, 1, 2), kh, kw)[...] = x
    return padded


# --- winners as a sparse matrix -------------------------------------------------------------------


def _covered_pixels(winner, kh, kw, W, padded_shape):
    """Which pixels the kernels cover: flat numbers over all padded images, (K, kh·kw, N)."""
    xp = get_array_module(winner)
    _, Hp, Wp, _ = padded_shape
    K, N = winner.shape
    corner = (xp.arange(N) * (Hp * Wp) + winner // W * Wp + winner % W).astype("int32")
    element = (xp.arange(kh)[:, None] * Wp + xp.arange(kw)).reshape(-1, 1).astype("int32")
    pixel = scratch().get("pixels", (K, kh * kw, N), "int32", xp)
    return xp.add(corner[:, None, :], element, out=pixel)


def _winner_matrix(a, pixel, pixels):
    """A row for each element of each kernel, a column for each pixel, ``a`` where it covers it."""
    values = scratch().get("values", pixel.shape, a.dtype, numpy)
    values[...] = a[:, None, :]
    rows, width = pixel.shape[0] * pixel.shape[1], pixel.shape[2]
    starts = width * numpy.arange(rows + 1, dtype="int32")
    from scipy.sparse import csr_array  # here, since it takes a third of the time of `--list`

    return csr_array((values.ravel(), pixel.ravel(), starts), shape=(rows, pixels))


def _within(limit, each):
    """How many things of this size stay within a limit; at least one."""
    return max(1, limit // max(1, each))


def _maps_at_a_time(xp, N, elements):
    return _within(block_bytes(xp, PATCH_BYTES), N * elements[0].size * elements.dtype.itemsize)
