"""Global contrast normalisation and ZCA whitening, of images and of patches.

M14 (sections 3.2 and 3.3) prepares CIFAR-10 and NORB with both, "as described in" Coates, Lee, Ng,
*An Analysis of Single-Layer Networks in Unsupervised Feature Learning*, AISTATS 2011:

    x ← (x - mean(x)) / √(var(x) + r)             each image or patch by itself
    x ← (x - m) V (Λ + ε)^(-1/2) Vᵀ               V Λ Vᵀ being the covariance of training images

The second makes pixels uncorrelated and, of all maps that do, changes the images least, so that
they can still be looked at and convolved.  ε keeps the weakest directions from being blown up to
noise.  Whatever was learned from data (m, V, Λ) comes from training images alone.
"""

from math import prod

import numpy

from ..backend import get_array_module, to_device, to_numpy
from ..errors import ConfigError
from ..ops.checks import takes
from .batches import ImageArray
from .patches import image_blocks

# r: Coates et al. add 10 to the variance of pixels between 0 and 255; ours are between 0 and 1.
CONTRAST = 10 / 255**2
# ε: what their code takes for patches, and what serves whole images (the ledger has its effect).
EPSILON = 0.1


@takes(x="N ...")
def contrast_normalise(x, regularisation=CONTRAST):
    """Subtract from each image or patch its mean, and divide it by its standard deviation.

    ``y[n] = (x[n] - mean(x[n])) / √(var(x[n]) + regularisation)``, over all pixels and channels.

    Parameters
    ----------
    x : array, shape (N, ...)
        Intensities in [0, 1].
    regularisation : float, > 0
        Squared intensity; it keeps flat patches from becoming noise.

    Returns
    -------
    y : array of the shape and dtype of x (float64 for integers)
        Of no images none.  A NaN makes its own image NaN, and no other.
    """
    rows = _rows(x)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows /= ((rows * rows).mean(axis=1, keepdims=True) + regularisation) ** 0.5
    return rows.reshape(x.shape)


class ZCA:
    """Whitening by the symmetric matrix P = V (Λ + ε)^(-1/2) Vᵀ.

    Parameters
    ----------
    epsilon : float, > 0
        ε, added to every eigenvalue of the covariance: squared units of the data.

    Attributes
    ----------
    params : dict, empty before :meth:`fit`
        "mean" (D,), and of the covariance "values" (D,), growing, and "vectors" (D, D), one a
        column; float64, beside the data they were fitted on.

    Raises
    ------
    ConfigError
        If epsilon is not positive.
    """

    def __init__(self, epsilon=EPSILON):
        if not epsilon > 0:
            raise ConfigError(f"epsilon {epsilon}: expected a positive number, 0.1 for instance")
        self.config = {"epsilon": epsilon}
        self.epsilon = epsilon
        self.params = {}
        self._matrices = {}

    def fit(self, blocks):
        """Learn mean and covariance.

        Parameters
        ----------
        blocks : iterable of arrays, shape (n, ...) with D values an image
            All images once, in any number of blocks; a few thousand at most in each.

        Returns
        -------
        ZCA
            Itself.

        Raises
        ------
        ValueError
            If there is no image, if blocks differ in D, or a value is NaN or infinite.

        Notes
        -----
        Products run in the data's dtype, what is summed over blocks is float64.  Memory: three
        D × D matrices (75 MB each for CIFAR-10) and a copy of one block.
        """
        count = 0
        for block in blocks:
            rows, xp = _rows(block), get_array_module(block)
            if len(rows) == 0:
                continue
            if count == 0:
                # Differences from a point among the data, so that nothing cancels later.
                origin, D = rows.mean(axis=0), rows.shape[1]
                total, moments = xp.zeros(D, "float64"), xp.zeros((D, D), "float64")
            if rows.shape[1] != D:
                raise ValueError(f"a block has shape {block.shape}; expected images of {D} values")
            rows = rows - origin
            total += rows.sum(axis=0)
            moments += rows.T @ rows
            count += len(rows)
        if count == 0:
            raise ValueError("no images to learn whitening from: expected at least one")
        mean = total / count
        moments /= count
        moments -= mean[:, None] * mean
        if not bool(xp.isfinite(moments).all()):
            raise ValueError("the images hold NaN or infinity; check where they come from")
        values, vectors = xp.linalg.eigh(moments)
        self._set(mean + origin, xp.maximum(values, 0), vectors)
        return self

    @takes(x="N ...")
    def whiten(self, x):
        """(x - m) P.

        Parameters
        ----------
        x : array, shape (N, ...) with D values an image

        Returns
        -------
        y : array of the shape and dtype of x (float64 for integers)
            A NaN makes its own image NaN, and no other.

        Raises
        ------
        ValueError
            If nothing was fitted, or on images of another size.
        """
        rows = self._fitting_rows(x) - self._matrix("mean", x.dtype)
        return (rows @ self._matrix("whitening", x.dtype)).reshape(x.shape)

    @takes(y="N ...")
    def unwhiten(self, y):
        """The inverse of :meth:`whiten`: y P⁻¹ + m, for display.

        Parameters
        ----------
        y : array, shape (N, ...) with D values an image

        Returns
        -------
        x : array of the shape and dtype of y

        Raises
        ------
        ValueError
            As in :meth:`whiten`.
        """
        rows = self._fitting_rows(y) @ self._matrix("inverse", y.dtype)
        return (rows + self._matrix("mean", y.dtype)).reshape(y.shape)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return {name: to_numpy(p).copy() for name, p in self.params.items()}, dict(self.config)

    def load_state(self, arrays):
        """Take what :meth:`state` of a fitted object of the same epsilon returned."""
        self._set(*(to_device(arrays[name], "float64") for name in ("mean", "values", "vectors")))

    def _set(self, mean, values, vectors):
        self.params = {"mean": mean, "values": values, "vectors": vectors}
        self._matrices = {}

    def _matrix(self, name, dtype):
        """The mean or one of the two matrices in the data's dtype, made when first asked for."""
        if (name, dtype) not in self._matrices:
            mean, values, vectors = (self.params[p] for p in ("mean", "values", "vectors"))
            if name == "mean":
                matrix = mean
            else:
                power = -0.5 if name == "whitening" else 0.5
                matrix = (vectors * (values + self.epsilon) ** power) @ vectors.T
            self._matrices[name, dtype] = matrix.astype(dtype)
        return self._matrices[name, dtype]

    def _fitting_rows(self, x):
        if not self.params:
            raise ValueError("whitening has to be learned first: call fit with training images")
        rows, D = _rows(x), len(self.params["mean"])
        if rows.shape[1] != D:
            raise ValueError(
                f"images of shape {x.shape[1:]} have {rows.shape[1]} values; whitening was "
                f"learned from images of {D}"
            )
        return rows


@takes(images="N ...")
def _rows(images):
    return images.reshape(len(images), prod(images.shape[1:]))


class Preprocessing:
    """Contrast normalisation and then, if wanted, whitening of whole images.

    Parameters
    ----------
    whiten : bool
    regularisation : float
        r, see :func:`contrast_normalise`.
    epsilon : float
        ε, see :class:`ZCA`.
    """

    def __init__(self, whiten=True, regularisation=CONTRAST, epsilon=EPSILON):
        self.config = {"whiten": whiten, "regularisation": regularisation, "epsilon": epsilon}
        self.regularisation = regularisation
        self.zca = ZCA(epsilon) if whiten else None

    def fit(self, images):
        """Learn the whitening; without whitening there is nothing to learn.

        Parameters
        ----------
        images : object with ``len()`` and ``batch(indices)``
            Training images, nothing else.

        Returns
        -------
        Preprocessing
            Itself.
        """
        if self.zca:
            blocks = (to_device(images.batch(rows)) for rows in image_blocks(images))
            self.zca.fit(contrast_normalise(x, self.regularisation) for x in blocks)
        return self

    def transform(self, x):
        """Prepare a batch.

        Parameters
        ----------
        x : device array, shape (N, C, H, W), intensities in [0, 1]

        Returns
        -------
        y : device array, shape (N, C, H, W)
        """
        y = contrast_normalise(x, self.regularisation)
        return self.zca.whiten(y) if self.zca else y

    def apply(self, images):
        """Prepare all images once, to be read many times.

        Parameters
        ----------
        images : object with ``len()`` and ``batch(indices)``

        Returns
        -------
        ImageArray
            On the host, in the dtype of the batches.
        """
        prepared = None
        for rows in image_blocks(images):
            y = to_numpy(self.transform(to_device(images.batch(rows))))
            if prepared is None:
                prepared = numpy.empty((len(images), *y.shape[1:]), y.dtype)
            prepared[rows] = y
        return ImageArray(prepared)
