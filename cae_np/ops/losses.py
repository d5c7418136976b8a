"""What training makes small: each loss is a 0-d array on the device, its gradient beside it."""

from ..backend import get_array_module


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
    _check_shapes(x_hat, x)
    difference = x_hat - x
    return (difference * difference).sum() / len(x)


def squared_error_backward(x_hat, x):
    """Gradient of :func:`squared_error` for the reconstruction.

    Parameters
    ----------
    x_hat, x : arrays of one shape (N, ...)

    Returns
    -------
    dx_hat : array, same shape, ``2 (x_hat - x) / N``
    """
    _check_shapes(x_hat, x)
    dx_hat = x_hat - x
    dx_hat *= 2 / len(x)
    return dx_hat


def softmax_cross_entropy(z, labels):
    """-log of the probability that softmax gives to the right class, averaged over the batch.

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
        If there is no row, or not one label for each row of z.  That labels lie in their range is
        checked where data are read; here it would wait for the device.
    """
    _check_labels(z, labels)
    xp = get_array_module(z, labels)
    z = z - z.max(axis=1, keepdims=True)  # exp cannot overflow then
    right = xp.take_along_axis(z, labels[:, None], axis=1)[:, 0]
    return (xp.log(xp.exp(z).sum(axis=1)) - right).sum() / len(z)


def softmax_cross_entropy_backward(z, labels):
    """Gradient of :func:`softmax_cross_entropy` for the scores.

    Parameters
    ----------
    z : array, shape (N, classes)
    labels : integer array, shape (N,)

    Returns
    -------
    dz : array, shape (N, classes), ``(softmax(z) - one_hot(labels)) / N``
    """
    _check_labels(z, labels)
    xp = get_array_module(z, labels)
    dz = xp.exp(z - z.max(axis=1, keepdims=True))
    dz /= dz.sum(axis=1, keepdims=True)
    dz -= labels[:, None] == xp.arange(z.shape[1])
    dz /= len(z)
    return dz


def _check_shapes(x_hat, x):
    if x_hat.shape != x.shape:
        raise ValueError(f"reconstruction {x_hat.shape} and image {x.shape} differ in shape")
    _check_not_empty(x)


def _check_labels(z, labels):
    if labels.shape != z.shape[:1]:
        raise ValueError(
            f"labels have shape {labels.shape}; scores of shape {z.shape} need one for each row"
        )
    _check_not_empty(z)


def _check_not_empty(batch):
    if len(batch) == 0:
        raise ValueError(f"a batch of shape {batch.shape} has no mean; expected one image or more")
