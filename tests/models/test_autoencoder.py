"""The fully connected auto-encoder, and the k-sparse one."""

import numpy as np
import pytest
from models.moved import shaken, trained

from cae_np.backend import to_device, to_numpy
from cae_np.gradcheck import check_model
from cae_np.models.autoencoder import AutoEncoder


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("output", ["linear", "logistic"])
@pytest.mark.parametrize("k", [None, 2])
def test_autoencoder_gradients(xp, tied, output, k):
    rng = np.random.default_rng(8)
    model = shaken(AutoEncoder(12, 5, tied=tied, output=output, k=k, dtype="float64"), rng)
    x, target = (to_device(rng.random((4, 1, 3, 4))) for _ in range(2))
    assert (report := check_model(model, x, target)).passed, report
    trained(model, x, target)
    assert (report := check_model(model, x, target)).passed, report


def test_k_sparse_code_keeps_the_largest_units_of_each_input(xp):
    rng = np.random.default_rng(10)
    model = shaken(AutoEncoder(6, 9, activation="linear", k=3, dtype="float64"), rng)
    x = rng.standard_normal((5, 6))
    w, b, c = (to_numpy(model.params[name]) for name in "wbc")
    z = x @ w.T + b
    h = np.zeros_like(z)
    for one, code in zip(z, h, strict=True):
        for e in sorted(range(9), key=lambda e: -one[e])[:3]:
            code[e] = one[e]
    np.testing.assert_allclose(to_numpy(model.hidden(to_device(x))), h, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(model.reconstruct(to_device(x))), h @ w + c, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(model.encode(to_device(x))), z, rtol=1e-12)
    loss, _ = model.loss_and_gradients(to_device(x))
    assert float(loss) == pytest.approx(((h @ w + c - x) ** 2).sum() / 10)


def test_all_units_kept_is_no_constraint():
    x = np.random.default_rng(11).standard_normal((4, 6))
    (loss, free), (same_loss, kept) = (
        AutoEncoder(6, 5, k=k, dtype="float64").loss_and_gradients(x) for k in (None, 5)
    )
    assert loss == same_loss and all(np.array_equal(free[name], kept[name]) for name in free)
