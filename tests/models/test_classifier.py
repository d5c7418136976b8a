"""A network from images to classes: what it computes, and that it comes back as it was saved."""

import numpy as np
import pytest

from cae_np.backend import to_device, to_numpy
from cae_np.data import Split, solids
from cae_np.data.preprocess import Preprocessing, contrast_normalise
from cae_np.errors import ConfigError
from cae_np.models.classifier import ImageClassifier, as_views, count_errors, record_features
from cae_np.models.linear import LinearSVM, SoftmaxRegression
from cae_np.models.wta import WinnerTakeAll


def layer(channels=1, maps=3, seed=0):
    return WinnerTakeAll(channels, maps, (5, 5), pool_width=8, pool_stride=8, seed=seed)


@pytest.fixture(scope="module")
def pairs():
    return solids.draw(60, 0)


def test_features_of_both_views_stand_side_by_side(xp, pairs):
    model = layer()
    features = to_numpy(record_features(pairs, [model]))
    one_by_one = [to_numpy(model.encode(to_device(pairs.batch()[:, v : v + 1]))) for v in (0, 1)]
    expected = np.concatenate([f.reshape(60, -1) for f in one_by_one], axis=1)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    # Images of as many channels as the layer takes are encoded as they are.
    both = to_numpy(record_features(pairs, [layer(2)], channels=2))
    assert both.shape == (60, 3 * 16)


def test_preprocessing_comes_first(xp, pairs):
    prepared = Preprocessing(whiten=False)
    found = to_numpy(record_features(pairs, [layer()], prepared))
    views = to_device(pairs.views().batch())
    expected = to_numpy(layer().encode(contrast_normalise(views))).reshape(60, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_channels_that_do_not_fit(pairs):
    three = Split(np.zeros((4, 3, 8, 8), np.uint8), np.arange(4))
    with pytest.raises(ConfigError, match="images of 3 channels for a layer that takes 2"):
        as_views(three, 2)
    assert as_views(three, 3) is three and len(as_views(three, 1)) == 12


def fitted(pairs, readout, layers, preprocessing=None):
    if preprocessing:
        preprocessing.fit(pairs.views())
    features = record_features(pairs, layers, preprocessing)
    model = readout(features.shape[1], 5, penalty=0.1, scaling="feature")
    model.fit(features, pairs.labels, max_iterations=10)
    return ImageClassifier(layers, model, preprocessing)


def test_errors_are_counted_in_blocks(pairs, monkeypatch):
    from cae_np.models import classifier as module

    network = fitted(pairs, LinearSVM, [layer()])
    features = record_features(pairs, network.layers)
    labels = pairs.labels.copy()
    labels[:20] = (labels[:20] + 1) % 5
    expected = int((to_numpy(network.readout.predict(features)) != labels).sum())
    wrong = Split(pairs.images, labels, pairs.instances)
    for block in (7, 60, 1000):
        monkeypatch.setattr(module, "BLOCK", block)
        assert network.count_errors(wrong) == expected >= 15
        assert count_errors(network.readout, wrong, network.layers) == expected


@pytest.mark.parametrize("readout", [SoftmaxRegression, LinearSVM])
def test_a_network_comes_back_as_it_was_saved(xp, pairs, readout):
    second = WinnerTakeAll(3, 4, (3, 3), pool_width=2, pool_stride=2, seed=1, layer=1)
    network = fitted(pairs, readout, [layer(), second], Preprocessing())
    arrays, config = network.state()
    assert {name.split("/")[0] for name in arrays} == {"layer 1", "layer 2", "readout"}
    again = ImageClassifier.from_state(arrays, config)
    assert type(again.readout) is readout
    again.prepare(pairs)  # whitening is learned anew, from the same images
    features = [
        to_numpy(record_features(pairs, n.layers, n.preprocessing)) for n in (network, again)
    ]
    np.testing.assert_allclose(*features, rtol=1e-3, atol=1e-4)
    assert again.count_errors(pairs) == network.count_errors(pairs)
    with pytest.raises(ConfigError, match="not those of this model"):
        ImageClassifier.from_state({**arrays, "readout/b": arrays["readout/b"][:3]}, config)


def test_arrays_of_two_views_are_answered_as_the_split_is(xp, pairs):
    network = fitted(pairs, SoftmaxRegression, [layer()])
    expected = to_numpy(network.predict(pairs))
    np.testing.assert_array_equal(
        to_numpy(network.predict(pairs.images, channels="first")), expected
    )
