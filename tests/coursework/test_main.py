"""``python -m cae_np.coursework``: one line and exit code 2 for every mistake in a call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cae_np.coursework.__main__ import main

ROOT = Path(__file__).parents[2]
RIGHT = "def add_bias_backward(dy):\n    return dy, dy.sum(axis=(0, 2, 3))\n"
IN_FLOAT64 = RIGHT.replace("3))", '3)).astype("float64")')


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "float64.py").write_text(IN_FLOAT64)
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "class").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("", "the following arguments are required: COMMAND; --help explains the options"),
        ("nonsense", "invalid choice: 'nonsense'"),
        ("grade", "the following arguments are required: submission; --help"),
        ("grade gone.py", "there is no gone.py: expected a .py or .ipynb file"),
        ("grade right.py --task max_pol", "there is no task 'max_pol'; did you mean max_pool?"),
        ("grade right.py --task xyzzy", "there is no task 'xyzzy'; the tasks are im2col, "),
        ("grade right.py --seconds 0", "'0' is not a number of seconds, 12 for instance"),
        ("grade right.py --seconds nan", "'nan' is not a number of seconds"),
        ("grade right.py --seconds inf", "'inf' is not a number of seconds"),
        ("grade right.py --seconds x", "'x' is not a number of seconds"),
        ("grade right.py --csv a.csv", "--csv takes a folder of submissions; right.py is a file"),
        ("grade gone --csv a.csv", "--csv takes a folder of submissions; gone is not there"),
        ("grade class --csv a.csv", "no .py or .ipynb files in class"),
        ("grade class --csv a.csv --score-json b", "--score-json are for one submission"),
        ("grade right.py --reports r", "--reports goes with --csv"),
        ("grade right.py --key gone.json", "gone.json is missing"),
        ("grade right.py --key other.json", "other.json is not the key of a bug hunt; expected"),
        ("grade right.py --key k --task im2col", "leave --task and --closed-book out"),
        ("grade right.py --score-json class", "cannot write class (Is a directory)"),
        ("stubs right.py", "right.py: File exists; choose another place"),
        ("make_assignment right.py --seed 1", "right.py: File exists; choose another place"),
        ("make_assignment new", "the following arguments are required: --seed"),
        ("otter right.py", "right.py: Not a directory; choose another place"),
    ],
)
def test_a_mistake_in_the_call(folder, capsys, call, message):
    try:
        code = main(call.split())
    except SystemExit as end:  # argparse's way
        code = end.code
    output = capsys.readouterr()
    assert code == 2 and message in output.err and output.err.count("\n") == 1
    assert not (folder / "a.csv").exists()


@pytest.mark.parametrize(
    "module", ["cae_np.coursework grade float64.py --task add_bias_backward",
               "cae_np.coursework.mistakes"]
)  # fmt: skip
def test_nothing_is_graded_without_assertions(folder, module):
    """Under -O the function that turns float32 into float64 would pass."""
    command = [sys.executable, "-O", "-m", *module.split()]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "") and ran.stderr.count("\n") == 1
    assert "python -O and $PYTHONOPTIMIZE leave out the assertions" in ran.stderr


@pytest.mark.parametrize(
    "module", ["cae_np.coursework grade right.py --task add_bias_backward",
               "cae_np.coursework.mistakes"]
)  # fmt: skip
def test_a_reader_that_goes_away_ends_it_quietly(folder, module):
    command = [sys.executable, "-m", *module.split()]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **streams) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_that_function_fails_with_assertions(folder, capsys):
    for name, code in (("right.py", 0), ("float64.py", 1)):
        assert main(["grade", name, "--task", "add_bias_backward"]) == code
