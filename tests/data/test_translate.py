"""Images that are moved by some pixels."""

import numpy as np
import pytest

from cae_np.data.translate import random_translations, translate
from cae_np.rng import Purpose, generator


def test_whole_pixels_move_images_and_repeat_the_border():
    x = np.random.default_rng(0).random((2, 3, 5, 6))
    y = translate(x, np.array([[1, 0], [0, -2]]))
    np.testing.assert_array_equal(y[0, :, 1:], x[0, :, :-1])
    np.testing.assert_array_equal(y[0, :, 0], x[0, :, 0])
    np.testing.assert_array_equal(y[1, :, :, :-2], x[1, :, :, 2:])
    np.testing.assert_array_equal(y[1, :, :, -2:], x[1, :, :, -1:].repeat(2, axis=2))


def test_fractions_of_pixels_interpolate_as_scipy_does():
    from scipy.ndimage import shift

    x = np.random.default_rng(1).random((4, 2, 6, 7))
    offsets = np.random.default_rng(2).uniform(-2, 2, (4, 2))
    expected = [
        [shift(channel, offset, order=1, mode="nearest") for channel in image]
        for image, offset in zip(x, offsets, strict=True)
    ]
    np.testing.assert_allclose(translate(x, offsets), expected, atol=1e-12)


def test_translation_is_linear():
    offsets = np.array([[0.3, -1.2]])
    rng = np.random.default_rng(3)
    x, d = rng.standard_normal((2, 1, 2, 5, 5))
    np.testing.assert_allclose(
        translate(x + 2 * d, offsets), translate(x, offsets) + 2 * translate(d, offsets), atol=1e-12
    )


def test_random_translations_stay_in_their_range_and_follow_the_generator():
    ramp = np.tile(np.arange(40, dtype=np.float32), (500, 1, 40, 1))
    move = random_translations(0.05)
    moved = move(ramp, generator(Purpose.TRANSLATION, 0))
    assert moved.dtype == np.float32 and moved.shape == ramp.shape
    offsets = (ramp - moved)[:, 0, 20, 20]
    assert 1.8 < np.abs(offsets).max() <= 2.0 and abs(offsets.mean()) < 0.2
    np.testing.assert_array_equal(moved, move(ramp, generator(Purpose.TRANSLATION, 0)))
    assert (moved != move(ramp, generator(Purpose.TRANSLATION, 1))).any()
    np.testing.assert_array_equal(random_translations(0.0)(ramp, np.random.default_rng(0)), ramp)


def test_nonsensical_translations_are_refused():
    with pytest.raises(ValueError, match="one pair each"):
        translate(np.zeros((3, 1, 4, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="part of the image's side"):
        random_translations(5)
