"""Drawings for lectures: small matrices as on a blackboard, with patches marked on them."""

from dataclasses import dataclass, field

import numpy as np

from . import COLOURS, FAINT, INK, in_style, new_figure

CELL_INCHES = 0.36
GAP = 0.7  # cells between two matrices, where a sign may stand


@dataclass
class Grid:
    """A matrix to be drawn.

    Attributes
    ----------
    values : array_like, shape (rows, columns)
        Numbers or strings; integers and short decimals are written as they are.
    title : str
    tints : array_like of int, shape (rows, columns), optional
        The colour of each cell: 0 none, 1, 2, ... those of :data:`cae_np.plotting.COLOURS`.
    boxes : sequence of (top, left, height, width, colour)
        Outlines around patches, colours as in ``tints``.
    """

    values: object
    title: str = ""
    tints: object = None
    boxes: tuple = field(default=())


@in_style
def blackboard(*parts):
    """Draw matrices side by side, with signs between them.

    Parameters
    ----------
    *parts : Grid or str
        A string is a sign, "∗" or "=" for instance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    grids = [part for part in parts if isinstance(part, Grid)]
    shapes = [np.shape(grid.values) for grid in grids]
    height = max(rows for rows, _ in shapes)
    widths = [_width(part) for part in parts]
    across = sum(widths) + GAP * (len(parts) - 1)
    figure = new_figure(CELL_INCHES * (across + 0.4), CELL_INCHES * (height + 1.3))
    axes = figure.subplots()
    left = 0.0
    for part, width in zip(parts, widths, strict=True):
        if isinstance(part, Grid):
            _draw(axes, part, left, (height - len(part.values)) / 2)
        else:
            middle = (left + width / 2, height / 2)
            axes.text(*middle, part, ha="center", va="center", fontsize=13)
        left += width + GAP
    axes.set_xlim(-0.2, across + 0.2)
    axes.set_ylim(height + 0.1, -1.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def patch_tints(shape, kh, kw, tops_and_lefts):
    """Tints of an image's cells: those of patch number n get colour n, the last one drawn wins.

    Parameters
    ----------
    shape : pair of int
        Of the image.
    kh, kw : int
    tops_and_lefts : sequence of (top, left)

    Returns
    -------
    numpy.ndarray of int, shape ``shape``
    """
    tints = np.zeros(shape, int)
    for n, (top, left) in enumerate(tops_and_lefts, start=1):
        tints[top : top + kh, left : left + kw] = n
    return tints


# --- helpers --------------------------------------------------------------------------------------


def _width(part):
    """Cells that a part takes; a title may be wider than its matrix."""
    if isinstance(part, Grid):
        return max(np.shape(part.values)[1], 0.21 * len(part.title))
    return 0.3 + 0.25 * len(part)


def _draw(axes, grid, left, top):
    from matplotlib.patches import Rectangle

    values = np.asarray(grid.values)
    tints = np.zeros(values.shape, int) if grid.tints is None else np.asarray(grid.tints)
    for (i, j), value in np.ndenumerate(values):
        face = COLOURS[tints[i, j] - 1] if tints[i, j] else "white"
        place = (left + j, top + i)
        axes.add_patch(Rectangle(place, 1, 1, facecolor=face, alpha=0.3, linewidth=0))
        axes.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=FAINT, linewidth=0.6))
        axes.text(
            place[0] + 0.5, place[1] + 0.52, _written(value), ha="center", va="center", color=INK
        )
    for n, (first, column, height, width, colour) in enumerate(grid.boxes):
        inset = 0.04 + 0.05 * (n % 3)  # boxes that overlap stay apart
        axes.add_patch(
            Rectangle(
                (left + column + inset, top + first + inset),
                width - 2 * inset,
                height - 2 * inset,
                fill=False,
                edgecolor=COLOURS[colour - 1],
                linewidth=2,
            )
        )
    axes.text(left, top - 0.25, grid.title, ha="left", va="bottom", fontsize=9.5)


def _written(value):
    if isinstance(value, str):
        return value
    return f"{value:g}".replace("-", "−")
