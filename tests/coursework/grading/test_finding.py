"""Which file counts, how it is read, and what lies beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cae_np.coursework.__main__ import main
from cae_np.coursework.grading.finding import submission_in, submissions_in
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.tasks.catalogue import find_task

ROOT = Path(__file__).parents[3]
TANH = (find_task("scaled_tanh"),)
RIGHT = "import numpy as np\ndef scaled_tanh(x):\n    return 1.7159 * np.tanh(2 / 3 * x)\n"


@pytest.fixture
def handed_out(tmp_path):
    assert main(["stubs", str(tmp_path)]) == 0
    return tmp_path


def write_in_notebook(folder, source=RIGHT):
    path = folder / "exercises.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "def scaled_tanh(" in "".join(cell["source"]):
            cell["source"] = [source]
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7  # it was run
    path.write_text(json.dumps(notebook), encoding="utf-8")


def write_in_file(folder, source=RIGHT):
    path = folder / "exercises.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + source, encoding="utf-8")


def test_what_was_handed_out_can_be_graded_at_once(handed_out, capsys):
    assert main(["grade", str(handed_out), "--task", "scaled_tanh"]) == 1
    assert "scaled_tanh: not started" in capsys.readouterr().out


@pytest.mark.parametrize("write", [write_in_notebook, write_in_file])
def test_the_one_of_two_stubs_counts_that_was_written_in(handed_out, write):
    write(handed_out)
    assert grade(submission_in(handed_out), TANH)[0].passed
    both = [name for name, _ in submissions_in(handed_out)]
    assert both == ["exercises.ipynb", "exercises.py"]  # not one name for two in a table


def test_the_same_functions_in_both_are_one_submission(handed_out):
    write_in_notebook(handed_out)
    write_in_file(handed_out, "import numpy\n" + RIGHT + "# and a remark\n")
    assert grade(submission_in(handed_out), TANH)[0].passed


def test_different_functions_in_both_are_for_the_student_to_decide(handed_out, capsys):
    write_in_notebook(handed_out)
    write_in_file(handed_out, RIGHT.replace("2 / 3", "3 / 2"))
    assert main(["grade", str(handed_out)]) == 2
    assert "hand in one file" in capsys.readouterr().err


def test_what_is_no_file_is_no_submission(tmp_path):
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "EXERCISES.PY").write_text(RIGHT)
    assert [path.name for _, path in submissions_in(tmp_path)] == ["EXERCISES.PY"]


ENCODED = {
    "utf-8": RIGHT + "# é\n",
    "utf-8-sig": RIGHT + "# é\n",
    "latin-1": "# -*- coding: latin-1 -*-\n" + RIGHT + "# é\n",
    "cp1252": "#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\n" + RIGHT + "# “é”\n",
    "shift_jis": "# coding: shift_jis\n" + RIGHT + "# 解\n",
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_is_read_as_python_reads_it(tmp_path, encoding, ends):
    path = tmp_path / "exercises.py"
    path.write_bytes(ENCODED[encoding].replace("\n", ends).encode(encoding))
    subprocess.run([sys.executable, str(path)], check=True)
    assert grade(path, TANH, examples=0)[0].passed
    assert grade(path, TANH, examples=0, closed_book=True)[0].passed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"# \xe9\n", "cannot be read: "),
        (b"# coding: klingon\n", "cannot be read: unknown encoding"),
        (b"x = 0\0\n", "null bytes"),
        (b"(" * 10_000, "no Python"),
        (b"x = " + b"-" * 100_000 + b"1", ""),
    ],
)
def test_what_python_does_not_read_is_said_in_one_line(tmp_path, capsys, data, words):
    path = tmp_path / "exercises.py"
    path.write_bytes(data)
    for options in ([], ["--closed-book"]):
        assert main(["grade", str(path), "--task", "scaled_tanh", *options]) in (1, 2)
        said = capsys.readouterr()
        assert words in said.out + said.err and "Traceback" not in said.out + said.err


# Whatever is imported while a task is graded, under names that a student may give to a helper.
NAMES = ("hypothesis", "resource", "threadpoolctl", "psutil", "asyncio", "IPython", "matplotlib")
NAMES += ("secrets", "selectors", "socket", "random", "unicodedata", "sqlite3", "cae_np", "numpy")


@pytest.mark.parametrize("how", ["from elsewhere", "in its folder"])
@pytest.mark.parametrize("source", [RIGHT, RIGHT.replace("2 / 3", "1")])
def test_modules_beside_a_submission_neither_give_nor_take_points(tmp_path, source, how):
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("import os\nos._exit(0)\n")
    (tmp_path / "exercises.py").write_text(source)
    (tmp_path / "helpers.py").write_text("")
    command = [sys.executable, *(["-P"] if how == "in its folder" else []), "-m"]
    command += ["cae_np.coursework", "grade", str(tmp_path / "exercises.py")]
    ended = subprocess.run(
        [*command, "--task", "scaled_tanh"],
        cwd=ROOT if how == "from elsewhere" else tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    right = source == RIGHT
    assert ended.returncode == (0 if right else 1), ended.stdout + ended.stderr
    assert ("passed, 10 of 10" in ended.stdout) == right
    assert "total" in ended.stdout


def test_modules_beside_a_submission_without_isolation(tmp_path):
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("raise SystemExit\n")
    (tmp_path / "exercises.py").write_text(RIGHT)
    code = f"""
from pathlib import Path
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.tasks.catalogue import find_task
(result,) = grade(Path({str(tmp_path / "exercises.py")!r}), [find_task("scaled_tanh")], isolate=False)
print(result.report)
"""  # noqa: E501
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert said.stdout == "scaled_tanh: passed, 10 of 10 points\n"
