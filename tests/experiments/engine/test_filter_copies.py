"""Measures of redundancy among filters: against loops, and on filters made to be alike or not."""

import numpy as np
import pytest

from cae_np.experiments.engine.filter_copies import (
    best_matches,
    copies_in_samples,
    crowding,
    crowding_in_samples,
    near_copies,
    orientations,
    oriented,
    oriented_in_samples,
)


def noise(K=5, C=3, side=5, seed=0):
    return np.random.default_rng(seed).standard_normal((K, C, side, side)).astype(np.float32)


def shifted(w, down, right):
    """One filter moved, what leaves the receptive field being lost."""
    moved = np.zeros_like(w)
    side = w.shape[-1]
    moved[:, max(0, down) : side + min(0, down), max(0, right) : side + min(0, right)] = w[
        :, max(0, -down) : side + min(0, -down), max(0, -right) : side + min(0, -right)
    ]
    return moved


def gratings(angles, side=9, period=4.0):
    """Filters that vary in one direction, ``angles`` in degrees from the horizontal."""
    i, j = np.mgrid[:side, :side] - (side - 1) / 2
    window = np.exp(-(i**2 + j**2) / 8)
    radians = np.radians(angles)[:, None, None]
    phase = 2 * np.pi / period * (np.cos(radians) * j + np.sin(radians) * i)
    return (window * np.sin(phase))[:, None]


def test_best_match_by_loops():
    w = noise()
    expected = np.full(5, -np.inf)
    for i, j, down, right in np.ndindex(5, 5, 9, 9):
        if i != j:
            moved = shifted(w[j].astype(float), down - 4, right - 4)
            match = (w[i] * moved).sum() / (np.linalg.norm(w[i]) * np.linalg.norm(w[j]))
            expected[i] = max(expected[i], match)
    np.testing.assert_allclose(best_matches(w), expected, rtol=1e-6)


def test_a_shifted_copy_is_found_and_an_inverted_one_is_none():
    w = noise(4)
    w[:, :, [0, -1]] = w[:, :, :, [0, -1]] = 0  # so that a shift by one pixel loses nothing
    assert best_matches(w).max() < 0.6 and near_copies(w) == 0
    w[3] = 7 * shifted(w[1], 1, -1)
    match = best_matches(w)
    assert match[[1, 3]] == pytest.approx(1) and match[[0, 2]].max() < 0.6
    assert near_copies(w) == 0.5
    assert near_copies(np.stack([w[0], -w[0], w[2]])) == 0


def test_a_filter_of_zeros_matches_nothing():
    w = noise(3)
    w[1] = 0
    assert np.isfinite(best_matches(w)).all() and best_matches(w)[1] == 0


def test_more_filters_match_better_but_samples_of_one_size_do_not():
    few, many = noise(20), noise(200)
    assert best_matches(many).mean() > best_matches(few).mean() + 0.05
    assert copies_in_samples(few, 20, seed=0) == best_matches(few).mean()
    assert copies_in_samples(many, 20, seed=0) == pytest.approx(best_matches(few).mean(), abs=0.03)
    assert copies_in_samples(many, 20, seed=0) == copies_in_samples(many, 20, seed=0)


def test_orientation_of_gratings():
    angles = np.array([0.0, 30.0, 90.0, 135.0, 170.0])
    found, coherence = orientations(gratings(angles))
    np.testing.assert_allclose(found, angles, atol=2)
    assert coherence.min() > 0.7
    i, j = np.mgrid[:9, :9] - 4
    blob = np.exp(-(i**2 + j**2) / 4)[None, None]
    assert orientations(blob)[1] < 0.05
    vertical_edge = np.where(np.arange(9) < 4, -1.0, 1.0) * np.ones((9, 1))
    angle, coherence = orientations(vertical_edge[None, None])
    assert coherence > 0.8 and min(angle[0], 180 - angle[0]) < 1


def test_crowding_in_samples_is_of_the_filters_that_have_an_orientation():
    few, nothing = gratings([0, 3, 90, 135]), np.zeros((20, 1, 9, 9))
    both = np.concatenate([few, nothing])
    assert len(oriented(both)) == oriented_in_samples(both, 24, seed=0) == 4
    assert crowding_in_samples(both, 24, seed=0) == crowding(oriented(few)) == pytest.approx(2 / 3)
    assert crowding_in_samples(nothing, 5, seed=0) is None  # few of them are no sign of order
    assert oriented_in_samples(nothing, 5, seed=0) == 0
    many = gratings(np.linspace(0, 180, 200, endpoint=False))
    assert crowding_in_samples(many, 20, seed=0) == pytest.approx(1, abs=0.2)  # chance
    assert crowding_in_samples(many[::10], 20, seed=0) < 0.5
