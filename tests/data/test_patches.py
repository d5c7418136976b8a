"""Patches that are cut from images."""

import numpy as np
import pytest

from cae_np.data.batches import ImageArray
from cae_np.data.patches import sample_patches


def test_patches_are_cut_where_they_say(small_blocks):
    """Every pixel holds its own place, so that a patch tells where it was cut out."""
    N, C, H, W = 40, 3, 7, 9
    images = ImageArray(np.arange(N * C * H * W, dtype=np.float64).reshape(N, C, H, W))
    patches = sample_patches(images, 500, 4, seed=1)
    corner = patches[:, 0, 0, 0].astype(int)
    source, rest = corner // (C * H * W), corner % (C * H * W)
    top, left = rest // W, rest % W
    assert np.bincount(source).tolist() == [13] * 20 + [12] * 20
    assert set(top) == set(range(4)) and set(left) == set(range(6))
    for patch, n, i, j in zip(patches, source, top, left, strict=True):
        assert np.array_equal(patch, images.images[n, :, i : i + 4, j : j + 4])
    assert (np.diff(source) < 0).mean() > 0.3  # in random order
    assert np.array_equal(patches, sample_patches(images, 500, 4, seed=1))
    assert not np.array_equal(patches, sample_patches(images, 500, 4, seed=2))


def test_fewer_patches_than_images_and_patches_that_do_not_fit(small_blocks):
    images = ImageArray(np.zeros((40, 1, 5, 6)))
    assert sample_patches(images, 7, 5, 0).shape == (7, 1, 5, 5)
    with pytest.raises(ValueError, match="6×6 do not fit into 5×6"):
        sample_patches(images, 7, 6, 0)
