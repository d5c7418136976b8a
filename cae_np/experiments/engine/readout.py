"""Learn, choose, test once: how good features are, read out by a linear classifier.

A linear classifier, the read-out, is fitted on features that were learned without labels.  Its
kind and its penalty are chosen on held-out images.  The errors on test images are counted once,
after every choice.
"""

from dataclasses import dataclass

from ...data.batches import Encoded
from ...models.features import feature_matrix
from ...models.linear import READOUTS

PENALTY = 3e-3  # λ of scaled features; the largest that M14's table 1 tries for its first layer
DESCRIPTION = (
    "mean cross-entropy + ½λ‖W‖² with λ = 0.003, "
    "centred features over one global standard deviation"
)


@dataclass(frozen=True)
class ReadOut:
    """A linear classifier that has yet to be fitted.

    Attributes
    ----------
    iterations : int
        Of L-BFGS, at most.
    penalty : float
        λ.
    kind : {"softmax", "svm"}
    scaling : {"global", "feature"}
        See :mod:`cae_np.models.scaling`.
    classes : int
    """

    iterations: int
    penalty: float = PENALTY
    kind: str = "softmax"
    scaling: str = "global"
    classes: int = 10

    def fitted(self, features, labels):
        """The classifier, fitted on features (n, D), and the report of L-BFGS."""
        readout = READOUTS[self.kind](
            features.shape[1],
            self.classes,
            penalty=self.penalty,
            scaling=self.scaling,
            dtype=str(features.dtype),
        )
        return readout, readout.fit(features, labels, max_iterations=self.iterations)


def held_out_errors(readouts, fit, rest):
    """How each read-out does on images that it was not fitted on.

    Parameters
    ----------
    readouts : dict of str to ReadOut
    fit, rest : (features, labels)
        What all are fitted on, and what they are judged on.

    Returns
    -------
    dict of str to float
        Per cent that are wrong.
    """
    return {
        name: 100 * float(readout.fitted(*fit)[0].error_rate(*rest))
        for name, readout in readouts.items()
    }


def tested(readout, features, labels, count, n):
    """Fit on all training images, and count the wrong test images.

    Parameters
    ----------
    readout : ReadOut
    features, labels : arrays, shapes (m, D) and (m,)
        Of the training images.
    count : callable, (LinearReadout) -> int
        How many test images it gets wrong.
    n : int
        How many test images there are.

    Returns
    -------
    values : dict
        ``wrong`` (how many), ``test_error``, ``training_error`` (per cent) and ``readout`` (the
        report of L-BFGS).
    fitted : LinearReadout
    """
    fitted, report = readout.fitted(features, labels)
    wrong = count(fitted)
    return {
        "wrong": wrong,
        "test_error": 100 * wrong / n,
        "training_error": 100 * float(fitted.error_rate(features, labels)),
        "readout": report,
    }, fitted


def readout_error(layers, train, test, labels, iterations):
    """Error of softmax regression with λ = :data:`PENALTY` on pooled features, in per cent.

    Parameters
    ----------
    layers : sequence of models with ``encode``
        Applied one after the other.
    train, test : objects with ``len()`` and ``batch(indices)``
        Images to fit on, images to be judged on.
    labels : pair of integer arrays
        Of both; ten classes.
    iterations : int
        At most so many of L-BFGS.

    Returns
    -------
    float
    """
    readout, _ = ReadOut(iterations).fitted(feature_matrix(train, layers), labels[0])
    return 100 * readout.error_rate(feature_matrix(test, layers), labels[1])


def chosen_and_tested(options, layers, train, test, labels):
    """Choose the penalty on the last fifth of the training images, fit on all, test once.

    Parameters
    ----------
    options : dict
        ``penalties`` (tried in this order; of those that are equally good the first), and
        ``kind``, ``scaling`` and ``iterations`` of :class:`ReadOut`.
    layers : sequence of models with ``encode``
        Applied one after the other.
    train, test : objects with ``len()`` and ``batch(indices)``
        ``test`` is None where nothing but the choice is asked for.
    labels : pair of integer arrays
        Of both.

    Returns
    -------
    values : dict
        ``validation_error`` (per cent, by penalty), ``penalty``, and with test images the values
        of :func:`tested`.
    readout : LinearReadout or None
        Fitted on all training images; None without test images.

    Notes
    -----
    The features of the training images are in memory once, the others a block at a time.
    """
    shared = {name: options[name] for name in ("kind", "scaling", "iterations")}
    readouts = {str(p): ReadOut(penalty=p, **shared) for p in options["penalties"]}
    features, (of_train, of_test) = feature_matrix(train, layers), labels
    n = len(features) - len(features) // 5
    fit, rest = ((features[part], of_train[part]) for part in (slice(n), slice(n, None)))
    errors = held_out_errors(readouts, fit, rest)
    best = min(errors, key=errors.get)
    values = {"validation_error": errors, "penalty": float(best)}
    if test is None:
        return values, None

    def count(readout):
        return _errors_by_blocks(readout, layers, test, of_test)

    found, readout = tested(readouts[best], features, of_train, count, len(test))
    return values | found, readout


def _errors_by_blocks(readout, layers, images, labels, block=1000):
    """How many are wrong, where the features of all images at once would take too much memory."""
    encoded, wrong = Encoded(images, layers), 0
    for start in range(0, len(images), block):
        rows = slice(start, start + block)
        x = encoded.batch(rows)
        wrong += round(readout.error_rate(x.reshape(len(x), -1), labels[rows]) * len(x))
    return wrong
