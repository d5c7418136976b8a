"""Checking somebody's implementation: what must be true of it, and mistakes that are known.

In a notebook::

    from cae_np.coursework import check

    check("max_pool", my_max_pool)

An implementation is any object with the operations' functions as attributes, a module say.

What is true, and what is not:

:mod:`.cases`, :mod:`.operations`
    Sizes to try, and the table that says how to draw arguments for each operation.
:mod:`.properties`
    Everything that must be true, written once, for the test suite and for coursework.
:mod:`.planted`, :mod:`.mistakes`
    The catalogue of planted mistakes; ``python -m cae_np.coursework.mistakes`` prints it with the
    checks that catch each.

Trying what a student wrote:

:mod:`.tasks`, :mod:`.checking`
    What is to be written, how it is called, what it is worth; the task of writing the check itself.
:mod:`.engine`
    Tries one function; everything below calls it.
:mod:`.answers`, :mod:`.diagnosis`, :mod:`.observations`, :mod:`.search`
    What a function answers, how that differs, why, and the smallest call that shows it.
:mod:`.wording`, :mod:`.showing`
    The words and the arrays of a report.

Ways in (``python -m cae_np.coursework --help``):

:mod:`.notebook`
    ``check``, ``require`` and ``score``.
:mod:`.submission`, :mod:`.isolation`, :mod:`.grade`, :mod:`.scores`
    Files and notebooks; a process for each task; results for people, Gradescope and spreadsheets.
:mod:`.stubs`, :mod:`.bughunt`, :mod:`.forms`
    What is handed out, and what other graders want.
"""

from .notebook import check, require, score
