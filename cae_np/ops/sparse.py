"""Winner-take-all without the zeros: passes that touch one unit of each feature map.

A convolutional layer whose maps keep one unit each (M14, section 2.1) has K active units an image
instead of K·H·W.  Only finding the winners takes a dense product.  With winner position Γ and value
a[n, k], and *patch* for what the kernel covers when it is laid down at Γ, everything after it is

    x_hat[n]  =  Σ_k a[n, k] · W_k, laid down at Γ[n, k]       (decode)
    da[n, k]  =  <W_k, patch of dx at Γ[n, k]>                 (its backward)
    dW_k      =  Σ_n a[n, k] · patch of dx at Γ[n, k]
    dP_k      =  Σ_n dz[n, k] · patch of x at Γ[n, k]          (the encoder's kernels P)

which are the dense passes through ``place(a, winner, (H, W))`` with the zeros left out.

Images are worked on with the channels last, kernels as rows of (kh, kw, C): a patch is then kh runs
of kw·C neighbouring numbers.  Kernels and their gradients that have this memory order under their
shape (K, C, kh, kw), as the model's have, are not copied.
"""

import numpy
from scipy import sparse

from ..backend import get_array_module, scatter_add
from .blocks import for_each_block
from .conv import crop_same


def encode_winners(x, w):
    """The largest unit of every map of ``correlate_same(x, w)``; the maps are never held.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    z : array, shape (N, K)
        The winners' values, before bias and non-linearity, which move no maximum.
    winner : integer array, shape (N, K)
        Γ, flat positions ``p * W + q``; of equal values the first.

    Raises
    ------
    ValueError
        If x and w differ in their channels.

    Notes
    -----
    M14, training steps 1 and 2.  The maps of a few images at a time are formed and searched
    while they are in the cache.  The gradient for w is :func:`sparse_kernel_gradient`.
    """
    xp = get_array_module(x, w)
    (N, C, H, W), (K, channels, kh, kw) = x.shape, w.shape
    if C != channels:
        raise ValueError(
            f"x has {C} channels and w expects {channels}: shapes {x.shape} and {w.shape}"
        )
    rows = w.transpose(0, 2, 3, 1).reshape(K, -1)
    padded = _pad(x.transpose(1, 0, 2, 3), kh, kw)
    windows = xp.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    columns = windows.transpose(4, 5, 0, 1, 2, 3)  # (kh, kw, C, N, H, W), nothing copied yet
    dtype = xp.result_type(x, w)
    z, winner = xp.empty((K, N), dtype), xp.empty((K, N), numpy.int64)

    def search(images):
        col = xp.ascontiguousarray(columns[:, :, :, images]).reshape(rows.shape[1], -1)
        h = (rows @ col).reshape(K, -1, H * W)
        highest = h.argmax(axis=2)
        winner[:, images] = highest
        z[:, images] = xp.take_along_axis(h, highest[:, :, None], axis=2)[:, :, 0]

    for_each_block(search, N, _images_at_a_time(xp, K, H * W, dtype), xp)
    return z.T, winner.T


def sparse_decode(a, winner, w, image_shape):
    """Lay every kernel down at its winner's position, weighted by the winner, and add up.

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
    M14, training step 3.  On the CPU this is the product of a sparse matrix, which has a row for
    each pixel, a column for each kernel's element and an entry for each winner and element, with
    the kernels.  A GPU adds atomically instead.
    """
    xp = get_array_module(a, winner, w)
    (N, K), (H, W), (kh, kw) = a.shape, image_shape, w.shape[2:]
    Hp, Wp = H + kh - 1, W + kw - 1
    values = xp.ascontiguousarray(a.T)
    kernels = w.transpose(0, 2, 3, 1).reshape(K, kh * kw, -1)
    x_hat = xp.zeros((N, Hp * Wp, kernels.shape[2]), xp.result_type(a, w))

    def lay_down_images(images):
        count = images.stop - images.start
        pixel = _pixels_under(winner[images], kh, kw, H, W)
        matrix = _matrix(sparse.csc_array, values[:, images], pixel, (count * Hp * Wp, -1))
        x_hat[images] = (matrix @ kernels.reshape(-1, kernels.shape[2])).reshape(count, Hp * Wp, -1)

    def lay_down_maps(maps):
        pixel = _pixels_under(winner[:, maps], kh, kw, H, W)
        weighted = values[maps][:, None, :, None] * kernels[maps][:, :, None, :]
        scatter_add(x_hat.reshape(N * Hp * Wp, -1), (pixel,), weighted)

    if xp is numpy:
        for_each_block(lay_down_images, N, max(1, N // 4), xp)
    else:
        for_each_block(lay_down_maps, K, _maps_at_a_time(xp, N, kernels), xp)
    return crop_same(x_hat.reshape(N, Hp, Wp, -1).transpose(0, 3, 1, 2), kh, kw)
