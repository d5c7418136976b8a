"""Measures of the ablations."""

import numpy as np
import pytest

from cae_np.backend import to_device, to_numpy
from cae_np.experiments.makhzani2014 import ablations, fig3
from cae_np.models.wta import WinnerTakeAll


def images(n, channels, size, seed=0):
    """Images without any order, so that no pixel says anything about another."""
    return np.random.default_rng(seed).random((n, channels, size, size), np.float32)


def with_biases(model, biases):
    model.params["b"][...] = to_device(np.asarray(biases, np.float32))
    return model


def test_activity_and_dead_maps_are_counted():
    x = to_device(images(20, 1, 10))
    layer = with_biases(WinnerTakeAll(1, 4, [3, 3], pool_width=3, pool_stride=2), [9, 9, -99, 9])
    measured = fig3._measures(layer, x)
    assert measured["dead"] == 1 and measured["least_active"] == 0
    assert measured["active_training"] == pytest.approx(100 * 3 / 4 / 100)  # one unit of 10×10
    assert measured["active_off"] == measured["active_pooled"] == 75
    measured = ablations._measures(layer, x)
    assert measured["dead"] == 1 and measured["least_active"] == 0
    assert ablations._measures(with_biases(layer, [9] * 4), x)["least_active"] == 1


def test_the_busiest_map_is_found_under_global_top_k():
    options = {"path": "dense", "sparsity": "global_top_k", "amount": 4, "scale": 0.01}
    model = WinnerTakeAll(1, 4, [7, 7], pool_width=3, pool_stride=2, **options)
    x = to_device(images(20, 1, 10))
    model.params["w_dec"][...] = 1.0
    model.params["w_dec"][2] = 0.0
    model.params["w_dec"][2, 0, 3, 3] = 1.0
    measured = ablations._measures(with_biases(model, [0, 0, 9, 0]), x)
    assert measured["busiest_share"] == 1 and measured["dead"] == 3
    assert measured["busiest_peak_share"] == 1 and measured["decoder_peak_share"] < 0.5
    even = WinnerTakeAll(1, 4, [7, 7], pool_width=3, pool_stride=2)
    assert ablations._measures(with_biases(even, [9] * 4), x)["busiest_share"] == 0.25


def test_features_with_the_constraint_on_have_one_unit_a_map():
    model = with_biases(WinnerTakeAll(1, 3, [3, 3], pool_width=2, pool_stride=2), [9] * 3)
    x = to_device(images(5, 1, 8))
    on, off = (to_numpy(m.encode(x)) for m in (ablations.ConstraintOn(model), model))
    assert on.shape == off.shape and np.all((on != 0).sum(axis=(2, 3)) == 1)
    assert np.allclose(on.max(axis=(2, 3)), off.max(axis=(2, 3)))


def test_steps_are_timed_for_every_path():
    from cae_np.data import Split

    split = Split(np.zeros((3, 1, 9, 9), np.uint8), np.zeros(3, int))
    config = {"timed": 2, "repeats": 2, "batch_size": 3}
    times = ablations._step_times(config, 0, split)
    assert list(times) == list(ablations.STEPS) and min(times.values()) > 0
