"""Read-outs: the penalty is chosen on held-out images, the error is that of the test images."""

import numpy as np
import pytest

from cae_np.backend import to_numpy
from cae_np.data.batches import ImageArray
from cae_np.experiments.engine.readout import chosen_and_tested, readout_error
from cae_np.models.features import feature_matrix
from cae_np.models.linear import LinearSVM, SoftmaxRegression


def test_the_read_out_error_is_that_of_the_test_images():
    class Images:
        def __init__(self, x):
            self.x = x

        def __len__(self):
            return len(self.x)

        def batch(self, indices=slice(None)):
            return self.x[indices]

    class Itself:
        def encode(self, x):
            return x

    labels = np.arange(40) % 10
    x = np.zeros((40, 1, 10, 1), np.float32)
    x[np.arange(40), 0, labels] = 1
    wrong = labels.copy()
    wrong[:10] = (wrong[:10] + 1) % 10
    both = Images(x), Images(x)
    assert readout_error([Itself()], *both, (labels, labels), 50) == 0
    assert readout_error([Itself()], *both, (labels, wrong), 50) == pytest.approx(25)


class Itself:
    def encode(self, x):
        return x


def labelled(n, seed):
    """Images of noise with a little of their label in them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    x = rng.standard_normal((n, 1, 4, 5)).astype(np.float32)
    x[np.arange(n), 0, labels % 4, labels % 5] += 1.5
    return ImageArray(x), labels


@pytest.mark.parametrize(("kind", "Readout"), [("softmax", SoftmaxRegression), ("svm", LinearSVM)])
def test_penalty_is_chosen_on_held_out_images_and_all_are_fitted(xp, kind, Readout):
    (train, labels), (test, test_labels) = labelled(300, 0), labelled(1100, 1)
    options = {"kind": kind, "scaling": "feature", "penalties": [1e-3, 0.3, 10], "iterations": 50}
    found, fitted = chosen_and_tested(options, [Itself()], train, test, (labels, test_labels))
    features, others = feature_matrix(train, [Itself()]), feature_matrix(test, [Itself()])
    errors = {}
    for penalty in options["penalties"]:
        readout = Readout(20, 10, penalty=penalty, scaling="feature")
        readout.fit(features[:240], labels[:240], max_iterations=50)
        errors[penalty] = 100 * readout.error_rate(features[240:], labels[240:])
    assert found["validation_error"] == {str(p): e for p, e in errors.items()}
    assert found["penalty"] == min(errors, key=errors.get) and len(set(errors.values())) > 1
    readout = Readout(20, 10, penalty=found["penalty"], scaling="feature")
    readout.fit(features, labels, max_iterations=50)
    assert found["test_error"] == pytest.approx(100 * readout.error_rate(others, test_labels))
    assert found["training_error"] == 100 * readout.error_rate(features, labels)
    np.testing.assert_array_equal(to_numpy(fitted.params["w"]), to_numpy(readout.params["w"]))
    assert found["wrong"] == round(len(test) * found["test_error"] / 100)
    choice, fitted = chosen_and_tested(options, [Itself()], train, None, (labels, None))
    assert fitted is None and choice == {
        name: found[name] for name in ("validation_error", "penalty")
    }
