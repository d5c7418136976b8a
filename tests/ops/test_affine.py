"""Biases and fully connected layers."""

import numpy as np
from ops.properties import properties_of

from cae_np.backend import to_numpy


@properties_of("add_bias", "affine")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


def test_add_bias_fills_out(impl, xp):
    y, b = np.random.default_rng(0).standard_normal((2, 3, 4, 5)), np.arange(3.0)
    itself = xp.array(y)
    assert impl.add_bias(itself, xp.asarray(b), out=itself) is itself
    np.testing.assert_array_equal(to_numpy(itself), y + b[:, None, None])
