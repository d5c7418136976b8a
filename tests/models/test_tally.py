"""What a winner-take-all auto-encoder reports while it trains."""

import numpy as np
import pytest
from models.winners import model, twin
from strict_cupy import count_host_copies

from cae_np.backend import to_device
from cae_np.models.wta import WinnerTakeAll


@pytest.mark.parametrize("path", ["sparse", "dense"])
def test_telemetry(xp, path):
    """Map 0 answers to bright images only, map 1 to all, map 2 to none."""
    found = WinnerTakeAll(1, 3, (1, 1), path=path, pool_width=1, pool_stride=1)
    found.params["w_enc"][...] = to_device(np.array([1, 0, 0], "float32")[:, None, None, None])
    found.params["b"][...] = to_device(np.array([-0.5, 1, -1], "float32"))
    rng = np.random.default_rng(9)
    x = rng.random((8, 1, 4, 5), dtype="float32") * 0.4
    x[:2, 0, 1, 1] = 0.9
    with count_host_copies() as copies:
        for _ in range(2):
            found.loss_and_gradients(to_device(x))
    assert copies.to_host == []
    assert found.telemetry() == {
        "active_share": [0, 0.25, 1],
        "dead_maps": 1,
        "hidden_sparsity": 10 / (8 * 3 * 20),
        "ties": 2 / 3,  # maps 1 and 2 are flat
    }
    assert found.telemetry()["hidden_sparsity"] == 0  # counts begin anew


def test_telemetry_of_maps_with_many_active_units():
    found = model(1, 3, (3, 3), path="dense", activation="linear", sparsity="top_n", amount=2)
    found.loss_and_gradients(np.random.default_rng(9).random((6, 1, 4, 5)))
    told = found.telemetry()
    assert told["active_share"] == [1, 1, 1] and told["hidden_sparsity"] == 2 / 20


def test_a_restored_model_goes_on_counting(xp):
    x = to_device(np.random.default_rng(10).random((4, 1, 5, 5), dtype="float32"))
    first = WinnerTakeAll(1, 3, (3, 3))
    first.loss_and_gradients(x)
    restored = twin(first)
    for found in (first, restored):
        found.loss_and_gradients(x)
    assert first.telemetry() == restored.telemetry()
