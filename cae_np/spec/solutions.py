"""Exercises whose solution this package has as a method: the same as pure functions."""

from ..data.preprocess import ZCA
from ..gradcheck import check_gradients
from ..models.cae import ConvAutoEncoder
from ..ops.checks import takes


@takes(x="N+ C H W", w="K C kh kw", b="K", c="C")
def tied_cae_gradient(x, w, b, c):
    """M11's cost of a convolutional auto-encoder with tied kernels, and its gradient.

    ``h = scaled_tanh(correlate_valid(x, w) + b)``, ``x_hat = convolve_full(h, w) + c``,
    ``loss = 1/(2N) Σ_n ‖x_hat[n] - x[n]‖²``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)
        Used twice, to encode and (flipped, by the convolution) to decode.
    b : array, shape (K,)
    c : array, shape (C,)

    Returns
    -------
    loss : 0-d array
    dw : array, shape (K, C, kh, kw)
        The sum of two terms, one for each use of w.
    db : array, shape (K,)
    dc : array, shape (C,)

    Notes
    -----
    M11, section 3: ∂E/∂W = x ∗ δh + h̃ ∗ δy, where the δ are gradients *before* a non-linearity,
    and equation (3) for the loss.  The output is linear, so that δy = (x_hat - x) / N.
    """
    (K, C, kh, kw), dtype = w.shape, str(w.dtype)
    model = ConvAutoEncoder(C, K, (kh, kw), tied=True, output="linear", dtype=dtype)
    model.params = {"w": w, "b": b, "c": c}
    loss, gradients = model.loss_and_gradients(x)
    return loss, gradients["w"], gradients["b"], gradients["c"]


@takes(x="N+ C H W")
def zca_whiten(x, epsilon):
    """Make pixels uncorrelated, changing the images as little as possible.

    ``y = (x - m) V (Λ + ε)^(-1/2) Vᵀ`` with every image as a row, m the mean of the rows, and
    ``V Λ Vᵀ`` their covariance (divided by N).

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    epsilon : float, > 0
        ε, added to every eigenvalue of the covariance.

    Returns
    -------
    y : array, shape (N, C, H, W)

    Notes
    -----
    M14, sections 3.2 and 3.3.
    """
    return ZCA(epsilon).fit([x]).whiten(x)


def gradient_check(forward, backward, *arrays):
    """Is this backward the gradient of that forward?

    Parameters
    ----------
    forward : callable, (*arrays) -> y
        y is an array, or a 0-d array.
    backward : callable, (dy, *arrays) -> tuple of arrays
        Claims to return, for each of the arrays, the gradient of ``(dy * y).sum()``.
    *arrays : float64 arrays
        Leave them as they are; move elements of copies.

    Returns
    -------
    agrees : bool
        True if difference quotients of forward confirm every gradient.
    """
    return check_gradients(forward, backward, *arrays).passed
