"""Filters, feature maps and images as small squares."""

import math
import textwrap

import numpy as np

from .style import FAINT, in_style, new_figure

TILE_INCHES = 0.42  # how large a filter or a small image is drawn
PANEL_INCHES = 2.4  # how wide a panel of feature maps is drawn, at most
WIDEST = 6.0  # inches of a picture: what is wider cannot be read on a phone
TITLE_CHARACTER = 0.08  # inches that a character of a title takes, on average
LEGEND_INCHES = 1.75  # what the scale below a panel takes


@in_style
def filter_grid(w, columns=None, scale=None):
    """Draw filters as small squares, zero in mid grey.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw) with C 1 or 3, or dict of title to such arrays
        A dictionary makes a panel for each.
    columns : int, optional
        Filters in a row of a panel; default: about as many as there are rows.
    scale : float, optional
        The value that is drawn white; its negative is black.  Default: every panel has its own,
        the largest magnitude in it, and writes it below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = w if isinstance(w, dict) else {"": w}
    drawn, pixels = [], np.shape(next(iter(panels.values())))[-1] + 1
    for title, w in panels.items():
        w = np.asarray(w, np.float64)
        limit = scale or float(np.abs(w).max()) or 1.0
        picture = mosaic(np.clip(0.5 + w / (2 * limit), 0, 1), columns)
        drawn.append((title, picture, f"black −{limit:.2g}, grey 0, white {limit:.2g}"))
    inches = TILE_INCHES / pixels
    height, width = (inches * max(picture.shape[i] for _, picture, _ in drawn) for i in (0, 1))
    width = max(width, LEGEND_INCHES)
    # Three panels or fewer side by side, more in a square: a phone is narrow.
    side_by_side = len(drawn) <= 3 and len(drawn) * width <= WIDEST
    across = len(drawn) if side_by_side else math.ceil(math.sqrt(len(drawn)))
    down = -(-len(drawn) // across)
    figure = new_figure(across * (width + 0.35), down * (height + 0.62))
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.05)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for panel, (title, picture, legend) in zip(axes, drawn, strict=False):
        _show(panel, picture)
        panel.set_anchor("W")  # titles and scales begin where the filters do
        panel.set_title(textwrap.fill(title, int(width / TITLE_CHARACTER)))
        panel.set_xlabel(legend, fontsize=7, color=FAINT, loc="left")
    for panel in axes[len(drawn) :]:
        panel.set_axis_off()
    return figure


@in_style
def map_grid(maps, columns=None, across=3):
    """Draw feature maps, filters or images as small squares, every panel as wide as the others.

    Parameters
    ----------
    maps : dict of title to array, shape (K, C, H, W) with C 1 or 3
        A panel for each.  Zero is black and the panel's largest value white; in a panel with
        negative values zero is mid grey, as in :func:`filter_grid`.
    columns : int, optional
        Squares in a row of a panel; default: about as many as there are rows.
    across : int
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    drawn = []
    for title, tiles in maps.items():
        tiles = np.asarray(tiles, np.float64)
        high = float(np.abs(tiles).max()) or 1.0
        low = -high if tiles.min() < 0 else 0.0
        black = f"−{high:.2g}, grey 0" if low else "0"
        picture = mosaic((tiles - low) / (high - low), columns)
        drawn.append((title, picture, f"black {black}, white {high:.2g}"))
    down = -(-len(drawn) // across)
    width = min(PANEL_INCHES, WIDEST / across - 0.2)
    heights = [
        max(width * picture.shape[0] / picture.shape[1] for _, picture, _ in row)
        for row in (drawn[i * across : (i + 1) * across] for i in range(down))
    ]
    figure = new_figure(across * (width + 0.2), sum(heights) + 0.62 * down)
    axes = figure.subplots(down, across, squeeze=False, height_ratios=heights).ravel()
    for panel, (title, picture, legend) in zip(axes, drawn, strict=False):
        _show(panel, picture)
        panel.set_anchor("N")
        panel.set_title(textwrap.fill(title, int(width / TITLE_CHARACTER)))
        panel.set_xlabel(legend, fontsize=7, color=FAINT, loc="left")
    for panel in axes[len(drawn) :]:
        panel.set_axis_off()
    return figure


@in_style
def image_grid(images, columns=None):
    """Draw images, in rows with a title each.

    Parameters
    ----------
    images : dict of title to array, shape (N, C, H, W) with C 1 or 3
        Intensities in [0, 1]; what lies outside is clipped.
    columns : int, optional
        How many of each are drawn; default: all.

    Returns
    -------
    matplotlib.figure.Figure
    """
    drawn = []
    for title, row in images.items():
        row = np.asarray(row[:columns], np.float64)
        drawn.append((title, mosaic(np.clip(row, 0, 1), len(row))))
    inches = 1.5 * TILE_INCHES / (row.shape[-1] + 1)
    heights = [picture.shape[0] for _, picture in drawn]
    width = max(picture.shape[1] for _, picture in drawn)
    figure = new_figure(width * inches + 1.3, sum(heights) * inches + 0.1 * len(drawn))
    axes = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (title, picture) in zip(axes, drawn, strict=True):
        _show(panel, picture)
        panel.set_anchor("E")  # the room that is left belongs to the titles
        panel.set_ylabel(title, rotation=0, ha="right", va="center")
    return figure


def mosaic(tiles, columns=None, gap=1.0):
    """Put small images side by side into one, a pixel apart.

    Parameters
    ----------
    tiles : array, shape (K, C, H, W) with C 1 or 3
        Intensities in [0, 1].
    columns : int, optional
    gap : float
        Intensity of the lines between them, and of places that stay empty.

    Returns
    -------
    numpy.ndarray, shape (rows·(H + 1) - 1, columns·(W + 1) - 1, 3)

    Raises
    ------
    ValueError
        If the tiles have neither one channel nor three.
    """
    k, c, height, width = tiles.shape
    if c not in (1, 3):
        raise ValueError(
            f"tiles have shape {tiles.shape}; expected (K, C, H, W) with 1 or 3 channels; "
            "choose the channels to draw"
        )
    columns = min(columns or _even_columns(k), k)
    rows = -(-k // columns)
    whole = np.full((rows * (height + 1), columns * (width + 1), 3), gap)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        whole[top : top + height, left : left + width] = np.moveaxis(tile, 0, -1)
    return whole[:-1, :-1]


def _even_columns(k):
    """About as many columns as rows, and no gap in the last row where that can be had."""
    square = math.ceil(math.sqrt(k))
    return next((c for c in range(square, math.ceil(1.5 * square) + 1) if k % c == 0), square)


def _show(axes, image):
    axes.imshow(image, interpolation="nearest", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
