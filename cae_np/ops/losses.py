"""Losses, each a 0-d array on the device, and their gradients."""

from ..backend import get_array_module
from .checks import takes


@takes(x_hat="N+ ...", x="N+ ...")
def squared_error(x_hat, x):
    """Squared distance of reconstruction and image: summed over an image, averaged over the batch.

    ``loss = (1/N) Σ_n ‖x_hat[n] - x[n]‖²``

    Parameters
    ----------
    x_hat, x : arrays of one shape (N, ...)

    Returns
    -------
    loss : 0-d array

    Raises
    ------
    ValueError
        If the shapes differ, or there is no image.

    Notes
    -----
    M14, section 2, as it is ("‖x̂ - x‖² summed over all training points", here averaged so that
    the rate does not depend on the batch size).  M11, equation (3), puts a half before it; the
    model that wants the half multiplies.
    """
    difference = x_hat - x
    return (difference * difference).sum() / len(x)


@takes(x_hat="N+ ...", x="N+ ...")
def squared_error_backward(x_hat, x):
    """Gradient of :func:`squared_error` with respect to the reconstruction.

    Parameters
    ----------
    x_hat, x : arrays of one shape (N, ...)

    Returns
    -------
    dx_hat : array, same shape, ``2 (x_hat - x) / N``
    """
    dx_hat = x_hat - x
    dx_hat *= 2 / len(x)
    return dx_hat


@takes(z="N+ classes", labels="N, below classes")
def softmax_cross_entropy(z, labels):
    """Cross-entropy of the softmax of logits with labels, averaged over the batch.

    ``loss = (1/N) Σ_n (log Σ_j exp(z[n, j]) - z[n, labels[n]])``

    Parameters
    ----------
    z : array, shape (N, classes)
        Scores before the softmax.
    labels : integer array, shape (N,), each in [0, classes)

    Returns
    -------
    loss : 0-d array

    Raises
    ------
    ValueError
        If there is no row, not one label for each row of z, or a label out of its range (on the
        host; on a device the look would wait for it).
    """
    xp = get_array_module(z, labels)
    z = z - z.max(axis=1, keepdims=True)  # exp cannot overflow then
    right = xp.take_along_axis(z, labels[:, None], axis=1)[:, 0]
    return (xp.log(xp.exp(z).sum(axis=1)) - right).sum() / len(z)


@takes(z="N+ classes", labels="N, below classes")
def softmax_cross_entropy_backward(z, labels):
    """Gradient of :func:`softmax_cross_entropy` with respect to the logits.

    Parameters
    ----------
    z : array, shape (N, classes)
    labels : integer array, shape (N,)

    Returns
    -------
    dz : array, shape (N, classes), ``(softmax(z) - one_hot(labels)) / N``
    """
    xp = get_array_module(z, labels)
    dz = xp.exp(z - z.max(axis=1, keepdims=True))
    dz /= dz.sum(axis=1, keepdims=True)
    dz -= labels[:, None] == xp.arange(z.shape[1])
    dz /= len(z)
    return dz
