"""Linear classifiers of features ("read-outs"): softmax regression and a linear SVM.

Over weights W and free biases b both minimise

    (1/N) Σ_n loss(W s_n + b, label_n) + (λ/2) ‖W‖²,

s_n being the features x_n, scaled.  The features (gigabytes) stay where they are, as they are:
scaling is folded into the weights, and everything walks through them in blocks of rows.  Products
with the features run in their dtype; what is small, and every sum over blocks, is float64.
"""

import math

import numpy

from ..backend import active, get_array_module, to_device, to_numpy
from ..errors import ConfigError
from ..ops import affine, softmax, softmax_cross_entropy, softmax_cross_entropy_backward
from ..ops.checks import takes
from .estimator import Saved
from .hinge import squared_hinge, squared_hinge_backward
from .lbfgs import minimize_lbfgs
from .parameters import host_parameters, load_parameters
from .scaling import SCALINGS, fold, fold_backward, measure_scaling, row_blocks


class LinearReadout(Saved):
    """The base class of both linear classifiers; each names its loss.

    Parameters
    ----------
    inputs : int
        D, values of a feature vector.
    classes : int
        At least 2.
    penalty : float
        λ >= 0, for the weights of *scaled* features; biases are free.
    scaling : {"global", "feature", "none"}
        See :func:`cae_np.models.scaling.measure_scaling`.
    dtype : str
        "float32" or "float64", of the features.

    Attributes
    ----------
    params : dict
        "w" (classes, D) and "b" (classes,), for features as they come: scaling is folded in.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    # Functions of scores and labels: the mean over the batch, and its gradient for the scores.
    loss = loss_backward = None

    def __init__(self, inputs, classes, *, penalty=3e-3, scaling="global", dtype="float32"):
        if inputs < 1 or classes < 2:
            raise ConfigError(f"{inputs} inputs, {classes} classes: expected at least 1 and 2")
        if not 0 <= penalty < math.inf:
            raise ConfigError(f"penalty {penalty}: expected a finite number, at least 0")
        if scaling not in SCALINGS:
            raise ConfigError(f"scaling {scaling!r}: choose one of {', '.join(SCALINGS)}")
        if dtype not in ("float32", "float64"):
            raise ConfigError(f"dtype {dtype!r}: choose float32 or float64")
        self.config = {
            "inputs": inputs,
            "classes": classes,
            "penalty": penalty,
            "scaling": scaling,
            "dtype": dtype,
        }
        self.classes, self.penalty, self.scaling = classes, penalty, scaling
        xp = active().module
        self.params = {"w": xp.zeros((classes, inputs), dtype), "b": xp.zeros(classes, dtype)}

    @takes(features="N D")
    def scores(self, features):
        """Scores Wx + b of the classes; of softmax regression the logits.

        Parameters
        ----------
        features : array, shape (N, D)

        Returns
        -------
        z : array, shape (N, classes)
        """
        return affine(features, self.params["w"], self.params["b"])

    @takes(features="N D")
    def predict(self, features):
        """The class of the highest score.

        Parameters
        ----------
        features : array, shape (N, D)

        Returns
        -------
        integer array, shape (N,)

        Raises
        ------
        ValueError
            If a score is NaN, as it is where a feature is NaN: no class is the highest then.
        """
        return highest(self.scores(features))

    def score(self, features, labels):
        """Share of the rows that are assigned to the right class, in [0, 1]; see :meth:`fit`."""
        return 1 - self.error_rate(features, labels)

    @takes(features="N+ D, kept", labels="N, kept")
    def error_rate(self, features, labels):
        """Share of the rows that are assigned to a wrong class.

        Parameters
        ----------
        features : array, shape (N, D)
        labels : integer array, shape (N,), on host or device

        Returns
        -------
        float in [0, 1]
        """
        labels = self._checked(features, labels)
        return float(to_numpy((self.predict(features) != labels).mean()))

    @takes(features="N+ D, kept", labels="N, kept")
    def fit(self, features, labels, *, max_iterations=100, tolerance=1e-5, progress=None):
        """Minimise over all rows at once by L-BFGS, from zero weights.

        Parameters
        ----------
        features : array of the read-out's dtype, shape (N, D)
            On the active backend, a memory map included; neither copied nor modified.
        labels : integer array, shape (N,), on host or device
        max_iterations, tolerance, progress
            See :func:`cae_np.models.lbfgs.minimize_lbfgs`.

        Returns
        -------
        report : dict
            See :func:`cae_np.models.lbfgs.minimize_lbfgs`.

        Raises
        ------
        ValueError
            If shapes, dtypes or labels are not as described, or a feature is not finite.
        ConfigError, DivergenceError
            As in :func:`cae_np.models.lbfgs.minimize_lbfgs`.
        """
        labels = self._checked(features, labels)
        mean, std = measure_scaling((features[rows] for rows in row_blocks(features)), self.scaling)

        def objective(scaled):
            return self.objective(scaled, features, labels, mean, std)

        start = {name: numpy.zeros(p.shape) for name, p in self.params.items()}
        scaled, report = minimize_lbfgs(objective, start, max_iterations, tolerance, progress)
        v, c = fold(scaled["w"], scaled["b"], mean, std)
        self._set(v, c)
        return report

    def objective(self, scaled, features, labels, mean, std):
        """What is minimised, and its gradients, in one walk through the features.

        Parameters
        ----------
        scaled : dict
            "w" (classes, D) and "b" (classes,) for scaled features: float64, on the host.
        features : array, shape (N, D)
        labels : integer array, shape (N,), beside the features
        mean, std : float64 arrays on the host, shape (D,)

        Returns
        -------
        value : float
        gradients : dict
            Like ``scaled``.
        """
        xp = get_array_module(features)
        w, b = scaled["w"], scaled["b"]
        v, c = (to_device(array) for array in fold(w, b, mean, std))
        value, dv, dc = xp.zeros((), "float64"), xp.zeros_like(v), xp.zeros_like(c)
        v = v.astype(features.dtype)
        for rows in row_blocks(features):
            of_block = self._sums(features[rows], labels[rows], v, c)
            value += of_block[0]
            dv += of_block[1]
            dc += of_block[2]
        N = len(features)
        dw, db = fold_backward(to_numpy(dv) / N, to_numpy(dc) / N, mean, std)
        value = float(to_numpy(value)) / N + self.penalty / 2 * float((w * w).sum())
        return value, {"w": dw + self.penalty * w, "b": db}

    def state(self):
        """``(host arrays by name, configuration)``."""
        return host_parameters(self.params), dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a read-out of the same configuration."""
        load_parameters(self.params, arrays)

    def _sums(self, features, labels, v, c):
        """Loss, its gradient for v and that for c, summed over the rows of one block."""
        z = affine(features, v, c).astype("float64", copy=False)
        n = len(features)
        dz = self.loss_backward(z, labels) * n
        return self.loss(z, labels) * n, dz.astype(features.dtype).T @ features, dz.sum(axis=0)

    def _set(self, v, c):
        load_parameters(self.params, {"w": v, "b": c})

    def _checked(self, features, labels):
        """Labels beside the features, after a look at both."""
        D, dtype = self.config["inputs"], self.config["dtype"]
        if features.shape != (len(features) or 1, D) or features.dtype != dtype:
            raise ValueError(
                f"features are {features.dtype} of shape {features.shape}; expected {dtype} of "
                f"shape (N, {D}), N at least 1"
            )
        labels = to_numpy(labels)
        if labels.shape != features.shape[:1] or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels are {labels.dtype} of shape {labels.shape}; expected integers of shape "
                f"({len(features)},), one for each row of features"
            )
        wrong = ((labels < 0) | (labels >= self.classes)).nonzero()[0]
        if len(wrong):
            raise ValueError(
                f"labels of shape {labels.shape} hold {labels[wrong[0]]} in row {wrong[0]}; "
                f"expected 0 to {self.classes - 1}"
            )
        return to_device(labels, "int64")


def highest(z, start=0):
    """The class of the highest score of each row, the first of equals.

    Parameters
    ----------
    z : array, shape (N, classes)
    start : int
        The number of the first row, for the message.

    Returns
    -------
    integer array, shape (N,)

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    wrong = to_numpy(get_array_module(z).isnan(z).any(axis=1)).nonzero()[0]
    if len(wrong):
        raise ValueError(
            f"the scores of row {start + wrong[0]} are NaN, and no class is the highest; expected "
            "numbers; check the features or images, and the parameters"
        )
    return z.argmax(axis=1)


class SoftmaxRegression(LinearReadout):
    """Multinomial logistic regression: the read-out of M14's table 1.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import SoftmaxRegression
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 3, 200)
    >>> features = np.eye(3)[labels] + 0.2 * rng.normal(size=(200, 3))
    >>> readout = SoftmaxRegression(inputs=3, classes=3, dtype="float64")
    >>> _ = readout.fit(features, labels)
    >>> float((readout.predict(features) == labels).mean()) > 0.95
    True
    """

    loss = staticmethod(softmax_cross_entropy)
    loss_backward = staticmethod(softmax_cross_entropy_backward)

    def predict_proba(self, features):
        """How likely every class is.

        Parameters
        ----------
        features : array, shape (N, D)

        Returns
        -------
        array, shape (N, classes)
            Rows sum to 1.
        """
        return softmax(self.scores(features))


class LinearSVM(LinearReadout):
    """One linear support vector machine a class against the rest, with the squared hinge.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import LinearSVM
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 3, 200)
    >>> features = np.eye(3)[labels] + 0.2 * rng.normal(size=(200, 3))
    >>> readout = LinearSVM(inputs=3, classes=3, dtype="float64")
    >>> _ = readout.fit(features, labels)
    >>> float((readout.predict(features) == labels).mean()) > 0.95
    True
    """

    loss = staticmethod(squared_hinge)
    loss_backward = staticmethod(squared_hinge_backward)


READOUTS = {"softmax": SoftmaxRegression, "svm": LinearSVM}
