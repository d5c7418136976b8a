"""Correlation and convolution whose maps have the image's size, by padding with zeros.

Winner-take-all auto-encoders (M14) work like this.  The two are adjoints of each other.
"""

from .checks import takes
from .conv import convolve_full, convolve_full_backward, correlate_valid, correlate_valid_backward
from .padding import crop_same, pad_same


@takes(x="N C H W", w="K C kh kw")
def correlate_same(x, w):
    """:func:`correlate_valid` on the zero-padded image, so that the maps have the image's size.

    ``y[n, k, p, q] = Σ_{c, i, j} x[n, c, p + i - top, q + j - left] · w[k, c, i, j]``, where
    pixels outside the image are 0, top = (kh - 1)//2 and left = (kw - 1)//2.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    y : array, shape (N, K, H, W)

    Notes
    -----
    M14, section 2: "zero-padded, so that each feature map has the size as the input".
    """
    return correlate_valid(pad_same(x, *w.shape[2:]), w)


@takes(x="N C H W", w="K C kh kw", dy="N K H W")
def correlate_same_backward(dy, x, w):
    """Gradients of :func:`correlate_same`.

    Parameters
    ----------
    dy : array, shape (N, K, H, W)
    x, w : the arguments of the forward

    Returns
    -------
    dx : array, shape (N, C, H, W), ``convolve_same(dy, w)``
    dw : array, shape (K, C, kh, kw)
    """
    kh, kw = w.shape[2:]
    dx, dw = correlate_valid_backward(dy, pad_same(x, kh, kw), w)
    return crop_same(dx, kh, kw), dw


@takes(h="N K H W", w="K C kh kw")
def convolve_same(h, w):
    """:func:`convolve_full` cropped to the size of the maps: the adjoint of correlate_same.

    ``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i + top, v - j + left] · w[k, c, i, j]``

    Parameters
    ----------
    h : array, shape (N, K, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    x : array, shape (N, C, H, W)

    Notes
    -----
    For an even kernel the crop takes (kh - 1)//2 rows off the top, so that convolving pads the
    other half of what correlating pads.  M14, section 2: x̂ = Σ_i W_i ∗ z_i + b'.
    """
    return crop_same(convolve_full(h, w), *w.shape[2:])


@takes(h="N K H W", w="K C kh kw", dx="N C H W")
def convolve_same_backward(dx, h, w):
    """Gradients of :func:`convolve_same`.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
    h, w : the arguments of the forward

    Returns
    -------
    dh : array, shape (N, K, H, W), ``correlate_same(dx, w)``
    dw : array, shape (K, C, kh, kw)
    """
    return convolve_full_backward(pad_same(dx, *w.shape[2:]), h, w)
