"""The network of Masci et al. 2011, and the stack of auto-encoders that initialises it."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from strict_cupy import count_host_copies

from cae_np.backend import to_device, to_numpy
from cae_np.data.translate import random_translations, translate
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_model
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.cnn import ConvNet
from cae_np.models.stack import CaeStack
from cae_np.rng import Purpose, generator
from cae_np.training import Plan, train
from cae_np.training.layers import Activation, Conv2d, Dense, MaxPool2d, Sequential
from cae_np.training.optim import SGD

SMALL = {"maps": (3, 4, 5), "kernels": (3, 2, 2), "hidden": 6, "classes": 4}


def small(**options):
    """14×14 → 12 → 6 → 5 → 3 → 2 pixels; the second pooling's last windows are clipped."""
    return ConvNet((2, 14, 14), **SMALL | {"dtype": "float64"} | options)


class Images:
    """What the training loop asks for."""

    def __init__(self, n, shape=(2, 14, 14), seed=0):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 4, n)
        # Every class has a bright quarter of its own, so that there is something to learn.
        self._images = rng.random((n, *shape), dtype="float32")
        for i, label in enumerate(self.labels):
            self._images[i, :, 7 * (label // 2) :, 7 * (label % 2) :] += 1

    def __len__(self):
        return len(self._images)

    def batch(self, indices=slice(None)):
        return self._images[indices].copy()


# --- the network ----------------------------------------------------------------------------------


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


# --- the stack ------------------------------------------------------------------------------------


def test_a_stack_hands_its_weights_to_the_network(xp):
    model = small(dtype="float32")
    stack = CaeStack.like(model, seed=1, output="scaled_tanh")
    assert [layer.pool for layer in stack.layers] == [2, 2, None]
    before = model.state()[0]
    histories = stack.train(Images(40), [Plan(2, 10, 1e-3)] * 3, seed=1)
    assert all(history[-1]["loss"] < history[0]["loss"] for history in histories)
    stack.initialise(model)
    for layer, conv in zip(stack.layers, model.convolutions, strict=True):
        for name in ("w", "b"):
            np.testing.assert_array_equal(to_numpy(conv.params[name]), to_numpy(layer.params[name]))
            assert conv.params[name] is not layer.params[name]
    after = model.state()[0]
    for name in after:
        assert (after[name] == before[name]).all() == (name in ("8/w", "8/b", "10/w", "10/b"))

    # The network's convolutions now compute the stack's code.
    x = to_device(Images(3).batch())
    head = Sequential(model._network.layers[:8])
    np.testing.assert_allclose(
        to_numpy(head.forward(x)[0]), to_numpy(stack.encode(x)), rtol=1e-4, atol=1e-6
    )


def test_layers_train_one_by_one_as_the_whole_stack_does(tmp_path):
    """What the experiments do: a cell for each layer, the ones below restored from their state."""
    model, images = small(dtype="float32"), Images(20)
    plans = [Plan(2, 10, 1e-3)] * 3
    whole = CaeStack.like(model, seed=4)
    whole.train(images, plans, seed=4)
    saved = []
    for i in range(3):
        stack = CaeStack.like(model, seed=4)
        for layer, arrays in zip(stack.layers, saved, strict=False):
            layer.load_state(arrays)
        stack.train_layer(i, images, plans[i], seed=4)
        saved.append(stack.layers[i].state()[0])
    for layer, arrays in zip(whole.layers, saved, strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(layer.params[name], array)


def test_state_makes_an_equal_stack(xp):
    stack = CaeStack.like(small(), seed=3)
    arrays, config = stack.state()
    twin = CaeStack.from_state(arrays, config)
    x = to_device(Images(2).batch(), "float64")
    np.testing.assert_array_equal(to_numpy(twin.encode(x)), to_numpy(stack.encode(x)))
    del arrays["1/b"]
    with pytest.raises(ConfigError, match="are not those of this model"):
        CaeStack.from_state(arrays, config)


def test_kernels_are_projected_to_the_pixels_that_a_unit_decodes_to(xp):
    """With σ linear and nothing pooled, decoding a single unit is the projection."""
    model = small(activation="linear", pools=(None, None, None))
    stack = CaeStack.like(model, scale=1.0)
    for k in range(3):
        h = np.zeros((1, 5, 2, 2))
        h[0, k, 0, 0] = 1
        x = to_device(h)
        for layer in reversed(stack.layers):
            x = layer._decode(x)
        projected = to_numpy(stack.project(2))[k]
        side = projected.shape[-1]
        np.testing.assert_allclose(to_numpy(x)[0, :, :side, :side], projected, atol=1e-12)
    shapes = [CaeStack.like(small()).project(i).shape for i in range(3)]
    assert shapes == [(3, 2, 3, 3), (4, 2, 6, 6), (5, 2, 12, 12)]


def test_a_pooled_unit_is_spread_over_its_window():
    stack = CaeStack.like(ConvNet((1, 6, 6), maps=(1, 1), kernels=(1, 1), pools=(2, None)))
    for layer in stack.layers:
        layer.params["w"][...] = 1
    np.testing.assert_array_equal(stack.project(1), np.full((1, 1, 2, 2), 0.25))


def test_a_stack_that_encodes_full_is_not_projected():
    layers = [
        ConvAutoEncoder(1, 2, (3, 3), mode="valid"),
        ConvAutoEncoder(2, 3, (3, 3), mode="full"),
    ]
    with pytest.raises(ConfigError, match="encodes valid, full cannot .* mode='valid'"):
        CaeStack(layers).project(1)


def test_a_stack_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="give the upper one channels=3"):
        CaeStack([ConvAutoEncoder(2, 3, (3, 3)), ConvAutoEncoder(4, 3, (3, 3))])
    with pytest.raises(ConfigError, match="cannot initialise"):
        CaeStack.like(small(maps=(3, 4, 6))).initialise(small())
    with pytest.raises(ConfigError, match="full, cannot initialise"):
        CaeStack.like(small(), mode="full").initialise(small())
    with pytest.raises(ValueError, match="expected one each"):
        CaeStack.like(small()).train(Images(4), [Plan(1, 2, 1e-3)], seed=0)


# --- translations ---------------------------------------------------------------------------------


def test_whole_pixels_move_images_and_repeat_the_border():
    x = np.random.default_rng(0).random((2, 3, 5, 6))
    y = translate(x, np.array([[1, 0], [0, -2]]))
    np.testing.assert_array_equal(y[0, :, 1:], x[0, :, :-1])
    np.testing.assert_array_equal(y[0, :, 0], x[0, :, 0])
    np.testing.assert_array_equal(y[1, :, :, :-2], x[1, :, :, 2:])
    np.testing.assert_array_equal(y[1, :, :, -2:], x[1, :, :, -1:].repeat(2, axis=2))


def test_fractions_of_pixels_interpolate_as_scipy_does():
    from scipy.ndimage import shift

    x = np.random.default_rng(1).random((4, 2, 6, 7))
    offsets = np.random.default_rng(2).uniform(-2, 2, (4, 2))
    expected = [
        [shift(channel, offset, order=1, mode="nearest") for channel in image]
        for image, offset in zip(x, offsets, strict=True)
    ]
    np.testing.assert_allclose(translate(x, offsets), expected, atol=1e-12)


def test_translation_is_linear():
    offsets = np.array([[0.3, -1.2]])
    rng = np.random.default_rng(3)
    x, d = rng.standard_normal((2, 1, 2, 5, 5))
    np.testing.assert_allclose(
        translate(x + 2 * d, offsets), translate(x, offsets) + 2 * translate(d, offsets), atol=1e-12
    )


def test_random_translations_stay_in_their_range_and_follow_the_generator():
    ramp = np.tile(np.arange(40, dtype=np.float32), (500, 1, 40, 1))
    move = random_translations(0.05)
    moved = move(ramp, generator(Purpose.TRANSLATION, 0))
    assert moved.dtype == np.float32 and moved.shape == ramp.shape
    offsets = (ramp - moved)[:, 0, 20, 20]
    assert 1.8 < np.abs(offsets).max() <= 2.0 and abs(offsets.mean()) < 0.2
    np.testing.assert_array_equal(moved, move(ramp, generator(Purpose.TRANSLATION, 0)))
    assert (moved != move(ramp, generator(Purpose.TRANSLATION, 1))).any()
    np.testing.assert_array_equal(random_translations(0.0)(ramp, np.random.default_rng(0)), ramp)


def test_nonsensical_translations_are_refused():
    with pytest.raises(ValueError, match="one pair each"):
        translate(np.zeros((3, 1, 4, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="part of the image's side"):
        random_translations(5)
