"""Max-pooling with its masks, and unpooling."""

from ops.properties import properties_of


@properties_of("max_pool", "unpool", "erase_non_maximal", "overlapping_max_pool")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
