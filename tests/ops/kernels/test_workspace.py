"""Scratch memory that is used again."""

import numpy as np
import pytest
import strict_cupy

from cae_np import backend
from cae_np.ops.kernels.workspace import Workspace


@pytest.fixture(params=["numpy", "strict"])
def xp(request, fresh):
    return backend.use(request.param)


def test_a_workspace_hands_out_the_same_memory_again(xp):
    workspace = Workspace()
    first = workspace.get("columns", (4, 5), np.float32, xp)
    first[...] = 7.0
    again = workspace.get("columns", (2, 3), np.float32, xp)
    assert again.shape == (2, 3) and again.dtype == np.float32 and again.flags.c_contiguous
    assert bool((again == 7.0).all())
    assert workspace.nbytes == 80
    workspace.get("columns", (4, 6), np.float32, xp)  # larger: takes the place of the first
    assert workspace.nbytes == 96


def test_a_workspace_keeps_names_dtypes_and_modules_apart(xp):
    workspace = Workspace()
    zeros = workspace.get("a", (2,), np.float32, xp)
    zeros[...] = 0.0
    for name, dtype, module in [("b", "f4", xp), ("a", "f8", xp), ("a", "f4", _other(xp))]:
        workspace.get(name, (2,), dtype, module)[...] = 1.0
    assert not bool(zeros.any())


def _other(xp):
    return np if xp is strict_cupy.xp else strict_cupy.xp
