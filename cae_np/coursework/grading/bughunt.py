"""Bug hunts: a working module with a few planted mistakes, to be found and mended.

The module is made of the loops of :mod:`cae_np.ops.reference`, which everybody can read, under the
docstrings of this package's functions, which tell the truth.
"""

import ast
import hashlib
import inspect
import textwrap
from pathlib import Path

from ...ops import reference
from ...storage import load_json, save_json
from ..diagnosis.wording import state_report
from ..planted.sources import PATCHES
from ..tasks.catalogue import TASKS, find_task
from ..tasks.stubs import TODO, stub
from .grade import grade
from .isolation import SECONDS
from .scores import totals

HEADER = '''"""A bug hunt: {count} of these functions are wrong, by one line each.

Find and mend them.  The docstrings are right, and loops may stay loops.  To check one::

    python -c "from bug_hunt import *; from cae_np.coursework import check; check('im2col', im2col)"
"""

from itertools import product
from math import tanh

import numpy as np
from numpy import ndindex, result_type, zeros, zeros_like
from numpy.linalg import svd
'''
HELPERS = (
    "_first_maximum",
    "_window",
    "_padded",
    "_each",
    "place",
    "convolve_same",
    "add_bias",
    "convolve_full_backward",
    "squared_error",
    "squared_error_backward",
)


def hunted_tasks():
    """The tasks whose loops stand on their own and pass every check."""
    names = {patch.mistake.operation for patch in PATCHES} | {"max_pool", "unpool"}
    return tuple(task for task in TASKS if task.name in names)


def make_assignment(folder, seed, mistakes=6):
    """Write ``bug_hunt.py`` for students and ``bug_hunt.key.json`` for their teacher.

    Parameters
    ----------
    folder : path-like
    seed : str or int
        The same seed gives the same mistakes, on every machine.
    mistakes : int
        At most one in a function.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If there are not so many functions to plant mistakes in.
    """
    planted = {patch.mistake.operation: patch for patch in choose(seed, mistakes)}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    code, key = folder / "bug_hunt.py", folder / "bug_hunt.key.json"
    code.write_text(module(planted), encoding="utf-8")
    save_json(
        key,
        {
            "seed": str(seed),
            "planted": {
                name: {"sentence": p.mistake.sentence, "right": p.old, "wrong": p.new}
                for name, p in sorted(planted.items())
            },
        },
    )
    return [code, key]


def module(planted):
    """Source of all loops with some of them changed.

    Parameters
    ----------
    planted : dict of str to Patch
        By the name of the function.

    Returns
    -------
    str
    """
    parts = [HEADER.format(count=len(planted))]
    parts += [function_source(task, planted.get(task.name)) for task in hunted_tasks()]
    parts.append("# --- helpers, all of them right ".ljust(100, "-"))
    parts += [inspect.getsource(getattr(reference, name)) for name in HELPERS]
    return "\n\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def choose(seed, mistakes):
    """Patches in so many different functions, decided by a hash of the seed alone."""
    by_operation = {}
    for patch in sorted(PATCHES, key=lambda patch: _hash(seed, patch.mistake)):
        by_operation.setdefault(patch.mistake.operation, patch)
    patches = sorted(by_operation.values(), key=lambda patch: _hash(seed, patch.mistake.operation))
    if not 1 <= mistakes <= len(patches):
        raise ValueError(f"{mistakes} mistakes: expected 1 to {len(patches)}, one in a function")
    return patches[:mistakes]


def function_source(task, patch=None):
    """The loops of a task under its public docstring, one line of them changed if wanted."""
    source = inspect.getsource(getattr(reference, task.name))
    if patch:
        if patch.old not in source:
            raise ValueError(f"{patch.old!r} is not in the loops of {task.name}")
        source = source.replace(patch.old, patch.new)
    (definition,) = ast.parse(source).body
    body = definition.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    lines = source.splitlines()[body[0].lineno - 1 :]
    code = textwrap.indent(textwrap.dedent("\n".join(lines)), "    ")
    return stub(task).replace(f"    {TODO}", code)


def grade_hunt(path, key, seconds=SECONDS):
    """Points for every mended function; a right one that was broken takes those of a mended one.

    Parameters
    ----------
    path : path-like
        The mended module.
    key : path-like
        What :func:`make_assignment` wrote beside it.
    seconds : float
        Time limit for each function.

    Returns
    -------
    results : list of TaskResult
        Of the functions with a planted mistake.
    report : str

    Raises
    ------
    ValueError
        If the key is none, or the module cannot be read.
    """
    try:
        planted = load_json(key)["planted"]
        hunted = [find_task(name).name for name in planted]
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{key} is not the key of a bug hunt; expected what make_assignment wrote beside it"
        ) from error
    tasks = hunted_tasks()
    # Each on its own: the loops call each other, and a right one may call one with a mistake.
    others = {task.name: getattr(reference, task.name) for task in tasks}
    graded = grade(path, tasks, seconds=seconds, examples=0, others=others)
    results = {result.task: result for result in graded}
    broken = [name for name, r in results.items() if name not in planted and not r.passed]
    hunted = [results[name] for name in hunted]
    for result in hunted:
        result.points = result.max_points if result.passed else 0.0
        if not result.passed:
            result.report = state_report(result, result.state, "Not mended yet.")
    for result in [r for r in hunted if r.passed][: len(broken)]:
        result.points = 0.0
    mended = [result.task for result in hunted if result.passed]
    points, most = totals(hunted)
    lines = [f"{len(mended)} of {len(hunted)} mistakes mended: {', '.join(mended) or 'none'}."]
    if broken:
        lines.append(f"Right before, wrong now: {', '.join(broken)}; each costs a mended one.")
    return hunted, "\n".join([*lines, f"{points:g} of {most:g} points"])


def _hash(seed, what):
    return hashlib.sha256(f"{seed}/{what}".encode()).hexdigest()
