"""Glyphs: digits drawn from fonts and deformed until they could pass for handwriting.

The embedded stand-in for MNIST, in its format: white on black, 28×28, the digit in a box of
20×20 pixels around its centre of mass.

Of every digit in every font the *middle of the stroke* is kept, as the distance to it, in pixels.
On distances everything else is simple: moving the points at which they are read bends the digit,
a pen of some width is what is nearer than half of it, a trembling hand is noise added to that
width, and anti-aliasing is clipping to about a pixel around the edge.
"""

import os
from functools import lru_cache

import numpy as np

from ..rng import Purpose, generator
from .dataset import Dataset, Split
from .fields import smooth_fields

CLASSES = tuple("0123456789")
SIZE = 28
BOX = 20.0  # pixels that the longer side of an undeformed digit takes

# Fonts that matplotlib ships, as files in its font folder; those with few serifs.
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono",
    "DejaVuSansMono-Oblique", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic",
    "STIXGeneralBol", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
DOTTED_ZERO = "DejaVuSansMono"  # its zero carries a mark that nobody writes by hand

FINE = 4  # samples of a distance per pixel of the image
SIDE = 40  # pixels that a kept digit takes, with room for what moves in from outside
BLOCK = 500  # images drawn from one generator
KNOTS = 5  # of the field that bends a digit


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
        Images (N, 1, 28, 28).
    """
    train, test = draw(n_train, seed, 0), draw(n_test, seed, 1)
    return Dataset("glyphs", "embedded", train, test, CLASSES, validation=n_train // 6)


def draw(n, seed, part=0):
    """Draw digits.

    Parameters
    ----------
    n : int
    seed : int
    part : int
        0 for training, 1 for test: independent images.

    Returns
    -------
    Split
        Images (n, 1, 28, 28), labels 0 to 9 at random.
    """
    images = np.empty((n, 1, SIZE, SIZE), np.uint8)
    labels = np.empty(n, np.int64)
    for start in range(0, n, BLOCK):
        rng = generator(Purpose.DATA, seed, part, step=start // BLOCK)
        # Always a whole block, so that image i does not depend on n.
        block_images, block_labels = _draw_block(rng)
        images[start : start + BLOCK, 0] = block_images[: n - start]
        labels[start : start + BLOCK] = block_labels[: n - start]
    return Split(images, labels)


# --- helpers ----------------------------------------------------------------------------------


def _draw_block(rng):
    distances, digits = _templates()
    labels = rng.integers(0, 10, BLOCK)
    # One of the templates of the wanted digit, chosen by a uniform number.
    first, count = np.searchsorted(digits, labels), np.bincount(digits)[labels]
    chosen = first + (rng.random(BLOCK) * count).astype(np.int64)

    # A pen of its own for every image, and a line that is thicker here and thinner there.
    pen = rng.uniform(0.7, 1.6, (BLOCK, 1, 1)) + 0.2 * smooth_fields(rng, BLOCK, SIZE, 12)
    softness = rng.uniform(0.8, 1.3, (BLOCK, 1, 1))
    ink = (pen - _read(distances, chosen, *_bent_coordinates(rng))) / softness + 0.5
    return np.round(255 * np.clip(ink, 0, 1)).astype(np.uint8), labels


def _bent_coordinates(rng):
    """Where each pixel of each image lies on the undeformed digit, in pixels from its centre:
    two arrays (BLOCK, 28, 28), rows and columns."""
    grid = np.arange(SIZE) - (SIZE - 1) / 2
    angle = rng.normal(0, 0.12, BLOCK)
    shear = rng.normal(0.08, 0.2, BLOCK)
    scale = rng.normal(0.97, 0.06, BLOCK).clip(0.82, 1.08)
    aspect = np.exp(rng.normal(0.05, 0.1, BLOCK))
    cos, sin = np.cos(angle), np.sin(angle)
    # The inverse of scaling, shearing and turning, row by row.
    a = np.stack([cos, sin], 1) / scale[:, None]
    b = np.stack([-sin, cos], 1) / (scale * aspect)[:, None]
    b = b + shear[:, None] * a
    shift = rng.normal(0, 0.4, (2, BLOCK, 1, 1))
    y = a[:, 0, None, None] * grid[:, None] + a[:, 1, None, None] * grid + shift[0]
    x = b[:, 0, None, None] * grid[:, None] + b[:, 1, None, None] * grid + shift[1]
    # Simard, Steinkraus, Platt 2003: a smooth random displacement of every point.
    y += 1.2 * smooth_fields(rng, BLOCK, SIZE, KNOTS)
    x += 1.2 * smooth_fields(rng, BLOCK, SIZE, KNOTS)
    return y, x


def _read(distances, chosen, y, x):
    """Distances of the chosen templates at fractional coordinates, bilinearly."""
    centre, last = (SIDE * FINE - 1) / 2, SIDE * FINE - 1.001
    y = np.clip(FINE * y + centre, 0, last)
    x = np.clip(FINE * x + centre, 0, last)
    row, column = y.astype(np.int64), x.astype(np.int64)
    y -= row
    x -= column
    flat = distances.reshape(-1)
    at = (chosen[:, None, None] * (SIDE * FINE) + row) * (SIDE * FINE) + column
    upper = (1 - x) * flat[at] + x * flat[at + 1]
    at += SIDE * FINE
    lower = (1 - x) * flat[at] + x * flat[at + 1]
    return (1 - y) * upper + y * lower


@lru_cache(maxsize=1)
def _templates():
    """Distances (T, SIDE·FINE, SIDE·FINE) to the middle of the stroke, in pixels of the image,
    and the digit of each, sorted."""
    from scipy.ndimage import distance_transform_edt

    names = [(digit, font) for digit in CLASSES for font in FONTS]
    names = [n for n in names if not (n[0] == "0" and n[1].startswith(DOTTED_ZERO))]
    masks = _rasterise(names)
    distances = np.empty(masks.shape, np.float32)
    for distance, mask in zip(distances, masks, strict=True):
        depth = distance_transform_edt(mask)
        # In the middle of a stroke the way to either edge is the same and the slope of the
        # depth vanishes; towards a corner it is cos 45 degrees, so corners grow no branches.
        slope = np.hypot(*np.gradient(depth))
        distance[:] = distance_transform_edt(~(mask & (slope < 0.6))) / FINE
    return distances, np.array([int(digit) for digit, _ in names])


def _rasterise(names):
    """Masks (T, SIDE·FINE, SIDE·FINE): each digit scaled to BOX, its centre of mass in the
    middle."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    side = SIDE * FINE
    folder = os.path.join(matplotlib.get_data_path(), "fonts", "ttf")
    # One tall picture, the digits below one another from the bottom up.
    figure = Figure((1, len(names)), dpi=side, facecolor="white")
    for i, (digit, font) in enumerate(names):
        file = os.path.join(folder, f"{font}.ttf")
        path = TextPath((0, 0), digit, size=100, prop=FontProperties(fname=file))
        box = path.get_extents()
        place = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
        place.scale(FINE * BOX / max(box.width, box.height))
        place.translate(side / 2, side * (i + 0.5))
        figure.add_artist(PathPatch(path, transform=place, facecolor="black", linewidth=0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[:, :, 0] < 128
    masks = drawn.reshape(len(names), side, side)[::-1]
    return np.stack([_centred(mask) for mask in masks])


def _centred(mask):
    off = [np.mean(at) - (mask.shape[0] - 1) / 2 for at in np.nonzero(mask)]
    return np.roll(mask, -np.round(off).astype(int), axis=(0, 1))
