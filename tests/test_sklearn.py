"""scikit-learn's own checks of estimators, and what its users do with them."""

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from cae_np import sklearn as ours

QUICK = {"rate": 0.003, "epochs": 2}
ESTIMATORS = [
    ours.WinnerTakeAllFeatures(4, **QUICK),
    ours.ConvAutoEncoderFeatures(4, **QUICK),
    ours.AutoEncoderFeatures(4, **QUICK),
    ours.PatchKMeansFeatures(4, iterations=3),
    ours.SoftmaxClassifier(),
    ours.LinearSVMClassifier(),
]

# None is skipped: every check of scikit-learn runs on every estimator.
SKIPPED = {}


@pytest.mark.filterwarnings("ignore")  # the checks feed noise, of which little can be learned
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: SKIPPED)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def stripes(n=80, seed=0):
    """8×8 images with stripes in one of two directions, as rows; and which."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["across", "down"], n)
    x = 0.3 * rng.random((n, 8, 8))
    x[y == "across", ::2] += 0.7
    x[y == "down", :, ::2] += 0.7
    return x.reshape(n, 64), y


@pytest.mark.parametrize("learner", ESTIMATORS[:4], ids=lambda e: type(e).__name__)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pipeline_search_clone_and_pandas(learner):
    pandas = pytest.importorskip("pandas")
    X, y = stripes()
    learner = clone(learner).set_params(image_shape=(1, 8, 8))
    pipeline = make_pipeline(learner, ours.SoftmaxClassifier())
    name = type(learner).__name__.lower()
    size = "units" if "units" in learner.get_params() else "maps"
    search = GridSearchCV(pipeline, {f"{name}__{size}": [4, 6]}, cv=2, error_score="raise")
    search.fit(X, y)
    assert search.best_estimator_.score(*stripes(seed=1)) > 0.9
    table = clone(learner).set_output(transform="pandas").fit_transform(X)
    assert isinstance(table, pandas.DataFrame) and list(table.columns) == [
        f"{name}{i}" for i in range(table.shape[1])
    ]
    np.testing.assert_allclose(table, clone(learner).fit(X).transform(X))


def test_what_cannot_be_is_refused_in_words():
    X, y = stripes()
    with pytest.raises(ValueError, match=r"rows of 64 values are no images of shape \(1, 9, 9\)"):
        ours.PatchKMeansFeatures(image_shape=(1, 9, 9)).fit(X)
    with pytest.raises(ValueError, match=r"image_shape=\(8, 8\): expected \(channels, height"):
        ours.PatchKMeansFeatures(image_shape=(8, 8)).fit(X)
    with pytest.raises(ValueError, match="maps.*at least 1"):
        ours.WinnerTakeAllFeatures(0).fit(X)
    with pytest.raises(ValueError, match="penalty -1"):
        ours.SoftmaxClassifier(-1).fit(X, y)
