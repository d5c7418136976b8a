"""Clustering by k-means, whose every iteration is one matrix product."""

import math

from ..backend import get_array_module, scatter_add, to_numpy
from ..errors import ConfigError
from ..ops.checks import takes
from ..ops.kernels.blocks import block_bytes, for_each_block, scratch
from ..rng import Purpose, generator

# Bytes of distances in a block: on the host about a core's cache, on a device what keeps it busy.
HOST_BLOCK = 8 << 20
SUMMED = 1 << 16  # patches of which float64 copies are made at a time


@takes(x="N D")
def kmeans(x, k, iterations, seed, progress=None):
    """Lloyd's algorithm.

    Parameters
    ----------
    x : array, shape (M, D)
    k : int, 1 <= k <= M
    iterations : int, >= 1
    seed : int
        Chooses the k patches that the centroids start from.
    progress : callable, (iteration, error) -> None, optional

    Returns
    -------
    centroids : array, shape (k, D)
    history : list of dict
        For every iteration ``error``, the mean squared distance to the nearest centroid (before
        the centroids move), and ``empty``, how many clusters had no patch.

    Raises
    ------
    ConfigError
        If k or iterations is out of range.
    ValueError
        If a value is NaN or infinite: its distance from everything would be.

    Notes
    -----
    Distances come from products, whose rounding grows with the size of the values.  Patches whose
    mean is larger than their distances from it are therefore clustered as differences from it.
    A cluster that no patch belongs to begins anew at the patch that is furthest from its own
    centroid, two empty clusters at two of them.  (Coates et al. leave it at zero for good.)
    """
    xp, M = get_array_module(x), len(x)
    if not 1 <= k <= M or iterations < 1:
        raise ConfigError(
            f"{k} centroids from {M} patches (x of shape {x.shape}) in {iterations} iterations: "
            "expected at least one patch, no more centroids than patches, and at least 1 iteration"
        )
    centre = _centre(x)
    if centre is not None:
        x = x - centre
    first = generator(Purpose.SUBSET, seed).choice(M, k, replace=False)
    centroids = x[xp.asarray(first)]
    history = []
    for iteration in range(iterations):
        sums, sizes, distance = _assigned(x, centroids)
        empty = to_numpy(sizes == 0).nonzero()[0]
        history.append({"error": float(to_numpy(distance.mean())), "empty": len(empty)})
        sizes = sizes.clip(1, None)[:, None]
        centroids = (sums / sizes).astype(x.dtype)
        if len(empty):
            furthest = (-distance).argsort()[: len(empty)]
            centroids[xp.asarray(empty)] = x[furthest]
        if progress:
            progress(iteration + 1, history[-1]["error"])
    return centroids if centre is None else centroids + centre, history


@takes(x="N D", centroids="K D", out="N K, out")
def squared_distances(x, centroids, out=None):
    """‖x_m - c_k‖² of all patches and centroids, by one matrix product.

    ``[x_m, 1, ‖x_m‖²] · [-2 c_k, ‖c_k‖², 1]``

    Parameters
    ----------
    x : array, shape (M, D)
    centroids : array, shape (K, D)
    out : array, shape (M, K), optional

    Returns
    -------
    array, shape (M, K)
        Not negative, though rounding would make it so for a patch on its centroid.
    """
    xp = get_array_module(x, centroids)
    norms = (centroids * centroids).sum(axis=1, keepdims=True)
    right = xp.concatenate([-2 * centroids, norms, xp.ones_like(norms)], axis=1)
    norms = (x * x).sum(axis=1, keepdims=True)
    left = xp.concatenate([x, xp.ones_like(norms), norms], axis=1)
    out = xp.matmul(left, right.T, out=out)
    return xp.maximum(out, 0, out=out)


def _centre(x):
    """The mean of the patches, (D,), or None where it is smaller than their distances from it."""
    xp, (M, D) = get_array_module(x), x.shape
    total, squares = xp.zeros(D, "float64"), xp.zeros((), "float64")
    for start in range(0, M, SUMMED):
        block = x[start : start + SUMMED].astype("float64")
        total += block.sum(axis=0)
        squares += (block * block).sum()
    mean, squares = total / M, float(to_numpy(squares)) / M
    if not math.isfinite(squares):
        row = int(to_numpy((~xp.isfinite(x).all(axis=1)).argmax()))
        raise ValueError(
            f"x of shape {x.shape} holds NaN or infinity, first in row {row}; expected finite "
            "numbers; repair that patch or leave it out"
        )
    of_mean = float(to_numpy((mean * mean).sum()))
    return mean.astype(x.dtype) if of_mean > squares - of_mean else None


def _assigned(x, centroids):
    """Sums and sizes of the clusters, (K, D) and (K,), and each patch's squared distance, (M,).

    Distances of a block of patches are in memory at a time.
    """
    xp, (M, D), K = get_array_module(x, centroids), x.shape, len(centroids)
    nearest, distance = xp.empty(M, "int64"), xp.empty(M, x.dtype)

    def assign(block):
        shape = (block.stop - block.start, K)
        z = squared_distances(
            x[block], centroids, out=scratch().get("distances", shape, x.dtype, xp)
        )
        nearest[block] = z.argmin(axis=1)
        distance[block] = z.min(axis=1)

    for_each_block(assign, M, max(1, block_bytes(xp, HOST_BLOCK) // (K * x.dtype.itemsize)), xp)
    sums, sizes = xp.zeros((K, D), "float64"), xp.zeros(K, "float64")
    for start in range(0, M, SUMMED):
        block = slice(start, start + SUMMED)
        scatter_add(sums, nearest[block], x[block].astype("float64"))
    scatter_add(sizes, nearest, xp.ones(M, "float64"))
    return sums, sizes, distance
