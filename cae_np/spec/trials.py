"""Running an operation on a case, and comparing what comes out."""

import numpy as np

from ..backend import active, to_numpy
from ..errors import ConfigError
from ..ops import reference
from ..rng import Purpose, generator
from .cases import normal


def require_assertions():
    """Refuse to check anything without the assertions that the checks are made of.

    Raises
    ------
    ConfigError
        Under ``python -O``.
    """
    if not __debug__:
        raise ConfigError(
            "python -O and $PYTHONOPTIMIZE leave out the assertions that the checks are made of, "
            "and wrong functions would pass; run it without them"
        )


# --- the same values in other memory --------------------------------------------------------------


def contiguous(xp, a):
    """The host array on the device, in C order."""
    return xp.array(a)


def batch_last(xp, a):
    """The same values with the first axis' neighbours side by side in memory."""
    return xp.moveaxis(xp.asarray(np.ascontiguousarray(np.moveaxis(a, 0, -1))), -1, 0)


def transposed(xp, a):
    """The same values in Fortran order."""
    return xp.asarray(np.ascontiguousarray(a.T)).T


def reversed_axes(xp, a):
    """The same values with negative strides."""
    backwards = (slice(None, None, -1),) * a.ndim
    return xp.asarray(np.ascontiguousarray(a[backwards]))[backwards]


def every_second(xp, a):
    """The same values with gaps between them."""
    wide = np.full([2 * side for side in a.shape], 99, dtype=a.dtype)
    places = (slice(None, None, 2),) * a.ndim
    wide[places] = a
    return xp.asarray(wide)[places]


def in_float32(xp, a):
    """The host array on the device, real numbers in float32."""
    return xp.array(a, dtype=np.float32 if a.dtype.kind == "f" else a.dtype)


def on_device(xp, arguments, arrange=contiguous):
    """Host arguments with their arrays moved to the device in some memory order."""
    return tuple(arrange(xp, a) if isinstance(a, np.ndarray) else a for a in arguments)


def run_both_ways(operation, impl, xp, case, arrange):
    """Everything that both directions return for a case, by what it is called."""
    rng = generator_of(case)
    arguments = on_device(xp, operation.draw(case, rng), arrange)
    y, rest = operation.run_forward(impl, arguments)
    results = {f"result {i + 1} of {operation.name}": a for i, a in enumerate((y, *rest))}
    if operation.arrays:
        dy = arrange(xp, normal(rng, y.shape)) if y.shape else None
        gradients = operation.run_backward(impl, dy, arguments, y, rest)
        results |= {f"gradient {i + 1}": gradient for i, gradient in enumerate(gradients)}
    return results


def as_a_layer(operation, impl, arguments):
    """An operation as what a gradient check takes: ``(forward, backward, arrays, names)``."""

    def complete(arrays):
        arrays = dict(zip(operation.arrays, arrays, strict=True))
        return tuple(arrays.get(i, argument) for i, argument in enumerate(arguments))

    def forward(*arrays):
        return operation.run_forward(impl, complete(arrays))[0]

    def backward(dy, *arrays):
        y, rest = operation.run_forward(impl, complete(arrays))
        gradients = operation.run_backward(impl, dy, complete(arrays), y, rest)
        return tuple(dy * g for g in gradients) if operation.is_loss else gradients

    names = [f"argument {i + 1} of {operation.name}" for i in operation.arrays]
    return forward, backward, tuple(arguments[i] for i in operation.arrays), names


def compare_forward_with_loops(operation, impl, xp, arguments):
    """Raise AssertionError where the forward and the nested loops differ."""
    y, rest = operation.run_forward(impl, on_device(xp, arguments))
    expected, expected_rest = operation.run_forward(reference, arguments)
    assert len(rest) == len(expected_rest), f"{operation.name} returned {1 + len(rest)} results"
    for i, (a, b) in enumerate(zip((y, *rest), (expected, *expected_rest), strict=True)):
        _assert_on_device(a)
        assert_close(f"result {i + 1} of {operation.name}", a, b)


def compare_backward_with_loops(operation, impl, xp, case, arguments):
    """Raise AssertionError where the backward and the nested loops differ."""
    expected_y, expected_rest = operation.run_forward(reference, arguments)
    dy = np.asarray(normal(generator_of(case, index=2), np.shape(expected_y)))
    expected = operation.run_backward(reference, dy, arguments, expected_y, expected_rest)
    arguments = on_device(xp, arguments)
    y, rest = operation.run_forward(impl, arguments)
    found = operation.run_backward(impl, xp.array(dy), arguments, y, rest)
    name = operation.backward_name
    assert len(found) == len(expected), f"{name} returned {len(found)} gradients"
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        _assert_on_device(a)
        assert_close(f"gradient {i + 1} of {name}", a, b)


def generator_of(case, index=1):
    """Where the values of a case come from; upstream gradients from another index."""
    return generator(Purpose.CHECK, case.seed, index)


def _assert_on_device(array):
    expected = active().array_type
    if expected is not np.ndarray:  # NumPy's own functions return scalars in place of 0-d arrays
        assert isinstance(array, expected), f"got {type(array).__name__}, not {expected.__name__}"


def assert_close(name, found, expected, tolerance=1e-10):
    """Compare shape and values; the message names the element that is farthest off."""
    found, expected = to_numpy(found), to_numpy(expected)
    assert found.shape == expected.shape, f"{name} has shape {found.shape}, not {expected.shape}"
    excess = np.abs(found * 1.0 - expected) - tolerance * (1 + np.abs(expected * 1.0))
    if not (excess <= 0).all():
        worst = np.unravel_index(np.argmax(excess), excess.shape)
        where = f"[{', '.join(str(i) for i in worst)}]" if worst else ""
        raise AssertionError(f"{name}{where} is {found[worst]:.6g}, expected {expected[worst]:.6g}")


def host_copies(arguments):
    """What arguments hold now, to compare with later."""
    return [to_numpy(a).copy() if hasattr(a, "shape") else a for a in arguments]


class Touched(AssertionError):
    """A function changed arguments in place.

    Parameters
    ----------
    function : str
    positions : list of int
        Which of its arguments, from 0.
    """

    def __init__(self, function, positions):
        self.function, self.positions = function, positions
        which = " and ".join(str(i + 1) for i in positions)
        super().__init__(f"{function} wrote into its argument {which}")


def assert_untouched(name, arguments, before):
    """Compare arguments with their copies from before a call.

    Raises
    ------
    Touched
    """
    touched = [
        i
        for i, (a, b) in enumerate(zip(arguments, before, strict=True))
        if hasattr(a, "shape") and not np.array_equal(to_numpy(a), b, equal_nan=b.dtype.kind == "f")
    ]
    if touched:
        raise Touched(name, touched)
