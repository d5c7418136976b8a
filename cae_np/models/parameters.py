"""Saving and loading what a model has learned."""

from ..backend import to_device, to_numpy
from ..errors import ConfigError


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
    """
    expected = {name: p.shape for name, p in params.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        raise ConfigError(
            f"saved parameters {found} are not those of this model, which has {expected}; "
            "build it with the configuration that was saved beside them"
        )
    for name, p in params.items():
        p[...] = to_device(arrays[name], p.dtype)
