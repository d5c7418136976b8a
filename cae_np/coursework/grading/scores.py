"""Results as a table for people, as Gradescope's results.json, and as a CSV for a class."""

import csv
import io
import math

from ...storage import atomic_file, save_json


def table(results):
    """Task, points and state, one line each, with the sum.

    Parameters
    ----------
    results : list of TaskResult

    Returns
    -------
    str
    """
    width = max([len("total"), *(len(result.task) for result in results)])
    rows = [f"{r.task:{width}}  {r.points:5g} of {r.max_points:3g}  {r.state}" for r in results]
    points, most = totals(results)
    return "\n".join([*rows, f"{'total':{width}}  {points:5g} of {most:3g}"])


def totals(results):
    """``(points, most points)``."""
    return (
        round(math.fsum(result.points for result in results), 2),
        math.fsum(result.max_points for result in results),
    )


def gradescope(results, tasks, note=""):
    """What Gradescope reads from ``/autograder/results/results.json``.

    Parameters
    ----------
    results : list of TaskResult
    tasks : sequence of Task
        Those that have no result yet count 0: the file may be read at any time.
    note : str
        Shown above the tests.

    Returns
    -------
    dict
    """
    done = {result.task: result for result in results}
    tests = []
    for number, task in enumerate(tasks, start=1):
        result = done.get(task.name)
        tests.append(
            {
                "number": str(number),
                "name": task.name,
                "score": float(result.points) if result else 0.0,
                "max_score": float(task.points),
                "status": "passed" if result and result.passed else "failed",
                "output": result.report if result else f"{task.name}: has not been run.",
                "output_format": "text",
                "visibility": "visible",
            }
        )
    return {
        "output": note or (table(results) if results else "Nothing has been run yet."),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(math.fsum(result.seconds for result in results), 2),
        "tests": tests,
    }


def save_gradescope(path, results, tasks, note=""):
    """Write the file in one step, so that whoever reads it never finds half of it."""
    save_json(path, gradescope(results, tasks, note))


def save_class(path, graded, tasks):
    """One line for each submission: points in all, then points and state of each task.

    Parameters
    ----------
    path : str or Path
    graded : list of (str, list of TaskResult, str)
        Name, results, and what kept the file from being graded ("" if nothing did).
    tasks : sequence of Task
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [task.name for task in tasks]
    states = [f"{name} state" for name in names]
    writer.writerow(["submission", "points", "of", *names, *states, "problem"])
    for name, results, problem in graded:
        points, most = totals(results)
        writer.writerow(
            [
                _harmless(name),
                f"{points:g}",
                f"{most:g}",
                *(f"{result.points:g}" for result in results),
                *(result.state for result in results),
                *[""] * (2 * (len(tasks) - len(results))),
                _harmless(problem),
            ]
        )
    with atomic_file(path) as file:
        file.write(text.getvalue().encode("utf-8"))


def _harmless(text):
    """A file name that a spreadsheet does not take for a formula."""
    return "'" + text if text[:1] in "=+-@" and text else text
