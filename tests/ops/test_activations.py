"""Non-linearities and their gradients."""

import numpy as np
import pytest
from ops.properties import properties_of

from cae_np.backend import to_numpy


@properties_of("linear", "scaled_tanh", "relu", "logistic", "softmax")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


@pytest.mark.parametrize("name", ["linear", "scaled_tanh", "relu", "logistic", "softmax"])
def test_non_linearities_fill_out(impl, xp, name):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    expected = to_numpy(getattr(impl, name)(xp.asarray(x)))
    other, itself = xp.zeros(x.shape), xp.array(x)
    assert getattr(impl, name)(xp.asarray(x), out=other) is other
    assert getattr(impl, name)(itself, out=itself) is itself
    np.testing.assert_array_equal(to_numpy(other), expected)
    np.testing.assert_array_equal(to_numpy(itself), expected)
