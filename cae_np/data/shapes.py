"""Shapes: six coloured figures and four textures, drawn with formulas.

The embedded stand-in for CIFAR-10, in its format: 3×32×32, ten classes.  Figures vary in
position, size, rotation and colour over a cloudy background; textures in period, phase, rotation
and colour; everything is lit unevenly and a little noisy.
"""

import numpy as np

from ..rng import Purpose, generator
from .dataset import Dataset, Split
from .fields import smooth_fields

CLASSES = (
    "disc", "square", "triangle", "ring", "cross", "star",
    "stripes", "checkerboard", "dots", "waves",
)  # fmt: skip
SIZE = 32
BLOCK = 500  # images drawn from one generator
STREAM = 1  # tells these random numbers from those of the glyphs


def load(n_train=6000, n_test=1000, seed=0):
    """Draw the data set.

    Parameters
    ----------
    n_train, n_test : int
        Smaller sets are the beginnings of larger ones.
    seed : int

    Returns
    -------
    Dataset
        Images (N, 3, 32, 32).
    """
    train, test = draw(n_train, seed, 0), draw(n_test, seed, 1)
    return Dataset("shapes", "embedded", train, test, CLASSES, validation=n_train // 6)


def draw(n, seed, part=0):
    """Draw shapes.

    Parameters
    ----------
    n : int
    seed : int
    part : int
        0 for training, 1 for test: independent images.

    Returns
    -------
    Split
        Images (n, 3, 32, 32), labels 0 to 9 at random.
    """
    images = np.empty((n, 3, SIZE, SIZE), np.uint8)
    labels = np.empty(n, np.int64)
    for start in range(0, n, BLOCK):
        rng = generator(Purpose.DATA, seed, part, STREAM, start // BLOCK)
        # Always a whole block, so that image i does not depend on n.
        block_images, block_labels = _draw_block(rng)
        images[start : start + BLOCK] = block_images[: n - start]
        labels[start : start + BLOCK] = block_labels[: n - start]
    return Split(images, labels)


# --- figures: how far outside of the outline a point lies, in units of u and v ------------------


def disc(u, v, radius):
    return np.hypot(u, v) - radius


def square(u, v, radius):
    return np.maximum(np.abs(u), np.abs(v)) - 0.8 * radius


def triangle(u, v, radius):
    return np.maximum(v, np.abs(u) * np.sqrt(0.75) - v / 2) - 0.55 * radius


def ring(u, v, radius):
    return np.abs(np.hypot(u, v) - 0.8 * radius) - 0.2 * radius


def cross(u, v, radius):
    u, v = np.abs(u), np.abs(v)
    long, short = np.maximum(u, v), np.minimum(u, v)
    return np.maximum(long - radius, short - 0.28 * radius)


def star(u, v, radius):
    # Five points: every angle is folded onto the half between a tip (angle 0) and a notch.
    half = np.pi / 5
    angle = np.abs(np.mod(np.arctan2(v, u), 2 * half) - half)
    angle, length = half - angle, np.hypot(u, v)
    notch = 0.45 * np.array([np.cos(half), np.sin(half)])
    normal = np.array([notch[1], 1 - notch[0]]) / np.hypot(notch[1], 1 - notch[0])
    x, y = length * np.cos(angle), length * np.sin(angle)
    return (x - radius) * normal[0] + y * normal[1]


# --- textures: the same, with a period in the place of a radius ---------------------------------


def stripes(u, v, period):
    return np.abs(np.mod(u, period) - period / 2) - period / 4


def checkerboard(u, v, period):
    across, down = stripes(u, v, period), stripes(v, u, period)
    return np.where(across * down < 0, -1, 1) * np.minimum(np.abs(across), np.abs(down))


def dots(u, v, period):
    return np.hypot(np.mod(u, period) - period / 2, np.mod(v, period) - period / 2) - 0.3 * period


def waves(u, v, period):
    return stripes(u + 0.5 * period * np.sin(2 * np.pi * v / (2 * period)), v, period)


FIGURES = (disc, square, triangle, ring, cross, star)
TEXTURES = (stripes, checkerboard, dots, waves)


# --- helpers ----------------------------------------------------------------------------------


def _draw_block(rng):
    labels = rng.integers(0, len(CLASSES), BLOCK)
    radius = rng.uniform(7, 13, (BLOCK, 1, 1))
    period = rng.uniform(5, 10, (BLOCK, 1, 1))
    u, v = _turned_coordinates(rng, 14 - radius)
    outside = np.empty((BLOCK, SIZE, SIZE))
    for label, shape in enumerate(FIGURES + TEXTURES):
        chosen = labels == label
        size = radius if shape in FIGURES else period
        outside[chosen] = shape(u[chosen], v[chosen], size[chosen])
    cover = np.clip(0.5 - outside, 0, 1)[:, None]  # anti-aliased over one pixel

    ground, paint = _two_colours(rng)
    clouds = _amplitude(rng, 0.02, 0.15) * smooth_fields(rng, BLOCK, SIZE, 8)[:, None]
    grain = _amplitude(rng, 0.0, 0.08) * smooth_fields(rng, BLOCK, SIZE, 16)[:, None]
    light = 1 + _amplitude(rng, 0.0, 0.2) * smooth_fields(rng, BLOCK, SIZE, 3)[:, None]
    noise = _amplitude(rng, 0.01, 0.04) * rng.normal(size=(BLOCK, 3, SIZE, SIZE))
    images = light * ((1 - cover) * (ground + clouds) + cover * (paint + grain)) + noise
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8), labels


def _turned_coordinates(rng, room):
    """Each pixel's place seen from a figure's centre and along its axes: u and v (BLOCK, 32, 32),
    in pixels, the centre at most ``room`` from the image's."""
    grid = np.arange(SIZE) - (SIZE - 1) / 2
    y = grid[:, None] - rng.uniform(-1, 1, (BLOCK, 1, 1)) * room
    x = grid - rng.uniform(-1, 1, (BLOCK, 1, 1)) * room
    angle = rng.uniform(0, 2 * np.pi, (BLOCK, 1, 1))
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _two_colours(rng):
    """Two colours (BLOCK, 3, 1, 1) in [0, 1] that can be told apart: the second is the one of
    four that is furthest from the first."""
    first = rng.random((BLOCK, 1, 3))
    others = rng.random((BLOCK, 4, 3))
    best = ((others - first) ** 2).sum(axis=2).argmax(axis=1)
    second = others[np.arange(BLOCK), best]
    return first.reshape(BLOCK, 3, 1, 1), second.reshape(BLOCK, 3, 1, 1)


def _amplitude(rng, low, high):
    return rng.uniform(low, high, (BLOCK, 1, 1, 1))
