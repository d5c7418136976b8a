"""Saving and loading what a model has learned."""

import numpy as np

from ..backend import to_device, to_numpy
from ..errors import ConfigError, DataError


def host_parameters(params):
    """Host copies of parameters, by name."""
    return {name: to_numpy(p).copy() for name, p in params.items()}


def load_parameters(params, arrays):
    """Replace parameters by saved host arrays of the same names and shapes.

    Parameters
    ----------
    params : dict of device arrays, modified
    arrays : dict of numpy arrays

    Raises
    ------
    ConfigError
        If names or shapes differ.
    DataError
        If a number is NaN or infinite.
    """
    expected = {name: p.shape for name, p in params.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        raise ConfigError(
            f"saved parameters {found} are not those of this model, which has {expected}; "
            "build it with the configuration that was saved beside them"
        )
    require_finite(arrays)
    for name, p in params.items():
        p[...] = to_device(arrays[name], p.dtype)


def require_finite(arrays):
    """Refuse saved parameters that hold NaN or infinity: what they compute would be worth nothing.

    Parameters
    ----------
    arrays : dict of numpy arrays

    Raises
    ------
    DataError
        With the name of the first, and how many numbers of it.
    """
    for name, array in arrays.items():
        wrong = array.size - np.count_nonzero(np.isfinite(array))
        if wrong:
            raise DataError(
                f"the saved parameters {name!r}, of shape {array.shape}, hold NaN or infinity "
                f"({wrong} of {array.size} numbers); take a copy from before they were damaged, "
                "or train again"
            )
