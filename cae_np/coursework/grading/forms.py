"""What other graders want: Gradescope's folder, otter-grader's tests, nbgrader's notebook.

All of them call this package; none has a rule of its own about what is right.
"""

import inspect
import json
import shutil
import zipfile
from pathlib import Path

from ..tasks.catalogue import FOR_VALUES
from ..tasks.stubs import cell, notebook_of, stub

FORMS = {
    "gradescope": "write an autograder folder and its zip for Gradescope",
    "otter": "write exception-style tests for otter-grader",
    "nbgrader": "write a source notebook for nbgrader",
}
PACKAGE = Path(__file__).parents[2]
# By grading; ipykernel brings what notebooks are read with.  The rest is for training.
NEEDED = ("numpy", "scipy", "threadpoolctl", "psutil", "hypothesis", "ipykernel")
LEFT_OUT = ("experiments", "pretrained", "__pycache__")  # subpackages nobody grades with


def write(form, folder, tasks, closed_book=False):
    """Write one of :data:`FORMS` for some tasks.

    Parameters
    ----------
    form : str
    folder : Path
    tasks : sequence of Task
    closed_book : bool
        For Gradescope; the others see functions, not the submission's source.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError
        If the folder exists and is not empty.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    writer = {"gradescope": _gradescope, "otter": _otter, "nbgrader": _nbgrader}[form]
    return writer(folder, tasks, closed_book)


# --- Gradescope -----------------------------------------------------------------------------------

SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image.
set -euo pipefail
for python in python3.14 python3.13 python3.12 python3.11 python3; do
  if "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    break
  fi
done
if ! "$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends python3.11 python3.11-venv
  python=python3.11
fi
"$python" -m venv /autograder/venv
/autograder/venv/bin/pip install --no-cache-dir -r /autograder/source/requirements.txt
"""

RUN = """#!/usr/bin/env bash
# Gradescope runs this for every submission; results.json is complete after every task.
cd /autograder  # and -P: no module of a submission stands in for one of ours
export PYTHONPATH=/autograder/source OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
/autograder/venv/bin/python -P -m cae_np.coursework grade /autograder/submission \\
  --score-json /autograder/results/results.json{options}
test -s /autograder/results/results.json
"""


def _gradescope(folder, tasks, closed_book):
    options = "".join(f" \\\n  --task {task.name}" for task in tasks)
    options += " \\\n  --closed-book" if closed_book else ""
    inside = folder / "autograder"
    shutil.copytree(PACKAGE, inside / PACKAGE.name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name, text in (("setup.sh", SETUP), ("run_autograder", RUN.format(options=options))):
        (inside / name).write_text(text, encoding="utf-8", newline="\n")
        (inside / name).chmod(0o755)
    (inside / "requirements.txt").write_text("\n".join(_requirements()) + "\n")
    archive = folder / "autograder.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(inside.rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(inside))
    return [inside, archive]


def _requirements():
    """The lines of this package's requirements that grading needs, with their bounds."""
    from importlib.metadata import requires

    listed = PACKAGE.parent / "requirements.txt"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith(NEEDED)]
    declared = (line.partition(";")[0].strip() for line in requires("cae_np"))  # "; extra == ..."
    return [line for line in declared if line.startswith(NEEDED)]


# --- otter-grader ---------------------------------------------------------------------------------

OTTER = """from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = None


@test_case(points={values:g}, hidden=False)
def values({name}):
    from cae_np.coursework import require

    require("{name}", {name}, part="values")


@test_case(points={care:g}, hidden=False)
def care({name}):
    from cae_np.coursework import require

    require("{name}", {name}, part="care")
"""


def _otter(folder, tasks, closed_book):
    written = []
    for task in tasks:
        values = round(FOR_VALUES * task.points, 2)
        text = OTTER.format(name=task.name, values=values, care=round(task.points - values, 2))
        path = folder / f"{task.name}.py"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


# --- nbgrader -------------------------------------------------------------------------------------


def _nbgrader(folder, tasks, closed_book):
    cells = [cell("code", "import numpy as np")]
    for task in tasks:
        solved = cell("code", _with_solution(task))
        solved["metadata"]["nbgrader"] = _graded(task.name, solution=True)
        call = f'from cae_np.coursework import score\n\nscore("{task.name}", {task.name})'
        test = cell("code", call)
        test["metadata"]["nbgrader"] = _graded(f"test_{task.name}", points=task.points)
        cells += [solved, test]
    path = folder / "exercises.ipynb"
    text = json.dumps(notebook_of(cells), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return [path]


def _with_solution(task):
    """The stub with this package's function between the marks that nbgrader cuts at."""
    *head, todo = stub(task).rstrip().splitlines()
    names = ", ".join(
        f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name
        for p in inspect.signature(task.solution).parameters.values()
        if p.name != "out"
    )
    return "\n".join(
        [
            *head,
            "    ### BEGIN SOLUTION",
            "    from cae_np.spec.implementation import implementation",
            "",
            f"    return implementation().{task.name}({names})",
            "    ### END SOLUTION",
        ]
    )


def _graded(name, solution=False, points=None):
    """nbgrader's metadata of a cell."""
    marks = {"grade": points is not None, "grade_id": name, "locked": points is not None}
    marks |= {"schema_version": 3, "solution": solution, "task": False}
    return marks if points is None else marks | {"points": points}
