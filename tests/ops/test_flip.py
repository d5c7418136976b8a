"""Kernels turned by 180°."""

from ops.properties import properties_of


@properties_of("flip", "mirrored")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
