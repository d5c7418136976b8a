"""Losses and their gradients."""

from ops.properties import properties_of


@properties_of("squared_error", "softmax_cross_entropy")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
