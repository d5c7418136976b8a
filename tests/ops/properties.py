"""Properties of operations (:mod:`cae_np.spec`), on cases that hypothesis builds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cae_np.spec.cases import Case
from cae_np.spec.properties import PROPERTIES


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


def properties_of(*subjects):
    """A test (prop, impl, xp, case) of every property of these operations and their backwards."""
    chosen = [prop for prop in PROPERTIES if prop.subject in subjects]

    def decorate(test):
        tried = settings(max_examples=15)(given(case=cases())(test))
        return pytest.mark.parametrize("prop", chosen, ids=str)(tried)

    return decorate
