"""Features of trained layers, computed a block of images at a time.

The maps of a whole data set are never in memory at once: what is, is a block's maps, and the
pooled features that were asked for.
"""

from ..backend import active
from ..data.batches import Encoded


def feature_matrix(images, layers, block=500):
    """Features of all images, one row each.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    layers : sequence of models with ``encode``
    block : int
        Images encoded at a time.

    Returns
    -------
    device array, shape (n, K·H·W)
        The only thing of the data set's size that is allocated.
    """
    encoded = Encoded(images, layers)
    matrix = None
    for start in range(0, len(encoded), block):
        features = encoded.batch(slice(start, start + block))
        rows = features.reshape(len(features), -1)
        if matrix is None:
            matrix = active().module.empty((len(encoded), rows.shape[1]), rows.dtype)
        matrix[start : start + block] = rows
    return matrix
