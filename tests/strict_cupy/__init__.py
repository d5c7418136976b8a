"""A strict stand-in for CuPy, for machines without a GPU.

Code that runs on it calls only what CuPy has, with the arguments that CuPy takes, on arrays that
never mix with NumPy's.  Its arrays are not NumPy arrays, and NumPy's functions refuse them.
Results are computed by NumPy; reductions and single elements stay 0-d device arrays; every copy
to the host (``float``, ``bool``, ``item``, ``get``, a boolean mask, ...) can be counted.  It
refuses what CuPy does without a word but leaves undefined or means otherwise: assigning through
duplicate indices or between overlapping views, and indices out of bounds.  Uninitialised memory is
filled with nonsense.

It is stricter than CuPy in this: NumPy functions and ufuncs never accept a device array (CuPy
would answer for some), an index is never a list or a NumPy array (CuPy would copy it to the device
at each use), ufuncs have no methods (in CuPy, few have any that work).

What it cannot show: kernels that do not compile or compute something else, a GPU's rounding and
the order of its atomic additions, its memory and its speed, CUDA itself, and arguments whose
*values* CuPy does not support.  What was only checked here was never run on a device.

Importing this package registers the backend ``"strict"``.  A program takes it by name:
``PYTHONPATH=tests CAE_BACKEND=strict_cupy:strict python run_experiments.py``.
"""

import psutil

from cae_np import backend

from .copies import count_host_copies
from .signatures import VERSION
from .strict_array import StrictArray
from .strict_module import scatter_add, xp


def register_stand_in():
    """Register the stand-in with cae_np as ``"strict"``; it does no harm to do it again.

    Returns
    -------
    cae_np.backend.Backend
    """

    def memory():
        host = psutil.virtual_memory()
        return host.available, host.total

    return backend.register(
        "strict",
        xp,
        StrictArray,
        to_numpy=xp.asnumpy,
        scatter_add=scatter_add,
        synchronize=lambda: None,
        memory=memory,
        description=f"stand-in for CuPy {VERSION}: NumPy behind its names and signatures",
    )


register_stand_in()
