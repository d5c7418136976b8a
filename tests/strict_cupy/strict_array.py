"""The stand-in's array: what ``cupy.ndarray`` allows, computed by a NumPy array inside."""

import operator
from types import SimpleNamespace

import numpy as np

from .copies import note
from .signatures import CUPY, VERSION, bind

METHODS = CUPY["cupy.ndarray"]["methods"]
ATTRIBUTES = {
    *("T", "mT", "real", "imag", "shape", "strides", "dtype", "ndim", "size", "itemsize", "nbytes")
}
TO_HOST = {"item", "tolist", "tobytes"}
# Methods that go through files or host buffers, or that NumPy's array does not have alike.
NOT_OFFERED = {
    *("dump", "dumps", "mdspan", "put", "reduced_view", "scatter_add", "scatter_max"),
    *("scatter_min", "set", "toDlpack", "tofile"),
}
# The result's size depends on values, or the values are checked: the host waits for the device.
SYNCHRONISING = {
    *CUPY["cupy"]["synchronising"],
    *("argwhere", "choose", "trim_zeros", "union1d", "setdiff1d", "setxor1d", "intersect1d"),
    *("unique_all", "unique_counts", "unique_inverse", "unique_values"),
} - {"where"}
# Parameters that CuPy reads on the host: its arrays have no __index__.
HOST_PARAMETERS = {
    *("shape", "newshape", "new_shape", "dims", "axis", "axes", "axis1", "axis2", "source"),
    *("destination", "repeats", "reps", "shift", "pad_width", "num", "N", "n", "k", "kth"),
    *("decimals", "window_shape", "strides", "ddof", "minlength", "indices_or_sections"),
}


class StrictArray:
    """Stands for ``cupy.ndarray``; made by the stand-in's functions, never by hand."""

    __slots__ = ("_array",)
    __hash__ = None
    __array_ufunc__ = None  # NumPy's arrays and scalars leave their operators to ours

    def __init__(self, array):
        if not isinstance(array, np.ndarray):
            raise TypeError("make device arrays with asarray, empty, zeros, ...")
        if array.dtype.char not in "?bhilqBHILQefdFD":
            raise ValueError(f"Unsupported dtype {array.dtype}")
        self._array = array

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed; use to_numpy, or a function of "
            "get_array_module(x) instead of NumPy's"
        )

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} was given a device array")

    def __getattr__(self, name):
        if name in ATTRIBUTES:
            return wrap(getattr(self._array, name))
        if name not in METHODS:
            raise AttributeError(f"cupy.ndarray {VERSION} has no {name!r} that NumPy shares")
        if name in NOT_OFFERED or not hasattr(np.ndarray, name):
            raise AttributeError(f"cupy.ndarray has {name!r}, but not in a way that NumPy shares")
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def _call(self, name, args, kwargs):
        bound = bind(f"cupy.ndarray.{name}", METHODS[name], args, kwargs)
        check_arguments(name, bound, self)
        if name in TO_HOST | SYNCHRONISING:
            note("to_host", name)
        result = getattr(self._array, name)(*unwrap(args), **unwrap(kwargs))
        return result if name in TO_HOST else wrap(result, self, *bound.values())

    @property
    def flags(self):
        """CuPy's three flags."""
        names = ("c_contiguous", "f_contiguous", "owndata")
        return SimpleNamespace(**{name: getattr(self._array.flags, name) for name in names})

    def get(self, stream=None, order="C", out=None, blocking=True):
        """A copy on the host."""
        note("to_host", "get")
        if out is None:
            return np.array(self._array, order=order)
        out[...] = self._array
        return out

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        key, arrays = _numpy_key(key)
        # Integers alone give a 0-d view, as on the device, not the copy of a scalar.
        return wrap(self._array[key if arrays else _with_ellipsis(key)])

    def __setitem__(self, key, value):
        key, arrays = _numpy_key(key)
        if "i" in arrays:
            refuse_duplicates(np.arange(self.size).reshape(self.shape)[key])
        elif not arrays and isinstance(value, StrictArray):
            _refuse_overlap(self._array[_with_ellipsis(key)], value._array)
        self._array[key] = operand(value)


def _numpy_key(key):
    """The key as a tuple for NumPy, and for each index array in it "i" or "b" (boolean)."""
    key, arrays = key if isinstance(key, tuple) else (key,), ""
    for item in key:
        if isinstance(item, StrictArray) and item.dtype.kind in "iub":
            arrays += "b" if item.dtype.kind == "b" else "i"
            continue
        for part in (item.start, item.stop, item.step) if isinstance(item, slice) else (item,):
            is_integer = isinstance(part, (int, np.integer)) and not isinstance(part, bool)
            if not (part is None or part is Ellipsis or is_integer):
                kind = f"{part.dtype} array" if isinstance(part, StrictArray) else type(part)
                raise TypeError(
                    "an index is made of Python integers, slices of them, and integer or boolean "
                    f"device arrays; got {kind}"
                )
    if "b" in arrays:
        note("to_host", "boolean mask")
    if arrays.count("b") > 1:
        raise IndexError("CuPy does not support several boolean masks in one index")
    return unwrap(key), arrays


def _with_ellipsis(key):
    return key if Ellipsis in key else (*key, ...)


def refuse_duplicates(places):
    """Raise ValueError if one place is named twice: on CuPy the value that stays is undefined."""
    if np.unique(places).size != places.size:
        raise ValueError(
            "assignment through duplicate indices is undefined on CuPy; use scatter_add"
        )


def _refuse_overlap(target, value):
    # CuPy copies contiguous arrays of one dtype by cudaMemcpyAsync, which forbids overlap.
    same = target.ctypes.data == value.ctypes.data and target.strides == value.strides
    if not same and np.may_share_memory(target, value) and np.shares_memory(target, value):
        raise ValueError("assignment between overlapping views is undefined on CuPy; copy first")


# --- in and out of the wrapping -----------------------------------------------------------------


def operand(other):
    """What NumPy computes with: a device array's content, or a Python or NumPy scalar."""
    if isinstance(other, StrictArray):
        return other._array
    if isinstance(other, (int, float, complex, np.bool, np.number)):
        return other
    raise TypeError(f"Unsupported type {type(other)}")


def unwrap(value):
    """Device arrays replaced by their content, also in tuples, lists and dicts; no NumPy arrays."""
    if isinstance(value, (StrictArray, np.ndarray)):
        return operand(value)
    if type(value) in (tuple, list):
        return type(value)(map(unwrap, value))
    if type(value) is dict:
        return {key: unwrap(item) for key, item in value.items()}
    return value


def wrap(result, *arguments):
    """NumPy's arrays and scalars as device arrays; an argument that came back is that argument."""
    if isinstance(result, (np.ndarray, np.generic)):
        for argument in arguments:
            if isinstance(argument, StrictArray) and argument._array is result:
                return argument
        return StrictArray(np.asarray(result))
    if isinstance(result, (tuple, list)):
        return (list if isinstance(result, list) else tuple)(wrap(r, *arguments) for r in result)
    return result


def check_arguments(name, bound, *first):
    """Raise TypeError or ValueError where CuPy refuses what NumPy would take."""
    for parameter in HOST_PARAMETERS & bound.keys():
        if _has_device_array(bound[parameter]):
            raise TypeError(
                f"{name}: {parameter} must be made of Python numbers; a device array cannot be "
                "interpreted as an integer"
            )
    if name == "dot" and bound.get("out") is not None:
        a, b, out = *first, *bound.values()
        if not out.flags.c_contiguous or out.dtype != np.result_type(a.dtype, b.dtype):
            raise ValueError("dot: out must be C-contiguous and of the result's dtype")


def _has_device_array(value):
    if isinstance(value, (tuple, list)):
        return any(map(_has_device_array, value))
    return isinstance(value, StrictArray)


# --- operators, and what leaves the device ------------------------------------------------------


def _binary(function):
    return lambda self, other: wrap(function(self._array, operand(other)))


def _reflected(function):
    return lambda self, other: wrap(function(operand(other), self._array))


def _in_place(function):
    return lambda self, other: wrap(function(self._array, operand(other)), self)


def _unary(function):
    return lambda self: wrap(function(self._array))


def _to_host(function):
    def convert(self, *spec):
        note("to_host", function.__name__)
        return function(self._array, *spec)

    return convert


def _define(method, function):
    setattr(StrictArray, f"__{method}__", function)


for _name in "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul".split():
    _define(_name, _binary(getattr(operator, f"__{_name}__")))
    _define(f"r{_name}", _reflected(getattr(operator, f"__{_name}__")))
    if _name != "matmul":  # CuPy has no __imatmul__: x @= y makes a new array
        _define(f"i{_name}", _in_place(getattr(operator, f"__i{_name}__")))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _define(_name, _binary(getattr(operator, f"__{_name}__")))
for _name in ("neg", "pos", "abs", "invert"):
    _define(_name, _unary(getattr(operator, f"__{_name}__")))
for _function in (float, int, complex, bool, str, repr, format):
    _define(_function.__name__, _to_host(_function))
