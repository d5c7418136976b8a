"""Non-linearities σ.  Each backward needs only the output y, so that x need not be kept.

All take arrays of any shape; softmax works along the last axis.  ``out`` (optional) is an array
that takes the result, x itself included.
"""

from ..backend import get_array_module
from .checks import takes

# LeCun's scaling: f(±1) ≈ ±1, so that targets and inputs of unit size stay where f is steep.
AMPLITUDE = 1.7159
SLOPE = 2 / 3


@takes(x="..., kept", out="..., out")
def linear(x, out=None):
    """y = x.

    Parameters
    ----------
    x : array, any shape

    Returns
    -------
    y : array, x itself (or ``out``, filled)
    """
    if out is None or out is x:
        return x
    out[...] = x
    return out


@takes(y="..., kept", dy="..., kept")
def linear_backward(dy, y):
    """dx = dy.

    Parameters
    ----------
    dy, y : arrays of one shape; y is not looked at

    Returns
    -------
    dx : array, dy itself
    """
    return dy


@takes(x="...", out="..., out")
def scaled_tanh(x, out=None):
    """y = 1.7159 · tanh(2x/3), M11's σ "in all our experiments".

    Parameters
    ----------
    x : array, any shape

    Returns
    -------
    y : array, same shape, in [-1.7159, 1.7159]

    Notes
    -----
    M11, section 3; the constants are the customary ones, the paper does not print them.
    """
    xp = get_array_module(x)
    y = xp.multiply(x, SLOPE, out=out)
    xp.tanh(y, out=y)
    y *= AMPLITUDE
    return y


@takes(y="...", dy="...")
def scaled_tanh_backward(dy, y):
    """dx = dy · (2/3) · (1.7159 - y²/1.7159).

    Parameters
    ----------
    dy, y : arrays of one shape

    Returns
    -------
    dx : array, same shape
    """
    dx = y * y
    dx *= -SLOPE / AMPLITUDE
    dx += SLOPE * AMPLITUDE
    dx *= dy
    return dx


@takes(x="..., kept", out="..., out")
def relu(x, out=None):
    """y = max(x, 0).

    Parameters
    ----------
    x : array, any shape

    Returns
    -------
    y : array, same shape
    """
    return get_array_module(x).maximum(x, 0, out=out)


@takes(y="..., kept", dy="..., kept")
def relu_backward(dy, y):
    """dx = dy where y > 0, else 0 (at the kink x = 0 too).

    Parameters
    ----------
    dy, y : arrays of one shape

    Returns
    -------
    dx : array, same shape
    """
    return dy * (y > 0)


@takes(x="...", out="..., out")
def logistic(x, out=None):
    """y = 1/(1 + exp(-x)), computed as (1 + tanh(x/2))/2, which cannot overflow.

    Parameters
    ----------
    x : array, any shape

    Returns
    -------
    y : array, same shape, in [0, 1]
    """
    xp = get_array_module(x)
    y = xp.multiply(x, 0.5, out=out)
    xp.tanh(y, out=y)
    y += 1
    y *= 0.5
    return y


@takes(y="...", dy="...")
def logistic_backward(dy, y):
    """dx = dy · y · (1 - y).

    Parameters
    ----------
    dy, y : arrays of one shape

    Returns
    -------
    dx : array, same shape
    """
    return dy * y * (1 - y)


@takes(x="... classes", out="... classes, out")
def softmax(x, out=None):
    """y_i = exp(x_i) / Σ_j exp(x_j) along the last axis.

    Parameters
    ----------
    x : array, shape (..., classes)

    Returns
    -------
    y : array, same shape, each row positive with sum 1
    """
    xp = get_array_module(x)
    y = xp.subtract(x, x.max(axis=-1, keepdims=True), out=out)  # exp cannot overflow then
    xp.exp(y, out=y)
    y /= y.sum(axis=-1, keepdims=True)
    return y


@takes(y="... classes", dy="... classes")
def softmax_backward(dy, y):
    """dx_i = y_i · (dy_i - Σ_j dy_j y_j).

    Parameters
    ----------
    dy, y : arrays, shape (..., classes)

    Returns
    -------
    dx : array, same shape
    """
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


# What models and configurations call them: (forward, backward).
ACTIVATIONS = {
    "linear": (linear, linear_backward),
    "scaled_tanh": (scaled_tanh, scaled_tanh_backward),
    "relu": (relu, relu_backward),
    "logistic": (logistic, logistic_backward),
}
