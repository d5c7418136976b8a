"""The fully connected map and the bias, with their gradients."""

from ..backend import get_array_module
from .checks import takes
from .kernels.blocks import product


@takes(x="N D", w="E D", b="E")
def affine(x, w, b):
    """y = x Wᵀ + b for every row of x.

    Parameters
    ----------
    x : array, shape (N, D)
    w : array, shape (E, D)
    b : array, shape (E,)

    Returns
    -------
    y : array, shape (N, E)

    Raises
    ------
    ValueError
        If x and w differ in D, or w and b in E.

    Notes
    -----
    M11, section 2.1: Wx + b, one x a row.
    """
    return product(x, w.T) + b


@takes(x="N D", w="E D", b="E", dy="N E")
def affine_backward(dy, x, w, b):
    """Gradients of :func:`affine`.

    Parameters
    ----------
    dy : array, shape (N, E)
    x, w, b : the arguments of the forward

    Returns
    -------
    dx : array, shape (N, D), ``dy W``
    dw : array, shape (E, D), ``dyᵀ x``
    db : array, shape (E,), the sum of dy over the batch
    """
    return product(dy, w), product(dy.T, x), dy.sum(axis=0)


@takes(y="N K H W", b="K", out="N K H W, out")
def add_bias(y, b, out=None):
    """Add one bias per map to the whole map.

    Parameters
    ----------
    y : array, shape (N, K, H, W)
    b : array, shape (K,)
    out : array, optional
        Takes the result; may be y.

    Returns
    -------
    array, shape (N, K, H, W)

    Raises
    ------
    ValueError
        If there is not one bias for each map.

    Notes
    -----
    M11, section 3: "A single bias per latent map is used".
    """
    return get_array_module(y, b).add(y, b[:, None, None], out=out)


@takes(dy="N K H W")
def add_bias_backward(dy):
    """Gradients of :func:`add_bias`.

    Parameters
    ----------
    dy : array, shape (N, K, H, W)

    Returns
    -------
    dy : array, shape (N, K, H, W), the argument itself
    db : array, shape (K,), the sum over batch and positions
    """
    return dy, dy.sum(axis=(0, 2, 3))
