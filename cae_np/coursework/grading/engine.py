"""Trying one function: what is true of it, what that is worth, and what to say about it.

Everything that checks coursework calls :func:`try_task`: notebooks, the command line, the graders'
forms.  It runs in the calling process; :mod:`.isolation` runs it in one of its own.
"""

import dis
import time
from dataclasses import asdict, dataclass, field

import numpy as np

from ... import backend
from ...spec.answers import NotStarted, ask, plain_results
from ...spec.cases import CASES
from ...spec.implementation import implementation
from ...spec.trials import require_assertions
from ..diagnosis.causes import diagnose
from ..diagnosis.wording import beyond_note, failed_report, passed_report, slow_note, state_report
from ..tasks.catalogue import FOR_VALUES, LARGE, NEED_VALUES, SCORED, SITUATION

EXAMPLES = 100
NO_STEPS = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
SLOW_SECONDS, SLOW_TIMES = 0.05, 100  # both have to be exceeded


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

    def as_dict(self):
        """For JSON."""
        return asdict(self)


def try_task(task, function, tell=None, examples=EXAMPLES):
    """Check a function against everything that must be true of it.

    Parameters
    ----------
    task : Task
    function : callable, or None where there is none
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
        if not callable(function) or is_empty(function):
            raise NotStarted
        if task.trial:
            return _finished(_tried_its_own_way(task, function, result), start, tell)
        ask(function, task.arguments(SCORED[0]))  # raises NotStarted, whatever else it does
        failed, result.checks, share = _check(task, function)
    except NotStarted:
        result.report = state_report(result, "not started")
        return _finished(result, start, tell)
    result.points = round(share * task.points, 2)
    result.state = "failed" if failed else "passed"
    result.report = passed_report(result) if result.passed else state_report(result, "failed")
    _finished(result, start, tell)
    if failed:
        result.report = _report(task, function, result, failed, examples)
    elif examples:
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
    if tell:
        tell(result)
    return result


def _check(task, function):
    """``(failed, checks, share)``: failures as (property, case, error), values first; which checks
    hold; the share of the points that is earned."""

    def plain(*arguments):
        try:
            results = plain_results(function(*arguments))
        except NotImplementedError as error:
            raise NotStarted from error
        return results if len(results) > 1 else results[0]

    impl = implementation(**{task.name: plain})
    about_values, others = task.properties
    failed, checks, right = [], {}, 0
    for prop in about_values:
        misses = [miss for case in SCORED for miss in _misses(prop, impl, case)]
        right += len(SCORED) - len(misses)
        _note(checks, prop, not misses)
        failed += [(prop, *misses[0])] if misses else []
    share = FOR_VALUES * right / (len(SCORED) * len(about_values))
    all_right = right == len(SCORED) * len(about_values)
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
    return failed, checks, share


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
    """A sentence about a solution that is far too slow, else ""."""
    theirs = _seconds(function, task, 1)
    if theirs < SLOW_SECONDS:
        return ""
    ours = _seconds(task.solution, task, 5)
    return slow_note(theirs, ours) if theirs > SLOW_TIMES * ours else ""


def _seconds(function, task, times):
    """The shortest of some calls with large arguments."""
    taken = []
    for _ in range(times):
        arguments = task.arguments(LARGE)
        start = time.perf_counter()
        ask(function, arguments)
        taken.append(time.perf_counter() - start)
    return min(taken)


def is_empty(function):
    """Whether a function's body is ``pass``, ``...`` or its docstring alone."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    steps = {instruction.opname for instruction in dis.get_instructions(code)}
    constants = set(code.co_consts) - {function.__doc__, None, ...}
    return steps <= NO_STEPS and not constants
