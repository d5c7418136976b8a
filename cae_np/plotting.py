"""The pictures of experiments and lectures, all in one plain style.

Every function returns a ``matplotlib.figure.Figure`` that no window and no pyplot knows of.
Matplotlib is imported when the first picture is drawn.  The colours are those of Okabe and Ito,
which people with any kind of colour vision tell apart.
"""

import functools
import io
import math
import textwrap

import numpy as np

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK, FAINT = "#222222", "#8a8a8a"
TILE_INCHES = 0.42  # how large a filter or a small image is drawn
PANEL_INCHES = 2.4  # how wide a panel of feature maps is drawn
TITLE_CHARACTER = 0.08  # inches that a character of a title takes, on average
LEGEND_INCHES = 1.75  # what the scale below a panel takes

STYLE = {
    "font.family": "DejaVu Sans",  # matplotlib brings it along
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.dpi": 160,
}


def _in_style(draw):
    @functools.wraps(draw)
    def styled(*args, **kwargs):
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


@_in_style
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
    # Three panels or fewer side by side, more in a square: a phone is narrow.
    across = len(drawn) if len(drawn) <= 3 else math.ceil(math.sqrt(len(drawn)))
    down = -(-len(drawn) // across)
    inches = TILE_INCHES / pixels
    height, width = (inches * max(picture.shape[i] for _, picture, _ in drawn) for i in (0, 1))
    width = max(width, LEGEND_INCHES)
    figure = _figure(across * (width + 0.35), down * (height + 0.62))
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


@_in_style
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
    heights = [
        max(PANEL_INCHES * picture.shape[0] / picture.shape[1] for _, picture, _ in row)
        for row in (drawn[i * across : (i + 1) * across] for i in range(down))
    ]
    figure = _figure(across * (PANEL_INCHES + 0.2), sum(heights) + 0.62 * down)
    axes = figure.subplots(down, across, squeeze=False, height_ratios=heights).ravel()
    for panel, (title, picture, legend) in zip(axes, drawn, strict=False):
        _show(panel, picture)
        panel.set_anchor("N")
        panel.set_title(textwrap.fill(title, int(PANEL_INCHES / TITLE_CHARACTER)))
        panel.set_xlabel(legend, fontsize=7, color=FAINT, loc="left")
    for panel in axes[len(drawn) :]:
        panel.set_axis_off()
    return figure


@_in_style
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
    figure = _figure(width * inches + 1.3, sum(heights) * inches + 0.1 * len(drawn))
    axes = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (title, picture) in zip(axes, drawn, strict=True):
        _show(panel, picture)
        panel.set_anchor("E")  # the room that is left belongs to the titles
        panel.set_ylabel(title, rotation=0, ha="right", va="center")
    return figure


@_in_style
def curves(lines, xlabel, ylabel, log=False, log_x=False):
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

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.ticker import MaxNLocator, NullLocator

    figure = _figure(6.2, 3.4)
    axes = figure.subplots()
    if all(np.asarray(x).dtype.kind in "iu" for x, _ in lines.values()):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # no half epochs
    for i, (label, (x, y)) in enumerate(lines.items()):
        y = np.atleast_2d(np.asarray(y, np.float64))
        colour, dashes = COLOURS[i % len(COLOURS)], ("-", "--", "-.", ":")[i % 4]
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
    if len(lines) > 4:  # so many names would hide what they name
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    elif len(lines) > 1:
        axes.legend()
    return figure


@_in_style
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
    figure = _figure(6.2, 0.8 + 0.36 * len(values))
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


@_in_style
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
    figure = _figure(6.0, 3.4)
    axes = figure.subplots()
    edge = peak / bandwidth
    intensities = [intensity for intensity, _ in points.values()]
    ends = np.array([min(*intensities, edge) / 3, edge, max(*intensities, edge) * 4])
    axes.plot(ends, np.minimum(peak, ends * bandwidth), color=INK)
    axes.text(edge / 5, peak / 3, "memory", color=FAINT, ha="right")
    axes.text(ends[2], peak * 1.15, "arithmetic", color=FAINT, ha="right")
    for i, (label, (intensity, rate)) in enumerate(points.items()):
        axes.plot(intensity, rate, "o", color=COLOURS[i % len(COLOURS)], ms=6)
        axes.annotate(label, (intensity, rate), (6, -3), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(top=3 * peak)
    axes.set_xlabel("operations per byte")
    axes.set_ylabel("billion operations a second")
    return figure


@_in_style
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
    figure = _figure(0.9 + 0.42 * len(counts), 0.7 + 0.36 * len(counts))
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


def png(figure):
    """A figure as the content of a PNG file; the same figure gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


# --- helpers ----------------------------------------------------------------------------------


def _even_columns(k):
    """About as many columns as rows, and no gap in the last row where that can be had."""
    square = math.ceil(math.sqrt(k))
    return next((c for c in range(square, math.ceil(1.5 * square) + 1) if k % c == 0), square)


def _figure(width, height):
    from matplotlib.figure import Figure

    return Figure((width, height), dpi=STYLE["savefig.dpi"], layout="constrained")


def _show(axes, image):
    axes.imshow(image, interpolation="nearest", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
