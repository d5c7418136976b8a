"""Stubs for students, made from this package's own functions: signature, docstring, nothing else.

``python -m cae_np.coursework stubs FOLDER`` writes ``exercises.py`` and ``exercises.ipynb``; those
in ``lectures/exercises/`` are committed, and a test says when they are out of date.
"""

import inspect
import json
import re

from .catalogue import TASKS

TODO = "raise NotImplementedError"
TOLD = {  # what the docstring alone would leave open
    "im2col": "The order of the numbers in memory is up to you.",
    "add_bias_backward": "``add_bias(y, b)`` is y with ``b[k]`` added to all of map k.",
    "scaled_tanh": "Right for x of up to ±4000 too, where exp would overflow.",
    "scaled_tanh_backward": "From the output y alone; x may have been as large as ±4000.",
    "softmax_cross_entropy_backward": "Scores may be as large as ±4000.",
    "softmax_cross_entropy": "Scores may be as large as ±4000; the loss must be right there too.",
    "sgd_step": "New arrays come back; the arguments stay as they are.",
    "max_pool": "Of equal values the first in row-major order wins.",
}
HEADER = '''"""Exercises: a convolutional auto-encoder from its parts.

Replace each ``{todo}``.  Check what you have, all of it or one function::

    python -m cae_np.coursework grade exercises.py
    python -m cae_np.coursework grade exercises.py --task max_pool

Everywhere: arrays are NumPy's, images are (N, C, H, W), the dtype that comes in goes out, and
arguments are never changed.  Functions may call each other, and those of ``cae_np``.
"""

import numpy as np
'''


def stub(task):
    """Source of a function that raises NotImplementedError.

    Parameters
    ----------
    task : Task

    Returns
    -------
    str
    """
    function = task.solution
    signature = inspect.signature(function)
    kept = [
        parameter.replace(default=parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "out"
    ]
    signature = signature.replace(parameters=kept)
    lines = _docstring(function, TOLD.get(task.name, ""))
    body = "\n".join(f"    {line}".rstrip() for line in lines)
    return f'def {task.name}{signature}:\n    """{body.lstrip()}\n    """\n    {TODO}\n'


def module():
    """Source of the file with all stubs, chapter by chapter."""
    parts, group = [HEADER.format(todo=TODO)], ""
    for task in TASKS:
        if task.group != group:
            group = task.group
            parts.append(f"# --- {group} ".ljust(100, "-"))
        parts.append(stub(task))
    head, *parts = (part.rstrip("\n") for part in parts)
    return head + "\n\n" + "\n\n\n".join(parts) + "\n"


def notebook():
    """The same as a notebook, with a check after each function; text of an ``.ipynb`` file."""
    cells = [
        cell("markdown", "# Exercises: a convolutional auto-encoder from its parts\n\n" + INTRO),
        cell("code", "import numpy as np\n\nfrom cae_np.coursework import check"),
    ]
    group = ""
    for task in TASKS:
        if task.group != group:
            group = task.group
            cells.append(cell("markdown", f"## {group.capitalize()}"))
        cells.append(cell("code", stub(task).rstrip()))
        cells.append(cell("code", f'check("{task.name}", {task.name})'))
    return json.dumps(notebook_of(cells), indent=1, ensure_ascii=False) + "\n"


def notebook_of(cells):
    """A notebook, as what its file holds."""
    return {
        "cells": [one | {"id": f"cell-{i:03d}"} for i, one in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


INTRO = (
    f"Replace each `{TODO}` and run the cell below it. Everywhere: arrays are NumPy's, images "
    "are (N, C, H, W), the dtype that comes in goes out, and arguments are never changed."
)


def cell(kind, source):
    """A cell of a notebook, ``kind`` being "code" or "markdown"."""
    lines = source.splitlines(keepends=True)
    if kind == "markdown":
        return {"cell_type": kind, "metadata": {}, "source": lines}
    return {
        "cell_type": kind,
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": lines,
    }


def _docstring(function, told):
    """Lines of a docstring without the argument ``out`` and without what is raised."""
    text = inspect.getdoc(function)
    text = re.sub(r"^out : .*\n(?:(?: .*)?\n)*?(?=\S|\n\S)", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n\nRaises\n------\n(?:(?!\n\n\w+\n---).|\n)*?(?=\n\n\w+\n---|\Z)", "", text)
    lines = text.splitlines()
    if told:
        end = lines.index("Parameters") - 1
        lines[end:end] = ["", told]
    return lines
