"""Feature scaling without scaled features: it goes into the weights, and comes out of the gradient.

A linear map of standardised features ``s = (x - mean) / std`` is a linear map of x itself,

    W s + b = V x + c        with V = W / std and c = b - V mean,

so that gigabytes of features stay as they are and only the small W is ever scaled.  Everything
walks through the features in blocks of rows.
"""

import numpy as np

from ..backend import get_array_module, to_numpy
from ..errors import ConfigError
from ..ops.kernels.blocks import block_bytes
from ..ops.kernels.workspace import Workspace

SCALINGS = ("none", "global", "feature")

# Bytes of features in one block: small enough to stay in the cache between the two products that
# read it.
HOST_BLOCK = 32 << 20
# Rows of one block: sums over more of them would lose digits in float32.
ROW_LIMIT = 4096


def row_blocks(features):
    """Slices that cut the rows of ``features`` into blocks.

    Parameters
    ----------
    features : array, shape (N, D)

    Returns
    -------
    list of slice
    """
    target = block_bytes(get_array_module(features), HOST_BLOCK)
    row_bytes = features.shape[1] * features.dtype.itemsize
    rows = min(max(1, target // row_bytes), ROW_LIMIT)
    return [slice(start, start + rows) for start in range(0, len(features), rows)]


def measure_scaling(blocks, kind):
    """Mean and standard deviation by which features are scaled.

    Parameters
    ----------
    blocks : iterable of arrays, shape (n, D), at least one
        All rows once, in any number of blocks.
    kind : {"none", "global", "feature"}
        ``"feature"``: each feature by its own standard deviation.  ``"global"``: all by one, that
        of all numbers together, which keeps the features' sizes relative to each other.  Both
        subtract each feature's mean, which changes no minimum (the bias is free) but brings it
        nearer.  ``"none"``: as they are.

    Returns
    -------
    mean, std : numpy.ndarray of float64, shape (D,)
        A feature that never varies has std 1 and so contributes exactly nothing.

    Raises
    ------
    ConfigError
        If ``kind`` is unknown.
    ValueError
        If there is no row, if blocks differ in D, or if a feature is NaN or infinite; the message
        names its position.
    """
    if kind not in SCALINGS:
        raise ConfigError(f"unknown scaling {kind!r}; choose one of {', '.join(SCALINGS)}")
    count, workspace = 0, Workspace()
    for block in blocks:
        xp = get_array_module(block)
        if count == 0:
            # Sums of differences from the first row: exactly 0 for what never varies, and
            # without cancellation where a mean is far larger than the deviation from it.
            origin = block[0].astype("float64")
            total, squares = xp.zeros_like(origin), xp.zeros_like(origin)
        if block.shape[1:] != origin.shape:
            raise ValueError(f"a block has shape {block.shape}; expected (n, {len(origin)})")
        difference = workspace.get("difference", block.shape, "float64", xp)
        xp.subtract(block, origin, out=difference)
        total += difference.sum(axis=0)
        difference *= difference
        squares += difference.sum(axis=0)
        # One number a block comes to the host: a NaN is reported where it stands, while its block
        # is still at hand.
        if not bool(xp.isfinite(squares).all()):
            _refuse_non_finite(block, count)
        count += len(block)
    if count == 0:
        raise ValueError("no features: expected at least one row")
    total, squares, origin = to_numpy(total), to_numpy(squares), to_numpy(origin)
    mean = origin + total / count
    variance = np.maximum(squares / count - (total / count) ** 2, 0)
    if kind == "none":
        return np.zeros_like(mean), np.ones_like(mean)
    if kind == "global":
        variance = np.full_like(mean, variance.mean() + mean.var())
    return mean, np.sqrt(np.where(variance > 0, variance, 1))


def fold(w, b, mean, std):
    """The linear map of raw features that equals (w, b) on scaled ones.

    ``v = w / std;  c = b - v mean``

    Parameters
    ----------
    w : array, shape (E, D)
    b : array, shape (E,)
    mean, std : arrays, shape (D,)

    Returns
    -------
    v : array, shape (E, D)
    c : array, shape (E,)
    """
    v = w / std
    return v, b - v @ mean


def fold_backward(dv, dc, mean, std):
    """Gradients of :func:`fold`.

    Parameters
    ----------
    dv : array, shape (E, D)
    dc : array, shape (E,)
    mean, std : arrays, shape (D,)

    Returns
    -------
    dw : array, shape (E, D), ``(dv - dc meanᵀ) / std``
    db : array, shape (E,), dc itself
    """
    return (dv - dc[:, None] * mean) / std, dc


def _refuse_non_finite(block, start):
    xp = get_array_module(block)
    rows, columns = (to_numpy(index) for index in xp.nonzero(~xp.isfinite(block)))
    if len(rows) == 0:
        raise ValueError("the features' squares overflow; scale the features down")
    value = float(to_numpy(block[int(rows[0]), int(columns[0])]))
    raise ValueError(
        f"feature {columns[0]} of row {start + rows[0]} is {value}; expected finite numbers; "
        "check what computed the features"
    )
