"""The models as scikit-learn has them: feature learners as transformers, read-outs as classifiers.

All work on flat rows, one image a row, and are told with ``image_shape=(C, H, W)`` what a row is.
They can be cloned, searched over, put into pipelines, and give pandas where ``set_output`` asks
for it.  Install scikit-learn with ``pip install "cae_np[sklearn]"``.

>>> import numpy as np
>>> from sklearn.pipeline import make_pipeline
>>> from cae_np.sklearn import PatchKMeansFeatures, SoftmaxClassifier
>>> rng = np.random.default_rng(0)
>>> y = rng.integers(0, 2, 60)
>>> X = rng.random((60, 64)) * 0.5 + 0.5 * (np.arange(64) % 2 == y[:, None])  # stripes, two phases
>>> features = PatchKMeansFeatures(maps=8, size=4, patches=500, image_shape=(1, 8, 8))
>>> model = make_pipeline(features, SoftmaxClassifier()).fit(X, y)
>>> model.predict(X[:3]).shape
(3,)
"""

import warnings
from numbers import Integral

import numpy as np

try:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
    )
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "cae_np.sklearn needs scikit-learn 1.6 or newer: pip install 'cae_np[sklearn]'"
    ) from error

from .backend import to_device, to_numpy
from .errors import CaeError
from .models.autoencoder import AutoEncoder
from .models.cae import ConvAutoEncoder
from .models.estimator import LearningWarning
from .models.kmeans import PatchKMeans
from .models.linear import LinearSVM, SoftmaxRegression
from .models.sizes import kernel_sides
from .models.wta import WinnerTakeAll
from .training import Plan

__all__ = [
    "AutoEncoderFeatures",
    "ConvAutoEncoderFeatures",
    "LinearSVMClassifier",
    "PatchKMeansFeatures",
    "SoftmaxClassifier",
    "WinnerTakeAllFeatures",
]


class _Features(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A feature learner over flat rows; subclasses make the model."""

    def fit(self, X, y=None):
        """Learn from images.

        Parameters
        ----------
        X : array-like, shape (n, C·H·W)
            One image a row, channel by channel, row by row; in any range.
        y : ignored

        Returns
        -------
        self
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        images = self._images(X)
        self.model_ = _in_words(self._trained, images)
        self._n_features_out = self.model_.transform(images[:1], channels="first").shape[1]
        return self

    def transform(self, X):
        """Pooled features of images.

        Parameters
        ----------
        X : array-like, shape (n, C·H·W)

        Returns
        -------
        array, shape (n, D)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return _in_words(self.model_.transform, self._images(X), channels="first")

    def _images(self, X):
        """The rows as (n, C, H, W), in the dtype that is computed in."""
        C, H, W = shape = self._shape(X.shape[1])
        if C * H * W != X.shape[1]:
            raise ValueError(
                f"rows of {X.shape[1]} values are no images of shape {shape}; give image_shape="
                "(channels, height, width) of your images"
            )
        return np.ascontiguousarray(X.reshape(-1, C, H, W), self.dtype)

    def _shape(self, values):
        if self.image_shape is None:
            return 1, 1, values
        shape = tuple(self.image_shape)
        if len(shape) != 3 or any(not isinstance(n, Integral) or n < 1 for n in shape):
            raise ValueError(f"image_shape={shape!r}: expected (channels, height, width)")
        return tuple(map(int, shape))

    def _kernel(self, shape):
        """The kernel, no larger than the images."""
        return tuple(min(*pair) for pair in zip(kernel_sides(self.kernel), shape[1:], strict=True))

    @property
    def _seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _trained(self, images):
        seed = self._seed
        model = self._make(images.shape[1:], seed)
        plan = None
        if self.rate is not None:
            plan = Plan(self.epochs, self.batch_size, self.rate, optimizer="adam")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.fit(images, plan=plan, channels="first", seed=seed)
        for warning in said:
            kind = warning.category
            kind = ConvergenceWarning if issubclass(kind, LearningWarning) else kind
            warnings.warn(str(warning.message), kind, stacklevel=4)
        return model


_SHARED = """
    image_shape : (channels, height, width), optional
        What a row is.  Default: one channel, one pixel high.
    rate : float, optional
        Learning rate of Adam, for ``epochs`` and ``batch_size``.  Default: found by short runs on
        held-out images, which also decide how long is trained.
    epochs, batch_size : int
    dtype : {"float64", "float32"}
        What is computed in; the second is twice as fast.
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : the model of cae_np
    """


class WinnerTakeAllFeatures(_Features):
    __doc__ = (
        """Pooled features of a winner-take-all auto-encoder, see :class:`cae_np.WinnerTakeAll`.

    Parameters
    ----------
    maps : int
    kernel : int or pair of int
        Taken no larger than the images.
    pool_width, pool_stride : int
        Taken no larger than the images."""
        + _SHARED
        + """
    Examples
    --------
    >>> import numpy as np
    >>> from cae_np.sklearn import WinnerTakeAllFeatures
    >>> X = np.random.default_rng(0).random((20, 64))
    >>> learner = WinnerTakeAllFeatures(maps=4, image_shape=(1, 8, 8), rate=0.003, epochs=2)
    >>> learner.fit_transform(X).shape
    (20, 36)
    """
    )

    def __init__(
        self,
        maps=16,
        kernel=5,
        *,
        pool_width=5,
        pool_stride=3,
        image_shape=None,
        rate=None,
        epochs=10,
        batch_size=50,
        dtype="float64",
        random_state=0,
    ):
        self.maps = maps
        self.kernel = kernel
        self.pool_width = pool_width
        self.pool_stride = pool_stride
        self.image_shape = image_shape
        self.rate = rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.dtype = dtype
        self.random_state = random_state

    def _make(self, shape, seed):
        width = min(self.pool_width, *shape[1:])
        pools = {"pool_width": width, "pool_stride": min(self.pool_stride, width)}
        options = {"seed": seed, "dtype": self.dtype}
        return WinnerTakeAll(shape[0], self.maps, self._kernel(shape), **pools, **options)


class ConvAutoEncoderFeatures(_Features):
    __doc__ = (
        """The pooled code of a convolutional auto-encoder, see :class:`cae_np.ConvAutoEncoder`.

    Parameters
    ----------
    maps : int
    kernel : int or pair of int
        Taken no larger than the images.
    pool : int or None"""
        + _SHARED
        + """
    Examples
    --------
    >>> import numpy as np
    >>> from cae_np.sklearn import ConvAutoEncoderFeatures
    >>> X = np.random.default_rng(0).random((20, 64))
    >>> learner = ConvAutoEncoderFeatures(maps=4, image_shape=(1, 8, 8), rate=0.003, epochs=2)
    >>> learner.fit_transform(X).shape
    (20, 16)
    """
    )

    def __init__(
        self,
        maps=16,
        kernel=5,
        *,
        pool=2,
        image_shape=None,
        rate=None,
        epochs=10,
        batch_size=50,
        dtype="float64",
        random_state=0,
    ):
        self.maps = maps
        self.kernel = kernel
        self.pool = pool
        self.image_shape = image_shape
        self.rate = rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.dtype = dtype
        self.random_state = random_state

    def _make(self, shape, seed):
        kernel = self._kernel(shape)
        smallest = min(side - k + 1 for side, k in zip(shape[1:], kernel, strict=True))
        pool = self.pool and min(self.pool, smallest)
        options = {"pool": pool, "seed": seed, "dtype": self.dtype}
        return ConvAutoEncoder(shape[0], self.maps, kernel, **options)


class AutoEncoderFeatures(_Features):
    __doc__ = (
        """The code of a fully connected auto-encoder, see :class:`cae_np.AutoEncoder`.

    Parameters
    ----------
    units : int
    k : int, optional
        Units that stay in training."""
        + _SHARED
        + """
    Examples
    --------
    >>> import numpy as np
    >>> from cae_np.sklearn import AutoEncoderFeatures
    >>> X = np.random.default_rng(0).random((20, 64))
    >>> AutoEncoderFeatures(units=5, rate=0.003, epochs=2).fit_transform(X).shape
    (20, 5)
    """
    )

    def __init__(
        self,
        units=64,
        *,
        k=None,
        image_shape=None,
        rate=None,
        epochs=10,
        batch_size=50,
        dtype="float64",
        random_state=0,
    ):
        self.units = units
        self.k = k
        self.image_shape = image_shape
        self.rate = rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.dtype = dtype
        self.random_state = random_state

    def _make(self, shape, seed):
        options = {"k": self.k, "seed": seed, "dtype": self.dtype}
        return AutoEncoder(int(np.prod(shape)), self.units, **options)


class PatchKMeansFeatures(_Features):
    """Triangle features of patch k-means, see :class:`cae_np.PatchKMeans`.

    Parameters
    ----------
    maps : int
    size : int
        Side of the patches, taken no larger than the images.
    whiten : bool
    patches : int, optional
    iterations : int
    image_shape : (channels, height, width), optional
        What a row is.  Default: one channel, one pixel high.
    dtype : {"float64", "float32"}
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : cae_np.PatchKMeans

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np.sklearn import PatchKMeansFeatures
    >>> X = np.random.default_rng(0).random((20, 64))
    >>> PatchKMeansFeatures(maps=3, size=4, image_shape=(1, 8, 8)).fit_transform(X).shape
    (20, 12)
    """

    def __init__(
        self,
        maps=8,
        size=6,
        *,
        whiten=True,
        patches=None,
        iterations=20,
        image_shape=None,
        dtype="float64",
        random_state=0,
    ):
        self.maps = maps
        self.size = size
        self.whiten = whiten
        self.patches = patches
        self.iterations = iterations
        self.image_shape = image_shape
        self.dtype = dtype
        self.random_state = random_state

    def _trained(self, images):
        size = min(self.size, *images.shape[2:])
        model = PatchKMeans(self.maps, size=size, whiten=self.whiten, seed=self._seed)
        return model.fit(images, self.patches, self.iterations, channels="first")


class _Readout(ClassifierMixin, BaseEstimator):
    """A linear classifier over rows of features."""

    def __init__(self, penalty=3e-3, *, scaling="global", max_iterations=100):
        self.penalty = penalty
        self.scaling = scaling
        self.max_iterations = max_iterations

    def fit(self, X, y):
        """Learn classes.

        Parameters
        ----------
        X : array-like, shape (n, D)
        y : array-like, shape (n,)
            Numbers or texts.

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes; y has 1 class, {y[0]!r}"
            )
        options = {"penalty": self.penalty, "scaling": self.scaling, "dtype": "float64"}
        self.model_ = _in_words(self._kind, X.shape[1], len(self.classes_), **options)
        report = _in_words(
            self.model_.fit, to_device(X), labels, max_iterations=self.max_iterations
        )
        self.n_iter_ = max(1, report["iterations"])
        return self

    def decision_function(self, X):
        """Scores: of two classes how much the second is ahead, (n,), else (n, classes)."""
        z = self._scores(X)
        return z[:, 1] - z[:, 0] if len(self.classes_) == 2 else z

    def predict(self, X):
        """The class of every row, as in y."""
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    def _scores(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return to_numpy(self.model_.scores(to_device(X)))


class SoftmaxClassifier(_Readout):
    """Softmax regression by L-BFGS, see :class:`cae_np.SoftmaxRegression`.

    Parameters
    ----------
    penalty : float
    scaling : {"global", "feature", "none"}
    max_iterations : int

    Attributes
    ----------
    classes_ : array
    model_ : cae_np.SoftmaxRegression

    Examples
    --------
    >>> from cae_np.sklearn import SoftmaxClassifier
    >>> SoftmaxClassifier().fit([[0.0], [1.0], [2.0], [3.0]], list("aabb")).predict([[0.2], [2.9]])
    array(['a', 'b'], dtype='<U1')
    """

    _kind = SoftmaxRegression

    def predict_proba(self, X):
        """Probabilities of the classes, (n, classes)."""
        from scipy.special import softmax

        return softmax(self._scores(X), axis=1)


class LinearSVMClassifier(_Readout):
    """A linear support vector machine with the squared hinge, see :class:`cae_np.LinearSVM`.

    Parameters
    ----------
    penalty : float
    scaling : {"global", "feature", "none"}
    max_iterations : int

    Attributes
    ----------
    classes_ : array
    model_ : cae_np.LinearSVM

    Examples
    --------
    >>> from cae_np.sklearn import LinearSVMClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [5, 5, 7, 7]
    >>> LinearSVMClassifier().fit(X, y).predict([[0.2], [2.9]])
    array([5, 7])
    """

    _kind = LinearSVM


def _in_words(function, *arguments, **options):
    """The function's answer; what cae_np refuses is a ValueError, as scikit-learn has it."""
    try:
        return function(*arguments, **options)
    except CaeError as error:
        raise ValueError(str(error)) from error
