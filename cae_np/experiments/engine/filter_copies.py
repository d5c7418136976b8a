"""How alike learned filters are: shifted copies of each other, and filters of one orientation.

All take host arrays, kernels of shape (K, C, kh, kw), and see all channels of a filter at once.
"""

import numpy as np

from ...rng import Purpose, generator

NEAR_COPY = 0.9  # correlation from which on two filters are called copies
ORIENTED = 0.5  # coherence from which on a filter is said to have an orientation


def best_matches(w):
    """For every filter the largest correlation with another one, over all shifts.

    ``max_{j ≠ i, s} <w_i, w_j shifted by s> / (‖w_i‖ ‖w_j‖)``: 1 for a filter that has an exact
    copy.  What a shift moves out of the receptive field is lost, and counts against the match.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw), K at least 2

    Returns
    -------
    numpy array, shape (K,)

    Notes
    -----
    Correlations at all shifts come from one Fourier transform of each padded filter.
    """
    from scipy import fft

    K, _, kh, kw = w.shape
    norms = np.sqrt((w.astype(np.float64) ** 2).sum(axis=(1, 2, 3), keepdims=True))
    unit = w / np.maximum(norms, np.finfo(float).tiny)
    size = (2 * kh - 1, 2 * kw - 1)
    spectra = fft.rfft2(unit, size)  # (K, C, 2kh - 1, kw)
    best = np.empty(K)
    for i in range(K):
        products = np.einsum("kcuv,cuv->kuv", spectra, spectra[i].conj())
        correlation = fft.irfft2(products, size).reshape(K, -1).max(axis=1)
        correlation[i] = -np.inf
        best[i] = correlation.max()
    return best


def copies_in_samples(w, n, seed, samples=20):
    """The mean of :func:`best_matches` within random samples of n filters.

    Among more filters every one finds a better match, so sets of different sizes are compared
    through samples of one size.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)
    n : int, 2 <= n
        If there are no more than n filters, all of them are the only sample.
    seed : int
    samples : int

    Returns
    -------
    float
    """
    return _mean_over_samples(lambda some: best_matches(some).mean(), w, n, seed, samples)


def near_copies(w):
    """Share of the filters that are copies of another one at some shift.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    float in [0, 1]
        Those whose best match is :data:`NEAR_COPY` or more.
    """
    return float((best_matches(w) >= NEAR_COPY).mean())


def orientations(w):
    """In which direction each filter varies, and how clearly.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    angle : numpy array, shape (K,)
        Direction of strongest variation in degrees, in [0, 180): 0 across columns, which is a
        vertical edge.
    coherence : numpy array, shape (K,)
        0 where no direction is preferred, 1 for a filter that varies in one direction only.

    Notes
    -----
    Moments of the power spectrum P(f) of the filter under a Hann window, which keeps the edges of
    the receptive field from counting as edges: Σ P f_x², Σ P f_x f_y and Σ P f_y² over frequencies
    and channels.  The angle is their principal axis, the coherence the difference of the two
    principal moments over their sum.
    """
    kh, kw = w.shape[2:]
    window = np.hanning(kh + 2)[1:-1, None] * np.hanning(kw + 2)[None, 1:-1]
    size = 4 * kh, 4 * kw
    power = (np.abs(np.fft.fft2(w * window, size)) ** 2).sum(axis=1)
    fy, fx = np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None]
    xx, xy, yy = ((power * product).sum(axis=(1, 2)) for product in (fx * fx, fx * fy, fy * fy))
    angle = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2 % 180 % 180  # twice: rounding gives 180
    coherence = np.hypot(2 * xy, xx - yy) / np.maximum(xx + yy, np.finfo(float).tiny)
    return angle, coherence


def oriented_in_samples(w, n, seed, samples=20):
    """How many filters of a sample have an orientation: a coherence of :data:`ORIENTED` or more.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)
    n, seed, samples
        As in :func:`copies_in_samples`.

    Returns
    -------
    float
        Mean over the samples.
    """
    return _mean_over_samples(lambda some: len(oriented(some)), w, n, seed, samples)


def oriented(w):
    """The orientations of those filters that have one.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)

    Returns
    -------
    angle : numpy array
        Degrees in [0, 180), of the filters of a coherence of :data:`ORIENTED` or more.
    """
    angle, coherence = orientations(w)
    return angle[coherence >= ORIENTED]


def crowding_in_samples(w, n, seed, samples=20):
    """:func:`crowding` of the filters that have an orientation, within random samples of n.

    Parameters
    ----------
    w : numpy array, shape (K, C, kh, kw)
    n, seed, samples
        As in :func:`copies_in_samples`.

    Returns
    -------
    float or None
        None where fewer than two filters of every sample have an orientation.
    """
    return _mean_over_samples(lambda some: crowding(oriented(some)), w, n, seed, samples)


def crowding(angle):
    """How many others share a filter's part of the half circle, compared with chance.

    Parameters
    ----------
    angle : numpy array, shape (K,)
        Orientations in degrees; 0 and 180 are the same.

    Returns
    -------
    float or None
        The mean number of others less than 90°/K away, over what independent orientations would
        have there, (K - 1)/K: 1 for chance, 0 where filters divide the orientations among
        themselves, K where all have the same.  None for fewer than two.
    """
    K = len(angle)
    if K < 2:
        return None
    turn = np.abs(angle[:, None] - angle[None])
    near = np.minimum(turn, 180 - turn) < 90 / K
    return float((near.sum(axis=1).mean() - 1) * K / (K - 1))


def _mean_over_samples(measure, w, n, seed, samples):
    """None where no sample has such a number."""
    if len(w) <= n:
        chosen = [w]
    else:
        rng = generator(Purpose.CHECK, seed)
        chosen = [w[rng.choice(len(w), n, replace=False)] for _ in range(samples)]
    found = [number for some in chosen if (number := measure(some)) is not None]
    return float(np.mean(found)) if found else None
