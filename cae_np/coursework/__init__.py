"""Checking somebody's implementation: what must be true of it, and mistakes that are known.

An implementation is any object with the operations' functions as attributes, a module say.

:mod:`.cases`, :mod:`.operations`
    Sizes to try, and the table that says how to draw arguments for each operation.
:mod:`.properties`
    Everything that must be true, written once, for the test suite and for coursework.
:mod:`.mistakes`
    ``failures(impl, "max_pool_backward")`` yields what is not true of one function;
    ``python -m cae_np.coursework.mistakes`` prints the catalogue of planted mistakes with the
    checks that catch each.
"""

from .check import check, require, score
