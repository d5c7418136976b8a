"""A picture of a gradient check: where in each argument the error sits."""

import numpy as np

from ..plotting import COLOURS, FAINT, in_style, new_figure  # one style for all pictures

SMALLEST, LARGEST = 1e-12, 2.0  # relative errors at the ends of the scale; 2 is the most there is
GAP = 1  # elements between tiles
NOT_COMPARED = (0.78, 0.78, 0.78, 1.0)
MOST_ROWS, MOST_COLUMNS = 64, 96  # of tiles' elements; beyond them the picture is cut off


@in_style
def error_map(report):
    """Draw the errors of every argument, and its gradient against the difference quotients.

    Parameters
    ----------
    report : GradientReport
        From :func:`cae_np.gradcheck.check_gradients`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each argument.  Left: one square an element, blue where the gradient is right,
        orange where it is wrong, grey where nothing was compared, a ring around the worst; the
        last two axes of the argument make a tile, the axes before them its row and column.
        Right: what the backward said over what difference quotients say; on the line it is right.
    """
    arguments = report.arguments
    inches = [0.7 if argument.problem else 2.3 for argument in arguments]
    figure = new_figure(6.4, sum(inches) + 0.3)
    rows = figure.subplots(
        len(arguments), 2, squeeze=False, width_ratios=(1.6, 1), height_ratios=inches
    )
    for (left, right), argument in zip(rows, arguments, strict=True):
        left.set_title(f"{argument.name}: {argument.verdict}")
        if argument.problem:
            for axes, text in ((left, argument.problem), (right, "")):
                axes.set_axis_off()
                axes.text(0, 0.5, text, transform=axes.transAxes, wrap=True)
            continue
        squares = _draw_errors(left, argument)
        bar = figure.colorbar(squares, ax=left, shrink=0.9, aspect=14)
        bar.set_ticks([SMALLEST, argument.tolerance, 1.0])
        bar.set_ticklabels(["1e-12", f"{argument.tolerance:.0e}", "1"])
        bar.minorticks_off()
        bar.set_label("relative error", fontsize=7.5)
        _draw_agreement(right, argument)
    return figure


def folded(array):
    """An array as a matrix: its last two axes as tiles, the axes before them as their places.

    Parameters
    ----------
    array : numpy array, any shape

    Returns
    -------
    matrix : array of two axes, NaN between tiles
    place : callable, index -> (row, column)
    """
    array = np.asarray(array, float)
    shape = (1,) * max(0, 4 - array.ndim) + array.shape
    down = int(np.prod(shape[:-3]))
    across, height, width = shape[-3:]
    tiles = array.reshape(down, across, height, width)
    matrix = np.full((down * (height + GAP) - GAP, across * (width + GAP) - GAP), np.nan)
    for i, j in np.ndindex(down, across):
        top, left = i * (height + GAP), j * (width + GAP)
        matrix[top : top + height, left : left + width] = tiles[i, j]

    def place(index):
        flat = np.ravel_multi_index(index, array.shape) if index else 0
        i, j, u, v = np.unravel_index(flat, tiles.shape)
        return int(i * (height + GAP) + u), int(j * (width + GAP) + v)

    return matrix, place


def _draw_errors(axes, argument):
    """Squares coloured by error, pale at the tolerance; returns what the colour bar explains."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import FuncNorm, LinearSegmentedColormap

    stops = np.log10([SMALLEST, argument.tolerance, LARGEST])

    def to_unit(error):
        exponent = np.log10(np.clip(error, SMALLEST, LARGEST))
        return np.interp(exponent, stops, [0, 0.5, 1])

    def from_unit(value):
        return 10 ** np.interp(value, [0, 0.5, 1], stops)

    colours = LinearSegmentedColormap.from_list("errors", [COLOURS[0], "#e8f0f6", COLOURS[1]])
    # Elements that were not compared are NaN, as the lines between tiles are; tell them apart.
    not_compared = -1.0
    errors, place = folded(np.where(np.isnan(argument.errors), not_compared, argument.errors))
    errors = errors[:MOST_ROWS, :MOST_COLUMNS]
    picture = colours(to_unit(np.nan_to_num(errors)))
    picture[errors == not_compared] = NOT_COMPARED
    picture[np.isnan(errors)] = 1.0
    axes.imshow(picture, interpolation="nearest")
    axes.set_anchor("W")
    if argument.worst is not None and argument.max_error > argument.tolerance:
        row, column = place(argument.worst)
        if row < errors.shape[0] and column < errors.shape[1]:
            axes.plot(column, row, "o", ms=9, mfc="none", mec="#000000", mew=1.2)
        where = ", ".join(map(str, argument.worst))
        axes.set_xlabel(f"worst: {argument.name}[{where}]", fontsize=8, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return ScalarMappable(FuncNorm((to_unit, from_unit), vmin=SMALLEST, vmax=LARGEST), colours)


def _draw_agreement(axes, argument):
    """Analytic over numerical gradient, right on the diagonal."""
    compared = np.isfinite(argument.errors)
    numerical, analytic = argument.numerical[compared], argument.analytic[compared]
    wrong = argument.errors[compared] > argument.tolerance
    if len(numerical):
        ends = [min(numerical.min(), analytic.min()), max(numerical.max(), analytic.max())]
        axes.plot(ends, ends, color=FAINT, lw=0.8, zorder=0)
    for which, colour in ((~wrong, COLOURS[0]), (wrong, COLOURS[1])):
        axes.plot(numerical[which], analytic[which], "o", ms=3.5, mew=0, color=colour, alpha=0.7)
    axes.set_xlabel("difference quotient", fontsize=8)
    axes.set_ylabel("your gradient", fontsize=8)
