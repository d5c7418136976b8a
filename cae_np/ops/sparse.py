"""Winner-take-all without the zeros: passes that touch one unit of each feature map.

Where every map keeps one unit (M14, section 2.1), an image has K active units instead of K·H·W.
With winner position Γ and value a[n, k], and *patch* for what a kernel covers at Γ, what is left of
the dense passes through ``place(a, winner, (H, W))`` when their zeros are left out is

    x_hat[n]  =  Σ_k a[n, k] · W_k, laid down at Γ[n, k]
    da[n, k]  =  <W_k, patch of dx at Γ[n, k]>
    dW_k      =  Σ_n a[n, k] · patch of dx at Γ[n, k]
    dP_k      =  Σ_n dz[n, k] · patch of x at Γ[n, k]        (P, the encoder's kernels)

Only finding the winners takes a dense product, :func:`encode_winners`.

Images are laid out with the channels last and kernels as rows of (kh, kw, C), so that a patch is
kh runs of kw·C neighbouring numbers.  Kernels whose memory has that order already, under their
shape (K, C, kh, kw), are not copied; gradients come in it.
"""

import numpy
from scipy.sparse import csr_array

from ..backend import get_array_module, scatter_add
from .kernels.blocks import block_bytes, for_each_block, scratch
from .padding import crop_same


def sparse_decode(a, winner, w, image_shape):
    """Lay every kernel down at its winner's place, weighted by the winner, and add up.

    Parameters
    ----------
    a : array, shape (N, K)
    winner : integer array, shape (N, K)
        Flat positions ``p * W + q``.
    w : array, shape (K, C, kh, kw)
    image_shape : tuple (H, W)

    Returns
    -------
    x_hat : array, shape (N, C, H, W), ``convolve_same(place(a, winner, (H, W)), w)``

    Notes
    -----
    M14, training step 3.
    """
    xp = get_array_module(a, winner, w)
    (N, K), (C, kh, kw), (H, W) = a.shape, w.shape[1:], image_shape
    a, winner, kernels = _by_map(a), _by_map(winner), _elements(w)
    x_hat = xp.zeros((N, H + kh - 1, W + kw - 1, C), xp.result_type(a, w))

    def decode_images(images):
        pixel = _covered_pixels(winner[:, images], kh, kw, W, x_hat.shape)
        image = x_hat[images].reshape(-1, C)
        image += _winner_matrix(a[:, images], pixel, len(image)).T @ kernels.reshape(-1, C)

    def decode_maps(maps):
        pixel = _covered_pixels(winner[maps], kh, kw, W, x_hat.shape)
        weighted = a[maps, None, :, None] * kernels[maps, :, None, :]
        scatter_add(x_hat.reshape(-1, C), (pixel,), weighted)

    if xp is numpy:
        for_each_block(decode_images, N, max(1, MATRIX_ENTRIES // (K * kh * kw)), xp)
    else:
        for_each_block(decode_maps, K, _maps_at_a_time(xp, N, kernels), xp)
    return crop_same(x_hat.transpose(0, 3, 1, 2), kh, kw)


def sparse_decode_backward(dx, a, winner, w, out=None):
    """Gradients of :func:`sparse_decode`.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
        The upstream gradient.
    a, winner, w : the arguments of the forward
    out : array like w, channels last in memory, optional
        Takes dw.

    Returns
    -------
    da : array, shape (N, K)
    dw : array, shape (K, C, kh, kw)

    Raises
    ------
    ValueError
        If ``out`` is not as described: it would be left as it is.

    Notes
    -----
    M14, section 2.1: the error "is only backpropagated through these hidden units".  Both
    gradients read the same patches of dx, which are gathered for a few maps at a time.
    """
    xp = get_array_module(dx, a, winner, w)
    a, winner, kernels = _by_map(a), _by_map(winner), _elements(w)
    gather = _patch_gatherer(_channels_last(dx, *w.shape[2:]), winner, *w.shape[2:])
    dtype = xp.result_type(dx, a, w)
    da, dw = xp.empty(a.shape, dtype), _empty_elements(xp, w.shape, dtype, out)

    def collect(maps):
        patches = gather(maps)  # (maps, N, kh·kw·C)
        da[maps] = (patches @ kernels[maps].reshape(len(patches), -1, 1))[:, :, 0]
        dw[maps] = (a[maps, None, :] @ patches).reshape(dw[maps].shape)

    for_each_block(collect, len(a), _maps_at_a_time(xp, len(dx), kernels), xp)
    return da.T, _as_kernels(dw, w.shape)


def sparse_kernel_gradient(a, winner, x, kh, kw, out=None):
    """How each kernel's gradient collects the patches of the images at its winners.

    Parameters
    ----------
    a : array, shape (N, K)
        The gradient of the winners' values.
    winner : integer array, shape (N, K)
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width in pixels.
    out : array, shape (K, C, kh, kw), channels last in memory, optional
        Takes dw.

    Returns
    -------
    dw : array, shape (K, C, kh, kw)
        ``kernel_gradient(pad_same(x, kh, kw), place(a, winner, (H, W)))``

    Raises
    ------
    ValueError
        If ``out`` is not as described: it would be left as it is.

    Notes
    -----
    The backward of :func:`encode_winners`.  On the CPU, images of many channels go through the
    sparse matrix of :func:`sparse_decode`, which spares the gathering.
    """
    xp = get_array_module(a, winner, x)
    a, winner, (N, C, _, W) = _by_map(a), _by_map(winner), x.shape
    shape = len(a), C, kh, kw
    dw = _empty_elements(xp, shape, xp.result_type(a, x), out)
    padded = _channels_last(x, kh, kw)
    gather = _patch_gatherer(padded, winner, kh, kw)

    def multiply(maps):
        pixel = _covered_pixels(winner[maps], kh, kw, W, padded.shape)
        pixels = padded.reshape(-1, C)
        dw[maps] = (_winner_matrix(a[maps], pixel, len(pixels)) @ pixels).reshape(-1, kh * kw, C)

    def collect(maps):
        dw[maps] = (a[maps, None, :] @ gather(maps)).reshape(-1, kh * kw, C)

    if xp is numpy and C >= MANY_CHANNELS:
        for_each_block(multiply, len(a), max(1, MATRIX_ENTRIES // max(1, N * kh * kw)), xp)
    else:
        for_each_block(collect, len(a), _maps_at_a_time(xp, N, dw), xp)
    return _as_kernels(dw, shape)


# --- layouts --------------------------------------------------------------------------------------


def _by_map(array):
    """(N, K) as (K, N), contiguous: the passes go map by map."""
    return get_array_module(array).ascontiguousarray(array.T)


def _elements(w):
    """Kernels (K, C, kh, kw) as (K, kh·kw, C)."""
    K, C, kh, kw = w.shape
    return w.transpose(0, 2, 3, 1).reshape(K, kh * kw, C)


def _empty_elements(xp, shape, dtype, out):
    """Memory for gradients of kernels of this shape, laid out as by :func:`_elements`."""
    K, C, kh, kw = shape
    if out is None:
        return xp.empty((K, kh * kw, C), dtype)
    if out.shape != shape or not out.transpose(0, 2, 3, 1).flags.c_contiguous:
        raise ValueError(
            f"out has shape {out.shape} and strides {out.strides}; expected {shape} with the "
            "channels last in memory, as in xp.empty((K, kh, kw, C)).transpose(0, 3, 1, 2)"
        )
    return _elements(out)


def _as_kernels(elements, shape):
    """The inverse of :func:`_elements`, a view."""
    K, C, kh, kw = shape
    return elements.reshape(K, kh, kw, C).transpose(0, 3, 1, 2)


def _channels_last(x, kh, kw):
    """Images (N, C, H, W) as (N, H + kh - 1, W + kw - 1, C), contiguous, zeros around them."""
    N, C, H, W = x.shape
    padded = get_array_module(x).zeros((N, H + kh - 1, W + kw - 1, C), x.dtype)
    crop_same(padded.transpose(0, 3, 1, 2), kh, kw)[...] = x
    return padded


# --- patches and pixels under kernels -------------------------------------------------------------


def _patch_gatherer(padded, winner, kh, kw):
    """A function: slice of maps -> what their kernels cover, shape (maps, N, kh·kw·C), a copy."""
    xp = get_array_module(padded, winner)
    windows = xp.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(1, 2))
    windows = windows.transpose(0, 1, 2, 4, 5, 3)  # (N, H, W, kh, kw, C), not copied
    image, W, C = xp.arange(len(padded)), windows.shape[2], padded.shape[3]

    def gather(maps):
        corner = winner[maps]
        return windows[image, corner // W, corner % W].reshape(*corner.shape, kh * kw * C)

    return gather


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
    return csr_array((values.ravel(), pixel.ravel(), starts), shape=(rows, pixels))


# Measured: patches of 8 MB at a time were faster than blocks that fit into a core's cache (439 ms a
# step of 128 → 2048 maps at 1 MB, 364 ms at 8 MB), since fewer, longer calls wait less for each
# other.
PATCH_BYTES = 1 << 23
MATRIX_ENTRIES = 1 << 19
MANY_CHANNELS = 16


def _maps_at_a_time(xp, N, kernels):
    map_bytes = N * kernels[0].size * kernels.dtype.itemsize
    return max(1, block_bytes(xp, PATCH_BYTES) // max(1, map_bytes))
