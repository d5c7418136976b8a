"""The data sets that are drawn: deterministic, quick, and what their formats promise."""

import time

import numpy as np
import pytest

from cae_np.data import glyphs, load, shapes, solids

DRAWN = {
    "glyphs": (glyphs, (1, 28, 28)),
    "shapes": (shapes, (3, 32, 32)),
    "solids": (solids, (2, 32, 32)),
}
VALIDATION = {"glyphs": 20, "shapes": 20, "solids": 25}  # of 120


@pytest.fixture(params=DRAWN)
def name(request):
    return request.param


def test_sizes_and_types(name):
    module, shape = DRAWN[name]
    data = load(name, n_train=120, n_test=40)
    assert (data.name, data.source, data.classes) == (name, "embedded", module.CLASSES)
    assert data.train.images.shape == (120, *shape) and data.test.images.shape == (40, *shape)
    assert data.train.labels.dtype == np.int64 and data.validation == VALIDATION[name]


def test_the_seed_decides_and_the_size_does_not(name):
    draw = DRAWN[name][0].draw
    few, many = draw(30, seed=3), draw(700, seed=3)
    np.testing.assert_array_equal(few.images, many.images[:30])
    np.testing.assert_array_equal(few.labels, many.labels[:30])
    for other in (draw(30, seed=4), draw(30, seed=3, part=1)):
        assert not np.array_equal(few.images, other.images)
    # Neither do two blocks repeat each other.
    assert not np.array_equal(many.images[:200], many.images[500:])


def test_every_class_occurs_about_equally(name):
    module, _ = DRAWN[name]
    share = np.bincount(module.draw(2000, seed=0).labels) / 2000 * len(module.CLASSES)
    assert len(share) == len(module.CLASSES) and share.min() > 0.75 and share.max() < 1.25


def test_a_thousand_in_time(name):
    draw = DRAWN[name][0].draw
    draw(10, seed=0)  # the first call prepares
    start = time.process_time()
    draw(1000, seed=1)
    assert time.process_time() - start < 1.0


def test_classes_can_be_told_apart(name):
    # The nearest of 2,000 neighbours is far better than chance (10 or 20 %), and not perfect.
    draw = DRAWN[name][0].draw
    train, test = draw(2000, seed=0, part=0), draw(300, seed=0, part=1)
    known, asked = (s.batch().reshape(len(s), -1) for s in (train, test))
    if name == "shapes":  # colours say nothing: compare how rough a picture is, and where
        known, asked = (_roughness(s.batch()) for s in (train, test))
    distance = (known**2).sum(1) - 2 * asked @ known.T
    right = (train.labels[distance.argmin(1)] == test.labels).mean()
    assert (0.5 if name == "solids" else 0.3) < right < 0.999, right


def _roughness(x):
    edges = np.hypot(*np.gradient(x.mean(1), axis=(1, 2)))
    spectrum = np.abs(np.fft.rfft2(x.mean(1) - x.mean((1, 2, 3))[:, None, None]))
    spectrum = np.log1p(spectrum) / np.linalg.norm(np.log1p(spectrum), axis=(1, 2), keepdims=True)
    return np.concatenate([spectrum.reshape(len(x), -1), edges.mean((1, 2))[:, None]], axis=1)


def test_glyphs_look_like_mnist():
    # MNIST: mean 0.13, digits in the middle 20 × 20 with their centre of mass in the middle.
    x = glyphs.draw(1000, seed=0).batch()[:, 0]
    assert 0.11 < x.mean() < 0.16
    assert (x[:, 14 - 4 : 14 + 4].max((1, 2)) > 0.6).all()  # every digit is there
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert x[:, border].mean() < 0.01
    partly = ((x > 0.02) & (x < 0.98)).mean() / (x > 0.02).mean()
    assert 0.2 < partly < 0.8  # edges are anti-aliased
    at = np.arange(28) - 13.5
    mass = x.sum((1, 2))
    for axis, other in ((1, 2), (2, 1)):
        centre = (x.sum(other) * at).sum(1) / mass
        assert abs(centre.mean()) < 0.3 and centre.std() < 1.2, axis
    thickness = np.array([image.mean() for image in x])
    assert thickness.std() / thickness.mean() > 0.2


def test_shapes_differ_from_their_ground():
    data = shapes.draw(1000, seed=0)
    x = data.batch()
    assert (x.std(axis=(2, 3)).max(axis=1) > 0.03).all()
    assert 0.4 < x.mean() < 0.6 and x.mean((0, 2, 3)).std() < 0.05  # no favourite colour


# --- solids ---------------------------------------------------------------------------------------


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


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", shapes.FIGURES)
def test_figures_by_hand(figure):
    # Inside at the middle (but for the ring), outside beyond the radius, and of unit slope.
    zero = np.zeros(1)
    assert (figure(zero, zero, 10)[0] < 0) == (figure is not shapes.ring)
    angle = np.linspace(0, 2 * np.pi, 100)
    assert (figure(12.0 * np.cos(angle), 12.0 * np.sin(angle), 10) > 0).all()
    u, v = np.random.default_rng([5, 0, 0, 0, 4]).uniform(-12, 12, (2, 500))
    step = 1e-6
    slope = np.hypot(
        figure(u + step, v, 10) - figure(u - step, v, 10),
        figure(u, v + step, 10) - figure(u, v - step, 10),
    ) / (2 * step)
    np.testing.assert_allclose(slope, 1, atol=1e-3)


def test_the_star_has_five_points():
    angle = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    inside = shapes.star(8 * np.cos(angle), 8 * np.sin(angle), 10) < 0
    assert (inside & ~np.roll(inside, 1)).sum() == 5
    # The tips reach the radius, the notches 0.45 of it.
    half = np.pi / 5
    tips = np.mod(np.arange(5) * 2 * half, 2 * np.pi)
    np.testing.assert_allclose(shapes.star(10 * np.cos(tips), 10 * np.sin(tips), 10), 0, atol=1e-9)


@pytest.mark.parametrize("texture", shapes.TEXTURES)
def test_textures_repeat(texture):
    u, v = np.random.default_rng([5, 0, 0, 0, 5]).uniform(-12, 12, (2, 500))
    here = texture(u, v, 6)
    np.testing.assert_allclose(texture(u + 6, v, 6), here, atol=1e-9)
    np.testing.assert_allclose(texture(u, v + 12, 6), here, atol=1e-9)
    assert 0.2 < (here < 0).mean() < 0.6
