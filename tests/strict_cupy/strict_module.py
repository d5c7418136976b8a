"""The stand-in's module: the functions that ``cupy`` has, bound to its signatures."""

from types import SimpleNamespace

import numpy as np

from .copies import note
from .signatures import CUPY, VERSION, bind, refuse_other_order
from .strict_array import (
    SYNCHRONISING,
    StrictArray,
    check_arguments,
    operand,
    refuse_duplicates,
    unwrap,
    wrap,
)

# Functions that CuPy has too but that go through files, host buffers or a Python function.
NOT_OFFERED = {
    *("apply_along_axis", "apply_over_axes", "frombuffer", "fromfile", "fromfunction", "fromiter"),
    *("fromstring", "from_dlpack", "genfromtxt", "load", "loadtxt", "piecewise", "save"),
    *("savetxt", "savez", "savez_compressed", "put", "show_config"),
}
# Parameters under which CuPy takes device arrays and scalars, but no list.
ARRAY_PARAMETERS = {"a", "b", "x", "x1", "x2", "m", "arr", "ary", "condition"}
# Functions whose answer is a Python number in NumPy and a 0-d array in CuPy.
DEVICE_ANSWERS = {"allclose", "array_equal", "array_equiv", "count_nonzero"}


class StrictModule:
    """Stands for ``cupy``, or for one of its submodules."""

    def __init__(self, name, numpys, **members):
        self.__name__ = name
        self._numpys = numpys
        self._space = CUPY[name]
        vars(self).update(members)

    def __getattr__(self, name):
        space = self._space
        if name in space["numpy_s_own"]:
            return getattr(self._numpys, name)
        words = space["functions"].get(name, space["ufuncs"].get(name))
        if words is None and name not in space["other"]:
            raise AttributeError(f"{self.__name__} {VERSION} has no {name!r}")
        function = getattr(self._numpys, name, None)
        if words is None or function is None or name in NOT_OFFERED:
            raise AttributeError(
                f"{self.__name__} has {name!r}, but not in a way that NumPy shares and the "
                "stand-in can check"
            )
        made = _checked(f"{self.__name__}.{name}", words, function)
        setattr(self, name, made)
        return made

    def __dir__(self):
        space = self._space
        return [*vars(self), *space["numpy_s_own"], *space["ufuncs"], *space["functions"]]


def _checked(qualified, words, function):
    """NumPy's ``function`` behind CuPy's signature and CuPy's demands on arguments."""
    name = qualified.rpartition(".")[2]

    def call(*args, **kwargs):
        bound = bind(qualified, words, args, kwargs)
        refuse_other_order(qualified, words, function, args)
        check_arguments(name, bound)
        for parameter in ARRAY_PARAMETERS & bound.keys():
            if isinstance(bound[parameter], (tuple, list)):
                raise TypeError(f"{qualified}: {parameter} must be a device array, not a list")
        if name == "put_along_axis":
            arr, indices, _, axis = unwrap(tuple(bound.values()))
            places = np.arange(arr.size).reshape(arr.shape)
            refuse_duplicates(np.take_along_axis(places, indices, axis))
        if name in SYNCHRONISING or (name == "where" and len(bound) == 1):
            note("to_host", name)
        out = bound.get("out")
        result = function(*unwrap(args), **unwrap(kwargs))
        result = np.asarray(result) if name in DEVICE_ANSWERS else result
        result = wrap(result, *bound.values(), *(out if isinstance(out, tuple) else ()))
        if name in ("empty", "empty_like"):
            # Fresh memory holds anything; NumPy's is often zero, which hides mistakes.
            fill = {"f": np.nan, "c": np.nan, "b": True}
            result._array[...] = fill.get(result.dtype.kind, 99)
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{qualified}({words}) of CuPy {VERSION}, computed by NumPy."
    return call


# --- the doors between host and device ----------------------------------------------------------


def _door_in(name):
    """``asarray`` or ``array``: host arrays, scalars and nested lists come in as copies."""
    words = CUPY["cupy"]["functions"][name]

    def enter(*args, **kwargs):
        bound = bind(f"cupy.{name}", words, args, kwargs)
        bound.pop("blocking", None)  # whether the host waits for the copy
        source = bound.pop("obj" if name == "array" else "a")
        if isinstance(source, StrictArray):
            return wrap(getattr(np, name)(source._array, **bound), source)
        note("to_device", name)
        source = source.copy(order="K") if isinstance(source, np.ndarray) else unwrap(source)
        return wrap(getattr(np, name)(source, **bound))

    return enter


def asnumpy(*args, **kwargs):
    """``cupy.asnumpy``, the door out; host arrays pass unchanged."""
    bound = bind("cupy.asnumpy", CUPY["cupy"]["functions"]["asnumpy"], args, kwargs)
    array = bound.pop("a")
    return array.get(**bound) if isinstance(array, StrictArray) else np.asarray(array)


def scatter_add(a, slices, value):
    """``cupyx.scatter_add``: equal indices add up; a's dtype is one that atomicAdd supports."""
    if a.dtype.name not in ("int32", "uint32", "uint64", "float16", "float32", "float64"):
        raise TypeError(f"scatter_add does not support {a.dtype} on CuPy; use int32 or a float")
    shape = a[slices].shape  # also checks the index
    np.add.at(a._array, unwrap(slices), np.broadcast_to(operand(value), shape).astype(a.dtype))


xp = StrictModule(
    "cupy",
    np,
    ndarray=StrictArray,
    array=_door_in("array"),
    asarray=_door_in("asarray"),
    asnumpy=asnumpy,
    linalg=StrictModule("cupy.linalg", np.linalg),
    lib=SimpleNamespace(stride_tricks=StrictModule("cupy.lib.stride_tricks", np.lib.stride_tricks)),
)
