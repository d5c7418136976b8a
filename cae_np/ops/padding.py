"""Zeros around images, and the crops that take them off again: adjoint pairs."""

from ..backend import get_array_module
from .checks import takes
from .kernels.layout import zeros_batch_last


@takes(x="N C H W, kept")
def pad_same(x, kh, kw):
    """Surround the image with the zeros that "same" needs.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width.

    Returns
    -------
    array, shape (N, C, H + kh - 1, W + kw - 1)
        (kh - 1)//2 rows above and the other kh - 1 - (kh - 1)//2 below; columns likewise.
    """
    return _padded(x, (kh - 1) // 2, (kw - 1) // 2, kh - 1, kw - 1)


@takes(x="N C H W, kept")
def crop_same(x, kh, kw):
    """Take off what :func:`pad_same` put around the image: its adjoint.

    Parameters
    ----------
    x : array, shape (N, C, H + kh - 1, W + kw - 1)
    kh, kw : int

    Returns
    -------
    array, shape (N, C, H, W), a view
    """
    return _cropped(x, (kh - 1) // 2, (kw - 1) // 2, kh - 1, kw - 1)


@takes(x="N C H W, kept")
def pad_full(x, kh, kw):
    """Surround the image with kh - 1 rows and kw - 1 columns of zeros on every side.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int

    Returns
    -------
    array, shape (N, C, H + 2(kh - 1), W + 2(kw - 1))
    """
    return _padded(x, kh - 1, kw - 1, 2 * (kh - 1), 2 * (kw - 1))


@takes(x="N C H W, kept")
def crop_full(x, kh, kw):
    """Take off what :func:`pad_full` put around the image: its adjoint.

    Parameters
    ----------
    x : array, shape (N, C, H + 2(kh - 1), W + 2(kw - 1))
    kh, kw : int

    Returns
    -------
    array, shape (N, C, H, W), a view
    """
    return _cropped(x, kh - 1, kw - 1, 2 * (kh - 1), 2 * (kw - 1))


def _padded(x, top, left, rows, columns):
    """x with so many zero rows and columns in all, ``top`` and ``left`` of them before it."""
    N, C, H, W = x.shape
    padded = zeros_batch_last(get_array_module(x), (N, C, H + rows, W + columns), x.dtype)
    padded[:, :, top : top + H, left : left + W] = x
    return padded


def _cropped(x, top, left, rows, columns):
    H, W = x.shape[2] - rows, x.shape[3] - columns
    return x[:, :, top : top + H, left : left + W]
