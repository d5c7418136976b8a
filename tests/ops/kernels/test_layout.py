"""Arrays whose batch comes last in memory."""

import numpy as np

from cae_np.backend import to_numpy


def test_batch_last_copies_only_what_it_must(impl, xp):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    moved = impl.batch_last(xp.asarray(x))
    np.testing.assert_array_equal(to_numpy(moved), x)
    assert moved.shape == x.shape and moved.strides[0] == moved.itemsize
    again = impl.batch_last(moved)
    again[0, 0, 0, 0] = 7
    assert float(moved[0, 0, 0, 0]) == 7  # the same memory
