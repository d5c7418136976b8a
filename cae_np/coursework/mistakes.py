"""The catalogue of planted mistakes, and the check that catches each.

``python -m cae_np.coursework.mistakes`` prints it: every operation with the mistakes that are
known, the sentence that names each, the checks that caught it, and what the first of them said.
It ends with status 1 if a mistake went unnoticed.
"""

import sys
from types import SimpleNamespace

import numpy as np

from .. import backend, ops
from ..models.autoencoder import AutoEncoder
from ..models.cae import ConvAutoEncoder
from .cases import CASES
from .planted import MISTAKES, Mistake
from .properties import properties_of

__all__ = ["MISTAKES", "Mistake", "failures", "implementation"]


def implementation(**replaced):
    """This package's operations and models as attributes of one object, some of them replaced.

    Parameters
    ----------
    **replaced : callables by the name of what they replace

    Returns
    -------
    impl : namespace
    """
    own = {"AutoEncoder": AutoEncoder, "ConvAutoEncoder": ConvAutoEncoder}
    return SimpleNamespace(**(vars(ops) | own | replaced))


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
    """
    for prop in properties_of(function):
        for case in cases:
            try:
                with np.errstate(all="ignore"):
                    prop.check(impl, xp, case)
            except Exception as error:
                yield prop, case, error
                break


def main():
    """Print the catalogue; see the module's docstring."""
    xp = backend.use("numpy")
    missed = 0
    for mistake in MISTAKES:
        impl = implementation(**{mistake.operation: mistake.mutant})
        caught = list(failures(impl, mistake.operation, xp))
        missed += not caught
        print(f"{mistake}\n    {mistake.sentence}")
        if caught:
            print(f"    caught by: {', '.join(dict.fromkeys(p.name for p, *_ in caught))}")
            print(f"    {caught[0][2]}".splitlines()[0])
        else:
            print("    MISSED")
    print(f"{len(MISTAKES)} mistakes, {len(MISTAKES) - missed} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
