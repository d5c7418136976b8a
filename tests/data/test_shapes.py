"""Shapes: figures and textures."""

import numpy as np
import pytest

from cae_np.data import shapes


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
