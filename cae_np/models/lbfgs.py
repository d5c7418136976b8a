"""L-BFGS on the host over a function whose value and gradient come from anywhere."""

import numpy as np

from ..errors import ConfigError, DivergenceError

LINE_SEARCH_STEPS = 20  # scipy's own limit for one iteration


def minimize_lbfgs(objective, params, max_iterations=100, tolerance=1e-5, progress=None):
    """Minimise a differentiable function by L-BFGS.

    Parameters
    ----------
    objective : callable, (params) -> (value, gradients)
        Takes and returns dictionaries of float64 host arrays of the same names and shapes.
    params : dict of numpy.ndarray
        Where to start; not modified.
    max_iterations : int, >= 1
    tolerance : float, >= 0
        Small enough for the largest component of the gradient.
    progress : callable, (iteration, value, gradient) -> None, optional
        Called after each iteration; ``gradient`` is the size of the largest component.

    Returns
    -------
    params : dict of numpy.ndarray
    report : dict
        ``iterations``, ``evaluations``, ``value``, ``gradient`` (as in progress), ``converged``
        (whether that is within the tolerance), ``message`` (why it ended).  Plain values.

    Raises
    ------
    ConfigError
        If max_iterations or tolerance is out of range.
    DivergenceError
        If the value becomes infinite or NaN.

    Notes
    -----
    Deterministic.  The work is that of :func:`scipy.optimize.minimize`.
    """
    if max_iterations < 1 or not tolerance >= 0:
        raise ConfigError(
            f"max_iterations {max_iterations} and tolerance {tolerance}: expected at least 1 and 0"
        )
    from scipy import optimize  # half a second, which listing experiments need not wait for

    shapes = {name: array.shape for name, array in params.items()}
    last = {}
    iterations = 0

    def flat(arrays):
        return np.concatenate([arrays[name].ravel() for name in shapes])

    def evaluate(theta):
        value, gradients = objective(_unflatten(theta, shapes))
        gradient = flat(gradients)
        last.update(value=value, gradient=_largest(gradient))
        if not (np.isfinite(value) and np.isfinite(last["gradient"])):
            raise DivergenceError(
                f"after {iterations} iterations of L-BFGS the loss is {value}; "
                "scale the features, or raise the penalty"
            )
        return value, gradient

    def after_iteration(theta):  # where the last evaluation was
        nonlocal iterations
        iterations += 1
        if progress:
            progress(iterations, last["value"], last["gradient"])

    result = optimize.minimize(
        evaluate,
        flat(params),
        jac=True,
        method="L-BFGS-B",
        callback=after_iteration,
        options={
            "maxiter": max_iterations,
            "maxfun": (LINE_SEARCH_STEPS + 1) * (max_iterations + 1),  # never what ends it
            "maxls": LINE_SEARCH_STEPS,
            "gtol": tolerance,
            "ftol": 0,  # that the value hardly falls in one iteration is no reason to end
        },
    )
    gradient = _largest(result.jac)
    if gradient <= tolerance:
        message = f"converged: the largest component of the gradient is {gradient:.1e}"
    elif result.status == 1:
        message = f"ended by max_iterations = {max_iterations}, at a gradient of {gradient:.1e}"
    else:
        message = f"ended where rounding hides any further descent, at a gradient of {gradient:.1e}"
    return _unflatten(result.x, shapes), {
        "iterations": iterations,
        "evaluations": int(result.nfev),
        "value": float(result.fun),
        "gradient": gradient,
        "converged": gradient <= tolerance,
        "message": message,
    }


def _largest(gradient):
    return float(np.abs(gradient).max())


def _unflatten(theta, shapes):
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(theta, ends[:-1])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
