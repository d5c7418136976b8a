"""Properties of operations (:mod:`cae_np.spec`), on cases that hypothesis builds."""

import pytest
from hypothesis import given, settings

from cae_np.spec.cases import drawn_cases
from cae_np.spec.properties import PROPERTIES


def properties_of(*subjects):
    """A test (prop, impl, xp, case) of every property of these operations and their backwards."""
    chosen = [prop for prop in PROPERTIES if prop.subject in subjects]

    def decorate(test):
        tried = settings(max_examples=15)(given(case=drawn_cases())(test))
        return pytest.mark.parametrize("prop", chosen, ids=str)(tried)

    return decorate
