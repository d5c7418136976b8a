"""Images that come in batches: in memory, and computed from others."""

import numpy as np
import pytest

from cae_np.backend import to_numpy
from cae_np.data import Split
from cae_np.data.batches import Centred, Changed, Encoded, ImageArray, Scaled


class Doubling:
    def encode(self, x):
        return 2 * x


@pytest.fixture
def split():
    images = np.random.default_rng(0).integers(0, 256, (7, 2, 4, 3), np.uint8)
    return Split(images, np.arange(7))


FAMILY = {
    "split": lambda split: split,
    "in memory": lambda split: ImageArray(split.images),
    "changed": lambda split: Changed(split, np.sqrt),
    "encoded": lambda split: Encoded(split, [Doubling(), Doubling()]),
    "centred": lambda split: Centred(split, 0.5),
    "scaled": lambda split: Scaled(split, -1.0, 1.0),
    "changed twice": lambda split: Centred(Scaled(split, -1.0, 1.0), 0.25),
}


@pytest.mark.parametrize("name", FAMILY)
def test_parts_and_batches_are_those_of_the_whole(name, split):
    whole = FAMILY[name](split)
    x = to_numpy(whole.batch())
    assert x.shape == (len(whole), 2, 4, 3) == (7, 2, 4, 3) and x.dtype == np.float32
    for indices in (slice(2, 5), np.array([6, 0, 3])):
        np.testing.assert_array_equal(to_numpy(whole.batch(indices)), x[indices])
        part = whole.take(indices)
        assert len(part) == len(x[indices])
        np.testing.assert_array_equal(to_numpy(part.batch()), x[indices])
        np.testing.assert_array_equal(to_numpy(part.take([1]).batch()), x[indices][[1]])


def test_they_change_what_they_say(split):
    x = split.batch()
    np.testing.assert_array_equal(to_numpy(Encoded(split, [Doubling()]).batch()), 2 * x)
    mean = x.mean(axis=(0, 2, 3))[:, None, None]
    np.testing.assert_allclose(Centred(split, mean).batch().mean(axis=(0, 2, 3)), 0, atol=1e-6)


def test_views_are_images_of_their_own(split):
    """As those of a split: a trained layer of one channel is asked about both cameras."""
    views = ImageArray(split.images).views()
    np.testing.assert_array_equal(views.batch(), split.views().batch())


def test_scaled_images_reach_from_black_to_white_and_back():
    split = Split(np.array([0, 127, 255], np.uint8).reshape(3, 1, 1, 1), np.arange(3))
    scaled = Scaled(split, -1.0, 1.0)
    x = scaled.batch()
    assert x.min() == -1 and x.max() == 1 and scaled.labels is split.labels
    np.testing.assert_allclose(scaled.unscaled(x), split.batch(), atol=1e-6)
    np.testing.assert_array_equal(scaled.take([2]).batch(), x[2:])
    assert len(scaled.take([2])) == 1
