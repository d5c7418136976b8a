"""Checking somebody's implementation: what must be true of it, and mistakes that are known.

In a notebook::

    from cae_np.coursework import check

    check("max_pool", my_max_pool)

An implementation is any object with the operations' functions as attributes, a module say.

What must be true of one stands in :mod:`cae_np.spec`, for the test suite and for students alike.

:mod:`.tasks`
    What is to be written, how it is called, what it is worth, and the stubs that are handed out.
:mod:`.planted`, :mod:`.mistakes`
    The catalogue of planted mistakes; ``python -m cae_np.coursework.mistakes`` prints it with the
    checks that catch each.
:mod:`.diagnosis`
    The smallest call that fails, what can be seen in its answer, why, and the words for it.
:mod:`.grading`
    ``check``, ``require`` and ``score`` for notebooks; files and notebooks handed in, a process for
    each task, results for people, Gradescope and spreadsheets; bug hunts and other graders' forms.

:mod:`.thread`
    A student's functions put together: networks that are trained with them.

On the command line: ``python -m cae_np.coursework --help``.
"""

from .grading.notebook import check, require, score
from .thread import together
