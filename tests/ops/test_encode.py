"""Winners and pooled features, read off the maps in blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from ops.properties import properties_of
from ops.winners import close, on_device, sizes

from cae_np import ops
from cae_np.backend import to_device, to_numpy
from cae_np.ops.encode import count_ties, encode_pooled, encode_winners


@properties_of("encode_winners", "encode_pooled")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


@given(sizes(), st.integers(0, 1000))
def test_winners_are_those_of_the_maps(xp, size, seed):
    N, C, K, H, W, kh, kw = size
    rng = np.random.default_rng(seed)
    x, w = on_device(rng, N, C, H, W), on_device(rng, K, C, kh, kw)
    z, winner = encode_winners(x, w)
    expected, places = ops.winner_take_all(ops.correlate_same(x, w))
    close(z, expected)
    np.testing.assert_array_equal(to_numpy(winner), to_numpy(places))


@given(sizes(), st.integers(0, 1000), st.integers(1, 6), st.integers(1, 6))
def test_pooled_features_are_those_of_the_maps(xp, size, seed, width, stride):
    N, C, K, H, W, kh, kw = size
    width = min(width, H, W)
    stride = min(stride, width)
    rng = np.random.default_rng(seed)
    x, w, b = on_device(rng, N, C, H, W), on_device(rng, K, C, kh, kw), on_device(rng, K)
    h = ops.relu(ops.add_bias(ops.correlate_same(x, w), b))
    close(encode_pooled(x, w, b, width, stride), ops.overlapping_max_pool(h, width, stride)[0])


def test_the_first_of_equal_units_wins_and_ties_are_counted(xp):
    """Small whole numbers: sums are exact, so what should tie does, in any order of summing."""
    rng = np.random.default_rng(2)
    x = to_device(rng.integers(-1, 2, (20, 2, 6, 7)).astype("float64"))
    w = to_device(rng.integers(-1, 2, (5, 2, 3, 2)).astype("float64"))
    z, winner = encode_winners(x, w)
    flat = to_numpy(ops.correlate_same(x, w)).reshape(20, 5, -1)
    tied = (flat == flat.max(axis=2, keepdims=True)).sum(axis=2) > 1
    assert 10 < tied.sum() < 90
    np.testing.assert_array_equal(to_numpy(winner), flat.argmax(axis=2))
    np.testing.assert_array_equal(to_numpy(z), flat.max(axis=2))
    np.testing.assert_array_equal(to_numpy(count_ties(x, w)), tied.sum(axis=1))
