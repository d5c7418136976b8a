"""Corruption of inputs for denoising: the draw on the host, the application pure.

M11, section 2.2: the input is corrupted "by adding a variable amount v of noise", binomial noise
for digits and Gaussian noise for colour images, and the clean input is to be reconstructed.
"""

import numpy

from ..backend import get_array_module
from .checks import takes


def binomial_mask(rng, shape, p):
    """Draw which pixels survive: each is switched off with probability p, on its own.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
    p : float in [0, 1]
        Share of pixels that are switched off: M11's v ("50 %" is p = 0.5).

    Returns
    -------
    draw : numpy boolean array, False where a pixel is switched off

    Raises
    ------
    ValueError
        If p is no probability.

    Notes
    -----
    The paper's words are "switching pixels on or off".  Here pixels are only switched *off*:
    inverting half of all pixels at random would leave nothing of the image.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p = {p} is not a probability; expected 0 <= p <= 1")
    return rng.random(shape, dtype=numpy.float32) >= p


def gaussian_noise(rng, shape, sigma):
    """Draw independent Gaussian noise for every pixel.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
    sigma : float, >= 0
        Standard deviation, in units of the intensities (an image spans [0, 1]).

    Returns
    -------
    draw : numpy float32 array

    Raises
    ------
    ValueError
        If sigma is negative or NaN.
    """
    if not sigma >= 0:
        raise ValueError(f"sigma = {sigma}: expected a standard deviation, a number >= 0")
    return rng.standard_normal(shape, dtype=numpy.float32) * numpy.float32(sigma)


@takes(x="N ...", draw="N ..., kept")
def corrupt(x, draw):
    """Apply noise to images: a boolean draw keeps or erases pixels, a real one is added.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    draw : array of the same shape
        Boolean, as from :func:`binomial_mask`: True where a pixel stays, False where it becomes 0
        (is switched off).  Or real, as from :func:`gaussian_noise`: added to x.

    Returns
    -------
    array, same shape, in x's dtype (float64 for integers)

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    get_array_module(x, draw)
    if draw.dtype == bool:
        return x * draw
    return x + draw.astype(x.dtype, copy=False)


@takes(draw="N ..., kept", dy="N ...")
def corrupt_backward(dy, draw):
    """Gradient of :func:`corrupt` with respect to the images.

    Parameters
    ----------
    dy : array, shape (N, C, H, W)
    draw : from the forward

    Returns
    -------
    dx : array, same shape
    """
    return dy * draw if draw.dtype == bool else dy
