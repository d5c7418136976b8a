"""Every property of every operation, on cases that hypothesis builds."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cae_np import ops
from cae_np.ops import reference
from cae_np.spec.cases import CASES, Case
from cae_np.spec.properties import PROPERTIES

OF_MODELS = [p for p in PROPERTIES if p.subject[0].isupper()]  # classes
OF_OPERATIONS = [p for p in PROPERTIES if p not in OF_MODELS]


@st.composite
def cases(draw):
    """Sizes that fit together by construction: an image is a kernel and some more."""
    kh, kw = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    H, W = kh + draw(st.integers(0, 3)), kw + draw(st.integers(0, 3))
    width = draw(st.integers(1, min(H, W)))
    return Case(
        N=draw(st.integers(1, 3)),
        C=draw(st.integers(1, 3)),
        K=draw(st.integers(1, 3)),
        H=H,
        W=W,
        kh=kh,
        kw=kw,
        ph=draw(st.integers(1, H)),
        pw=draw(st.integers(1, W)),
        width=width,
        stride=draw(st.integers(1, width)),
        top=draw(st.integers(1, H * W)),
        seed=draw(st.integers(0, 1000)),
    )


@pytest.mark.parametrize("prop", OF_OPERATIONS, ids=str)
@settings(max_examples=15)
@given(case=cases())
def test_operations(prop, impl, xp, case):
    prop.check(impl, xp, case)


@pytest.mark.parametrize("case", CASES, ids=["rectangle", "one place", "one image"])
@pytest.mark.parametrize("prop", OF_MODELS, ids=str)
def test_models(prop, impl, xp, case):
    prop.check(impl, xp, case)


def test_every_operation_has_properties():
    """A new one is tried as soon as it is described in the table of operations."""
    tried = {name for prop in PROPERTIES for name in prop.functions}
    public = {name for name, f in vars(ops).items() if inspect.isfunction(f)}
    assert public - tried == {"batch_last"}, "a memory order, tested in test_ops_details"


ORACLE = [p for p in OF_OPERATIONS if p.name in ("difference quotients", "adjoint")]


@pytest.mark.parametrize("prop", ORACLE, ids=str)
def test_loops_have_their_own_gradients(prop):
    """The oracle must not be believed because it is the oracle."""
    for case in CASES:
        prop.check(reference, np, case)
