"""What a function takes, said once in front of it, and what to tell who brings something else.

    @takes(a="N K", winner="N K, below H W", w="K C kh kw", image_shape="(H, W)")
    def sparse_decode(a, winner, w, image_shape):

Letters are axes: the same letter is the same number everywhere, and only the batch N may be
empty (not where it is written N+).  ``...`` stands for any axes; in parentheses are those of a
tuple of int.

=====================  ============================================================================
``"N C H W"``          real numbers; integers and booleans are computed with as float64
``"N C H W, kept"``    real numbers of any type, which what comes out keeps
``"N C H W, out"``     memory for a result: floats
``"N K, below H W"``   integers from 0 to H·W - 1
=====================  ============================================================================

Shapes and types are known on the host, so looking at them costs a microsecond an array and never
waits for a device.  Values are looked at on the host alone, those of ``below``: on a device the
look would wait for all that is being computed, and what lies out of range is undefined there.
"""

import inspect
from functools import wraps
from math import prod
from numbers import Integral

import numpy


def takes(**wanted):
    """Check the arguments of a function before it is called.

    Parameters
    ----------
    **wanted : str
        For each argument that is an array or a shape what it has to be, see above.  They are
        looked at in this order, so that what does not fit those before it is blamed.  An argument
        that is None, and may be, is not looked at.

    Returns
    -------
    decorator

    Raises
    ------
    TypeError, ValueError
        From the decorated function: one line with the argument's name, what came, and what was
        expected.
    """

    def decorate(function):
        parameters = inspect.signature(function).parameters
        wants = [_Want(name, parameters, spec) for name, spec in wanted.items()]
        seen = {}  # shapes and types that fit as they came, and how large positions may be

        @wraps(function)
        def checked(*args, **kwargs):
            try:
                key = tuple([want.key(want.given(args, kwargs)) for want in wants])
                limits = seen.get(key)
            except (AttributeError, TypeError):
                key = limits = None
            if limits is None:
                args, kwargs, limits, as_they_came = _examined(wants, args, kwargs)
                if key and as_they_came and len(seen) < SEEN_LIMIT:
                    seen[key] = limits
            for want, limit in limits:
                want.look_at_positions(want.given(args, kwargs), limit)
            return function(*args, **kwargs)

        checked.takes = wanted
        return checked

    return decorate


# Of one function: a training meets a handful, and whoever tries a thousand shapes does not hurry.
SEEN_LIMIT = 1000


def _examined(wants, args, kwargs):
    """The arguments as the function gets them, ``(want, limit)`` of each array of positions, and
    whether no argument had to be converted."""
    sizes, new, limits, as_they_came = {}, list(args), [], True
    kwargs = dict(kwargs)
    for want in wants:
        value = want.given(args, kwargs)
        if value is None and want.may_be_left_out:
            continue
        checked = want.checked(value, sizes)
        if checked is not value:
            as_they_came = False
            if want.position < len(new):
                new[want.position] = checked
            else:
                kwargs[want.name] = checked
    for want in wants:
        if want.below:
            limits.append((want, prod(sizes[axis][0] for axis in want.below)))
    return tuple(new), kwargs, limits, as_they_came


class _Want:
    """What one argument has to be."""

    def __init__(self, name, parameters, spec):
        self.name, self.position = name, list(parameters).index(name)
        self.may_be_left_out = parameters[name].default is None
        axes, _, self.kind = (spec, "", "tuple") if spec[0] == "(" else spec.partition(", ")
        self.axes = tuple(axes.strip("()").replace(",", " ").replace("+", "").split())
        self.may_be_empty = "" if "+" in axes else "N"
        self.below = self.kind.split()[1:] if self.kind.startswith("below") else ()
        self.rest = self.axes.index("...") if "..." in self.axes else None

    def given(self, args, kwargs):
        """The argument in a call, or None."""
        return args[self.position] if self.position < len(args) else kwargs.get(self.name)

    def key(self, value):
        """All that :meth:`checked` looks at; AttributeError where it is no array."""
        if value is None or self.kind == "tuple":
            return value
        return value.shape, value.dtype.char

    def checked(self, value, sizes):
        """The value as the function gets it; ``sizes`` learns its axes."""
        if self.kind == "tuple":
            if not isinstance(value, (tuple, list)) or any(not _is_whole(n) for n in value):
                raise TypeError(f"{self.name} is {value!r}; expected a tuple of int, {self._shape}")
            self._compare(tuple(value), sizes)
            return value
        try:
            kind, shape = value.dtype.kind, value.shape
        except AttributeError:
            raise TypeError(
                f"{self.name} is a {type(value).__name__}; expected an array of shape "
                f"{self._shape}; convert it with numpy.asarray"
            ) from None
        self._compare(shape, sizes)
        if self.below:
            if kind not in "iu":
                raise TypeError(f"{self.name} is {value.dtype} of shape {shape}; expected integers")
        elif kind != "f":
            if kind not in "biu" or self.kind == "out":
                what = "floating-point" if self.kind == "out" else "real"
                raise TypeError(
                    f"{self.name} is {value.dtype} of shape {shape}; expected {what} numbers"
                )
            if not self.kind:
                return value.astype("float64")
        return value

    def _compare(self, shape, sizes):
        """Raise ValueError where the axes are not those that are wanted, and known so far."""
        found, axes = shape, self.axes
        if self.rest is not None:  # ... is what the other axes leave
            end = len(shape) - (len(axes) - self.rest - 1)
            found = (*shape[: self.rest], shape[self.rest : end], *shape[end:])
        if len(found) != len(axes) or not shape:
            raise self._wrong(shape, self._hint(shape))
        for axis, size in zip(axes, found, strict=True):
            known, other, whole = sizes.setdefault(axis, (size, self.name, shape))
            if known != size:
                raise self._wrong(shape, f" with {axis} = {known}, as in {other} of shape {whole}")
            if size == 0 and axis != self.may_be_empty or axis == "..." and self.rest and 0 in size:
                most = "no axis but the batch" if self.may_be_empty else "none"
                raise self._wrong(shape, f", and {most} may be empty")

    def _wrong(self, shape, more):
        return ValueError(f"{self.name} has shape {tuple(shape)}; expected {self._shape}{more}")

    @property
    def _shape(self):
        return "(" + ", ".join(self.axes) + (",)" if len(self.axes) == 1 else ")")

    def _hint(self, shape):
        if self.axes != ("N", "C", "H", "W") or len(shape) != 3:
            return ""
        return f"; one image is {self.name}[None], images of one channel are {self.name}[:, None]"

    def look_at_positions(self, value, limit):
        """Raise ValueError for a position that is none, on the host."""
        if not isinstance(value, numpy.ndarray) or not value.size:
            return
        # As unsigned numbers the negative ones are the largest.
        unsigned = value.view(f"u{value.itemsize}")
        if numpy.maximum.reduce(unsigned, axis=None) >= limit:
            worst = value[(value < 0) | (value >= limit)][0]
            raise ValueError(
                f"{self.name} of shape {value.shape} holds {worst}; expected 0 to {limit - 1} "
                f"(below {'·'.join(self.below)} = {limit})"
            )


def _is_whole(number):
    return isinstance(number, Integral)
