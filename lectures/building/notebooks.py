"""From a lecture's source to its executed notebook: cells, kernel, and what is cleaned off."""

import os
import subprocess
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from . import setup_cell

LECTURES = Path(__file__).resolve().parents[1]
ROOT = LECTURES.parent
LARGEST = 700_000  # bytes; larger ones are not drawn by code-hosting sites, or slowly
TIMEOUT = 1800  # seconds that one cell may take
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def sources():
    """The lectures' sources, in order."""
    return sorted(LECTURES.glob("[0-9][0-9]_*.md")) + sorted(LECTURES.glob("appendix_*.md"))


def recipes():
    """The recipes' sources: short pages, each executed in an empty folder."""
    return sorted((LECTURES / "recipes").glob("*.md"))


def read_source(path):
    """A source as a notebook without outputs.

    Parameters
    ----------
    path : Path
        MyST Markdown, as jupytext reads it.

    Returns
    -------
    nbformat.NotebookNode
        Cells are numbered rather than named at random, so that the same source gives the same file.
    """
    notebook = jupytext.read(path, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code" and cell.source.strip() == setup_cell.MARK:
            cell.source, cell.metadata = setup_cell.CELL, nbformat.from_dict(setup_cell.METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}, "cae_np": {"source": path.name}}
    )
    return notebook


def execute(notebook, data_dir=None, fast=False, backend=None, folder=LECTURES):
    """Run a notebook from top to bottom in a kernel of its own, and clean what came out.

    Parameters
    ----------
    notebook : nbformat.NotebookNode, modified
    data_dir : Path, optional
        Becomes ``$CAE_DATA``.
    fast : bool
        In seconds, on embedded data.
    backend : str, optional
        Becomes ``$CAE_BACKEND``.
    folder : Path
        Where the kernel works.

    Returns
    -------
    notebook

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    RuntimeError
        If a cell warns.
    """
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        extra_arguments=["--log-level=40"],  # the kernel's own remarks are no output
    )
    client.execute(env=_environment(data_dir, fast, backend))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _clean_outputs(cell, data_dir)
            cell.metadata.pop("execution", None)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "cae_np": dict(notebook.metadata["cae_np"]) | _record(notebook),
        }
    )
    return notebook


def with_text(notebook, source):
    """A built notebook with the prose of its source as it is now; nothing is executed.

    Parameters
    ----------
    notebook, source : nbformat.NotebookNode

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    ValueError
        If code has changed as well.
    """
    built = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    if [cell.source.strip() for cell in built] != [cell.source.strip() for cell in code]:
        raise ValueError("its code has changed too, so it has to be built anew")
    for cell, before in zip(code, built, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    source.metadata = notebook.metadata
    return source


def write(notebook, path):
    """Write a notebook.

    Raises
    ------
    ValueError
        If it is larger than :data:`LARGEST`.
    """
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > LARGEST:
        raise ValueError(
            f"{path.name} would have {len(text.encode()):,} bytes, more than {LARGEST:,}; "
            "draw fewer or smaller pictures"
        )
    path.write_text(text, encoding="utf-8")


def pictures(notebook):
    """The pictures of a notebook.

    Yields
    ------
    number : int
        Of the cell.
    data : str
        The PNG file in base 64.
    alt : str
        Its alternative text; empty if it has none.
    """
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                about = output.metadata.get("image/png", {})
                yield number, output.data["image/png"], about.get("alt", "")


# --- helpers --------------------------------------------------------------------------------------


def _environment(data_dir, fast, backend):
    environment = dict(os.environ)
    for name in ("CAE_DATA", "CAE_LECTURES", "CAE_BACKEND"):
        environment.pop(name, None)
    # A kernel finds this package without installation; the tests' folder holds the stand-in.
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment["CAE_COMMIT"] = _commit()
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        environment.setdefault(name, "1")  # other numbers of threads give other bits
    if data_dir:
        environment["CAE_DATA"] = str(Path(data_dir).resolve())
    if fast:
        environment["CAE_LECTURES"] = "fast"
    if backend:
        environment["CAE_BACKEND"] = backend
    return environment


def _commit():
    """The commit of the package that computes; with a plus where it has been changed since."""

    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)

    found = git("log", "-1", "--format=%h", "--", "cae_np")
    if found.returncode or not found.stdout.strip():
        return "unknown"
    changed = git("status", "--porcelain", "--", "cae_np").stdout.strip()
    return found.stdout.strip() + ("+" if changed else "")


def _clean_outputs(cell, data_dir):
    """Outputs without progress lines and without this machine's folders.

    Raises
    ------
    RuntimeError
        If something on stderr is a warning.
    """
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            if "Warning" in output.text:
                raise RuntimeError(f"this cell warns:\n{cell.source}\n\n{output.text}")
            continue
        if output.output_type == "stream":
            output.text = _without_folders(output.text, data_dir)
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        elif "text/plain" in output.get("data", {}):
            output.data["text/plain"] = _without_folders(output.data["text/plain"], data_dir)
        if "image/png" in output.get("data", {}):
            output.data.pop("text/plain", None)  # "<IPython.core.display.Image object>"
        kept.append(output)
    return kept


def _without_folders(text, data_dir):
    folders = [str(Path(data_dir).resolve())] if data_dir else []
    for folder in [*folders, str(ROOT), str(Path.home())]:
        text = text.replace(folder, "…")
    return text


def _record(notebook):
    """What :func:`cae_np.lecture.begin` said: the data's name and the package's commit."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "cae_np" in output.get("metadata", {}):
                return dict(output.metadata["cae_np"])
    return {}
