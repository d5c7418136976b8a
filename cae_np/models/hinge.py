"""The squared hinge, the loss of a linear support vector machine, and its gradient."""

from ..backend import get_array_module
from ..ops.checks import takes


@takes(z="N+ classes", labels="N, below classes")
def squared_hinge(z, labels):
    """Squared hinge loss of one-vs-rest classifiers, averaged over the batch.

    ``loss = (1/N) Σ_n Σ_j max(0, 1 - t[n, j] z[n, j])²``, t being 1 at the right class, else -1

    Parameters
    ----------
    z : array, shape (N, classes)
    labels : integer array, shape (N,), each in [0, classes)

    Returns
    -------
    loss : 0-d array
    """
    violation, _ = _margin_violations(z, labels)
    return (violation * violation).sum() / len(z)


@takes(z="N+ classes", labels="N, below classes")
def squared_hinge_backward(z, labels):
    """Gradient of :func:`squared_hinge` with respect to the scores; 0 at the kink t z = 1.

    Parameters
    ----------
    z : array, shape (N, classes)
    labels : integer array, shape (N,)

    Returns
    -------
    dz : array, shape (N, classes), ``-2 t max(0, 1 - t z) / N``
    """
    violation, t = _margin_violations(z, labels)
    return violation * t * (-2 / len(z))


def _margin_violations(z, labels):
    xp = get_array_module(z, labels)
    t = xp.where(labels[:, None] == xp.arange(z.shape[1]), 1, -1).astype(z.dtype)
    return xp.maximum(1 - t * z, 0), t
