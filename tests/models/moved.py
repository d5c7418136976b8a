"""Models whose parameters were moved away from where they begin."""

from cae_np.backend import to_device
from cae_np.training.optim import SGD


def shaken(model, rng):
    """The model with every parameter moved: biases that are not zero, weights that tell."""
    for p in model.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.3, p.dtype)
    return model


def trained(model, x, target, steps=3):
    optimizer = SGD(0.9)
    for _ in range(steps):
        _, gradients = model.loss_and_gradients(x, target)
        optimizer.step(model.params, gradients, 1e-3)
    return model
