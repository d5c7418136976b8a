"""How good features are: the test error of a linear classifier on them, as M14 judges its own."""

from ...data.batches import Encoded
from ...models.features import feature_matrix
from ...models.linear import READOUTS, SoftmaxRegression

PENALTY = 3e-3  # λ of scaled features; the largest of those that table 1's search tries
DESCRIPTION = (
    "mean cross-entropy + ½λ‖W‖² with λ = 0.003, "
    "centred features over one global standard deviation"
)


def readout_error(layers, train, test, labels, iterations):
    """Error of softmax regression on pooled features, in per cent.

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
    features = feature_matrix(train, layers)
    readout = SoftmaxRegression(features.shape[1], 10, penalty=PENALTY, dtype=str(features.dtype))
    readout.fit(features, labels[0], max_iterations=iterations)
    del features  # as large as everything else together
    return 100 * readout.error_rate(feature_matrix(test, layers), labels[1])


def chosen_and_tested(options, layers, train, test, labels, held_out):
    """Choose the penalty on training images that were held out, fit on all of them, test once.

    Parameters
    ----------
    options : dict
        ``kind`` ("softmax" or "svm"), ``scaling`` (see :mod:`cae_np.models.scaling`),
        ``penalties`` (to choose from; of equals the first) and ``iterations`` (of L-BFGS).
    layers : sequence of models with ``encode``
        Applied one after the other.
    train, test : objects with ``len()`` and ``batch(indices)``
        ``test`` is None where nothing but the choice is asked for.
    labels : pair of integer arrays
        Of both.
    held_out : int
        So many of the last training images judge the penalties; the others fit them.

    Returns
    -------
    values : dict
        ``validation_error`` (per cent, by penalty), ``penalty``, and with test images ``wrong``
        (how many), ``test_error``, ``training_error`` (per cent) and ``readout`` (the report of
        L-BFGS).
    readout : LinearReadout or None
        Fitted on all training images; None without test images.

    Notes
    -----
    The features of the training images are in memory once, the others a block at a time.
    """
    features = feature_matrix(train, layers)
    of_train, of_test = labels
    fit = slice(len(features) - held_out)
    rest = slice(fit.stop, None)
    errors = {}
    for penalty in options["penalties"]:
        readout = _fitted(options, penalty, features[fit], of_train[fit])[0]
        errors[str(penalty)] = 100 * readout.error_rate(features[rest], of_train[rest])
    penalty = float(min(errors, key=errors.get))
    values = {"validation_error": errors, "penalty": penalty}
    if test is None:
        return values, None
    readout, report = _fitted(options, penalty, features, of_train)
    wrong = _errors_by_blocks(readout, layers, test, of_test)
    return values | {
        "wrong": wrong,
        "test_error": 100 * wrong / len(test),
        "training_error": 100 * readout.error_rate(features, of_train),
        "readout": report,
    }, readout


def _fitted(options, penalty, features, labels):
    """A read-out for ten classes and the report of its fit."""
    readout = READOUTS[options["kind"]](
        features.shape[1],
        10,
        penalty=penalty,
        scaling=options["scaling"],
        dtype=str(features.dtype),
    )
    return readout, readout.fit(features, labels, max_iterations=options["iterations"])


def _errors_by_blocks(readout, layers, images, labels, block=1000):
    """How many are wrong, where the features of all images at once would take too much memory."""
    encoded, wrong = Encoded(images, layers), 0
    for start in range(0, len(images), block):
        rows = slice(start, start + block)
        x = encoded.batch(rows)
        wrong += round(readout.error_rate(x.reshape(len(x), -1), labels[rows]) * len(x))
    return wrong
