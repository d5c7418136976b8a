"""Properties of models and of the oracle; and that every operation's properties are tried."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from cae_np import ops
from cae_np.ops import reference
from cae_np.spec.cases import CASES
from cae_np.spec.properties import PROPERTIES

OF_MODELS = [p for p in PROPERTIES if p.subject[0].isupper()]  # classes
ORACLE = [
    p for p in PROPERTIES if p not in OF_MODELS and p.name in ("difference quotients", "adjoint")
]


@pytest.mark.parametrize("case", CASES, ids=["rectangle", "one place", "one image"])
@pytest.mark.parametrize("prop", OF_MODELS, ids=str)
def test_models(prop, impl, xp, case):
    prop.check(impl, xp, case)


@pytest.mark.parametrize("prop", ORACLE, ids=str)
def test_loops_have_their_own_gradients(prop):
    """The oracle must not be believed because it is the oracle."""
    for case in CASES:
        prop.check(reference, np, case)


def test_every_operation_has_properties():
    """A new one is tried as soon as it is described in the table of operations."""
    tried = {name for prop in PROPERTIES for name in prop.functions}
    public = {name for name, f in vars(ops).items() if inspect.isfunction(f)}
    assert public - tried == {"batch_last"}, "a memory order, tested in ops/kernels/test_layout.py"


def test_the_properties_of_every_operation_are_in_the_file_of_its_module():
    claimed = {}
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for subjects in re.findall(r"@properties_of\((.+?)\)\ndef ", path.read_text("utf-8"), re.S):
            claimed |= dict.fromkeys(re.findall('"([^"]+)"', subjects), path.stem)
    subjects = {p.subject: p.functions[0] for p in PROPERTIES if p not in OF_MODELS}
    assert claimed.keys() == subjects.keys()
    for subject, function in subjects.items():
        if hasattr(ops, function):
            module = inspect.getmodule(getattr(ops, function)).__name__.rpartition(".")[2]
            assert claimed[subject] == f"test_{module}", subject
