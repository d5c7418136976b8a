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
        The results that are wrong in some call; empty where a call gave no answer to compare.
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
    # An error, or too few results, says nothing about which of them are right.
    comparable = all(
        not t.difference or t.difference.kind not in ("raised", "count") for t in trials
    )
    wrong = sorted({i for trial in trials for i in wrong_results(trial)}) if comparable else ()
    return Diagnosis(
        example,
        _causes(task, trials),
        observations(trials),
        tuple(wrong),
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


WHOLE = "all results"


# --- causes ---------------------------------------------------------------------------------------


def _causes(task, trials):
    """The planted mistakes that answer like the function in every trial.

    One is named only where none with other words answers like it: for all results, else for those
    that are wrong by themselves.
    """
    wrong = sorted({i for trial in trials for i in wrong_results(trial)})
    own = [mistake for mistake in MISTAKES if mistake.operation == task.name]
    for mistakes in (own, _of_every_backward(task)):
        found = [
            (explained, mistake)
            for mistake in mistakes
            for explained in _explained(mistake, trials, wrong)
        ]
        whole = [mistake for explained, mistake in found if explained is WHOLE]
        if whole:
            return [Cause(whole[0], ())] if _say_the_same(whole) else []
        parts = {}
        for explained, mistake in found:
            parts.setdefault(explained, []).append(mistake)
        causes = [
            Cause(those[0], results)
            for results, those in sorted(parts.items())
            if _say_the_same(m for other, ms in parts.items() for m in ms if {*other} & {*results})
        ]
        if causes:
            return causes
    return []


def _say_the_same(mistakes):
    return len({mistake.sentence for mistake in mistakes}) == 1


def _explained(mistake, trials, wrong):
    """Yield what a mistake explains, in each form that it takes: :data:`WHOLE`, or results."""
    for mutant in (mistake.mutant, *mistake.others):
        explained = _explained_by(mutant, trials, wrong)
        if explained:
            yield explained


def _explained_by(mutant, trials, wrong):
    """:data:`WHOLE`, or the wrong results that a mutant explains: it answers like the function in
    them, and is right in the others, so that something else must have happened to those."""
    is_whole, explained, answers = True, set(wrong), []
    for trial in trials:
        answer = ask(mutant, arranged(trial.arguments, trial.situation))
        answers.append(answer)
        is_whole = is_whole and _same(trial, answer)
        explained = {i for i in explained if _same(trial, answer, i)}
        if not is_whole and not explained:
            return ()
    pairs = list(zip(trials, answers, strict=True))
    if not any(
        trial.difference and not same(answer, trial.expected, trial.situation == "float32")
        for trial, answer in pairs  # a mistake that is none in these calls explains nothing
    ):
        return ()
    if is_whole:
        return WHOLE
    others = set(range(len(trials[0].expected.results))) - explained
    are_right = all(_is_right(trial, answer, i) for trial, answer in pairs for i in others)
    return tuple(sorted(explained)) if others and are_right else ()


def _is_right(trial, answer, i):
    right = trial.expected.results
    if len(answer.results) != len(right):
        return False
    p, q = answer.results[i], right[i]
    return p.shape == q.shape and bool(close(p, q).all())


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
