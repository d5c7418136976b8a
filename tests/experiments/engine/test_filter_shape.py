"""The measures of filters: each on pictures whose answer is known."""

import numpy as np
import pytest

from cae_np.experiments.engine import filter_shape


def picture(f):
    return np.asarray(f, float)[None, None]


DELTA = picture(np.pad([[1.0]], 3))
FLAT = picture(np.ones((7, 7)))
BLOB = picture(np.exp(-0.3 * ((np.mgrid[:7, :7] - 3) ** 2).sum(axis=0)))
NOISE = np.random.default_rng(0).standard_normal((400, 1, 7, 7))


def test_smoothness_of_known_pictures():
    stripes = picture(np.indices((7, 7))[1] % 2)
    checkers = picture(np.indices((7, 7)).sum(axis=0) % 2)
    assert filter_shape.smoothness(NOISE) == pytest.approx(-1 / 48, abs=0.01)
    assert filter_shape.smoothness(checkers) == pytest.approx(-1, abs=0.05)
    assert filter_shape.smoothness(BLOB) > 0.7
    assert abs(filter_shape.smoothness(stripes)) < 0.1  # agrees down, disagrees across
    shuffled = BLOB.reshape(-1)[np.random.default_rng(1).permutation(49)].reshape(BLOB.shape)
    assert filter_shape.smoothness(shuffled) < 0.2


def test_smoothness_ignores_sign_scale_and_offset():
    value = filter_shape.smoothness(BLOB)
    assert filter_shape.smoothness(5 - 3 * BLOB) == pytest.approx(value)


def test_radius_of_known_pictures():
    assert filter_shape.radius(DELTA) == 0
    assert filter_shape.radius(FLAT) == pytest.approx(np.sqrt(8))
    assert filter_shape.radius(np.roll(DELTA, (2, -1), axis=(2, 3))) == pytest.approx(0)
    assert filter_shape.radius(BLOB) < filter_shape.radius(NOISE)


def test_peak_share_and_kurtosis():
    assert filter_shape.peak_share(DELTA) == 1
    assert filter_shape.peak_share(-FLAT) == pytest.approx(1 / 49)
    assert filter_shape.kurtosis(NOISE) == pytest.approx(3, abs=0.15)
    assert filter_shape.kurtosis(DELTA) > 40


def test_identity_share():
    assert filter_shape.identity_share(DELTA) == 1
    # An orthogonal basis of all 49 pixels copies perfectly, though no filter of it has a shape.
    basis = np.linalg.qr(NOISE[:49].reshape(49, 49))[0].reshape(49, 1, 7, 7)
    assert filter_shape.identity_share(basis) == pytest.approx(1)
    assert filter_shape.identity_share(BLOB) < 0.2
    assert filter_shape.identity_share(DELTA, np.roll(DELTA, 1, axis=3)) == 0


def test_identity_share_in_colour():
    one_each = np.zeros((3, 3, 7, 7))
    one_each[np.arange(3), np.arange(3), 3, 3] = 1
    assert filter_shape.identity_share(one_each) == pytest.approx(1)
    assert filter_shape.identity_share(-2 * one_each) == pytest.approx(1)
    # A filter that answers to grey alone makes all channels equal: a third of its energy is right.
    grey = np.zeros((1, 3, 7, 7))
    grey[0, :, 3, 3] = 1
    assert filter_shape.identity_share(grey) == pytest.approx(1 / 3)
    assert filter_shape.identity_share(one_each, np.roll(one_each, 1, axis=1)) == 0


def test_filters_per_pixel():
    contributions = np.zeros((1, 4, 2, 2))
    contributions[0, :, 0, 0] = 1, 1, -1, 1  # all four alike, whatever the sign
    contributions[0, :, 0, 1] = 5, 0, 0, 0  # one alone
    assert filter_shape.filters_per_pixel(contributions) == pytest.approx((4 + 1) / 2)


def test_a_delta_of_any_colour_is_a_delta_in_the_middle_or_elsewhere():
    colours = np.array([0.5, -2.0, 1.0])[None, :, None, None]
    delta, flat = colours * DELTA, colours * FLAT
    assert filter_shape.colour_peak_share(delta) == filter_shape.middle_share(delta) == 1
    assert filter_shape.colour_peak_share(flat) == pytest.approx(1 / 49)
    moved = np.roll(delta, 1, axis=3)
    assert filter_shape.colour_peak_share(moved) == 1 and filter_shape.middle_share(moved) == 0
    # Three channels with their peaks in three places are no delta.
    apart = np.concatenate([np.roll(DELTA, i, axis=3) for i in range(3)], axis=1)
    assert filter_shape.colour_peak_share(apart) == pytest.approx(1 / 3)
    assert filter_shape.colour_peak_share(np.zeros((2, 3, 3, 3))) == 0


def test_maps_that_copy_the_colours_are_explained_by_them():
    x = np.random.default_rng(2).random((10, 3, 8, 8))
    copies = np.stack([x[:, 0], 2 - x[:, 1] + 3 * x[:, 2]], axis=1)
    assert filter_shape.explained_by_pixel(copies, x) == pytest.approx(1)
    assert filter_shape.explained_by_pixel(np.roll(copies, 1, axis=2), x) < 0.02
    half = copies[:, :1] + np.roll(copies[:, :1], 1, axis=2)
    assert filter_shape.explained_by_pixel(half, x) == pytest.approx(0.5, abs=0.05)
    constant = np.ones((10, 1, 8, 8))
    mixed = np.concatenate([copies, constant], axis=1)  # what never varies does not count
    assert filter_shape.explained_by_pixel(mixed, x) == pytest.approx(1)
    assert filter_shape.explained_by_pixel(constant, x) == 0


def test_filters_are_drawn_on_their_own_scale_and_dead_ones_stay_zero():
    w = np.concatenate([3 * DELTA, -0.5 * FLAT, 0 * FLAT]).astype(np.float32)
    drawn = filter_shape.own_scale(w)
    assert drawn.dtype == np.float32 and np.isfinite(drawn).all()
    assert list(abs(drawn).max(axis=(1, 2, 3))) == [1, 1, 0] and drawn[1].max() == -1
