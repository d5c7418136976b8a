"""Winner-take-all, top n and global top k: what stays active."""

from ops.properties import properties_of


@properties_of("winner_take_all", "place", "top_n", "global_top_k")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)
