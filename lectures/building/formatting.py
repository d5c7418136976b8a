"""The code cells of a source in ruff's format, as its notebook has to be."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat

from .notebooks import ROOT, read_source


def format_source(path):
    """Format the code cells of a source; everything else stays as it is.

    Parameters
    ----------
    path : Path
        Rewritten where something changes.

    Returns
    -------
    int
        How many cells were changed.

    Raises
    ------
    subprocess.CalledProcessError
        If a cell is no Python that ruff can read.
    """
    notebook = read_source(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "cells.ipynb"
        nbformat.write(notebook, copy)
        settings = ROOT / "pyproject.toml"
        command = [shutil.which("ruff") or "ruff", "format", "--quiet", "--config", settings, copy]
        subprocess.run(command, check=True)
        formatted = nbformat.read(copy, as_version=4)
    text, changed = path.read_text("utf-8"), 0
    for old, new in zip(notebook.cells, formatted.cells, strict=True):
        if old.cell_type == "code" and old.source != new.source:
            text = text.replace(old.source, new.source)
            changed += 1
    if changed:
        path.write_text(text, encoding="utf-8")
    return changed
