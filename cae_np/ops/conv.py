"""Correlation and convolution as one matrix product each, and their gradients.

The two words are used literally.  A *correlation* lays the kernel on the image as it is; a
*convolution* flips it in both directions first, which is M11's ~ (W̃).  With the kernels as rows of
a matrix W, the patches of x as the columns of ``im2col(x)``, and the maps h as rows,

    y  = W · im2col(x)          correlate_valid: M11's equation (1) before the bias
    x  = col2im(Wᵀ · h)         convolve_full: M11's equation (2) before the bias
    dw = dy · im2col(x)ᵀ        kernel_gradient

Each line is the adjoint of another: ``<W · im2col(x), h> == <x, col2im(Wᵀ · h)>`` for all x, h and
w, so that ``convolve_full`` is at once the decoder with tied, flipped kernels and the backward of
the encoder.

How the products are cut up, so that the columns of a large image never have to be in memory at
once, is the business of :mod:`.kernels.columns` alone.
"""

from .checks import takes
from .kernels.columns import (
    both_times_columns,
    fold_columns,
    kernels_times_columns,
    maps_times_columns,
)


@takes(x="N C H W", w="K C kh kw")
def correlate_valid(x, w):
    """Correlate images with kernels wherever a kernel lies wholly inside the image.

    ``y[n, k, p, q] = Σ_{c, i, j} x[n, c, p + i, q + j] · w[k, c, i, j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw), with kh <= H and kw <= W

    Returns
    -------
    y : array, shape (N, K, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1

    Raises
    ------
    ValueError
        If the channels of x and w differ, or the kernel does not fit into the image.

    Notes
    -----
    The sum in M11, equation (1): h = σ(x ∗ W + b), before the bias.
    """
    _maps_shape(x, w)
    return kernels_times_columns(w, x)  # W · im2col(x)


@takes(x="N C H W", w="K C kh kw", dy="N K OH OW")
def correlate_valid_backward(dy, x, w):
    """Gradients of :func:`correlate_valid`.

    Parameters
    ----------
    dy : array, shape (N, K, OH, OW)
        The upstream gradient.
    x, w : the arguments of the forward

    Returns
    -------
    dx : array, shape (N, C, H, W), ``convolve_full(dy, w)``
    dw : array, shape (K, C, kh, kw), ``kernel_gradient(x, dy)``

    Raises
    ------
    ValueError
        If dy is not of the forward's output's shape.
    """
    _check_upstream("dy", dy, _maps_shape(x, w))
    return convolve_full(dy, w), kernel_gradient(x, dy)


@takes(h="N K OH OW", w="K C kh kw")
def convolve_full(h, w):
    """Convolve maps with kernels and add the K results up: the sum of all kernels, laid down.

    ``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i, v - j] · w[k, c, i, j]``,
    a convolution (the indices of h and w run against each other) that contracts the K maps.

    Parameters
    ----------
    h : array, shape (N, K, OH, OW)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    x : array, shape (N, C, H, W), with H = OH + kh - 1 and W = OW + kw - 1

    Raises
    ------
    ValueError
        If h does not have K maps.

    Notes
    -----
    The sum in M11, equation (2): y = σ(Σ_k h^k ∗ W̃^k + c).  The adjoint of
    :func:`correlate_valid` for fixed kernels.  Laying the kernel down at every unit, weighted by
    it, is correlating maps with flipped kernels: the maps with kh - 1 rows and kw - 1 columns of
    zeros on every side, the kernels turned by 180° and with K and C exchanged.  Here is M11's W̃.
    """
    return fold_columns(w, h)  # col2im(Wᵀ · h)


@takes(h="N K OH OW", w="K C kh kw", dx="N C H W")
def convolve_full_backward(dx, h, w):
    """Gradients of :func:`convolve_full`.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
        The upstream gradient.
    h, w : the arguments of the forward

    Returns
    -------
    dh : array, shape (N, K, OH, OW), ``correlate_valid(dx, w)``
    dw : array, shape (K, C, kh, kw), ``kernel_gradient(dx, h)``

    Raises
    ------
    ValueError
        If h does not have K maps, or dx is not of the forward's output's shape.
    """
    _check_upstream("dx", dx, _images_shape(h, w))
    return both_times_columns(w, h, dx)  # W · im2col(dx) and h · im2col(dx)ᵀ


@takes(x="N C H W", dy="N K OH OW")
def kernel_gradient(x, dy):
    """Gradient of :func:`correlate_valid` with respect to the kernels.

    ``dw[k, c, i, j] = Σ_{n, p, q} dy[n, k, p, q] · x[n, c, p + i, q + j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
        The images that were correlated.
    dy : array, shape (N, K, OH, OW), with OH <= H and OW <= W
        The upstream gradient.

    Returns
    -------
    dw : array, shape (K, C, H - OH + 1, W - OW + 1)

    Raises
    ------
    ValueError
        If the batches differ, or the maps are larger than the image.

    Notes
    -----
    Either of the two terms of M11's ∂E/∂W = x ∗ δh + h̃ ∗ δy: the first is
    ``kernel_gradient(x, delta_h)``.  In the second the kernel is laid on the *reconstruction* by
    the code h, so that the roles are exchanged: ``kernel_gradient(delta_y, h)``; flipping h and
    convolving is the same sum.
    """
    if dy.shape[2] > x.shape[2] or dy.shape[3] > x.shape[3]:
        raise ValueError(
            f"dy has shape {dy.shape} and x has {x.shape}; expected maps no larger than the images"
        )
    return maps_times_columns(dy, x)  # dy · im2col(x)ᵀ


# --- shapes ---------------------------------------------------------------------------------------


def _maps_shape(x, w):
    """The shape of the maps of images x and kernels w."""
    (N, _, H, W), (K, _, kh, kw) = x.shape, w.shape
    if kh > H or kw > W:
        raise ValueError(
            f"a {kh}×{kw} kernel does not fit into {H}×{W} images; pad them or use a smaller kernel"
        )
    return N, K, H - kh + 1, W - kw + 1


def _images_shape(h, w):
    """The shape of the images that kernels w, laid down by maps h, add up to."""
    (N, _, OH, OW), (_, C, kh, kw) = h.shape, w.shape
    return N, C, OH + kh - 1, OW + kw - 1


def _check_upstream(name, gradient, shape):
    if gradient.shape != shape:
        raise ValueError(
            f"{name} has shape {gradient.shape}, but what it is the gradient of has {shape}"
        )
