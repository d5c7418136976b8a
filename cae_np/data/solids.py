"""Solids: five simple bodies, shaded and seen by two cameras, computed with formulas.

The embedded stand-in for small NORB, in its format: stereo pairs of 2×32×32, five classes of ten
instances each (here: proportions), five of them for training and the others for testing; elevation,
azimuth and lighting vary as they do there, continuously.

Projection is parallel, so in the camera's coordinates (x to the right, y down, z towards the
camera) everything has a formula.  A body is where several conditions hold; each is met on an
interval of every pixel's line of sight, so the visible surface is the least of the intervals' upper
ends, and a pixel shows the body if that lies above the greatest of the lower ends.
"""

import numpy as np

from ..rng import Purpose, generator
from .dataset import Dataset, Split

CLASSES = ("ellipsoid", "cylinder", "box", "pyramid", "roof")
SIZE = 32
FINE = 2  # samples along a pixel's side; their mean is what NORB's pixels are, too
BLOCK = 250  # pairs drawn from one generator
STREAM = 2  # tells these random numbers from those of the glyphs and of the shapes
INSTANCES = ((4, 6, 7, 8, 9), (0, 1, 2, 3, 5))  # for training and for testing, as in NORB
STEREO = np.radians(7.5)  # between the cameras, around the body's axis


def load(n_train=1500, n_test=500, seed=0):
    """Draw the data set.

    Parameters
    ----------
    n_train, n_test : int
        Pairs; smaller sets are the beginnings of larger ones.
    seed : int

    Returns
    -------
    Dataset
        Images (N, 2, 32, 32), with instances.
    """
    train, test = draw(n_train, seed, 0), draw(n_test, seed, 1)
    validation = int(np.bincount(train.instances).max())
    return Dataset("solids", "embedded", train, test, CLASSES, validation)


def draw(n, seed, part=0):
    """Draw stereo pairs.

    Parameters
    ----------
    n : int
    seed : int
    part : int
        0 for training, 1 for test: other instances.

    Returns
    -------
    Split
        Images (n, 2, 32, 32), labels 0 to 4 and instances in turn.
    """
    proportions = _proportions(seed)
    images = np.empty((n, 2, SIZE, SIZE), np.uint8)
    labels = np.arange(n) % len(CLASSES)
    instances = np.array(INSTANCES[part])[np.arange(n) // len(CLASSES) % 5]
    for start in range(0, n, BLOCK):
        rng = generator(Purpose.DATA, seed, part, STREAM, start // BLOCK)
        # Always a whole block, so that image i does not depend on n.
        shown = np.arange(start, start + BLOCK)
        label = shown % len(CLASSES)
        instance = np.array(INSTANCES[part])[shown // len(CLASSES) % 5]
        block = _draw_block(rng, label, proportions[label, instance])
        images[start : start + BLOCK] = block[: n - start]
    return Split(images, labels, instances)


# --- bodies: conditions on a point of the body's own space, z up ---------------------------------

# Each takes half the body's extents a, b, c, and returns planes, (normal, d) for normal·p <= d, and
# a quadric or None, (p, q, r) for (x/p)² + (y/q)² + (z/r)² <= 1, endless along z for r = inf.


def ellipsoid(a, b, c):
    return [], (a, b, c)


def cylinder(a, b, c):
    return [((0, 0, 1), c), ((0, 0, -1), c)], (a, b, np.inf)


def box(a, b, c):
    axes = ((1, 0, 0), a), ((0, 1, 0), b), ((0, 0, 1), c)
    return [*axes, *((tuple(-n for n in axis), half) for axis, half in axes)], None


def roof(a, b, c):
    """A ridge along y, at half the width; 2c high."""
    ground, gables = ((0, 0, -1), c), [((0, 1, 0), b), ((0, -1, 0), b)]
    return [ground, *gables, ((2 * c, 0, a), a * c), ((-2 * c, 0, a), a * c)], None


def pyramid(a, b, c):
    """As a roof in both directions."""
    (ground, *_, left, right), _ = roof(a, b, c)
    return [ground, left, right, ((0, 2 * c, b), b * c), ((0, -2 * c, b), b * c)], None


BODIES = (ellipsoid, cylinder, box, pyramid, roof)


# --- pictures -------------------------------------------------------------------------------------


def shade(body, extents, axes, light):
    """How much light each point of the picture gets, and where the body is.

    Parameters
    ----------
    body : callable
        One of the above.
    extents : numpy.ndarray, shape (3, M)
        Halves of the sides, in pixels.
    axes : numpy.ndarray, shape (3, 3, M)
        The camera's axes right, down and towards it, each a unit vector of the body's space.
    light : numpy.ndarray, shape (3, M)
        Unit vector towards the light.

    Returns
    -------
    brightness : numpy.ndarray, shape (M, 64, 64)
        Cosine of the angle between light and surface, 0 where it is turned away.
    shown : numpy.ndarray of bool, shape (M, 64, 64)
    """
    # Samples lie in the middle of their quarter of a pixel.
    grid = ((np.arange(FINE * SIZE) + 0.5) / FINE - SIZE / 2).astype(np.float32)
    x, y = grid, grid[:, None]
    planes, quadric = body(*extents)
    top, brightness, bottom = np.float32(np.inf), np.float32(0), np.float32(-np.inf)
    if quadric:
        top, brightness, bottom = _quadric(quadric, axes, light, x, y)
    for normal, d in planes:
        normal = np.stack(np.broadcast_arrays(*normal, d)[:3]).astype(np.float32)
        right, down, near = (_over_pictures((normal * axis).sum(axis=0)) for axis in axes)
        near = np.where(near == 0, np.float32(1e-6), near)  # seen edge-on: as if it leaned a little
        z = (_over_pictures(d) - x * right - y * down) / near
        lit = (normal * light).sum(axis=0) / np.linalg.norm(normal, axis=0)
        faces = near > 0
        first = faces & (z < top)
        top, brightness = np.where(first, z, top), np.where(first, _over_pictures(lit), brightness)
        bottom = np.maximum(bottom, np.where(faces, -np.inf, z))
    return np.maximum(brightness, 0), top > bottom


# --- helpers ----------------------------------------------------------------------------------


def _quadric(sizes, axes, light, x, y):
    """Upper end, brightness there, and lower end of the interval inside of a quadric."""
    weights = np.stack(np.broadcast_arrays(*(1.0 / np.square(size) for size in sizes)))
    weights = weights.astype(np.float32)  # (3, M)
    right, down, near = axes

    def form(p, q):
        return _over_pictures((weights * p * q).sum(axis=0))

    # At x·right + y·down + z·near: a z² + 2 b z + c <= 0.
    a = form(near, near)
    b = x * form(right, near) + y * form(down, near)
    c = x * x * form(right, right) + 2 * x * y * form(right, down) + y * y * form(down, down) - 1
    root = b * b - a * c
    inside = root > 0
    root = np.sqrt(np.maximum(root, 0))
    top, bottom = (root - b) / a, np.where(inside, (-root - b) / a, np.inf)
    # The normal is the gradient, weights · point: its length, and how much of it is the light's.
    slopes, lit = 0, 0
    for i in range(3):
        point = x * _over_pictures(right[i]) + y * _over_pictures(down[i])
        gradient = (point + top * _over_pictures(near[i])) * _over_pictures(weights[i])
        slopes = slopes + gradient * gradient
        lit = lit + gradient * _over_pictures(light[i])
    return top, lit / np.sqrt(np.maximum(slopes, 1e-12)), bottom


def _over_pictures(numbers):
    return np.asarray(numbers, np.float32)[..., None, None]


def _draw_block(rng, labels, proportions):
    """Pairs (BLOCK, 2, 32, 32) of these classes, bodies of these proportions (BLOCK, 3)."""
    azimuth = rng.uniform(0, 2 * np.pi, BLOCK)
    elevation = np.radians(rng.uniform(30, 70, BLOCK))
    light = _direction(
        azimuth + np.radians(rng.uniform(-120, 120, BLOCK)),
        np.radians(rng.uniform(25, 65, BLOCK)),
    )
    # One of the views is the other with the camera moved around the body.
    azimuth = (azimuth[:, None] + STEREO * np.array([-0.5, 0.5])).ravel()
    elevation, light = elevation.repeat(2), light.repeat(2, axis=1)
    axes = np.stack(
        [
            _direction(azimuth + np.pi / 2, 0 * elevation),
            -_direction(azimuth, elevation + np.pi / 2),
            _direction(azimuth, elevation),
        ]
    )
    ambient, strength, paint, noise = (
        rng.uniform(low, high, BLOCK).repeat(2).astype(np.float32)[:, None, None]
        for low, high in ((0.1, 0.3), (0.5, 0.8), (0.55, 0.75), (0.005, 0.02))
    )
    images = np.empty((2 * BLOCK, SIZE, SIZE), np.float32)
    for label, body in enumerate(BODIES):
        chosen = (labels == label).repeat(2)
        extents = proportions.repeat(2, axis=0)[chosen].T
        brightness, shown = shade(body, extents, axes[:, :, chosen], light[:, chosen])
        brightness = np.where(shown, brightness, light[2, chosen, None, None])  # flat ground
        fine = ambient[chosen] + strength[chosen] * brightness
        fine *= np.where(shown, paint[chosen], 1)
        images[chosen] = fine.reshape(-1, SIZE, FINE, SIZE, FINE).mean(axis=(2, 4))
    images += noise * rng.standard_normal(images.shape, np.float32)
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).reshape(-1, 2, SIZE, SIZE)


def _direction(azimuth, elevation):
    """Unit vectors (3, M)."""
    flat = np.cos(elevation)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def _proportions(seed):
    """Half extents in pixels of every class and instance (5, 10, 3): what an instance is."""
    rng = generator(Purpose.DATA, seed, 2, STREAM, 0)
    extents = rng.uniform(0.4, 1.0, (len(CLASSES), 10, 3))
    return 13.5 * extents / np.linalg.norm(extents, axis=2, keepdims=True)
