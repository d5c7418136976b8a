"""Steps of every model never wait for the device."""

import numpy as np
import pytest
from training.trainings import MODELS, Images, every_model

from cae_np import backend
from cae_np.training import Plan, progress, train


@every_model
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_no_copy_to_the_host_inside_a_training_step(monkeypatch, name, optimizer):
    """Counted on the stand-in; a copy would make the host wait for the device at every step."""
    import strict_cupy

    strict_cupy.register_stand_in()
    monkeypatch.setattr(progress, "LINE_INTERVAL", np.inf)
    before = backend.active().name
    backend.use("strict")
    make, labels = MODELS[name]
    plan = dict(momentum=0.9, noise="binomial", amount=0.2, optimizer=optimizer)
    try:

        def copies(batch_size):
            with strict_cupy.count_host_copies() as copies:
                train(make(0), Images(), Plan(2, batch_size, 1e-3, **plan), 3, labels=labels)
            return copies.to_host

        few, many = copies(20), copies(4)  # 2 × 2 and 2 × 10 steps
    finally:
        backend.use(before)
    assert few and many == few  # one an epoch, and the first loss: they do not grow with the steps
