"""Patches cut out of images, on the host."""

import numpy

from ..ops.checks import takes
from ..rng import Purpose, generator

BLOCK = 500  # images worked on at a time: as float32, those of CIFAR-10 take 6 MB


def sample_patches(images, n, size, seed, index=0):
    """Cut square patches out of images, at random.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    n : int
        How many; every image gives as many as the others, or one more.
    size : int
        Side of a patch in pixels.
    seed, index : int

    Returns
    -------
    patches : numpy.ndarray, shape (n, C, size, size)
        On the host, in random order.

    Raises
    ------
    ValueError
        If there is no image, or a patch does not fit into one.
    """
    C, H, W = _one(images.batch(slice(1))).shape[1:]
    if not 1 <= size <= min(H, W):
        raise ValueError(
            f"patches of {size}×{size} do not fit into {H}×{W} images; choose 1 to {min(H, W)}"
        )
    rng = generator(Purpose.PATCHES, seed, index)
    N = len(images)
    source = rng.permutation(numpy.arange(n) % N)
    top, left = rng.integers(0, H - size + 1, n), rng.integers(0, W - size + 1, n)
    patches = None
    order = numpy.argsort(source, kind="stable")  # image by image, a block at a time
    ends = numpy.searchsorted(source[order], numpy.arange(N + 1))
    for rows in image_blocks(images):
        x = images.batch(rows)
        if patches is None:
            patches = numpy.empty((n, C, size, size), x.dtype)
        windows = numpy.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))
        chosen = order[ends[rows.start] : ends[rows.stop]]
        patches[chosen] = windows[source[chosen] - rows.start, :, top[chosen], left[chosen]]
    return patches


@takes(images="N+ C H W, kept")
def _one(images):
    """The first image, if there is one, in an array that patches can be cut from."""
    return images


def image_blocks(images):
    """Slices that cover all images, a block each."""
    N = len(images)
    return [slice(start, min(start + BLOCK, N)) for start in range(0, N, BLOCK)]
