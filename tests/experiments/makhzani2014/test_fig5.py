"""Figure 5: filters of stereo pairs."""

import math

import numpy as np
import pytest

from cae_np.experiments.engine import filter_copies
from cae_np.experiments.makhzani2014 import fig5


def gratings(angles, size=9):
    """Filters that vary in these directions (degrees), one a filter."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    turned = [x * math.cos(math.radians(a)) + y * math.sin(math.radians(a)) for a in angles]
    return np.sin(np.array(turned))[:, None]


def test_crowding_tells_filters_that_share_orientations_from_those_that_divide_them():
    even = np.arange(0, 180, 10.0)
    assert filter_copies.crowding(even) == 0
    assert filter_copies.crowding(np.full(8, 30.0)) == pytest.approx(8)
    assert filter_copies.crowding(np.array([1.0, 179.0])) == 2  # two degrees apart
    rng = np.random.default_rng(0)
    chance = [filter_copies.crowding(rng.uniform(0, 180, 20)) for _ in range(200)]
    assert np.mean(chance) == pytest.approx(1, abs=0.1)
    assert filter_copies.crowding(np.zeros(1)) is None


def test_fig5_measures_see_one_filter_per_orientation():
    distinct = fig5._measures(gratings(np.arange(0, 180, 18.0)))
    assert distinct["oriented"] == 10 and distinct["crowding"] < 0.5
    same = fig5._measures(gratings([40.0] * 10))
    assert same["crowding"] == pytest.approx(10) and same["copies"] == 100
    assert same["best_match"] == pytest.approx(1) and distinct["best_match"] < 0.95
