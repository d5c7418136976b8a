"""Figure 2: measures of filters without sparsity."""

import numpy as np
import pytest

from cae_np.backend import to_device
from cae_np.experiments.makhzani2014 import ablations, fig2
from cae_np.models.wta import WinnerTakeAll


def images(n, channels, size, seed=0):
    """Images without any order, so that no pixel says anything about another."""
    return np.random.default_rng(seed).random((n, channels, size, size), np.float32)


def test_fig2_measures_tell_copies_from_shapes():
    model = WinnerTakeAll(3, 4, [9, 9], path="dense", sparsity="none", scale=0.0)
    flat = np.ones((4, 3, 9, 9), np.float32)
    delta = np.zeros((4, 3, 9, 9), np.float32)
    delta[np.arange(4), np.arange(4) % 3, 4, 4] = 1  # colour detectors
    x = to_device(images(20, 3, 32))
    measured = {}
    for name, w in (("delta", delta), ("flat", flat), ("moved", np.roll(delta, 2, axis=3))):
        model.params["w_enc"][...] = model.params["w_dec"][...] = to_device(w)
        measured[name] = fig2._measures(model, x)
    assert measured["delta"]["encoder_peak_share"] == measured["delta"]["decoder_peak_share"] == 1
    assert measured["delta"]["encoder_middle_share"] == 1
    assert measured["delta"]["explained_by_pixel"] == pytest.approx(1)
    assert measured["flat"]["decoder_peak_share"] == pytest.approx(1 / 81)
    assert measured["flat"]["explained_by_pixel"] < 0.1
    assert measured["moved"]["encoder_peak_share"] == 1
    assert measured["moved"]["decoder_middle_share"] == 0
    assert measured["moved"]["explained_by_pixel"] < 0.1


def test_fig2_error_is_in_per_cent_of_the_variance():
    model = WinnerTakeAll(3, 2, [3, 3], scale=0.0)
    x = to_device(images(10, 3, 8))
    model.params["c"][...] = x.mean()
    assert fig2._measures(model, x)["error"] == pytest.approx(100, rel=1e-4)


def test_centred_images_have_the_mean_taken_off():
    from cae_np.data import Split

    split = Split(np.full((3, 3, 2, 2), 255, np.uint8), np.arange(3))
    mean = np.array([0.25, 0.5, 1.0], np.float32)[:, None, None]
    batch = fig2.Centred(split, mean).batch(slice(2))
    assert batch.shape == (2, 3, 2, 2) and batch.dtype == np.float32
    assert np.array_equal(batch[:, :, 0, 0], [[0.75, 0.5, 0.0]] * 2)


def test_filters_that_training_left_as_they_were_are_counted():
    rng = np.random.default_rng(0)
    initial = rng.standard_normal((4, 1, 7, 7)).astype(np.float32)
    w = initial.copy()
    w[0] *= 0.1  # only smaller
    w[1] *= -1
    w[2] += 2 * rng.standard_normal((1, 7, 7))
    assert ablations._unlearned(w, initial) == 2
    assert ablations._unlearned(np.zeros_like(w), initial) == 0
