"""Solids: what is seen of them is what lines of sight meet."""

import numpy as np
import pytest

from cae_np.data import load, solids


def test_a_classifier_of_solids_is_asked_about_objects_that_it_has_not_seen():
    data = load("solids", n_train=250, n_test=100)
    assert set(data.train.instances) == {4, 6, 7, 8, 9} and data.folds == 5
    assert set(data.test.instances) == {0, 1, 2, 3, 5}
    for fold, instance in enumerate((4, 6, 7, 8, 9)):
        fit, validation = data.held_out(fold)
        assert set(validation.instances) == {instance} and instance not in fit.instances
        assert set(validation.labels) == set(fit.labels) == set(range(5))


def test_views_of_a_solid_differ_a_little():
    x = solids.draw(250, seed=0).batch()
    difference = np.abs(x[:, 0] - x[:, 1]).mean((1, 2))
    other = np.abs(x[:-1, 0] - x[1:, 0]).mean((1, 2))
    assert 0.01 < difference.mean() < 0.4 * other.mean()


def camera(azimuth, elevation):
    """Axes right, down and near, as columns of numbers for one picture."""
    w = solids._direction(azimuth, elevation)
    u = solids._direction(azimuth + np.pi / 2, 0.0)
    return np.stack([u, np.cross(u, w), w])[:, :, None].astype(np.float32)


@pytest.mark.parametrize("body", solids.BODIES)
def test_what_is_seen_of_a_solid_is_where_lines_of_sight_meet_it(body):
    # An independent oracle: points of the body, projected, fill the silhouette, and no others do.
    rng = np.random.default_rng([5, 0, 0, 0, 6])
    extents = np.array([7.0, 5.0, 9.0])
    points = rng.uniform(-1, 1, (200_000, 3)) * extents
    planes, quadric = body(*extents)
    within = np.ones(len(points), bool)
    for normal, d in planes:
        within &= points @ np.array(normal) <= d
    if quadric:
        within &= ((points / np.array(quadric)) ** 2).sum(axis=1) <= 1
    axes = camera(0.7, 0.9)
    light = axes[2]
    _, shown = solids.shade(body, extents[:, None], axes, light)
    right, down = points[within] @ axes[0, :, 0], points[within] @ axes[1, :, 0]
    row, column = (np.floor((c + 16) * 2).astype(int) for c in (down, right))
    hit = np.zeros((64, 64), bool)
    hit[row, column] = True
    # Samples decide at the middle of a cell, points anywhere in it: only edges may differ.
    inner = shown[0].copy()
    for axis in (0, 1):
        inner &= np.roll(shown[0], 1, axis) & np.roll(shown[0], -1, axis)
    assert hit[inner].mean() > 0.99
    grown = shown[0].copy()
    for axis in (0, 1):
        grown |= np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
    assert grown[hit].all() and shown.sum() > 300


def test_light_on_solids_by_hand():
    straight_down = camera(0.0, np.pi / 2 - 1e-4)
    top = np.array([[0.0], [0.0], [1.0]])
    slanted = np.array([[0.0], [0.6], [0.8]])
    extents = np.full((3, 1), 8.0)
    for light, expected in ((top, 1.0), (slanted, 0.8)):
        for body in (solids.cylinder, solids.box):
            brightness, shown = solids.shade(body, extents, straight_down, light)
            assert shown[0, 32, 32] and brightness[0, 32, 32] == pytest.approx(expected, abs=1e-3)
        # Half of what a sphere shows, at 30 degrees from the light, gets its cosine.
        brightness, shown = solids.shade(solids.ellipsoid, extents, straight_down, light)
        z = np.sqrt(64 - 0.25**2 - 0.25**2)
        cosine = (0.25 * slanted[1, 0] + z * slanted[2, 0]) / 8 if light is slanted else z / 8
        around = brightness[0, 31:33, 31:33]
        assert np.abs(around - cosine).min() < 1e-3
    below, _ = solids.shade(solids.box, extents, straight_down, -top)
    assert below.max() == 0
