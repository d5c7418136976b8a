"""Other sparsity constraints than one winner a map."""

import numpy as np
import pytest
from models.winners import model, twin

from cae_np.backend import to_device
from cae_np.gradcheck import check_model

SPARSITIES = {"winner": None, "lifetime": 0.4, "top_n": 3, "global_top_k": 7, "none": None}


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_gradients_of_every_sparsity(xp, sparsity):
    rng = np.random.default_rng(4)
    amount = SPARSITIES[sparsity]
    found = model(2, 4, (3, 3), path="dense", sparsity=sparsity, amount=amount, activation="linear")
    x, target = (to_device(rng.random((4, 2, 5, 5))) for _ in range(2))
    assert (report := check_model(found, x, target, elements=20, directions=2)).passed, report


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_how_many_units_stay(sparsity):
    N, K, HW = 5, 4, 36
    x = np.random.default_rng(5).random((N, 2, 6, 6))
    found = model(
        2,
        K,
        (3, 3),
        path="dense",
        activation="linear",
        sparsity=sparsity,
        amount=SPARSITIES[sparsity],
    )
    active = found.hidden(x) != 0
    full = twin(found, sparsity="none", amount=None).hidden(x)
    np.testing.assert_array_equal(found.hidden(x)[active], full[active])
    if sparsity == "lifetime":  # 0.4 of 5 images: 2 winners of each map
        assert (active.sum(axis=(0, 2, 3)) == 2).all() and (active.sum(axis=(2, 3)) <= 1).all()
        strongest = np.sort(full.max(axis=(2, 3)), axis=0)[-2:]
        np.testing.assert_array_equal(
            np.sort(found.hidden(x).sum(axis=(2, 3)), axis=0)[-2:], strongest
        )
    else:
        expected = {"winner": K, "top_n": 3 * K, "global_top_k": 7, "none": K * HW}[sparsity]
        assert (active.sum(axis=(1, 2, 3)) == expected).all()
