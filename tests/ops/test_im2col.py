"""Patches as columns, and back."""

from ops.properties import properties_of


@properties_of("im2col", "col2im")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
