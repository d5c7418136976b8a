"""The two data sets that are drawn: deterministic, quick, and what their formats promise."""

import time

import numpy as np
import pytest

from cae_np.data import glyphs, load, shapes

DRAWN = {"glyphs": (glyphs, (1, 28, 28)), "shapes": (shapes, (3, 32, 32))}


@pytest.fixture(params=DRAWN)
def name(request):
    return request.param


def test_sizes_and_types(name):
    _, shape = DRAWN[name]
    data = load(name, n_train=120, n_test=40)
    assert (data.name, data.source, len(data.classes)) == (name, "embedded", 10)
    assert data.train.images.shape == (120, *shape) and data.test.images.shape == (40, *shape)
    assert data.train.labels.dtype == np.int64 and data.validation == 20


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
    counts = np.bincount(DRAWN[name][0].draw(2000, seed=0).labels, minlength=10)
    assert counts.min() > 150 and counts.max() < 250


def test_a_thousand_in_time(name):
    draw = DRAWN[name][0].draw
    draw(10, seed=0)  # the first call prepares
    start = time.process_time()
    draw(1000, seed=1)
    assert time.process_time() - start < 1.0


def test_classes_can_be_told_apart(name):
    # The nearest of 2,000 neighbours is far better than chance (10 %), and not perfect.
    draw = DRAWN[name][0].draw
    train, test = draw(2000, seed=0, part=0), draw(300, seed=0, part=1)
    known, asked = (s.batch().reshape(len(s), -1) for s in (train, test))
    if name == "shapes":  # colours say nothing: compare how rough a picture is, and where
        known, asked = (_roughness(s.batch()) for s in (train, test))
    distance = (known**2).sum(1) - 2 * asked @ known.T
    right = (train.labels[distance.argmin(1)] == test.labels).mean()
    assert 0.3 < right < 0.999, right


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
