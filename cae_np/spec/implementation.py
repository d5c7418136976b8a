"""This package as an implementation to be tried, and what is not true of one."""

from types import SimpleNamespace

import numpy as np

from .. import ops
from ..models.autoencoder import AutoEncoder
from ..models.cae import ConvAutoEncoder
from ..models.cnn import ConvNet
from ..training.optim import sgd_step
from .cases import CASES
from .properties import properties_of
from .solutions import gradient_check, tied_cae_gradient, zca_whiten
from .trials import require_assertions


def implementation(**replaced):
    """This package's operations and models as attributes of one object, some of them replaced.

    Parameters
    ----------
    **replaced : callables by the name of what they replace

    Returns
    -------
    impl : namespace
    """
    own = (AutoEncoder, ConvAutoEncoder, ConvNet, sgd_step)
    own += (tied_cae_gradient, zca_whiten, gradient_check)
    return SimpleNamespace(**(vars(ops) | {one.__name__: one for one in own} | replaced))


def failures(impl, function, xp=np, cases=CASES):
    """Try every property that says something about a function.

    Parameters
    ----------
    impl : object with the operations as attributes
    function : str
        The name of one of them.
    xp : module
        The array module to compute with; it must be the active one.
    cases : iterable of Case

    Yields
    ------
    prop, case, error : Property, Case, Exception
        For each property that does not hold, the first case where it does not.  Whatever an
        implementation raises counts.

    Raises
    ------
    ConfigError
        Under ``python -O``.
    """
    require_assertions()
    for prop in properties_of(function):
        for case in cases:
            try:
                with np.errstate(all="ignore"):
                    prop.check(impl, xp, case)
            except Exception as error:
                yield prop, case, error
                break
