"""Checks for notebook cells and other graders' tests: the same engine, the same words."""

from contextlib import contextmanager

from ..diagnosis.wording import state_report
from ..tasks.catalogue import find_task
from .engine import TaskResult, try_task
from .gate import described, plain_text


def check(name, function=None):
    """Say what is right and what is wrong with a function.  Never raises.

    Parameters
    ----------
    name : str
        The task, ``"max_pool"`` for instance.
    function : callable, optional
        Your function; without it the task is "not started".
    """
    if not _is_silenced:
        print(_tried(name, function).report)


_is_silenced = False


@contextmanager
def silenced():
    """Make :func:`check` do nothing, while a notebook with its calls is graded."""
    global _is_silenced
    before, _is_silenced = _is_silenced, True
    try:
        yield
    finally:
        _is_silenced = before


def require(name, function, part=None):
    """Raise where a function is not right; the message says what is wrong.

    Parameters
    ----------
    name : str
    function : callable
    part : {"values", "care"}, optional
        Only what earns the points for right values, or only the rest; default: everything.

    Raises
    ------
    AssertionError
    """
    result = _tried(name, function)
    values = result.checks.get("values", False)
    if {"values": values, "care": values and result.passed, None: result.passed}[part]:
        return
    raise AssertionError("\n" + result.report)


def score(name, function):
    """Print the report and return the points, as nbgrader's test cells do for partial credit.

    Parameters
    ----------
    name : str
    function : callable

    Returns
    -------
    points : float

    Raises
    ------
    AssertionError
        If there are no points to return.
    """
    result = _tried(name, function)
    if result.points == 0:
        raise AssertionError("\n" + result.report)
    print(result.report)
    return result.points


def _tried(name, function):
    if callable(name):  # the two arguments the other way round, or one forgotten
        called = getattr(name, "__name__", "max_pool")
        told = f'The name comes first, then the function: check("{called}", {called})'
        return TaskResult("", report=told)
    try:
        task = find_task(name)
    except ValueError as error:
        return TaskResult(plain_text(name, 100), report=plain_text(error))
    result = TaskResult(name, max_points=task.points)
    try:
        return try_task(task, function)
    except BaseException as error:  # whatever a cell's function does, the notebook goes on
        told = described(error)
        result.report = state_report(result, "failed", f"It raises {told['kind']}: {told['text']}")
        return result
