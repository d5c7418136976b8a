"""A submission's tasks, one after the other, each on its own."""

import contextlib
import functools
import os

from ...spec.trials import require_assertions
from ..diagnosis.wording import state_report
from ..tasks.catalogue import TASKS
from .cascades import others_called, tell_whose
from .closed_book import Watch
from .engine import EXAMPLES, TaskResult, try_task
from .gate import Escaped, Refused, Tamed
from .isolation import SECONDS, Child, Ended, can_fork
from .remote import Remote, opened, serve
from .submission import Submission
from .tidying import nothing_imported_from, restored


def grade(
    path=None,
    tasks=TASKS,
    *,
    closed_book=False,
    seconds=SECONDS,
    isolate=None,
    examples=EXAMPLES,
    others=None,
    ready=None,
):
    """Try every task of a submission.

    Parameters
    ----------
    path : str or Path, optional
        A Python file or a notebook; default: this package's own functions.
    tasks : sequence of Task
    closed_book : bool
        Refuse tasks whose function takes its operation from elsewhere when it is called.
    seconds : float
        Time limit for each task.
    isolate : bool, optional
        Whether each task gets a process of its own; default: where that is possible.
    examples : int
        As of :func:`.engine.try_task`; 0 spares the time where points are all that is wanted.
    others : dict of str to callable, optional
        What every function that is checked finds in place of the file's own other functions.
    ready : callable, TaskResult -> None, optional
        Is called after each task.

    Returns
    -------
    list of TaskResult

    Raises
    ------
    ValueError
        If the file cannot be read.
    ConfigError
        Under ``python -O``.
    """
    require_assertions()
    isolate = can_fork() if isolate is None else isolate
    submission = Submission(path, others).read() if path else None
    results = []
    with nothing_imported_from(submission.folder if submission else None):
        for task in tasks:
            names = (task.name, *([task.same_as] if task.same_as else [])) if closed_book else ()
            if submission is None:
                result = try_task(task, task.solution, None, examples)
            elif isolate:
                result = _in_a_child(task, submission, names, seconds, examples)
            else:
                result = _here(task, submission, names, examples)
            if submission and result.state == "failed" and others is None:
                _tell_whose(result, task, submission, isolate, seconds)
            results.append(result)
            if ready:
                ready(result)
    return results


def _tell_whose(result, task, submission, isolate, seconds):
    """Try a failed task again, with the package's functions in place of those that it calls."""

    def passes_with(replaced):
        others = {other.name: other.solution for other in replaced}
        second = Submission(submission.path, others).read()
        if isolate:
            return _in_a_child(task, second, (), seconds, 0).passed
        return _here(task, second, (), 0).passed

    tell_whose(result, others_called(submission, task.name), passes_with)


def _refused(task, sentence):
    result = TaskResult(task.name, max_points=task.points)
    why = f"Closed book: {sentence}; write {task.name} yourself."
    result.report = state_report(result, "refused", why)
    return result


def _in_a_child(task, submission, out_of_bounds, seconds, examples):
    """Judge a function that is called in a process of its own."""
    certain = []
    try:
        named = {"name": task.name, "out_of_bounds": out_of_bounds}
        work = functools.partial(serve, submission=submission, **named)
        with Child(work, seconds) as child:
            function = Remote(child, says_yes_or_no=bool(task.trial))
            return _judged(task, function, function.opening, certain.append, examples)
    except Ended as end:
        return _ended(task, end.how, seconds, certain)


def _ended(task, how, seconds, certain):
    """The result of a task whose process has ended, or had to."""
    if certain:
        result = certain[-1]
        if not result.passed:  # the points are certain; what was lost is the explanation
            result.report += "\n  Looking for the reason took too long; are there endless loops?"
        return result
    result = TaskResult(task.name, max_points=task.points)
    if how == "time":
        why = f"It did not end within {seconds:g} s of work: is there a loop that never ends?"
        result.report = state_report(result, "too slow", why)
    else:
        why = "It ended the whole Python process (os._exit, or a crash)."
        result.report = state_report(result, "failed", why)
    return result


def _here(task, submission, out_of_bounds, examples):
    """Judge a function that is called in this process."""
    with restored(), submission.imports_of_its_own(), _no_output():
        watch = Watch(submission, out_of_bounds) if out_of_bounds else None
        opening = opened(submission, task.name)
        function = submission.function(task.name) if opening.is_there else None
        function = function and Tamed(function, bool(task.trial), watch)
        return _judged(task, function, opening, None, examples)


@contextlib.contextmanager
def _no_output():
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        with contextlib.redirect_stderr(nowhere):
            yield


def _judged(task, function, opening, tell, examples):
    """What becomes of a function whose file has been run."""
    result = TaskResult(task.name, max_points=task.points)
    why = ""
    if opening.raised:
        why = f"It raises {type(opening.raised).__name__}: {opening.raised}"
    elif opening.problems and not opening.is_there:
        problems = "\n    ".join(opening.problems[:3])
        why = f"The file does not run, and there is no {task.name} in it:\n    {problems}"
    else:
        try:
            return try_task(task, function if opening.is_there else None, tell, examples)
        except Refused as error:
            return _refused(task, error)
        except (Escaped, Exception) as error:  # SystemExit, or an answer that nobody thought of
            why = f"It raises {type(error).__name__}: {error}"
    result.report = state_report(result, "failed", why)
    return result
