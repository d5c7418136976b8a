"""The convolutional network of Masci et al. 2011."""

import numpy as np
import pytest
from models.networks import Images, small
from scipy.signal import correlate2d
from strict_cupy import count_host_copies

from cae_np.backend import to_device, to_numpy
from cae_np.data.translate import random_translations
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_model
from cae_np.models.cnn import ConvNet
from cae_np.training import Plan, train
from cae_np.training.layers import Activation, Conv2d, Dense, MaxPool2d, Sequential
from cae_np.training.optim import SGD


@pytest.mark.parametrize("activation", ["scaled_tanh", "logistic"])
def test_gradients_before_and_after_some_steps(xp, activation):
    rng = np.random.default_rng(0)
    model = small(activation=activation)
    for p in model.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.2)
    x = to_device(rng.standard_normal((3, 2, 14, 14)))
    labels = to_device(rng.integers(0, 4, 3))
    assert (report := check_model(model, x, labels, elements=8, directions=2)).passed, report
    optimizer = SGD(0.9)
    before = float(model.loss_and_gradients(x, labels)[0])
    for _ in range(5):
        optimizer.step(model.params, model.loss_and_gradients(x, labels)[1], 0.05)
    assert float(model.loss_and_gradients(x, labels)[0]) < before
    assert (report := check_model(model, x, labels, elements=8, directions=2)).passed, report


def test_it_is_what_the_paper_describes():
    model = ConvNet((1, 28, 28))
    shapes = {name: p.shape for name, p in model.params.items() if name.endswith("w")}
    assert list(shapes.values()) == [
        (100, 1, 5, 5), (150, 100, 5, 5), (200, 150, 3, 3), (300, 200 * 2 * 2), (10, 300),
    ]  # fmt: skip
    colour = ConvNet((3, 32, 32))
    assert colour.convolutions[0].params["w"].shape == (100, 3, 5, 5)
    assert colour.params["8/w"].shape == (300, 200 * 3 * 3)
    fan_in = [p[0].size for p in (c.params["w"] for c in model.convolutions)]
    spreads = [
        float(c.params["w"].std()) * n**0.5 for c, n in zip(model.convolutions, fan_in, strict=True)
    ]
    assert spreads == pytest.approx([1, 1, 1], rel=0.05)


def test_scores_are_those_of_loops_over_maps_with_sigma_before_the_pooling():
    """An independent way through the network, map by map, in the paper's order."""
    rng = np.random.default_rng(1)
    model = small()
    for p in model.params.values():
        p += rng.standard_normal(p.shape) * 0.2
    x = rng.standard_normal((2, 2, 14, 14))

    def sigma(z):
        return 1.7159 * np.tanh(2 * z / 3)

    for image, scores in zip(x, model.scores(x), strict=True):
        maps = image
        for conv, pool in zip(model.convolutions, (2, 2, 1), strict=True):
            w, b = conv.params["w"], conv.params["b"]
            maps = [
                sigma(sum(correlate2d(m, w[k, c], "valid") for c, m in enumerate(maps)) + b[k])
                for k in range(len(w))
            ]
            maps = [
                np.array([[m[p : p + pool, q : q + pool].max() for q in range(0, len(m), pool)]
                          for p in range(0, len(m), pool)])
                for m in maps
            ]  # fmt: skip
        hidden = sigma(model.params["8/w"] @ np.ravel(maps) + model.params["8/b"])
        np.testing.assert_allclose(
            scores, model.params["10/w"] @ hidden + model.params["10/b"], rtol=1e-10
        )


def test_probabilities_and_predictions_agree_with_the_scores(xp):
    model, images = small(dtype="float32"), Images(7)
    probabilities = to_numpy(model.predict_proba(images))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    predicted = model.predict(images)
    assert isinstance(predicted, np.ndarray)
    np.testing.assert_array_equal(predicted, probabilities.argmax(axis=1))


def test_it_learns_and_a_step_copies_nothing_to_the_host(xp):
    model, images = small(dtype="float32"), Images(60)
    watched = []

    def watch(epoch):
        watched.append(epoch)
        return {"error": float((model.predict(images) != images.labels).mean())}

    history = train(
        model, images, Plan(15, 10, 0.2), 0, labels=images.labels, watch=watch,
        augment=random_translations(0.05),
    )  # fmt: skip
    assert watched == list(range(1, 16)) and history[-1]["error"] <= 0.05 < history[0]["loss"]
    x, labels = to_device(images.batch()), to_device(images.labels)
    with count_host_copies() as copies:
        SGD().step(model.params, model.loss_and_gradients(x, labels)[1], 0.01)
    assert not copies.to_host


def test_resumed_training_ends_with_the_same_bits(tmp_path):
    images, shared = Images(30), {"seed": 3, "augment": random_translations(0.1)}
    whole = small(dtype="float32")
    train(whole, images, Plan(3, 10, 0.05), labels=images.labels, **shared)

    class Interrupted(Exception):
        pass

    class FailsAtStep7:
        def __init__(self, model):
            self.model, self.params, self.state = model, model.params, model.state
            self.steps = 0

        def loss_and_gradients(self, x, labels):
            self.steps += 1
            if self.steps == 7:
                raise Interrupted
            return self.model.loss_and_gradients(x, labels)

    file, other = tmp_path / "checkpoint.npz", small(dtype="float32")
    saving = {"checkpoint": file, "checkpoint_every": 0.0, "labels": images.labels}
    with pytest.raises(Interrupted):
        train(FailsAtStep7(other), images, Plan(3, 10, 0.05), **saving, **shared)
    resumed = small(dtype="float32", seed=9)
    train(resumed, images, Plan(3, 10, 0.05), **saving, **shared)
    for name, p in whole.params.items():
        np.testing.assert_array_equal(p, resumed.params[name])


def test_state_makes_an_equal_network(xp):
    model = small(seed=2)
    arrays, config = model.state()
    twin = ConvNet(**config)
    twin.load_state(arrays)
    x = to_device(Images(2).batch(), "float64")
    np.testing.assert_array_equal(to_numpy(twin.scores(x)), to_numpy(model.scores(x)))
    with pytest.raises(ConfigError, match="are not those of this model"):
        twin.load_state({"0/w": arrays["0/w"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maps": (3, 4)}, "one of each for every convolution"),
        ({"kernels": (3, 0, 2)}, "at least 1"),
        ({"classes": 1}, "classes 2"),
        ({"kernels": (9, 7, 2)}, "images larger than"),
        ({"activation": "tanh"}, "choose one of linear"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        small(**options)


def test_a_network_without_dx_has_the_same_gradients(xp):
    """parameter_gradients leaves dx out and nothing else, whatever layer comes first."""
    rng = np.random.default_rng(5)
    for layers, shape in (
        ([Conv2d(2, 3, (3, 3), dtype="float64"), MaxPool2d(2), Activation("relu")], (2, 2, 6, 6)),
        ([Dense(8, 5, dtype="float64"), Activation("scaled_tanh")], (3, 2, 2, 2)),
        ([Activation("logistic"), Dense(8, 5, dtype="float64")], (3, 2, 2, 2)),
        ([MaxPool2d(2), Dense(2, 5, dtype="float64")], (3, 2, 2, 2)),
    ):
        network = Sequential(layers)
        x = to_device(rng.standard_normal(shape))
        y, saved = network.forward(x)
        dy = to_device(rng.standard_normal(y.shape))
        dx, gradients = network.backward(dy, saved)
        alone = network.parameter_gradients(dy, saved)
        assert dx.shape == x.shape and set(alone) == set(gradients) == set(network.params)
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(to_numpy(alone[name]), to_numpy(gradient))
