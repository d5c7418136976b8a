"""How good features are: the test error of logistic regression on them, as M14 judges its own."""

from ..models.features import feature_matrix
from ..models.linear import SoftmaxRegression

PENALTY = 3e-3  # λ of scaled features; what table 1's search on validation digits is centred on
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
