"""Maps of a few images at a time, for whoever reads them and does not keep them."""

import numpy

from ...backend import get_array_module
from ..im2col import im2col
from ..padding import crop_same
from .blocks import block_bytes, for_each_block, scratch

# Columns and maps of a block together fill about this much of a core's cache, but a product should
# have a thousand columns to be efficient.
CACHE_BYTES = 3 << 20
FEWEST_COLUMNS = 1024


def for_each_block_of_maps(read, x, w):
    """Call ``read(images, h)`` for slices of the batch, h being their maps of the images' size.

    Parameters
    ----------
    read : callable, (slice, array of shape (K, n, H, W)) -> None
        The maps, which it may change, are gone when it returns.  It writes its results into
        arrays, each slice to places of its own.
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Notes
    -----
    ``h.swapaxes(0, 1)`` is ``correlate_same(x[images], w)``, by one product while its columns are
    in a core's cache.  Each map is contiguous in memory.
    """
    xp = get_array_module(x, w)
    (N, C, H, W), (K, _, kh, kw) = x.shape, w.shape
    rows, dtype = w.transpose(0, 2, 3, 1).reshape(K, -1), xp.result_type(x, w)

    def form_maps(images):
        n = images.stop - images.start
        padded = scratch().get("padded", (C, n, H + kh - 1, W + kw - 1), x.dtype, xp)
        padded = padded.swapaxes(0, 1)
        padded[...] = 0
        crop_same(padded, kh, kw)[...] = x[images]
        col = scratch().get("columns", (kh, kw, C, n, H, W), x.dtype, xp)
        im2col(padded, kh, kw, out=col.transpose(2, 0, 1, 3, 4, 5))
        h = scratch().get("maps", (K, n * H * W), dtype, xp)
        xp.matmul(rows, col.reshape(rows.shape[1], -1), out=h)
        read(images, h.reshape(K, n, H, W))

    image_bytes = (K + rows.shape[1]) * H * W * x.dtype.itemsize
    size = max(1, block_bytes(xp, CACHE_BYTES) // image_bytes)
    if xp is numpy:
        size = max(size, -(-FEWEST_COLUMNS // (H * W)))
    for_each_block(form_maps, N, size, xp)
