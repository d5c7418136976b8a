"""Submissions of every kind: each task costs what it costs, and no more."""

import csv
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from cae_np import ops
from cae_np.coursework import check, require, score
from cae_np.coursework.__main__ import main
from cae_np.coursework.grading import scores
from cae_np.coursework.grading.engine import try_task
from cae_np.coursework.grading.finding import submission_in, submissions_in
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.tasks.catalogue import FOR_VALUES, TASKS, find_task

ROOT = Path(__file__).parents[3]
SOME = tuple(find_task(name) for name in ("im2col", "scaled_tanh", "unpool", "sgd_step"))


def states(results):
    return {result.task: result.state for result in results}


TANH = """
    import numpy as np

    def scaled_tanh(x):
        return 1.7159 * np.tanh(2 / 3 * x)
"""


def test_each_task_on_its_own(submit):
    """What hangs, exits, kills the process or floods the output costs its task alone."""
    path = submit(
        TANH
        + """
    import os

    def im2col(x, kh, kw):
        while True:
            pass

    def col2im(col, shape):
        os._exit(0)

    def correlate_valid(x, w):
        raise SystemExit

    def kernel_gradient(x, dy):
        raise KeyboardInterrupt

    def convolve_full(h, w):
        raise NotImplementedError

    def pad_same(x, kh, kw):
        \"\"\"Still to be written.\"\"\"

    def unpool(y, mask, size):
        for _ in range(200):
            print("x" * 10_000)
            os.write(1, b"y" * 10_000)
        return np.kron(y, np.ones((size, size) if isinstance(size, int) else size))[
            :, :, : mask.shape[2], : mask.shape[3]
        ] * mask

    def max_pool(x, size):
        input("size?")

    def winner_take_all(h):
        return [[object()]]
    """
    )
    names = "im2col col2im correlate_valid kernel_gradient convolve_full pad_same scaled_tanh"
    names += " unpool max_pool winner_take_all max_pool_backward"
    names = names.split()
    results = grade(path, [find_task(name) for name in names[:1]], seconds=2)
    results += grade(path, [find_task(name) for name in names[1:]])
    assert states(results) == {
        "im2col": "too slow",
        "col2im": "failed",
        "correlate_valid": "failed",
        "kernel_gradient": "failed",
        "convolve_full": "not started",
        "pad_same": "not started",
        "scaled_tanh": "passed",
        "unpool": "failed",  # float64 for float32
        "max_pool": "failed",
        "winner_take_all": "failed",
        "max_pool_backward": "not started",
    }
    reports = {result.task: result.report for result in results}
    assert "did not end within 2 s of work" in reports["im2col"]
    assert "ended the whole Python process" in reports["col2im"]
    assert "It raises SystemExit" in reports["correlate_valid"]
    assert "It raises EOFError" in reports["max_pool"] and "line " in reports["max_pool"]
    assert "no array of numbers" in reports["winner_take_all"]


def test_in_one_process(submit):
    """As in a browser: no time limit, but nothing else is different."""
    path = submit(TANH + "\n    def im2col(x, kh, kw):\n        raise SystemExit\n")
    alone = grade(path, SOME, isolate=False)
    assert states(alone) == states(grade(path, SOME))
    assert [r.points for r in alone] == [0, 10, 0, 0]


def test_one_process_and_helpers_of_the_same_name(tmp_path):
    """Everybody's helpers.py is their own, and the next one's is not taken from memory."""
    before = set(sys.modules)
    for name, slope in (("ada", 3), ("bo", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "helpers.py").write_text(f"slope = {slope} / 3")
        source = TANH.replace("2 / 3", "slope") + "\n    from helpers import slope"
        (folder / "exercises.py").write_text(textwrap.dedent(source))
    path = list(sys.path)
    tanh = (find_task("scaled_tanh"),)
    points = [
        grade(tmp_path / name / "exercises.py", tanh, isolate=False)[0].points
        for name in ("ada", "bo", "ada")
    ]
    assert points == [0, 10, 0]
    assert sys.path == path and "helpers" not in set(sys.modules) - before


def test_notebooks(submit):
    """Magics are skipped, and a cell that fails does not take the others with it."""
    path = submit(
        [
            "%matplotlib inline\n!pip list\nimport numpy as np",
            "%%time\nthis is no Python",
            "1 / 0",
            "np.tanh?",
            "def scaled_tanh(x):\n    return 1.7159 * np.tanh(2 / 3 * x)",
            "def im2col(x, kh, kw):\n    return undefined_name",
        ]
    )
    results = grade(path, SOME[:2])
    assert states(results) == {"im2col": "failed", "scaled_tanh": "passed"}
    assert "at line 2 of code cell 6 of exercises.ipynb: return undefined_name" in results[0].report


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def im2col(x, kh, kw)\n    pass", "line 1 of exercises.py is no Python"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("exit()", "SystemExit"),
        ("1 / 0", "at line 1 of exercises.py: 1 / 0"),
    ],
)
def test_files_that_do_not_run(submit, source, words):
    (result,) = grade(submit(source), SOME[:1])
    assert result.state == "failed" and words in result.report


def test_a_file_that_fails_at_its_end_counts_up_to_there(submit):
    assert states(grade(submit(TANH + "\n    1 / 0"), SOME[1:2])) == {"scaled_tanh": "passed"}


# --- points ---------------------------------------------------------------------------------------


def test_points_come_from_committed_cases(monkeypatch):
    """The same whether hypothesis is there or not, and whatever it draws."""
    with_hypothesis = try_task(find_task("max_pool"), half_right)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    without = try_task(find_task("max_pool"), half_right)
    assert with_hypothesis.points == without.points == round(10 * FOR_VALUES / 5, 2)
    assert without.checks == with_hypothesis.checks
    assert "Likely cause" in without.report


def half_right(x, size):
    """Right where windows divide the image: one of five cases."""
    ph, pw = (size, size) if isinstance(size, int) else size
    y, mask = ops.max_pool(x, size)
    return y[:, :, : x.shape[2] // ph, : x.shape[3] // pw], mask


def test_slow_but_right_passes_and_is_told():
    result = try_task(find_task("correlate_valid"), loops)
    assert result.passed and result.points == 10
    assert "Right, but slow" in result.report
    assert "slow" not in try_task(find_task("correlate_valid"), ops.correlate_valid).report


def loops(x, w):
    from cae_np.ops import reference

    return reference.correlate_valid(x, w)


def test_wrong_beyond_the_cases_is_told_and_costs_nothing():
    def pad_same(x, kh, kw):
        if (kh, kw) == (4, 1):  # in none of the cases that count
            return x
        return ops.pad_same(x, kh, kw)

    result = try_task(find_task("pad_same"), pad_same)
    assert result.passed and result.points == 10
    assert "All points, and yet" in result.report and "kh = 4" in result.report


def test_answers_are_copied_into_plain_arrays():
    """An array that says that it equals everything is not believed."""

    class Sly(np.ndarray):
        def __eq__(self, other):
            return np.ones(self.shape, bool)

        def __sub__(self, other):
            return np.zeros(self.shape)

    result = try_task(find_task("scaled_tanh"), lambda x: np.zeros_like(x).view(Sly), examples=0)
    assert result.state == "failed" and result.points == 0


def test_lists_are_welcome():
    result = try_task(find_task("scaled_tanh"), lambda x: ops.scaled_tanh(x).tolist(), examples=0)
    assert result.checks["values"] and not result.checks["float32 kept"]


# --- in notebooks and other graders ---------------------------------------------------------------


def test_check_prints_and_never_raises(capsys):
    def exits(x):
        raise SystemExit("done")

    def interrupts(x):
        raise KeyboardInterrupt

    for function, words in [
        (None, "not started"),
        (exits, "It raises SystemExit: done"),
        (interrupts, "It raises KeyboardInterrupt"),
        (ops.scaled_tanh, "passed, 10 of 10"),
        (lambda: 0, "failed, 0 of 10"),
        ("no function", "not started"),
    ]:
        assert check("scaled_tanh", function) is None
        assert words in capsys.readouterr().out
    check("scaled_tan", exits)
    assert "there is no task 'scaled_tan'; did you mean scaled_tanh?" in capsys.readouterr().out


def test_require_raises_with_the_same_words(capsys):
    require("scaled_tanh", ops.scaled_tanh)
    check("scaled_tanh", np.tanh)
    said = capsys.readouterr().out.strip()
    with pytest.raises(AssertionError) as raised:
        require("scaled_tanh", np.tanh)
    assert str(raised.value).strip() == said
    require("max_pool", only_first_is_wrong, part="values")
    with pytest.raises(AssertionError, match="one must win"):
        require("max_pool", only_first_is_wrong, part="care")


def only_first_is_wrong(x, size):
    ph, pw = (size, size) if isinstance(size, int) else size
    y, _ = ops.max_pool(x, size)
    return y, x == y.repeat(ph, 2).repeat(pw, 3)[:, :, : x.shape[2], : x.shape[3]]


def test_score_is_what_is_earned(capsys):
    assert score("scaled_tanh", ops.scaled_tanh) == 10
    assert score("max_pool", only_first_is_wrong) == pytest.approx(9.4)
    with pytest.raises(AssertionError, match="not started"):
        score("max_pool", None)


# --- the command line -----------------------------------------------------------------------------


def run(*arguments):
    command = [sys.executable, "-m", "cae_np.coursework", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_grading_writes_what_gradescope_reads(submit, tmp_path):
    """Every field of its documentation, complete after every task, and no NaN."""
    path, out = submit(TANH), tmp_path / "results" / "results.json"
    ended = run("grade", path, "--score-json", out, "--task", "scaled_tanh", "--task", "im2col")
    assert ended.returncode == 1 and "scaled_tanh: passed" in ended.stdout
    assert "total           10 of  20" in ended.stdout and ended.stderr == ""
    written = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert [t["name"] for t in written["tests"]] == ["scaled_tanh", "im2col"]
    assert [t["score"] for t in written["tests"]] == [10.0, 0.0]
    assert [t["status"] for t in written["tests"]] == ["passed", "failed"]
    for test in written["tests"]:
        assert test["max_score"] == 10.0 and test["visibility"] == "visible"
        assert test["output"].startswith(test["name"])
    assert "score" not in written  # it would override the sum


def test_results_are_complete_from_the_start():
    at_once = scores.gradescope([], SOME)
    assert [t["score"] for t in at_once["tests"]] == [0.0] * 4
    assert "not been run" in at_once["tests"][0]["output"] and "yet" in at_once["output"]
    assert scores.gradescope([], SOME, note="it cannot be read")["output"] == "it cannot be read"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.py"], "there is no nowhere.py"),
        (["cae_np", "--task", "im2col"], "hand in one file"),
        (["pyproject.toml", "--task", "im2cow"], "there is no task 'im2cow'"),
    ],
)
def test_mistakes_in_the_call(arguments, words, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["grade", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_a_class(submit, tmp_path, capsys):
    """One line for each submission, whatever it is."""
    submit(TANH, "ada")
    submit([TANH], "ben")
    submit("def scaled_tanh(", "=cmd")
    (tmp_path / "dora.ipynb").write_text("not a notebook")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.py").write_text("")
    table, reports = tmp_path / "out" / "class.csv", tmp_path / "out" / "reports"
    call = ["grade", tmp_path, "--csv", table, "--reports", reports, "--task", "scaled_tanh"]
    assert main([str(word) for word in call]) == 0
    rows = {r["submission"]: r for r in csv.DictReader(table.read_text().splitlines())}
    assert list(rows) == ["'=cmd", "ada", "ben", "dora"]
    assert rows["ada"]["points"] == rows["ben"]["scaled_tanh"] == "10"
    assert rows["'=cmd"]["scaled_tanh state"] == "failed"
    assert "not a notebook" in rows["dora"]["problem"] and rows["dora"]["points"] == "0"
    assert "scaled_tanh: passed" in (reports / "ada.txt").read_text()
    assert "ada: 10 of 10" in capsys.readouterr().out


def test_which_file_of_a_folder_counts(submit, tmp_path):
    submit("", "helpers")
    assert submission_in(tmp_path).name == "helpers.py"
    submit("", "exercises")
    assert submission_in(tmp_path).name == "exercises.py"
    assert len(submissions_in(tmp_path)) == 2


def test_pytest_takes_a_submission(submit, tmp_path):
    """The words of the engine, the table, and the file of scores."""
    path, out = submit(TANH), tmp_path / "scores.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/coursework"]
    options = ["--submission", path, "--task", "scaled_tanh", "--task", "unpool"]
    ended = subprocess.run(
        [*command, *map(str, options), "--score-json", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "unpool: not started, 0 of 10 points" in ended.stdout
    assert "total           10 of  20" in ended.stdout
    assert len(json.loads(out.read_text())["tests"]) == 2
    ended = subprocess.run(
        [*command, "--submission", "nowhere.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 4 and "there is no nowhere.py" in ended.stderr + ended.stdout


def test_importable_where_there_is_little():
    """As in a browser: no processes, no hypothesis, no downloads, no GPU."""
    code = """
        import sys
        for name in ("pooch", "cupy", "hypothesis", "psutil", "matplotlib", "tqdm"):
            sys.modules[name] = None
        import os
        del os.fork
        from cae_np.coursework import check
        from cae_np.coursework.grading.grade import grade
        from cae_np.coursework.tasks.catalogue import TASKS
        check("max_pool", lambda x, size: (x[:, :, ::2, ::2], x > 0))
        assert all(result.passed for result in grade(None, TASKS[:3]))
        assert "_pytest" not in sys.modules
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert "max_pool: failed" in ended.stdout


def test_tasks_have_all_that_the_course_asks_for():
    assert len({task.name for task in TASKS}) == len(TASKS) == 23
    for task in TASKS:
        assert task.solution.__doc__ and task.points == 10
        assert task.trial or all(task.properties)
