"""What is handed out: stubs, bug hunts, and folders for other graders."""

import inspect
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cae_np.coursework.__main__ import main
from cae_np.coursework.grading import bughunt, forms
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.planted.sources import PATCHES
from cae_np.coursework.tasks import stubs
from cae_np.coursework.tasks.catalogue import SCORED, TASKS, find_task
from cae_np.coursework.tasks.checking import try_gradient_check
from cae_np.spec.answers import ask, same

ROOT = Path(__file__).parents[3]
EXERCISES = ROOT / "lectures" / "exercises"
SOME = tuple(find_task(name) for name in ("im2col", "max_pool"))


# --- stubs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written"), [("exercises.py", stubs.module), ("exercises.ipynb", stubs.notebook)]
)
def test_committed_stubs_are_up_to_date(name, written):
    """Else: python -m cae_np.coursework stubs."""
    assert (EXERCISES / name).read_text(encoding="utf-8") == written()


def test_stubs_have_the_signatures_and_the_words_of_the_functions():
    namespace = {}
    exec(stubs.module(), namespace)
    for task in TASKS:
        function = namespace[task.name]
        names = [name for name in inspect.signature(task.solution).parameters if name != "out"]
        assert list(inspect.signature(function).parameters) == names
        assert "Returns" in function.__doc__ and "Raises" not in function.__doc__
        assert "out :" not in function.__doc__
        first = inspect.getdoc(task.solution).splitlines()[0]
        assert inspect.getdoc(function).splitlines()[0] == first
        with pytest.raises(NotImplementedError):
            function(*[None] * len(names))


@pytest.mark.parametrize("name", ["exercises.py", "exercises.ipynb"])
def test_stubs_are_not_started(name):
    """Nobody gets points for handing in what was handed out."""
    results = grade(EXERCISES / name, [*SOME, TASKS[-1]])
    assert [r.state for r in results] == ["not started"] * 3
    assert sum(r.points for r in results) == 0


# --- bug hunts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: str(patch.mistake))
def test_patched_loops_answer_like_the_mistake(patch):
    task = find_task(patch.mistake.operation)
    function = module_of({task.name: patch})[task.name]
    trials = [task.arguments(case) for case in SCORED]
    answers = [ask(function, arguments) for arguments in trials]
    for case, answer in zip(SCORED, answers, strict=True):
        assert same(answer, ask(patch.mistake.mutant, task.arguments(case)))
    right = [ask(task.solution, task.arguments(case)) for case in SCORED]
    assert not all(same(a, b) for a, b in zip(answers, right, strict=True))


def module_of(planted):
    namespace = {}
    exec(bughunt.module(planted), namespace)
    return namespace


def test_loops_without_a_mistake_pass(tmp_path):
    path = tmp_path / "right.py"
    path.write_text(bughunt.module({}))
    results = grade(path, bughunt.hunted_tasks(), examples=0)
    assert [r.report for r in results if not r.passed] == []


def test_a_hunt_is_decided_by_its_seed(tmp_path):
    for name, seed in (("a", "autumn"), ("b", "autumn"), ("c", "spring")):
        assert main(["make_assignment", str(tmp_path / name), "--seed", seed]) == 0
    a, b, c = (
        [(tmp_path / name / file).read_text() for file in ("bug_hunt.py", "bug_hunt.key.json")]
        for name in "abc"
    )
    assert a == b and a[0] != c[0]
    key = json.loads(a[1])
    assert len(key["planted"]) == 6
    assert not any(entry["sentence"] in a[0] for entry in key["planted"].values())


def test_mending_and_breaking(tmp_path, capsys, monkeypatch):
    few = ("im2col", "col2im", "pad_same", "scaled_tanh")  # that are fast as loops
    monkeypatch.setattr(bughunt, "PATCHES", [p for p in PATCHES if p.mistake.operation in few])
    module, key = bughunt.make_assignment(tmp_path, "term", mistakes=3)
    planted = json.loads(key.read_text())["planted"]
    assert main(["grade", str(module), "--key", str(key)]) == 1
    assert "0 of 3 mistakes mended" in capsys.readouterr().out
    source = module.read_text()
    for name, entry in list(planted.items())[:2]:
        start = source.index(f"def {name}(")
        body = source[start:].replace(entry["wrong"], entry["right"], 1)
        source = source[:start] + body
    module.write_text(source)
    results, report = bughunt.grade_hunt(module, key)
    assert sum(r.points for r in results) == 20 and "2 of 3 mistakes mended" in report
    untouched = next(t.name for t in bughunt.hunted_tasks() if t.name not in planted)
    module.write_text(source + f"\n\ndef {untouched}(*arguments):\n    return 0\n")
    results, report = bughunt.grade_hunt(module, key)
    assert sum(r.points for r in results) == 10
    assert f"Right before, wrong now: {untouched}" in report


def test_a_right_function_that_calls_one_with_a_mistake_is_right(tmp_path, monkeypatch):
    few = ("convolve_full", "tied_cae_gradient")  # the second calls the first
    patch = next(p for p in PATCHES if p.mistake.operation == few[0])
    module, key = tmp_path / "bug_hunt.py", tmp_path / "bug_hunt.key.json"
    module.write_text(bughunt.module({few[0]: patch}))
    key.write_text(json.dumps({"planted": {few[0]: {}}}))

    def grade_few(path, tasks, **how):  # all of them are slow as loops
        return grade(path, [task for task in tasks if task.name in few], **how)

    monkeypatch.setattr(bughunt, "grade", grade_few)
    _, report = bughunt.grade_hunt(module, key)
    assert "0 of 1 mistakes mended" in report and "wrong now" not in report
    broken = f"\n\ndef {few[1]}(x, w, b, c):\n    return 0\n"
    module.write_text(module.read_text() + broken)
    _, report = bughunt.grade_hunt(module, key)
    assert f"Right before, wrong now: {few[1]}" in report


@pytest.mark.parametrize("mistakes", [0, 100])
def test_too_many_mistakes(mistakes, tmp_path, capsys):
    call = ["make_assignment", str(tmp_path), "--seed", "1", "--mistakes", str(mistakes)]
    assert main(call) == 2
    assert "expected 1 to" in capsys.readouterr().err


# --- the task of writing the gradient check -------------------------------------------------------


def test_the_package_s_check_catches_every_mistake():
    share, checks, sentences = try_gradient_check(find_task("gradient_check").solution)
    assert share == 1 and all(checks.values()), sentences


def test_crying_wolf_earns_nothing():
    assert try_gradient_check(lambda *layer: False)[0] == 0


# --- other graders --------------------------------------------------------------------------------


def test_gradescope_s_folder_grades(tmp_path):
    """The zip as it is unpacked there, with its paths led to a folder of ours."""
    inside, archive = forms.write("gradescope", tmp_path / "out", SOME, closed_book=True)
    place = tmp_path / "autograder"
    with zipfile.ZipFile(archive) as zipped:
        assert {"setup.sh", "run_autograder", "requirements.txt"} <= set(zipped.namelist())
        zipped.extractall(place / "source")
    for name in ("submission", "results", "venv/bin"):
        (place / name).mkdir(parents=True)
    (place / "venv" / "bin" / "python").symlink_to(sys.executable)
    (place / "submission" / "anything.py").write_text("from cae_np.ops import max_pool\n")
    script = (place / "source" / "run_autograder").read_text()
    script = script.replace("/autograder", str(place)).replace(
        str(place / "venv" / "bin" / "python"), sys.executable
    )
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    results = json.loads((place / "results" / "results.json").read_text())
    assert [test["name"] for test in results["tests"]] == ["im2col", "max_pool"]
    assert "Closed book" in results["tests"][1]["output"]
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", inside / name]).returncode == 0
    assert (inside / "requirements.txt").read_text().startswith("numpy>=")


def test_no_form_is_written_over_something(tmp_path, capsys):
    (tmp_path / "precious").write_text("")
    assert main(["otter", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_otter_s_tests_call_the_kit(tmp_path):
    """With a stand-in for otter's decorator; the real one was tried by hand (TEACHING.md)."""
    forms.write("otter", tmp_path / "tests", SOME)
    source = (tmp_path / "tests" / "max_pool.py").read_text()
    cases = []

    def test_case(points, hidden):
        return lambda function: cases.append((points, function))

    body = source.replace("from otter.test_files import test_case", "")
    namespace = {"test_case": test_case}
    exec(body, namespace)
    assert namespace["OK_FORMAT"] is False and namespace["name"] == "max_pool"
    assert [points for points, _ in cases] == [7, 3]
    for _, function in cases:
        function(find_task("max_pool").solution)
        with pytest.raises(AssertionError, match="It returns one array"):
            function(lambda x, size: x)


def test_nbgrader_s_notebook(tmp_path):
    """Unique names, points, and marks that leave the stub when they are cut out."""
    (path,) = forms.write("nbgrader", tmp_path / "source", SOME)
    cells = json.loads(path.read_text())["cells"]
    marked = [cell for cell in cells if "nbgrader" in cell["metadata"]]
    names = [cell["metadata"]["nbgrader"]["grade_id"] for cell in marked]
    assert names == ["im2col", "test_im2col", "max_pool", "test_max_pool"]
    namespace = {}
    for cell in cells:
        exec("".join(cell["source"]), namespace)  # the solution between the marks is right
    points = [cell["metadata"]["nbgrader"].get("points") for cell in marked]
    assert points == [None, 10, None, 10]
    source = "".join(marked[2]["source"])
    assert source.index("### BEGIN SOLUTION") < source.index("### END SOLUTION")
