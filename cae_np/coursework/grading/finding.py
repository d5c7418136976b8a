"""Which file of a folder is a submission."""

import ast
from pathlib import Path

from ..tasks.catalogue import TASKS
from .gate import plain_text
from .submission import Submission

ENDINGS = (".py", ".ipynb")
NAMED = ("exercises", "bug_hunt")  # what is handed out is called so


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
        raise ValueError(
            f"there is no {plain_text(path)}: expected a .py or .ipynb file, or a folder with one"
        )
    files = [file for _, file in submissions_in(path)]
    chosen = [file for file in files if file.stem in NAMED] or files
    if len(chosen) > 1 and len({file.stem for file in chosen}) == 1:
        # Stubs are handed out as a file and as a notebook; most people write in one of them.
        begun = {file: _written(file) for file in chosen}
        chosen = [file for file in chosen if begun[file]] or chosen[-1:]
        if len({begun[file] for file in chosen}) == 1:
            chosen = chosen[:1]  # one made from the other
    if len(chosen) == 1:
        return chosen[0]
    found = ", ".join(plain_text(file.name) for file in files) or "no .py or .ipynb file"
    raise ValueError(f"found {found}: hand in one file, or call the one that counts exercises.py")


def submissions_in(folder):
    """The Python files and notebooks of a folder, and of its subfolders where each has one.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of (str, Path)
        What to call it (the path in the folder, without its ending where that tells it from the
        others), and the file.
    """
    folder = Path(folder)
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in ENDINGS and p.is_file()]

    def is_hidden(path):
        return any(s.startswith((".", "__")) for s in path.relative_to(folder).parts)

    files = [p.relative_to(folder) for p in files if not is_hidden(p)]
    short = [str(p.with_suffix("")) for p in files]
    names = [
        name if short.count(name) == 1 else str(p) for name, p in zip(short, files, strict=True)
    ]
    return [(name, folder / p) for name, p in zip(names, files, strict=True)]


def _written(path):
    """The tasks' functions that are more than their stub, as text that does not see their layout.

    Empty also where the file cannot be read: grading says why.
    """
    names, found = {task.name for task in TASKS}, {}
    try:
        pieces = Submission(path).sources()
    except ValueError:
        return ""
    for _, source in pieces:
        try:
            nodes = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # magic, or a mistake: the functions are in other cells
        for node in nodes:
            if isinstance(node, ast.FunctionDef) and node.name in names and not _is_stub(node):
                found[node.name] = ast.dump(node)
    return "\n".join(found[name] for name in sorted(found))


def _is_stub(function):
    """Whether all that a function does is to raise NotImplementedError."""
    last = function.body[-1]
    raised = last.exc if isinstance(last, ast.Raise) else None
    return len(function.body) <= 2 and getattr(raised, "id", "") == "NotImplementedError"
