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
from ..rng import Purpose, generator
from ..waiting import Waiting
from .batches import ImageArray
from .patches import image_blocks

# r: Coates et al. add 10 to the variance of pixels between 0 and 255; ours are between 0 and 1.
CONTRAST = 10 / 255**2
LARGE = 4000  # values an image, from which on the eigenvectors take more than ten seconds
BLOCK = 1000  # images at a time
OVERSAMPLING, ITERATIONS = 10, 4  # of the randomised method
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

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import contrast_normalise
    >>> x = np.random.default_rng(0).random((10, 1, 8, 8))
    >>> y = contrast_normalise(0.5 * x + 0.2)
    >>> bool(abs(y.mean()) < 1e-12), y.std().round(1)
    (True, np.float64(1.0))
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
    components : int, >= 1, optional
        How many of the largest eigenvalues and their directions are looked for, by a randomised
        method (see Notes); all others count as their mean, which changes little where they are
        smaller than ε.  For images of thousands of values, of which all directions would take
        minutes.  Default: all, exactly.

    Attributes
    ----------
    params : dict, empty before :meth:`fit`
        "mean" (D,), and of the covariance "values" (D,), growing, and "vectors" (D, D), one a
        column; float64, beside the data they were fitted on.  With fewer components K < D they are
        (K,) and (D, K), and "rest" (1,) is the mean of the other eigenvalues.

    Raises
    ------
    ConfigError
        If epsilon or components is not positive.

    Notes
    -----
    Randomised subspace iteration (Halko, Martinsson, Tropp, *Finding Structure with Randomness*,
    SIAM Review 2011, algorithm 4.4) on the covariance, from directions that are always the same.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import ZCA
    >>> x = np.random.default_rng(0).normal(size=(500, 2)) @ [[3, 1], [1, 2]]
    >>> zca = ZCA(epsilon=1e-6).fit(x)
    >>> np.cov(zca.whiten(x).T, bias=True).round(3) + 0.0
    array([[1., 0.],
           [0., 1.]])
    >>> np.allclose(zca.unwhiten(zca.whiten(x)), x)
    True
    """

    def __init__(self, epsilon=EPSILON, components=None):
        if not epsilon > 0:
            raise ConfigError(f"epsilon {epsilon}: expected a positive number, 0.1 for instance")
        if components is not None and not (components == int(components) and components >= 1):
            raise ConfigError(f"components={components}: expected a whole number from 1 on")
        self.config = {"epsilon": epsilon}
        if components is not None:  # what was saved without it stays as it is
            self.config["components"] = components
        self.epsilon, self.components = epsilon, components
        self.params = {}
        self._matrices = {}

    def fit(self, blocks):
        """Learn mean and covariance.

        Parameters
        ----------
        blocks : array, shape (N, ...) with D values an image, or iterable of such arrays
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
        D × D matrices (75 MB each for CIFAR-10) and a copy of one block.  How far it is, is shown
        where it takes long.
        """
        if hasattr(blocks, "shape"):
            whole, starts = blocks, range(0, len(blocks), BLOCK)
            blocks = (whole[start : start + BLOCK] for start in starts)
        count = 0
        with Waiting("whitening") as waiting:
            for block in blocks:
                rows, xp = _rows(block), get_array_module(block)
                if len(rows) == 0:
                    continue
                if count == 0:
                    # Differences from a point among the data, so that nothing cancels later.
                    origin, D = rows.mean(axis=0), rows.shape[1]
                    total, moments = xp.zeros(D, "float64"), xp.zeros((D, D), "float64")
                if rows.shape[1] != D:
                    raise ValueError(
                        f"a block has shape {block.shape}; expected images of {D} values"
                    )
                rows = rows - origin
                total += rows.sum(axis=0)
                moments += rows.T @ rows
                count += len(rows)
                waiting.advance(len(rows))
            if count == 0:
                raise ValueError("no images to learn whitening from: expected at least one")
            mean = total / count
            moments /= count
            moments -= mean[:, None] * mean
            if not bool(xp.isfinite(moments).all()):
                raise ValueError("the images hold NaN or infinity; check where they come from")
            if self.components is not None and self.components < D:
                parts = _leading(moments, int(self.components), waiting)
            else:
                if D >= LARGE:
                    waiting.say(
                        f"all {D:,} directions of {D:,} values, which may take a minute or more; "
                        f"ZCA(components={D // 10}) looks for the {D // 10} strongest only"
                    )
                values, vectors = xp.linalg.eigh(moments)
                parts = {"values": xp.maximum(values, 0), "vectors": vectors}
        self._set({"mean": mean + origin, **parts})
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
        return self._times(rows, "whitening").reshape(x.shape)

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
        rows = self._times(self._fitting_rows(y), "inverse")
        return (rows + self._matrix("mean", y.dtype)).reshape(y.shape)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return {name: to_numpy(p).copy() for name, p in self.params.items()}, dict(self.config)

    def load_state(self, arrays):
        """Take what :meth:`state` of a fitted object of the same epsilon returned."""
        names = ("mean", "values", "vectors", *(["rest"] if "rest" in arrays else []))
        self._set({name: to_device(arrays[name], "float64") for name in names})

    def _set(self, params):
        self.params, self._matrices = params, {}

    def _times(self, rows, name):
        """Rows times P or its inverse; with few components without either's D × D numbers."""
        if "rest" not in self.params:
            return rows @ self._matrix(name, rows.dtype)
        vectors, rest = self._matrix("vectors", rows.dtype), self._matrix("rest", rows.dtype)
        power = -0.5 if name == "whitening" else 0.5
        rest = (rest + self.epsilon) ** power
        factors = (self._matrix("values", rows.dtype) + self.epsilon) ** power - rest
        return rows * rest + ((rows @ vectors) * factors) @ vectors.T

    def _matrix(self, name, dtype):
        """A parameter or one of the two matrices in the data's dtype, made when first asked for."""
        if (name, dtype) not in self._matrices:
            if name in self.params:
                matrix = self.params[name]
            else:
                values, vectors = self.params["values"], self.params["vectors"]
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


def _leading(covariance, K, waiting):
    """The K largest eigenvalues of a covariance, growing, their vectors, the mean of the others."""
    xp, D = get_array_module(covariance), len(covariance)
    width = min(D, K + OVERSAMPLING)
    found = to_device(generator(Purpose.DIRECTIONS, 0).standard_normal((D, width)))
    for step in range(ITERATIONS):
        if D >= LARGE:
            waiting.say(f"the {K:,} strongest of {D:,} directions, step {step + 1} of {ITERATIONS}")
        found, _ = xp.linalg.qr(covariance @ found)
    values, vectors = xp.linalg.eigh(found.T @ (covariance @ found))
    values, vectors = values[-K:], found @ vectors[:, -K:]
    rest = (covariance.trace() - values.sum()) / (D - K)
    return {
        "values": xp.maximum(values, 0),
        "vectors": vectors,
        "rest": xp.maximum(rest, 0).reshape(1),
    }


class Preprocessing:
    """Contrast normalisation and then, if wanted, whitening of whole images.

    Parameters
    ----------
    whiten : bool
    regularisation : float
        r, see :func:`contrast_normalise`.
    epsilon : float
        ε, see :class:`ZCA`.
    components : int, optional
        Of :class:`ZCA`.
    """

    def __init__(self, whiten=True, regularisation=CONTRAST, epsilon=EPSILON, components=None):
        self.config = {"whiten": whiten, "regularisation": regularisation, "epsilon": epsilon}
        if components is not None:  # what was saved without it stays as it is
            self.config["components"] = components
        self.regularisation = regularisation
        self.zca = ZCA(epsilon, components) if whiten else None

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
