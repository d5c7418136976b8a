"""Borders of zeros, and their removal."""

from ops.properties import properties_of


@properties_of("pad_same", "crop_same", "pad_full", "crop_full")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
