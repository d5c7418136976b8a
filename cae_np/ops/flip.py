"""Flipped kernels: M11's W̃, and those that also exchange maps and channels."""

from .checks import takes


@takes(w="K C kh kw, kept")
def flip(w):
    """W̃, M11's flip: both spatial axes of the kernels reversed.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    array, shape (K, C, kh, kw), a view
    """
    return w[:, :, ::-1, ::-1]


@takes(w="K C kh kw, kept")
def mirrored(w):
    """The kernels that take the maps back: flipped, and the roles of K and C exchanged.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    array, shape (C, K, kh, kw), a view

    Notes
    -----
    ``convolve_full(h, w) == correlate_valid(pad_full(h, kh, kw), mirrored(w))``.
    """
    return flip(w).swapaxes(0, 1)
