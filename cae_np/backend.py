"""Which array module computes: NumPy on the CPU, CuPy on the GPU.

Every operation of this package begins with ``xp = get_array_module(x)`` and then calls only
functions that NumPy and CuPy share.  The arrays decide; there is no global switch inside the
mathematics.  :func:`use` chooses where *new* arrays are made (weights, batches), and
:func:`to_device` / :func:`to_numpy` are the only two doors between host and device.

This is the only file that imports cupy, and it does so when cupy is asked for.
"""

import importlib
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .errors import BackendError


def _elapsed_on_the_host(step):
    began = time.perf_counter()
    step()
    return 1e3 * (time.perf_counter() - began)


@dataclass(frozen=True)
class Backend:
    """One array module and the few things that array modules do differently.

    Attributes
    ----------
    name : str
        What :func:`use` and ``--backend`` call it.
    module : module
        Offers NumPy's functions over its own arrays.
    array_type : type
        The class of its arrays.
    to_numpy : callable, array -> numpy.ndarray
    scatter_add : callable, (target, index, values) -> None
        ``target[index] += values`` in place, where equal indices add up.
    synchronize : callable, () -> None
        Return when everything that was asked for so far has been computed.
    memory : callable, () -> (free, total)
        Bytes of the memory in which its arrays live.
    description : str
        One line for logs and results.
    release : callable, () -> None
        Give memory back that is kept for later arrays.
    elapsed : callable, (step) -> float
        Milliseconds that ``step()`` takes, by the device's clock where it has one.
    """

    name: str
    module: ModuleType | Any
    array_type: type
    to_numpy: Callable
    scatter_add: Callable
    synchronize: Callable
    memory: Callable
    description: str = ""
    release: Callable = lambda: None
    elapsed: Callable = _elapsed_on_the_host


_registered: dict[str, Backend] = {}
_active: Backend | None = None
_module_of: dict[str, str] = {}  # which module registered a backend that was named with one


def register(name, module, array_type, to_numpy, scatter_add, synchronize, memory, **more):
    """Make an array module known under ``name``; the tests' stand-in for CuPy comes in here.

    Parameters
    ----------
    As the attributes of :class:`Backend`.

    Returns
    -------
    Backend
    """
    more.setdefault("description", name)
    backend = Backend(name, module, array_type, to_numpy, scatter_add, synchronize, memory, **more)
    _registered[name] = backend
    return backend


def use(name=None):
    """Choose the array module for new arrays.

    Parameters
    ----------
    name : {"numpy", "cupy", "auto"} or a registered name, optional
        ``"auto"`` takes the GPU if one works, else NumPy.  ``"module:name"`` imports a module
        that registers ``name``.  Default: ``$CAE_BACKEND``, else ``"numpy"``.

    Returns
    -------
    xp : module
        The array module that was chosen; :func:`active` tells more about it.

    Raises
    ------
    BackendError
        If the module cannot run here.  The message names the cause and the remedy.

    Examples
    --------
    >>> from cae_np import use
    >>> xp = use("numpy")
    >>> xp.zeros(2)
    array([0., 0.])
    """
    global _active
    name = name or os.environ.get("CAE_BACKEND") or "numpy"
    module, _, name = name.rpartition(":")
    if module and name not in _registered:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise BackendError(f"--backend {module}:{name}: {_first_line(error)}") from error
        _module_of[name] = module
    if name == "auto":
        try:
            _active = _load_cupy()
        except BackendError:
            _active = _registered["numpy"]
    elif name == "cupy":
        _active = _load_cupy()
    elif name in _registered:
        _active = _registered[name]
    else:
        known = ", ".join(sorted({*_registered, "cupy", "auto"}))
        raise BackendError(f"unknown backend {name!r}; choose one of {known}")
    return _active.module


def active():
    """The :class:`Backend` that :func:`use` chose; the first call chooses the default."""
    if _active is None:
        use()
    return _active


def active_spec():
    """What makes :func:`use` choose the active backend in another process."""
    name = active().name
    return f"{_module_of[name]}:{name}" if name in _module_of else name


def of_module(xp):
    """The :class:`Backend` whose array module this is.

    Parameters
    ----------
    xp : module
        From :func:`get_array_module`.
    """
    return next(backend for backend in _registered.values() if backend.module is xp)


def get_array_module(*arrays):
    """The module whose functions work on these arrays.

    Parameters
    ----------
    *arrays : arrays, or Python and NumPy scalars, which go with either module

    Returns
    -------
    xp : module
        ``numpy`` where no device array is among them.

    Raises
    ------
    TypeError
        If arrays of two modules are mixed, or an argument is no array (a list, say).
    """
    found = None
    for array in arrays:
        if isinstance(array, (int, float, np.generic)):
            continue
        backend = _backend_of(array)
        if found is None:
            found = backend
        elif found is not backend:
            raise TypeError(
                f"arrays of {found.name} and {backend.name} in one operation; "
                "bring them together with to_device or to_numpy"
            )
    return found.module if found else np


def to_device(array, dtype=None):
    """Copy a host array to where :func:`use` said that arrays live.

    Parameters
    ----------
    array : array_like
        NumPy array, or an array that is on the active device already (returned as it is).
    dtype : dtype, optional
        Convert to this type.

    Returns
    -------
    array : array of ``active().module``, of the same shape
        On NumPy the argument itself where nothing has to change.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import to_device, use
    >>> xp = use("numpy")
    >>> to_device(np.arange(3), "float32")
    array([0., 1., 2.], dtype=float32)
    """
    backend = active()
    if not isinstance(array, backend.array_type):
        array = backend.module.asarray(np.asarray(array))
    return array if dtype is None else array.astype(dtype, copy=False)


def to_numpy(array):
    """Copy an array of any backend to the host; NumPy arrays and scalars pass unchanged.

    On a GPU this waits for the computation: once per report interval, never once per step.

    Examples
    --------
    >>> from cae_np import to_numpy, use
    >>> xp = use("numpy")  # or "cupy"
    >>> to_numpy(xp.arange(3))
    array([0, 1, 2])
    """
    if isinstance(array, (np.ndarray, np.generic, int, float)):
        return np.asarray(array)
    return _backend_of(array).to_numpy(array)


def scatter_add(target, index, values):
    """``target[index] += values`` in place, where equal indices add up.

    Plain ``+=`` keeps only one of several values that share an index (on CuPy, an undefined one).

    Parameters
    ----------
    target : array, modified
    index : tuple of integer arrays, or one
        Within bounds; CuPy would wrap others around without a word.
    values : array, broadcast to the index
    """
    _backend_of(target).scatter_add(target, index, values)


def synchronize():
    """Wait until the active backend has computed everything that it was asked for."""
    active().synchronize()


def memory():
    """Bytes of memory on the active backend, as ``(free, total)``."""
    return active().memory()


def elapsed(step):
    """Milliseconds that a step takes.

    Parameters
    ----------
    step : callable, () -> None

    Returns
    -------
    float
        On a GPU between two events in its own queue, so that neither Python's time to fill the
        queue nor the wait for its end counts twice.
    """
    return active().elapsed(step)


# --- what each array module does in its own way -----------------------------------------------


def _backend_of(array):
    for backend in _registered.values():
        if isinstance(array, backend.array_type):
            return backend
    cupy = _registered.get("cupy")
    if cupy is None and type(array).__module__.split(".")[0] == "cupy":
        return _load_cupy()  # somebody brought CuPy arrays without calling use("cupy")
    raise TypeError(
        f"expected an array of {' or '.join(_registered)}, got {type(array).__name__}; "
        "convert it with numpy.asarray first"
    )


def _numpy_memory():
    import psutil  # not at import time: there is none in a browser

    memory = psutil.virtual_memory()
    return memory.available, memory.total


register(
    "numpy",
    np,
    np.ndarray,
    to_numpy=np.asarray,
    scatter_add=np.add.at,
    synchronize=lambda: None,
    memory=_numpy_memory,
    description=f"NumPy {np.__version__} on the CPU",
)


def _load_cupy():
    """Import CuPy, prove that a device computes, and register it; else say which of three
    causes it is: no wheel, no driver or device, no CUDA libraries."""
    if "cupy" in _registered:
        return _registered["cupy"]
    wheel = f"cupy-cuda{_driver_cuda_major() or 13}x[ctk]"
    if importlib.util.find_spec("cupy") is None:
        raise BackendError(
            f"--backend cupy: CuPy is not installed; install it with: pip install '{wheel}'"
        )
    try:
        cupy = importlib.import_module("cupy")
    except Exception as error:  # a broken wheel, or two of them side by side
        raise BackendError(
            f"--backend cupy: importing CuPy failed ({_first_line(error)}); keep exactly one "
            f"wheel: pip uninstall cupy-cuda12x cupy-cuda13x, then pip install '{wheel}'"
        ) from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        raise BackendError(
            f"--backend cupy: CuPy {cupy.__version__} finds no NVIDIA driver or device "
            f"({_first_line(error)}); install the driver (nvidia-smi shows it), and if the "
            f"wheel does not match it: pip install '{wheel}'; or use --backend numpy"
        ) from error
    if count == 0:
        raise BackendError(
            "--backend cupy: no NVIDIA device is visible (is CUDA_VISIBLE_DEVICES empty?); "
            f"the wheel for this machine: pip install '{wheel}'; or use --backend numpy"
        )
    try:  # one product (cuBLAS), one compiled kernel (NVRTC)
        probe = cupy.arange(4, dtype=cupy.float32).reshape(2, 2)
        float((cupy.tanh(probe) @ probe).sum())
    except Exception as error:
        raise BackendError(
            f"--backend cupy: the driver works but the CUDA libraries do not "
            f"({_first_line(error)}); bring them from the package index: pip install '{wheel}'"
        ) from error
    return _register_cupy(cupy)


def _register_cupy(cupy):
    import cupyx

    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    device = properties["name"].decode()

    def memory():
        # What the pool holds but does not use is as good as free.
        free, total = cupy.cuda.runtime.memGetInfo()
        return free + cupy.get_default_memory_pool().free_bytes(), total

    def elapsed(step):
        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        step()
        stop.record()
        stop.synchronize()
        return cupy.cuda.get_elapsed_time(start, stop)

    return register(
        "cupy",
        cupy,
        cupy.ndarray,
        to_numpy=cupy.asnumpy,
        scatter_add=cupyx.scatter_add,
        synchronize=lambda: cupy.cuda.get_current_stream().synchronize(),
        memory=memory,
        release=cupy.get_default_memory_pool().free_all_blocks,
        elapsed=elapsed,
        description=f"CuPy {cupy.__version__} on {device}",
    )


def _driver_cuda_major():
    """The CUDA major version that driver and card run, 12 or 13, or None without a driver."""
    import ctypes

    for library in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(library)
        except OSError:
            continue
        version, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        if driver.cuDriverGetVersion(ctypes.byref(version)) == 0:
            driver.cuInit(0)
            driver.cuDeviceGetAttribute(ctypes.byref(major), 75, 0)  # compute capability
            driver.cuDeviceGetAttribute(ctypes.byref(minor), 76, 0)
            # CUDA 13 has dropped cards older than 7.5; they stay with 12 whatever the driver.
            old_card = (0, 0) < (major.value, minor.value) < (7, 5)
            return 13 if version.value >= 13000 and not old_card else 12
    return None


def _first_line(error):
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
