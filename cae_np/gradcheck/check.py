"""Is this backward the gradient of that forward?  Numerical checks for anybody's layer.

A layer is a pair of functions, and three lines check it::

    from cae_np.gradcheck import check_gradients

    x, w = rng.standard_normal((2, 1, 5, 5)), rng.standard_normal((3, 1, 3, 3))
    report = check_gradients(my_conv, my_conv_backward, x, w)
    print(report)                            # one line for each argument
    report.picture()                         # in a notebook: where the errors sit
    assert report.passed, report

``forward(*arrays)`` returns y, or a tuple that begins with y; ``backward(dy, *arrays)`` returns the
gradient of each array in their order (one array may come bare).  A backward that wants something
else gets it through a lambda; a layer that remembers its input may rely on having just seen it::

    check_gradients(lambda x: max_pool(x, 2),
                    lambda dy, x: max_pool_backward(dy, max_pool(x, 2)[1], 2), x)
    check_gradients(lambda x, w: layer.forward(x, w), lambda dy, x, w: layer.backward(dy), x, w)
    check_gradients(lambda z: loss(z, labels), lambda dy, z: dy * loss_backward(z, labels), z)

How it works.  With a random upstream gradient dy (with ones, many mistakes cancel), the number
``L = Σ dy·y`` has the gradient that the backward claims.  Each element of each argument is moved a
step to the right and to the left, and the mean of the two difference quotients is compared with
the claim.  Where the two quotients disagree the step is halved: on a smooth curve their
disagreement halves too; at a kink (the winner of a maximum changes, a ReLU changes sign) it stays,
and then the report says so instead of passing or failing by luck.
"""

import inspect

import numpy as np

from ..backend import get_array_module, to_numpy
from ..rng import Purpose, generator
from .probe import Settings, moved, probe_argument
from .report import AdjointReport, GradientReport


def check_gradients(
    forward,
    backward,
    *arrays,
    names=None,
    seed=0,
    step=1e-5,
    tolerance=1e-6,
    elements=200,
    directions=4,
):
    """Compare a backward with difference quotients of its forward, for every argument.

    Parameters
    ----------
    forward : callable, ``(*arrays) -> y`` or ``(y, ...)``
        y is a float64 array; a loss is one of shape ().
    backward : callable, ``(dy, *arrays) -> gradients``
        A tuple with one gradient for each array (None for one that is not to be checked), or
        the gradient of a single array.  dy has y's shape.
    *arrays : float64 arrays, of any backend
        They are copied for every call and never modified.
    names : sequence of str, optional
        What the report calls the arguments; default: the names of forward's parameters.
    seed : int
        Of the random upstream gradient, directions and samples.
    step : float
        Right for values around 1.  For an argument whose largest absolute value is below 1e-3 or
        above 1e3 it is taken times that.
    tolerance : float
        Largest relative error that passes (see :class:`ArgumentReport`).
    elements : int
        Arguments with no more elements are checked at every one, others at a random sample of
        so many and along random ``directions`` through all of them.
    directions : int

    Returns
    -------
    report : GradientReport
        With ``passed``, ``kinks``, an :class:`ArgumentReport` for each argument under
        ``report["name"]``, and a readable ``str``.

    Raises
    ------
    ValueError
        If the arrays or y are not float64, y is not finite, forward answers differently when
        asked again, or backward returns another number of gradients than there are arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import check_gradients
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> report = check_gradients(lambda x: x**2, lambda dy, x: 2 * x * dy, x)
    >>> report.passed
    True
    >>> check_gradients(lambda x: x**2, lambda dy, x: x * dy, x).passed  # the 2 is forgotten
    False
    """
    xp = get_array_module(*arrays)
    names = list(names) if names else _parameter_names(forward, len(arrays))
    hosts = [_checked_float64(to_numpy(a), n) for a, n in zip(arrays, names, strict=True)]

    def output(*values):
        y = forward(*[xp.array(value) for value in values])
        y = y[0] if isinstance(y, tuple) else y
        if y is None:
            raise ValueError("forward returned None; is a `return` missing?")
        return to_numpy(y)

    y = _checked_float64(output(*hosts), "what forward returned").copy()
    if not np.isfinite(y).all():
        wrong = y[~np.isfinite(y)]
        raise ValueError(
            f"forward returned {wrong[0]} ({wrong.size} of {y.size} values are not finite); "
            "choose other inputs"
        )
    rng = generator(Purpose.CHECK, seed)
    dy = np.asarray(rng.standard_normal(y.shape))

    copies = [xp.array(host) for host in hosts]
    again = forward(*copies)  # so that a layer that remembers its input remembers this one
    if not np.array_equal(to_numpy(again[0] if isinstance(again, tuple) else again), y):
        raise ValueError(
            "forward gave two different answers to the same arrays; draw its random numbers "
            "before, and pass them in"
        )
    gradients = backward(xp.array(dy), *copies)
    if not isinstance(gradients, (tuple, list)):
        gradients = (gradients,)
    if len(gradients) != len(arrays):
        raise ValueError(
            f"backward returned {len(gradients)} gradients for {len(arrays)} arrays; it must "
            "return one for each, in their order (None for one that is not to be checked)"
        )

    gradients = [None if g is None else to_numpy(g).copy() for g in gradients]
    settings = Settings(rng, step, tolerance, elements, directions)
    reports = []
    for i, (name, host, gradient) in enumerate(zip(names, hosts, gradients, strict=True)):
        if gradient is not None:

            def output_of(value, i=i):
                return output(*hosts[:i], value, *hosts[i + 1 :])

            reports.append(probe_argument(name, output_of, host, gradient, y, dy, settings))
    return GradientReport(reports)


def check_model(
    model, x, target=None, *, seed=0, step=1e-5, tolerance=1e-6, elements=60, directions=4
):
    """Compare a model's gradients with difference quotients of its loss, for every parameter.

    Parameters
    ----------
    model : object
        With ``params`` (dict of float64 arrays; they are moved in place and put back) and
        ``loss_and_gradients(x, target) -> (loss, dict of gradients)``.
    x, target : arguments of ``loss_and_gradients``, in float64
    seed, step, tolerance, elements, directions
        As in :func:`check_gradients`.

    Returns
    -------
    report : GradientReport
        With an argument for each parameter.

    Raises
    ------
    ValueError
        If parameters or loss are not float64 or not finite, or the gradients are not those of
        exactly the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import ConvAutoEncoder, check_model
    >>> x = np.random.default_rng(0).random((2, 1, 8, 8))
    >>> model = ConvAutoEncoder(channels=1, maps=2, kernel=3, dtype="float64")
    >>> check_model(model, x, x).passed
    True
    """
    loss, gradients = model.loss_and_gradients(x, target)
    if set(gradients) != set(model.params):
        raise ValueError(
            f"gradients of {sorted(gradients)} for the parameters {sorted(model.params)}; "
            "expected one for each of them, and no others"
        )
    y = _checked_float64(to_numpy(loss), "the loss").copy()
    if not np.isfinite(y):
        raise ValueError(f"the loss is {y}; choose other inputs or parameters")
    gradients = {name: to_numpy(gradient).copy() for name, gradient in gradients.items()}
    settings = Settings(generator(Purpose.CHECK, seed), step, tolerance, elements, directions)

    reports = []
    for name, parameter in model.params.items():
        host = _checked_float64(to_numpy(parameter), name).copy()
        xp = get_array_module(parameter)

        def output_of(value, parameter=parameter, xp=xp):
            parameter[...] = xp.asarray(value)
            return to_numpy(model.loss_and_gradients(x, target)[0])

        try:
            reports.append(
                probe_argument(name, output_of, host, gradients[name], y, np.ones(()), settings)
            )
        finally:
            parameter[...] = xp.asarray(host)
    return GradientReport(reports)


def check_adjoint(forward, adjoint, x, y, tolerance=1e-10):
    """Compare ``<forward(x), y>`` with ``<x, adjoint(y)>``, which adjoint linear maps make equal.

    Parameters
    ----------
    forward : callable, x -> array of y's shape
        Linear.
    adjoint : callable, y -> array of x's shape
    x, y : float64 arrays
        Random, never ones.
    tolerance : float

    Returns
    -------
    report : AdjointReport

    Raises
    ------
    ValueError
        If a shape does not fit, or x or y is not float64.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import check_adjoint
    >>> rng = np.random.default_rng(0)
    >>> a, x, y = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
    >>> check_adjoint(lambda x: a @ x, lambda y: a.T @ y, x, y).passed
    True
    """
    there, back = to_numpy(forward(x)), to_numpy(adjoint(y))
    x, y = _checked_float64(to_numpy(x), "x"), _checked_float64(to_numpy(y), "y")
    for array, other, what in [(there, y, "forward(x) and y"), (back, x, "adjoint(y) and x")]:
        if array.shape != other.shape:
            raise ValueError(f"{what} have the shapes {array.shape} and {other.shape}")
    left, right = float((there * y).sum()), float((x * back).sum())
    size = np.linalg.norm(there) * np.linalg.norm(y)
    error = abs(left - right) / size if size else abs(left - right)
    return AdjointReport(left, right, float(error), tolerance)


def numerical_gradient(loss, x, step=1e-5):
    """The gradient of a number by central differences, one element after the other.

    Parameters
    ----------
    loss : callable, x -> number
    x : float64 array
    step : float

    Returns
    -------
    gradient : array of x's shape and module
        ``(loss(x + step) - loss(x - step)) / (2 step)`` for each element's own step.

    Raises
    ------
    ValueError
        If x is not float64.
    """
    xp = get_array_module(x)
    host = _checked_float64(to_numpy(x), "x")
    gradient = np.zeros(host.shape)
    for index in np.ndindex(*host.shape):
        ends = [to_numpy(loss(xp.array(moved(host, index, s)))) for s in (step, -step)]
        gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return xp.asarray(gradient)


# --- arguments ----------------------------------------------------------------------------------


def _checked_float64(array, what):
    if array.dtype != np.float64:
        raise ValueError(
            f"{what} is {array.dtype}; difference quotients are taken in float64: pass float64 "
            "arrays, and let the dtype that comes in go out"
        )
    return array


def _parameter_names(function, count):
    """What the function calls its first parameters; numbers where that cannot be seen."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in positional][:count]
    return names if len(names) == count else [f"argument {i + 1}" for i in range(count)]
