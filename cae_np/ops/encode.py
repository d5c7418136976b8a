"""What is read off feature maps without holding them: their winners, their pooled features.

The maps of a batch are by far the largest arrays of a convolutional auto-encoder with many maps
(100 MNIST images, 128 maps: 40 MB).  Here those of a few images at a time are formed by one matrix
product, read while they are in the cache, and forgotten.
"""

import numpy

from ..backend import get_array_module
from .activations import relu
from .kernels.blocks import block_bytes, for_each_block, scratch
from .padding import crop_same


def encode_winners(x, w):
    """The largest unit of every map of ``correlate_same(x, w)``.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    z : array, shape (N, K)
        The winners' values before bias and non-linearity, which move no maximum.
    winner : integer array, shape (N, K)
        Γ, flat positions ``p * W + q``; of equal values the first.

    Raises
    ------
    ValueError
        If x and w differ in their channels.

    Notes
    -----
    M14, training steps 1 and 2.  The gradient for w is :func:`sparse_kernel_gradient`.
    """
    xp = get_array_module(x, w)
    N, K = len(x), len(w)
    z, winner = xp.empty((K, N), xp.result_type(x, w)), xp.empty((K, N), "int64")

    def search(images, h):
        flat = h.reshape(*h.shape[:2], h.shape[2] * h.shape[3])
        highest = flat.argmax(axis=2)
        winner[:, images] = highest
        z[:, images] = xp.take_along_axis(flat, highest[:, :, None], axis=2)[:, :, 0]

    _for_each_block_of_maps(search, x, w)
    return z.T, winner.T


def count_ties(x, w):
    """How many maps of ``correlate_same(x, w)`` have more than one largest unit.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    ties : integer array, shape (N,)
        For each image, 0 ... K.
    """
    xp = get_array_module(x, w)
    ties = xp.empty(len(x), "int64")

    def count(images, h):
        flat = h.reshape(*h.shape[:2], h.shape[2] * h.shape[3])
        largest = (flat == flat.max(axis=2, keepdims=True)).sum(axis=2)
        ties[images] = (largest > 1).sum(axis=0)

    _for_each_block_of_maps(count, x, w)
    return ties


def encode_pooled(x, w, b, width, stride):
    """ReLU maps, max-pooled over windows that overlap: M14's features.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)
    b : array, shape (K,)
    width, stride : int
        Side of a window and step between windows in pixels; 1 <= stride <= width.

    Returns
    -------
    y : array, shape (N, K, ceil(H / stride), ceil(W / stride))
        ``overlapping_max_pool(relu(correlate_same(x, w) + b), width, stride)[0]``

    Raises
    ------
    ValueError
        If x and w differ in their channels, w and b in their maps, or width or stride is out of
        range.

    Notes
    -----
    M14, "Sparse Encoding".  No unit of a ReLU map is below zero, so that here, unlike in
    :func:`overlapping_max_pool`, windows may range over zeros around the map.
    """
    xp = get_array_module(x, w, b)
    (N, _, H, W), K = x.shape, len(w)
    if not 1 <= stride <= width <= min(H, W):
        raise ValueError(
            f"pooling width {width} and stride {stride} on {H}×{W} maps: "
            f"expected 1 <= stride <= width <= {min(H, W)}"
        )
    if b.shape != (K,):
        raise ValueError(f"b has shape {b.shape}; w of shape {w.shape} needs {(K,)}")
    y = xp.empty((N, K, -(-H // stride), -(-W // stride)), xp.result_type(x, w, b))

    def pool(images, h):
        h += b[:, None, None, None]
        tall = _max_over_rows(relu(h, out=h), width, stride).swapaxes(2, 3)
        y[images] = _max_over_rows(tall, width, stride).transpose(1, 0, 3, 2)

    _for_each_block_of_maps(pool, x, w)
    return y


def _max_over_rows(h, width, stride):
    """Windowed maxima over the rows of maps, (..., H, W) to (..., OH, W); none is negative."""
    xp = get_array_module(h)
    *lead, H, W = h.shape
    n = -(-H // stride)
    padded = xp.zeros((*lead, (n - 1) * stride + width, W), h.dtype)
    before = (padded.shape[-2] - H) // 2
    padded[..., before : before + H, :] = h
    y = padded[..., : n * stride : stride, :].copy()
    for row in range(1, width):
        xp.maximum(y, padded[..., row : row + n * stride : stride, :], out=y)
    return y


# Columns and maps of a block together fill about this much of a core's cache, but a product should
# have a thousand columns to be efficient.
CACHE_BYTES = 3 << 20
FEWEST_COLUMNS = 1024


def _for_each_block_of_maps(use, x, w):
    """Call ``use(images, h)`` for slices of the batch, h being their maps, (K, n, H, W)."""
    xp = get_array_module(x, w)
    (N, C, H, W), (K, channels, kh, kw) = x.shape, w.shape
    if C != channels:
        raise ValueError(
            f"x has {C} channels and w expects {channels}: shapes {x.shape} and {w.shape}"
        )
    rows, dtype = w.transpose(0, 2, 3, 1).reshape(K, -1), xp.result_type(x, w)

    def form_maps(images):
        n = images.stop - images.start
        padded = scratch().get("padded", (C, n, H + kh - 1, W + kw - 1), x.dtype, xp)
        padded[...] = 0
        crop_same(padded.swapaxes(0, 1), kh, kw)[...] = x[images]
        windows = xp.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
        col = scratch().get("columns", (kh, kw, C, n, H, W), x.dtype, xp)
        col[...] = windows.transpose(4, 5, 0, 1, 2, 3)
        h = scratch().get("maps", (K, n * H * W), dtype, xp)
        xp.matmul(rows, col.reshape(rows.shape[1], -1), out=h)
        use(images, h.reshape(K, n, H, W))

    image_bytes = (K + rows.shape[1]) * H * W * x.dtype.itemsize
    size = max(1, block_bytes(xp, CACHE_BYTES) // image_bytes)
    if xp is numpy:
        size = max(size, -(-FEWEST_COLUMNS // (H * W)))
    for_each_block(form_maps, N, size, xp)
