"""Whose mistake it is: a function that fails may only have called another one that is wrong."""

import ast

from ..diagnosis.wording import because_of_others, wrong_by_itself
from ..tasks.catalogue import TASKS


def others_called(submission, name):
    """The tasks' functions of a submission that one of its functions calls.

    Parameters
    ----------
    submission : Submission
    name : str
        Of the function that calls.

    Returns
    -------
    list of Task
        Directly, or through other functions of the file; as far as the text shows it.
    """
    defined = {}
    for _, source in submission.sources():
        try:
            nodes = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # magic, or a mistake: the functions are in other cells
        defined |= {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    reached, waiting = set(), [name]
    while waiting:
        node = defined.get(waiting.pop())
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node else set()
        waiting += (used & set(defined)) - reached
        reached |= used & set(defined)
    return [task for task in TASKS if task.name in reached - {name}]


def tell_whose(result, others, passes_with):
    """Put into a failed task's report whether it fails by itself or because of another function.

    Parameters
    ----------
    result : TaskResult
        Its report is changed, and nothing else: the points are for what was handed in.
    others : list of Task
        As of :func:`others_called`.
    passes_with : callable, (list of Task) -> bool
        Whether the function passes with the package's functions in place of these.
    """
    if not others:
        return
    if not passes_with(others):
        result.report = wrong_by_itself(result.report, [task.name for task in others])
        return
    alone = others if len(others) == 1 else [task for task in others if passes_with([task])]
    result.report = because_of_others(result, [task.name for task in (alone[:1] or others)])
