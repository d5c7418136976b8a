"""Stacks of auto-encoders, trained layer by layer, and the network that they initialise."""

import numpy as np
import pytest
from models.networks import Images, small

from cae_np.backend import to_device, to_numpy
from cae_np.data.batches import ImageArray
from cae_np.errors import ConfigError
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.cnn import ConvNet
from cae_np.models.stack import CaeStack, Stack
from cae_np.models.wta import WinnerTakeAll
from cae_np.training import Plan
from cae_np.training.layers import Sequential


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


def test_a_stack_trains_layer_by_layer(xp):
    def layers():
        return [
            WinnerTakeAll(1, 4, (3, 3), pool_width=3, pool_stride=2),
            WinnerTakeAll(4, 6, (3, 3), pool_width=3, pool_stride=2, layer=1),
        ]

    stack = Stack(layers())
    images = ImageArray(np.random.default_rng(0).random((24, 1, 8, 8), np.float32))
    plans = [Plan(3, 8, 1e-3), Plan(2, 6, 1e-3)]
    before = [layer.state()[0] for layer in stack.layers]
    histories = stack.train(images, plans, seed=0)
    assert [len(history) for history in histories] == [3, 2]
    for history, layer, old in zip(histories, stack.layers, before, strict=True):
        assert history[-1]["loss"] < history[0]["loss"]
        assert history[-1]["hidden_sparsity"] > 0
        assert (to_numpy(layer.params["w_dec"]) != old["w_dec"]).any()
    assert stack.encode(to_device(images.batch(slice(5)))).shape == (5, 6, 2, 2)

    # Training the second layer leaves the first one alone.
    alone = layers()[0]
    Stack([alone]).train(images, plans[:1], seed=0)
    np.testing.assert_array_equal(
        to_numpy(alone.params["w_enc"]), to_numpy(stack.layers[0].params["w_enc"])
    )
    with pytest.raises(ValueError, match="give the upper one channels=4"):
        Stack([alone, alone])
