"""PyTorch takes the same steps."""

import numpy as np
import pytest

from cae_np.experiments.bench import torch_steps
from cae_np.models.cnn import ConvNet


def test_pytorch_takes_the_same_step_of_the_network():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    model = ConvNet((1, 20, 20), maps=(3, 4, 5), kernels=(3, 2, 2), hidden=6)
    arrays, config = model.state()
    x, labels = rng.random((4, 1, 20, 20), dtype="float32"), rng.integers(0, 10, 4)
    loss, _ = model.loss_and_gradients(x, labels)
    losses = []
    cross_entropy = torch.nn.functional.cross_entropy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch.nn.functional,
            "cross_entropy",
            lambda z, t: losses.append(cross_entropy(z, t)) or losses[-1],
        )
        made = list(arrays.values()), config["pools"]
        step = torch_steps.step(torch_steps.network, made, (x, labels), 0.5, 0.0)
        step(), step()
    gradients = model.loss_and_gradients(x, labels)[1]
    for name, gradient in gradients.items():
        model.params[name] -= 0.5 * gradient
    after, _ = model.loss_and_gradients(x, labels)
    assert [float(found.detach()) for found in losses] == pytest.approx(
        [float(loss), float(after)], rel=1e-4
    )
    assert float(after) != pytest.approx(float(loss), rel=1e-2)
