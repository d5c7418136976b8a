"""Curves, dots, bounds and tables of counts."""

import numpy as np

from .style import COLOURS, FAINT, INK, in_style, new_figure


@in_style
def curves(lines, xlabel, ylabel, log=False, log_x=False, alike=1):
    """Draw curves, with a band where there are several seeds.

    Parameters
    ----------
    lines : dict of label to (x, y)
        x of shape (T,); y of shape (T,), or (S, T) for S seeds: then the mean is drawn, in a band
        from the smallest to the largest.
    xlabel, ylabel : str
    log : bool
        Whether the y-axis is logarithmic.
    log_x : bool
        Whether the x-axis is; its ticks are then the values of x, and dots mark them.
    alike : int
        So many lines, one after the other, have one colour and differ in their dashes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.ticker import MaxNLocator, NullLocator

    figure = new_figure(6.2, 3.4)
    axes = figure.subplots()
    if all(np.asarray(x).dtype.kind in "iu" for x, _ in lines.values()):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # no half epochs
    for i, (label, (x, y)) in enumerate(lines.items()):
        y = np.atleast_2d(np.asarray(y, np.float64))
        colour = COLOURS[i // alike % len(COLOURS)]
        dashes = ("-", "--", "-.", ":")[i % (alike if alike > 1 else 4)]
        mark = "o" if log_x else None
        axes.plot(x, y.mean(axis=0), dashes, color=colour, label=label, marker=mark, ms=4)
        if len(y) > 1:
            axes.fill_between(x, y.min(axis=0), y.max(axis=0), color=colour, alpha=0.18, lw=0)
    if log:
        axes.set_yscale("log")
    if log_x:
        axes.set_xscale("log")
        ticks = sorted({value for x, _ in lines.values() for value in np.asarray(x).tolist()})
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    if len(lines) > 3:  # so many names would hide what they name
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    elif len(lines) > 1:
        axes.legend()
    return figure


@in_style
def dots(values, xlabel, paper=None):
    """Draw every seed's number as a dot, and the mean as a stroke through them.

    Parameters
    ----------
    values : dict of label to sequence of numbers
        One line of the chart each, from the top.
    xlabel : str
    paper : dict of label to number, optional
        The paper's numbers, drawn as diamonds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(6.2, 0.8 + 0.36 * len(values))
    axes = figure.subplots()
    for y, numbers in enumerate(values.values()):
        axes.plot(numbers, [y] * len(numbers), "o", color=COLOURS[0], alpha=0.6, mew=0, ms=6)
        if len(numbers):
            axes.plot([np.mean(numbers)] * 2, [y - 0.28, y + 0.28], color=COLOURS[0], lw=2)
    lines = list(values)
    marks = [(number, lines.index(label)) for label, number in (paper or {}).items()]
    if marks:
        axes.plot(*zip(*marks, strict=True), "D", color=COLOURS[1], ms=6, label="paper")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    axes.set_yticks(range(len(lines)), lines)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="both", color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(xlabel)
    return figure


@in_style
def roofline(points, peak, bandwidth):
    """Draw how fast operations are below the two bounds of a machine.

    Parameters
    ----------
    points : dict of label to (intensity, rate)
        Operations per byte, and billions of operations a second.
    peak : number
        Billions of operations a second, at most.
    bandwidth : number
        Billions of bytes a second, at most.

    Returns
    -------
    matplotlib.figure.Figure

    Notes
    -----
    Williams, Waterman, Patterson, *Roofline*, 2009.
    """
    from matplotlib.patheffects import withStroke

    figure = new_figure(6.0, 3.4)
    axes = figure.subplots()
    edge = peak / bandwidth
    intensities = [intensity for intensity, _ in points.values()]
    ends = np.array([min(*intensities, edge) / 3, edge, max(*intensities, edge) * 4])
    axes.plot(ends, np.minimum(peak, ends * bandwidth), color=INK)
    axes.text(edge / 5, peak / 3, "memory", color=FAINT, ha="right")
    axes.text(ends[2], peak * 1.15, "arithmetic", color=FAINT, ha="right")
    for i, (label, (intensity, rate)) in enumerate(points.items()):
        axes.plot(intensity, rate, "o", color=COLOURS[i % len(COLOURS)], ms=6)
        name = axes.annotate(label, (intensity, rate), (7, -7), textcoords="offset points")
        name.set_path_effects([withStroke(linewidth=3, foreground="white")])  # legible on the roof
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(min(rate for _, rate in points.values()) / 2.5, 3 * peak)
    axes.set_xlabel("operations per byte")
    axes.set_ylabel("billion operations a second")
    return figure


@in_style
def matrix(counts, rows, columns, names=None):
    """Draw a table of counts, written in their places, the larger the darker; the diagonal is pale.

    Parameters
    ----------
    counts : integer array, shape (R, R)
        A confusion matrix: what lies off the diagonal is what the shades are for.
    rows, columns : str
        What is listed down and across.
    names : sequence of str, optional
        Of rows and columns; default: 0, 1, ...

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = np.asarray(counts)
    off = counts - np.diag(np.diag(counts))
    shade = off / max(1, off.max())
    names = names or [str(i) for i in range(len(counts))]
    figure = new_figure(0.9 + 0.42 * len(counts), 0.7 + 0.36 * len(counts))
    axes = figure.subplots()
    axes.imshow(shade, cmap="Oranges", vmin=0, vmax=1.4, aspect="auto")
    for (i, j), count in np.ndenumerate(counts):
        if count:
            bold = "bold" if i == j else "normal"
            axes.text(j, i, f"{count}", ha="center", va="center", fontsize=7.5, weight=bold)
    across = {"rotation": 90} if max(map(len, names)) > 3 else {}
    axes.set_xticks(range(len(counts)), names, **across)
    axes.set_yticks(range(len(counts)), names)
    axes.tick_params(length=0)
    axes.set_xlabel(columns)
    axes.set_ylabel(rows)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure
