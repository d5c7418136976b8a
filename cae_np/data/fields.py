"""Smooth random fields, of which the drawn data sets make their deformations and textures."""

import numpy as np


def smooth_fields(rng, count, size, knots):
    """Random fields that vary slowly over an image.

    Parameters
    ----------
    rng : numpy.random.Generator
    count : int
    size : int
        Side of the image in pixels.
    knots : int
        Independent random numbers along each side: few make a slow field, many a rough one.

    Returns
    -------
    numpy.ndarray, shape (count, size, size)
        Of mean 0 and variance 1 at every pixel.

    Notes
    -----
    Normal numbers on a coarse grid, joined by Gaussian bumps, one side of the image at a time.
    """
    at = np.linspace(-1, size, knots)
    spacing = at[1] - at[0]
    bumps = np.exp(-0.5 * ((np.arange(size)[:, None] - at) / (0.7 * spacing)) ** 2)
    bumps /= np.sqrt((bumps**2).sum(axis=1, keepdims=True))
    return bumps @ rng.normal(size=(count, knots, knots)) @ bumps.T
