"""K-means on patches with the triangle activation: the baseline in the tables of both papers.

Coates, Lee, Ng, *An Analysis of Single-Layer Networks in Unsupervised Feature Learning*, AISTATS
2011.  Centroids are learned from random patches; an image's features tell, at every place, which
centroids its patch is nearer to than to the average one, summed over the image's four quadrants.
The convolutional auto-encoders have to show that they need fewer maps for the same.
"""

from ..backend import get_array_module, to_device, to_numpy
from ..data.batches import Changed, ImageArray
from ..data.images import image_shape
from ..data.patches import sample_patches
from ..data.preprocess import CONTRAST, EPSILON, ZCA, contrast_normalise
from ..data.standardise import Scale
from ..errors import ConfigError
from ..ops import col2im, im2col
from ..ops.checks import takes
from ..ops.kernels.blocks import block_bytes, for_each_block, scratch
from ..ops.kernels.layout import as_matrix
from ..waiting import Waiting
from .clustering import HOST_BLOCK, kmeans, squared_distances
from .estimator import FeatureLearner
from .parameters import require_finite

PATCHES = 400_000
FAINT = 0.05  # standard deviation of intensities below which contrast normalisation sees little
BLOCK = 4096  # patches that whitening is learned from at a time


@takes(distances="N K", out="N K, out")
def triangle(distances, out=None):
    """How much nearer a patch is to a centroid than to the average centroid, or 0.

    ``f_k = max(0, mean_j z_j - z_k)``, z_k being the distance (not squared) to centroid k

    Parameters
    ----------
    distances : array, shape (M, K)
    out : array, shape (M, K), optional
        May be ``distances``.

    Returns
    -------
    f : array, shape (M, K)
        About half of it is zero.

    Notes
    -----
    Coates et al. 2011, section 3.2.2.
    """
    xp = get_array_module(distances)
    f = xp.subtract(distances.mean(axis=1, keepdims=True), distances, out=out)
    return xp.maximum(f, 0, out=f)


@takes(f="N places K")
def quadrant_sums(f, rows, columns):
    """Sums over the four quadrants of an image.

    Parameters
    ----------
    f : array, shape (N, rows·columns, K)
        Activations at every place of every image, places in row-major order.
    rows, columns : int
        Of the places; of an odd number the upper or left half has one more.

    Returns
    -------
    array, shape (N, K, 2, 2)

    Raises
    ------
    ValueError
        If f has another number of places.
    """
    xp = get_array_module(f)
    if f.shape[1] != rows * columns:
        raise ValueError(
            f"f has shape {f.shape}; expected {rows}·{columns} = {rows * columns} places"
        )
    lower = xp.arange(rows) >= (rows + 1) // 2
    right = xp.arange(columns) >= (columns + 1) // 2
    quadrant = (2 * lower[:, None] + right[None]).reshape(-1)
    belongs = (xp.arange(4)[:, None] == quadrant[None]).astype(f.dtype)  # (4, places)
    sums = xp.matmul(belongs, f)  # (N, 4, K)
    return sums.swapaxes(1, 2).reshape(len(f), f.shape[2], 2, 2)


class PatchKMeans(FeatureLearner):
    """Centroids of patches, and the features of images that they give.

    Parameters
    ----------
    maps : int
        K, centroids.
    size : int
        Side of a patch in pixels.
    whiten : bool
        Whether patches are whitened after contrast normalisation.
    regularisation, epsilon : float
        r and ε, see :mod:`cae_np.data.preprocess`.
    seed : int

    Attributes
    ----------
    params : dict, empty before :meth:`fit`
        "centroids" (K, D), of patches that are normalised and whitened.
    zca : ZCA or None

    Raises
    ------
    ConfigError
        If a value is out of its range.

    Examples
    --------
    >>> from cae_np import PatchKMeans, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> model = PatchKMeans(16, size=5).fit(digits.train, patches=2000, iterations=5)
    >>> model.transform(digits.test).shape  # 16 maps, summed over four quadrants
    (50, 64)
    """

    def __init__(
        self, maps, *, size=6, whiten=True, regularisation=CONTRAST, epsilon=EPSILON, seed=0
    ):
        if maps < 1 or size < 1 or not regularisation > 0:
            raise ConfigError(
                f"{maps} maps, patches of side {size}, regularisation {regularisation}: expected "
                "at least 1, at least 1 and a positive number"
            )
        self.config = {
            "maps": maps,
            "size": size,
            "whiten": whiten,
            "regularisation": regularisation,
            "epsilon": epsilon,
        }
        self.maps, self.size, self.seed = maps, size, seed
        self.regularisation = regularisation
        self.zca = ZCA(epsilon) if whiten else None
        self.params = {}

    def fit(self, images, patches=None, iterations=50, progress=None, *, channels=None):
        """Learn the whitening and the centroids from random patches of training images.

        Parameters
        ----------
        images : array (N, H, W), (N, H, W, C) or (N, C, H, W), or a split of a data set
            Of intensities in [0, 1], or in any other range: floats that leave it, or hardly vary
            in it, are standardised to mean ½ and standard deviation ¼.
        patches : int, optional
            Default: 400,000, as Coates et al. took, or as many as there are different ones.
        iterations : int
            The default is that of Coates et al.
        progress : callable, optional
            See :func:`kmeans`.  Default: a bar, or a line now and then.
        channels : {"first", "last", "none"}, optional
            Where the channels are, if the shape does not tell.

        Returns
        -------
        PatchKMeans
            Itself; ``history`` is that of :func:`kmeans`.
        """
        images = self.read(images, channels)
        self.scale = _to_intensities(images)
        if self.scale:
            images = Changed(images, self.scale.apply)
        H, W = image_shape(images)[1:]
        if patches is None:
            places = max(1, H - self.size + 1) * max(1, W - self.size + 1)
            patches = min(PATCHES, len(images) * places)
        x = to_device(sample_patches(images, patches, self.size, self.seed))
        x = contrast_normalise(x.reshape(len(x), -1), self.regularisation)
        if self.zca:
            self.zca.fit(x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
            x = self.zca.whiten(x)
        with Waiting("k-means", iterations, "iterations") as waiting:
            progress = progress or (lambda *_: waiting.advance(1))
            centroids, self.history = kmeans(x, self.maps, iterations, self.seed, progress)
        self.params = {"centroids": centroids}
        return self

    @takes(x="N C H W")
    def encode(self, x):
        """Triangle features of every patch, summed over quadrants.

        Parameters
        ----------
        x : array, shape (N, C, H, W), intensities in [0, 1]

        Returns
        -------
        array, shape (N, K, 2, 2)

        Raises
        ------
        ValueError
            If nothing was fitted, or a patch does not fit into an image.
        """
        if not self.params:
            raise ValueError("centroids have to be learned first: call fit with training images")
        x = self._batch(x)
        xp, centroids = get_array_module(x), self.params["centroids"]
        N, _, H, W = x.shape
        if self.size > min(H, W):
            raise ValueError(f"patches of {self.size}×{self.size} do not fit into {H}×{W} images")
        rows, columns = H - self.size + 1, W - self.size + 1
        features = xp.empty((N, self.maps, 2, 2), centroids.dtype)
        if self.zca:
            self.zca.whiten(xp.zeros((1, centroids.shape[1]), x.dtype))  # makes its matrix, once

        def encode_some(images):
            patches = self._prepared_patches(x[images])
            shape = (len(patches), self.maps)
            z = scratch().get("distances", shape, centroids.dtype, xp)
            squared_distances(patches, centroids, out=z)
            f = triangle(xp.sqrt(z, out=z), out=z)
            f = f.reshape(rows * columns, -1, self.maps).swapaxes(0, 1)
            features[images] = quadrant_sums(f, rows, columns)

        # Beside the distances there are two copies of the patches.
        values = self.maps + 2 * centroids.shape[1]
        image_bytes = rows * columns * values * centroids.dtype.itemsize
        for_each_block(encode_some, N, max(1, block_bytes(xp, HOST_BLOCK) // image_bytes), xp)
        return features

    def filters(self):
        """The centroids as small images on the host, (K, C, size, size): whitened patches."""
        if not self.params:
            raise ValueError("centroids have to be learned first: call fit with training images")
        return to_numpy(self.params["centroids"]).reshape(self.maps, -1, self.size, self.size)

    def _reconstruct(self, x):
        """Every patch replaced by its centroid, its mean and contrast kept; overlaps averaged."""
        if not self.params:
            raise ValueError("centroids have to be learned first: call fit with training images")
        x = self._batch(x)
        xp, centroids = get_array_module(x), self.params["centroids"]
        restored = self.zca.unwhiten(centroids) if self.zca else centroids
        x_hat, (rows, columns) = xp.empty_like(x), (s - self.size + 1 for s in x.shape[2:])
        image_bytes = rows * columns * (self.maps + 4 * centroids.shape[1]) * x.dtype.itemsize
        at_a_time = max(1, block_bytes(xp, HOST_BLOCK) // image_bytes)
        for start in range(0, len(x), at_a_time):
            some = x[start : start + at_a_time]
            raw = as_matrix(im2col(some, self.size, self.size)).T
            mean = raw.mean(axis=1, keepdims=True)
            variance = ((raw - mean) ** 2).mean(axis=1, keepdims=True)
            contrast = (variance + self.regularisation) ** 0.5
            nearest = squared_distances(self._prepared_patches(some), centroids).argmin(axis=1)
            patches = restored[nearest] * contrast + mean
            shape = (-1, self.size, self.size, rows, columns, len(some))
            patches = xp.moveaxis(patches.T.reshape(shape), 5, 3)
            counted = col2im(xp.ones_like(patches), some.shape)
            x_hat[start : start + at_a_time] = col2im(patches, some.shape) / counted
        return x_hat

    @property
    def _channels(self):
        return self.params["centroids"].shape[1] // self.size**2 if self.params else None

    def state(self):
        """``(host arrays by name, configuration)``."""
        arrays = {name: to_numpy(p).copy() for name, p in self.params.items()}
        if self.zca:
            arrays |= {f"zca/{name}": array for name, array in self.zca.state()[0].items()}
        return arrays, dict(self.config)

    def load_state(self, arrays):
        """Take what :meth:`state` of a fitted model of the same configuration returned."""
        require_finite(arrays)
        self.params = {"centroids": to_device(arrays["centroids"])}
        if self.zca:
            self.zca.load_state(
                {name: arrays[f"zca/{name}"] for name in ("mean", "values", "vectors")}
            )

    def _prepared_patches(self, x):
        """All patches of the images, one a row, (OH·OW·N, D): the places of an image together
        with those of the others, as :func:`as_matrix` has them."""
        patches = as_matrix(im2col(x, self.size, self.size)).T
        patches = contrast_normalise(patches, self.regularisation)
        return self.zca.whiten(patches) if self.zca else patches


def _to_intensities(images):
    """What brings floats of another range into [0, 1], nearly; None where they lie in it."""
    if not isinstance(images, ImageArray) or images.images.dtype.kind != "f":
        return None
    scale = Scale.of(images)
    x = images.images
    if float(to_numpy(x.min())) >= 0 and float(to_numpy(x.max())) <= 1 and scale.std >= FAINT:
        return None
    return Scale(scale.mean - 2 * scale.std, 4 * scale.std)
