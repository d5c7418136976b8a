"""What is wrong with a function: the smallest example, what can be seen in it, and why.

Two kinds of sentences come out.  A *cause* is the sentence of a planted mistake that answers
exactly like the function under test in every case that is tried, the right ones included.  An
*observation* is something that is true of all wrong answers ("three times what is expected").
Where neither is found nothing is guessed.
"""

import time
from dataclasses import dataclass

import numpy as np

from ...spec.answers import Answer, ask, close, difference, same
from ...spec.cases import Case
from ..planted import MISTAKES, Mistake
from ..tasks.catalogue import SCORED, arranged
from .observations import observations, order_of_results, wrong_results
from .search import smallest_failing


@dataclass(frozen=True)
class Example:
    """One call with which a function answers wrongly.

    Attributes
    ----------
    case : Case
    situation : str
    arguments : tuple
    found, expected : Answer
    difference : Difference
    """

    case: Case
    situation: str
    arguments: tuple
    found: Answer
    expected: Answer
    difference: object


@dataclass(frozen=True)
class Cause:
    """A planted mistake that answers like the function.

    Attributes
    ----------
    mistake : Mistake
    results : tuple of int
        In which of the wrong results alone; empty if in all.
    """

    mistake: Mistake
    results: tuple


@dataclass(frozen=True)
class Diagnosis:
    """What is known about a wrong function.

    Attributes
    ----------
    example : Example, or None where only a property notices
    causes : list of Cause
        Mostly one.
    observations : list of (int, str)
        Which result, and the rest of a sentence about it.
    wrong : tuple of int
        The results that are wrong in some call.
    order : tuple of int
        The results in the order in which they would be right; empty if there is none.
    """

    example: Example | None
    causes: list
    observations: list
    wrong: tuple = ()
    order: tuple = ()


def diagnose(task, function, situation, operation=None, known=SCORED, examples=100):
    """Find the smallest example that fails in a situation, and what is behind it.

    Parameters
    ----------
    task : Task
    function : callable
    situation : str
        In which it failed; see :meth:`.catalogue.Task.arguments`.
    operation : Operation, optional
        Which of the task's.
    known : sequence of Case
        Tried before hypothesis draws any.
    examples : int
        How many it draws.

    Returns
    -------
    Diagnosis
    """

    def fails(case):
        try:
            return _drawn(task, function, case, situation, operation).difference is not None
        except Exception:  # an argument could not be drawn for these sizes
            return False

    clock = getattr(function, "clock", time.process_time)
    smallest = smallest_failing(fails, known, examples, clock)
    if smallest is None:
        return Diagnosis(None, [], [])
    trials = [_drawn(task, function, case, situation, operation) for case in (*SCORED, smallest)]
    example = _with_simple_values(task, function, trials[-1])
    return Diagnosis(
        example,
        _causes(task, trials),
        observations(trials),
        tuple(sorted({i for trial in trials for i in wrong_results(trial)})),
        order_of_results(trials),
    )


def _drawn(task, function, case, situation, operation):
    return _compared(task, function, case, situation, task.arguments(case, situation, operation))


def _compared(task, function, case, situation, arguments):
    """The function's answer to a call beside the right one."""
    found = ask(function, arranged(arguments, situation))
    expected = ask(task.solution, arranged(arguments, situation))
    wrong = difference(found, expected, compare_dtypes=situation == "float32")
    return Example(case, situation, arguments, found, expected, wrong)


def _with_simple_values(task, function, example):
    """The same sizes with small whole numbers, if they fail too."""
    if example.situation == "large":
        return example
    for simplify in (_counted, _ranked, _rounded):
        arguments = tuple(simplify(a) if _is_real(a) else a for a in example.arguments)
        simple = _compared(task, function, example.case, example.situation, arguments)
        if simple.difference and simple.difference.kind == example.difference.kind:
            return simple
    return example


def _is_real(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def _counted(a):
    """1, 2, 3, ... in row-major order."""
    return np.arange(1, a.size + 1).reshape(a.shape).astype(a.dtype)


def _ranked(a):
    """Whole numbers around zero in the same order; equal numbers stay equal."""
    values = np.unique(a)
    return (np.searchsorted(values, a) - (values < 0).sum()).astype(a.dtype)


def _rounded(a):
    return np.rint(3 * a)


# --- causes ---------------------------------------------------------------------------------------


def _causes(task, trials):
    """The planted mistakes that answer like the function in every trial, the most telling first.

    Where they agree in some of the wrong results only, they are the cause of those.
    """
    mistakes = [mistake for mistake in MISTAKES if mistake.operation == task.name]
    wrong = sorted({i for trial in trials for i in wrong_results(trial)})
    causes = []
    for mistake in [*mistakes, *_of_every_backward(task)]:
        is_whole, explained = _explained(mistake, trials, wrong)
        if is_whole:
            causes.append(Cause(mistake, ()))
        elif explained:
            causes.append(Cause(mistake, explained))
    # One that explains everything leaves nothing to the others.
    whole = [cause for cause in causes if not cause.results]
    most = max((len(cause.results) for cause in causes), default=0)
    return whole or [cause for cause in causes if len(cause.results) == most]


def _explained(mistake, trials, wrong):
    """Whether a mistake answers like the function, in every respect and in which wrong results."""
    is_whole, explained, is_wrong = True, wrong, False
    for trial in trials:
        answer = ask(mistake.mutant, arranged(trial.arguments, trial.situation))
        if trial.difference:  # a mistake that is none in these calls explains nothing
            compare_dtypes = trial.situation == "float32"
            is_wrong = is_wrong or not same(answer, trial.expected, compare_dtypes)
        is_whole = is_whole and _same(trial, answer)
        if not is_whole:
            explained = [i for i in explained if _same(trial, answer, i)]
            if not explained:
                break
    return is_whole and is_wrong, tuple(explained) if is_wrong else ()


def _of_every_backward(task):
    """What can be done wrong with any upstream gradient, where the catalogue has no own entry."""
    if not task.is_backward or task.operations[0].is_loss:
        return []

    def upstream_ignored(dy, *saved):
        return task.solution(np.ones_like(dy), *saved)

    sentence = "The upstream gradient is ignored, as if it were all ones."
    return [Mistake(task.name, upstream_ignored, sentence)]


def _same(trial, answer, result=None):
    """Whether a mistake answers like the function, in one of the results or in all."""
    found, compare_dtypes = trial.found, trial.situation == "float32"
    if result is None and not (trial.situation == "large" and found.results and answer.results):
        return same(answer, found, compare_dtypes)
    which = range(len(found.results)) if result is None else [result]
    if max(which, default=0) >= min(len(found.results), len(answer.results)):
        return False
    for i in which:
        p, q = answer.results[i], found.results[i]
        overflown = not np.isfinite(p).all() and not np.isfinite(q).all()
        if trial.situation == "large" and overflown:
            continue  # where exactly NaN and infinity come up depends on the order of things
        if p.shape != q.shape or not close(p, q).all():
            return False
    return True
