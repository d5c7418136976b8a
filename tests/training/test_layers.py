"""Layers and networks that are made of them."""

import numpy as np
import pytest

from cae_np.backend import to_device
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_gradients
from cae_np.ops import softmax_cross_entropy, softmax_cross_entropy_backward
from cae_np.training import layers
from cae_np.training.optim import SGD


def network():
    return layers.Sequential(
        [
            layers.Conv2d(2, 3, (3, 2), seed=1, dtype="float64"),
            layers.Activation("scaled_tanh"),
            layers.MaxPool2d(2),
            layers.Conv2d(3, 4, (2, 2), seed=1, layer=1, dtype="float64"),
            layers.Activation("relu"),
            layers.Dense(4 * 2 * 2, 5, seed=1, layer=2, dtype="float64"),
        ]
    )


def test_network_gradients_for_input_and_every_parameter(xp):
    rng = np.random.default_rng(4)
    net = network()
    for p in net.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.1)
    x = to_device(rng.standard_normal((2, 2, 8, 7)))
    names = list(net.params)

    def forward(x, *params):
        for name, p in zip(names, params, strict=True):
            net.params[name][...] = p
        return net.forward(x)

    def backward(dy, x, *params):
        _, saved = forward(x, *params)
        dx, gradients = net.backward(dy, saved)
        return dx, *(gradients[name] for name in names)

    report = check_gradients(
        forward, backward, x, *[p.copy() for p in net.params.values()], elements=30
    )
    assert report.passed, report


def test_network_learns_to_tell_two_classes():
    rng = np.random.default_rng(5)
    net = layers.Sequential([layers.Conv2d(1, 4, (3, 3)), layers.MaxPool2d(2), layers.Dense(36, 2)])
    labels = rng.integers(0, 2, 60)
    x = rng.random((60, 1, 8, 8), dtype="float32") * 0.3
    x[labels == 1, :, 3] += 1  # a horizontal line
    optimizer = SGD(0.9)
    losses = []
    for _ in range(30):
        z, saved = net.forward(x)
        losses.append(float(softmax_cross_entropy(z, labels)))
        _, gradients = net.backward(softmax_cross_entropy_backward(z, labels), saved)
        optimizer.step(net.params, gradients, 0.05)
    assert losses[-1] < 0.1 * losses[0]


def test_unknown_activation_is_refused():
    with pytest.raises(ConfigError, match="choose one of"):
        layers.Activation("softplus")
