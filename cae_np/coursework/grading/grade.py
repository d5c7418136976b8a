"""A submission's tasks, one after the other, each on its own."""

import os
from pathlib import Path

from ...spec.trials import require_assertions
from ..diagnosis.wording import state_report
from ..tasks.catalogue import TASKS
from .engine import EXAMPLES, TaskResult, try_task
from .isolation import SECONDS, can_fork, in_child
from .submission import Submission


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
        Refuse tasks whose operation the submission imports instead of writing it.
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
    submission = Submission(path, others) if path else None
    names = {name for task in tasks for name in (task.name, task.same_as)}
    borrowed = submission.borrowed(names) if submission and closed_book else {}
    if submission:
        submission.sources()  # complains before anything is forked
    results = []
    for task in tasks:
        taken = next((n for n in (task.name, task.same_as) if n and n in borrowed), None)
        if taken:
            result = _refused(task, borrowed[taken])
        elif isolate:
            result = _in_a_child(task, submission, seconds, examples)
        else:
            result = _try(task, submission, examples)
        results.append(result)
        if ready:
            ready(result)
    return results


def _refused(task, sentence):
    result = TaskResult(task.name, max_points=task.points)
    why = f"Closed book: {sentence}; write {task.name} yourself."
    result.report = state_report(result, "refused", why)
    return result


def _in_a_child(task, submission, seconds, examples):
    def work(send):
        result = _try(task, submission, examples, tell=lambda result: send(result.as_dict()))
        send(result.as_dict())

    message, ending = in_child(work, seconds)
    result = TaskResult(**message) if message else TaskResult(task.name, max_points=task.points)
    if ending == "ended" or (message and result.passed):
        return result
    if message:  # the points are certain; what was lost is the explanation
        result.report += "\n  Looking for the reason took too long; are there endless loops?"
        return result
    if ending == "time":
        why = f"It did not end within {seconds:g} s of work: is there a loop that never ends?"
        result.report = state_report(result, "too slow", why)
    else:
        why = "It ended the whole Python process (os._exit, or a crash)."
        result.report = state_report(result, "failed", why)
    return result


def _try(task, submission, examples, tell=None):
    """Load the submission and try one of its functions, in this process."""
    os.environ.setdefault("MPLBACKEND", "Agg")  # pictures of a notebook wait for nobody
    result = TaskResult(task.name, max_points=task.points)
    try:
        if submission is None:
            return try_task(task, task.solution, tell, examples)
        with submission.imports_of_its_own():
            return _try_submitted(task, submission, result, tell, examples)
    except BaseException as error:  # SystemExit, KeyboardInterrupt, what a student may raise
        if isinstance(error, KeyboardInterrupt) and tell is None:
            raise
        why = f"It raises {type(error).__name__}: {error}"
        result.report = state_report(result, "failed", why)
        return result


def _try_submitted(task, submission, result, tell, examples):
    loaded = Submission(submission.path, submission.others).run()
    function = loaded.function(task.name)
    if function is None and loaded.problems:
        why = f"The file does not run, and there is no {task.name} in it:\n    "
        result.report = state_report(result, "failed", why + "\n    ".join(loaded.problems[:3]))
        return result
    return try_task(task, function, tell, examples)


def submission_in(path):
    """The file to grade: itself, or the one in a folder.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there is none, or several of which none is called exercises.
    """
    path = Path(path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f"there is no {path}: expected a .py or .ipynb file, or a folder with one")
    files = [file for _, file in submissions_in(path)]
    named = [file for file in files if file.stem in ("exercises", "bug_hunt")]
    chosen = named if len(named) == 1 else files
    if len(chosen) == 1:
        return chosen[0]
    found = ", ".join(file.name for file in files) or "no .py or .ipynb file"
    raise ValueError(f"found {found}: hand in one file, or call the one that counts exercises.py")


def submissions_in(folder):
    """The Python files and notebooks of a folder, and of its subfolders where each has one.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of (str, Path)
        What to call it (the path in the folder without its ending), and the file.
    """
    folder = Path(folder)
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in (".py", ".ipynb")]

    def is_hidden(path):
        return any(s.startswith((".", "__")) for s in path.relative_to(folder).parts)

    return [(str(p.relative_to(folder).with_suffix("")), p) for p in files if not is_hidden(p)]
