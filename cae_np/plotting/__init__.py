"""The pictures of experiments and lectures, all in one plain style.

Every function returns a ``matplotlib.figure.Figure`` that no window and no pyplot knows of.
Matplotlib is imported when the first picture is drawn.  The colours are those of Okabe and Ito,
which people with any kind of colour vision tell apart.

>>> import numpy as np
>>> from cae_np import plotting
>>> figure = plotting.filter_grid(np.random.default_rng(0).normal(size=(16, 1, 7, 7)))
>>> type(figure).__name__
'Figure'
"""

from .charts import curves, dots, matrix, roofline
from .grids import filter_grid, image_grid, map_grid, mosaic
from .style import COLOURS, FAINT, INK, STYLE, in_style, new_figure, png

__all__ = [
    "COLOURS",
    "FAINT",
    "INK",
    "STYLE",
    "curves",
    "dots",
    "filter_grid",
    "image_grid",
    "in_style",
    "map_grid",
    "matrix",
    "mosaic",
    "new_figure",
    "png",
    "roofline",
]
