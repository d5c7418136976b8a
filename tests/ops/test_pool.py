"""Max-pooling with its masks, unpooling, and their backwards (`max_pool_backward` and so on).

Every property that cae_np/spec/properties.py has of them: loops, difference quotients, adjoints;
examples worked by hand are in test_hand_worked.py."""

from ops.properties import properties_of


@properties_of("max_pool", "unpool", "erase_non_maximal", "overlapping_max_pool")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
