"""Measures of what a set of learned filters looks like, where the papers leave it to the eye.

All take host arrays, kernels of shape (K, C, kh, kw).  Channels are treated as separate pictures
unless a measure says otherwise.
"""

import numpy as np


def smoothness(w):
    """Spatial autocorrelation of neighbouring pixels, Moran's I, averaged over the filters.

    About ``-1/(kh·kw - 1)`` for pixels without order, towards 1 for a smooth shape.  A filter "with
    a well-defined shape" has neighbours that agree, wherever its strokes lie; energy or kurtosis
    do not see that, since they do not change when the pixels are shuffled.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float
    """
    f = _pictures(w)
    z = f - f.mean(axis=(1, 2), keepdims=True)
    products = (z[:, 1:] * z[:, :-1]).sum(axis=(1, 2)) + (z[:, :, 1:] * z[:, :, :-1]).sum(
        axis=(1, 2)
    )
    kh, kw = f.shape[1:]
    pairs = (kh - 1) * kw + kh * (kw - 1)
    variance = (z * z).mean(axis=(1, 2))
    return float(np.mean(products / pairs / np.maximum(variance, np.finfo(float).tiny)))


def radius(w):
    """Root mean square distance of a filter's energy from its centre of energy, in pixels.

    Small for a localised filter: 0 for a single pixel, 2.83 for 7×7 equal pixels.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float
        Mean over the filters.
    """
    energy = _pictures(w) ** 2
    energy /= np.maximum(energy.sum(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
    i, j = np.mgrid[: energy.shape[1], : energy.shape[2]]
    variance = sum(
        (energy * c * c).sum(axis=(1, 2)) - (energy * c).sum(axis=(1, 2)) ** 2 for c in (i, j)
    )
    return float(np.mean(np.sqrt(np.maximum(variance, 0))))


def peak_share(w):
    """Share of a filter's energy in its strongest pixel: 1 for a delta, 1/(kh·kw) for a flat one.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float
        Mean over the filters.
    """
    energy = _pictures(w) ** 2
    total = np.maximum(energy.sum(axis=(1, 2)), np.finfo(float).tiny)
    return float(np.mean(energy.max(axis=(1, 2)) / total))


def kurtosis(w):
    """Fourth moment over squared variance of a filter's pixels: 3 for Gaussian ones.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float
        Mean over the filters.
    """
    f = _pictures(w)
    z = f - f.mean(axis=(1, 2), keepdims=True)
    variance = np.maximum((z * z).mean(axis=(1, 2)), np.finfo(float).tiny)
    return float(np.mean((z**4).mean(axis=(1, 2)) / variance**2))


def identity_share(w, w_dec=None):
    """How close encoding and decoding, without their non-linearities, come to copying the image.

    Encoding with w and decoding with the same kernels is one correlation of the image with
    ``G[c, d] = Σ_k w[k, c] ⋆ w[k, d]`` of (2kh - 1) × (2kw - 1) pixels, from every channel to every
    channel.  This is the share of G's energy that lies in a multiple of the identity, which has
    the same number at the centre of each G[c, c] and zeros elsewhere: 1 where the pair copies.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)
        Encoder.
    w_dec : numpy array, same shape, optional
        Decoder, if it is not tied.

    Returns
    -------
    float
    """
    from scipy.signal import correlate2d  # a second to import, which --list need not pay

    encoder, decoder = (a.astype(np.float64) for a in (w, w if w_dec is None else w_dec))
    (K, C, kh, kw), centre, energy = w.shape, 0.0, 0.0
    for c, d in np.ndindex(C, C):
        G = sum(correlate2d(encoder[k, c], decoder[k, d]) for k in range(K))
        centre += G[kh - 1, kw - 1] if c == d else 0.0
        energy += (G * G).sum()
    return float(centre**2 / C / energy)


def colour_peak_share(w):
    """Share of a filter's energy, all channels together, in its strongest pixel.

    1 for a delta of any colour, where :func:`peak_share` would look at each channel by itself.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float
        Mean over the filters.
    """
    return float(np.mean(_energy_shares(w).max(axis=(1, 2))))


def middle_share(w):
    """Share of a filter's energy, all channels together, in the middle of its receptive field.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)
        The middle is the pixel that a "same" correlation puts over the unit.

    Returns
    -------
    float
        Mean over the filters.
    """
    kh, kw = w.shape[2:]
    return float(np.mean(_energy_shares(w)[:, (kh - 1) // 2, (kw - 1) // 2]))


def explained_by_pixel(h, x):
    """Share of a map's variance that the colour of the one pixel below each unit explains.

    1 where a map copies the image, as a linear combination of its channels at every place; 0
    where it says nothing about that pixel.

    Parameters
    ----------
    h : numpy array, shape (N, K, H, W)
        Feature maps of x.
    x : numpy array, shape (N, C, H, W)

    Returns
    -------
    float
        R² of a linear regression, mean over the maps that vary.
    """
    colours = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]).astype(np.float64)
    units = np.moveaxis(h, 1, -1).reshape(-1, h.shape[1]).astype(np.float64)
    colours -= colours.mean(axis=0)
    units -= units.mean(axis=0)
    total = (units * units).sum(axis=0)
    units, total = units[:, total > 0], total[total > 0]
    explained = colours @ np.linalg.lstsq(colours, units)[0]
    return float(np.mean((explained * explained).sum(axis=0) / total)) if len(total) else 0.0


def filters_per_pixel(contributions):
    """How many filters a pixel of the reconstruction is effectively made of.

    Parameters
    ----------
    contributions : numpy array, shape (N, K, H, W)
        What each filter adds to each pixel.

    Returns
    -------
    float
        ``(Σ_k |c_k|)² / Σ_k c_k²``, averaged over the pixels that get anything: K where all
        contribute alike, 1 where one does all.
    """
    size = np.abs(contributions.astype(np.float64))
    squares = (size * size).sum(axis=1)
    some = squares > 0
    return float(np.mean(size.sum(axis=1)[some] ** 2 / squares[some]))


def own_scale(w):
    """Filters, each divided by its largest magnitude, so that weak ones are seen as well.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    numpy array of the same shape
        A filter of zeros stays one.
    """
    largest = np.abs(w).max(axis=(1, 2, 3), keepdims=True)
    return w / np.maximum(largest, np.finfo(w.dtype).tiny)


def _energy_shares(w):
    """Each filter's energy by pixel, summed over channels, in shares of the whole: (K, kh, kw)."""
    energy = (w.astype(np.float64) ** 2).sum(axis=1)
    return energy / np.maximum(energy.sum(axis=(1, 2), keepdims=True), np.finfo(float).tiny)


def _pictures(w):
    return w.reshape(-1, *w.shape[2:]).astype(np.float64)
