"""Trying one function: what is true of it, what that is worth, and what to say about it.

Everything that checks coursework calls :func:`try_task`: notebooks, the command line, the graders'
forms.  It runs in the calling process, whether the function is called there or, through
:mod:`.remote`, in a process of its own.
"""

import dis
import secrets
import time
from dataclasses import dataclass, field, replace

import numpy as np

from ... import backend
from ...spec.answers import NotStarted, ask, difference
from ...spec.cases import CASES
from ...spec.implementation import implementation
from ...spec.trials import require_assertions
from ..diagnosis.causes import diagnose
from ..diagnosis.wording import beyond_note, failed_report, passed_report, slow_note, state_report
from ..tasks.catalogue import FOR_VALUES, LARGE, NEED_VALUES, SCORED, SITUATION, arranged
from .gate import LONGEST_REPORT, Gated, Tamed, plain_text

EXAMPLES = 100
CALLS, DOUBT_SECONDS = 400, 0.5  # how long a function that is right is asked on
DRAWS = 5  # with how many new values at once, at least
NO_STEPS = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
ROUNDS, SLOW_TIMES = 3, 20  # side by side, and how much longer is called slow
LONG_ENOUGH = 0.5  # seconds of a call after which no second one is needed


@dataclass
class TaskResult:
    """What became of one task.

    Attributes
    ----------
    task : str
    state : {"not started", "failed", "passed", "too slow", "refused"}
        "too slow": it did not end within the time limit.  "refused": it imports what it should
        write.
    points, max_points : float
    checks : dict of str to bool
        What was checked, and whether it holds.
    report : str
        For the student.
    seconds : float
    """

    task: str
    state: str = "not started"
    points: float = 0.0
    max_points: float = 0.0
    checks: dict = field(default_factory=dict)
    report: str = ""
    seconds: float = 0.0

    @property
    def passed(self):
        return self.state == "passed"


def try_task(task, function, tell=None, examples=EXAMPLES):
    """Check a function against everything that must be true of it.

    Parameters
    ----------
    task : Task
    function : callable, or None where there is none
        One that is not :class:`.gate.Gated` yet is put behind the gate here.
    tell : callable, TaskResult -> None, optional
        Is given the result as soon as the points are certain, before anything that may take long
        or go wrong (finding the smallest example, measuring the speed).
    examples : int
        How many cases hypothesis draws to find a small one that fails; they earn and cost no
        points.  With 0 it is not asked, and functions that pass are not tried any further.

    Returns
    -------
    TaskResult

    Raises
    ------
    ConfigError
        Under ``python -O``.
    Refused, Escaped, Ended
        Whatever ends the task from within a call.
    """
    require_assertions()
    start = time.perf_counter()
    result = TaskResult(task.name, max_points=task.points)
    before = backend.active().name
    backend.use("numpy")
    try:
        return _tried(task, function, result, start, tell, examples)
    finally:
        backend.use(before)


def _tried(task, function, result, start, tell, examples):
    try:
        if not isinstance(function, Gated):
            if not callable(function) or is_empty(function):
                raise NotStarted
            function = Tamed(function, bool(task.trial))
        if task.trial:
            return _finished(_tried_its_own_way(task, function, result), start, tell)
        ask(function, task.arguments(SCORED[0]))  # raises NotStarted, whatever else it does
        failed, result.checks, share, right = _check(task, function)
    except NotStarted:
        result.report = state_report(result, "not started")
        return _finished(result, start, tell)
    doubt = _doubt(task, function, right) if right and examples else ""
    if doubt:
        result.checks["values"], share = False, 0
    result.points = round(share * task.points, 2)
    result.state = "failed" if failed or doubt else "passed"
    result.report = (
        passed_report(result) if result.passed else state_report(result, "failed", doubt)
    )
    _finished(result, start, tell)
    if failed and not doubt:
        result.report = _report(task, function, result, failed, examples)
    elif examples and not doubt:
        result.report = passed_report(result, _slowness(task, function), _beyond(task, function))
    return _finished(result, start)


def _tried_its_own_way(task, function, result):
    share, result.checks, sentences = task.trial(function)
    result.points = round(share * task.points, 2)
    state = "passed" if share == 1 else "failed"
    result.report = state_report(result, state, "\n  ".join(sentences))
    return result


def _finished(result, start, tell=None):
    result.seconds = round(time.perf_counter() - start, 3)
    result.report = plain_text(result.report, LONGEST_REPORT)
    if tell:
        tell(result)
    return result


def _check(task, function):
    """``(failed, checks, share, right)``: failures as (property, case, error), values first; which
    checks hold; the share of the points that is earned; (case, operation) with right values."""

    def plain(*arguments):
        try:
            returned = function(*arguments)
        except NotImplementedError as error:
            raise NotStarted from error
        plain.returned_view = function.notes.get("view", False)
        return returned

    impl = implementation(**{task.name: plain})
    about_values, others = task.properties
    failed, checks, right = [], {}, []
    for operation, prop in zip(task.operations, about_values, strict=True):
        misses = [(case, _misses(prop, impl, case)) for case in SCORED]
        right += [(case, operation) for case, miss in misses if not miss]
        wrong = [miss[0] for _, miss in misses if miss]
        _note(checks, prop, not wrong)
        failed += [(prop, *wrong[0])] if wrong else []
    share = FOR_VALUES * len(right) / (len(SCORED) * len(about_values))
    all_right = len(right) == len(SCORED) * len(about_values)
    careful = []
    for prop in others:
        if prop.name in NEED_VALUES and not all_right:
            continue
        misses = next((m for case in CASES for m in [_misses(prop, impl, case)] if m), [])
        careful.append(not misses)
        _note(checks, prop, not misses)
        failed += [(prop, *misses[0])] if misses else []
    if all_right:  # wrong values are not worth their dtype
        share += (1 - FOR_VALUES) * (sum(careful) / len(careful) if careful else 1)
    return failed, checks, share, right


def _doubt(task, function, right):
    """Why a function earns nothing for the calls that it answered rightly, or "".

    It is asked for the same sizes with values that nobody could know, until it was called so often
    that one which counts its calls would have stopped.
    """
    stop, calls = _clock(function) + DOUBT_SECONDS, CALLS + 10 + secrets.randbelow(40)
    trials = right * -(-DRAWS // len(right))
    while True:
        drawn = [(replace(case, seed=secrets.randbelow(1 << 31)), o) for case, o in trials]
        wrong = sum(not _is_right(task, function, *trial) for trial in drawn)
        if 2 * wrong > len(trials):  # more than a rare value that it cannot deal with
            break
        if function.calls > calls or _clock(function) > stop:
            return ""
    after = function.calls
    if all(_is_right(task, function, *trial) for trial in right):
        return (
            "It is right for the values that are committed with this kit, and for no others:\n  "
            f"wrong in {wrong} of {len(trials)} calls with other values of the same sizes."
        )
    return (
        f"It was right at first, and after {after} calls it answers the same calls wrongly.\n"
        "  What it returns may depend on its arguments alone."
    )


def _is_right(task, function, case, operation):
    """Whether the values of an answer are right; its dtype is another matter."""
    arguments = task.arguments(case, operation=operation)
    expected = ask(task.solution, arranged(arguments, "plain"))
    try:
        wrong = difference(ask(function, arguments), expected)
    except NotStarted:
        return False
    return wrong is None or wrong.kind == "dtype"


def _clock(function):
    """Seconds of processor time that have gone into a function and its trials."""
    return getattr(function, "clock", time.process_time)()


def _misses(prop, impl, case):
    """Nothing, or (case, error) where the property does not hold."""
    try:
        with np.errstate(all="ignore"):
            prop.check(impl, np, case)
    except NotStarted:
        raise
    except Exception as error:
        return [(case, error)]
    return []


def _note(checks, prop, holds):
    name = "values" if prop.name.endswith("equals the loops") else prop.name
    checks[name] = checks.get(name, True) and holds


def _report(task, function, result, failed, examples):
    """The report on the first failure, with the others by name."""
    prop, _, error = failed[0]
    if prop.name == "arguments untouched" and isinstance(error, AssertionError):
        return failed_report(task, result, failed, None)
    operation = next((o for o in task.operations if str(o) == prop.subject), None)
    try:
        diagnosis = diagnose(task, function, SITUATION[prop.name], operation, examples=examples)
    except Exception:  # whatever odd thing came back: what the property said is enough
        diagnosis = None
    return failed_report(task, result, failed, diagnosis)


def _beyond(task, function):
    """Lines on a call with which a function is wrong although it has all the points, else []."""
    for operation in task.operations:
        for situation in ("plain", "ties"):
            if task.has(situation):
                found = diagnose(task, function, situation, operation, known=(), examples=20)
                if found.example:
                    return beyond_note(task, found)
    return []


def _slowness(task, function):
    """A sentence about a solution that takes far longer than ours beside it, else ""."""
    own, theirs, ours = Tamed(task.solution), [], []
    for _ in range(ROUNDS):
        for tried, seconds in ((function, theirs), (own, ours)):
            ask(tried, task.arguments(LARGE))
            seconds.append(tried.notes.get("took", 0.0))
        if theirs[-1] > LONG_ENOUGH:
            break
    times = min(theirs) / max(min(ours), 1e-9)
    return slow_note(task, times) if times > SLOW_TIMES else ""


def is_empty(function):
    """Whether a function's body is ``pass``, ``...`` or its docstring alone."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    steps = {instruction.opname for instruction in dis.get_instructions(code)}
    constants = set(code.co_consts) - {function.__doc__, None, ...}
    return steps <= NO_STEPS and not constants
