"""What the kit says, for every task alike."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from cae_np import backend
from cae_np.coursework import check
from cae_np.coursework.diagnosis.wording import WHEN
from cae_np.coursework.grading.engine import try_task
from cae_np.coursework.tasks.catalogue import SCORED, TASKS, find_task
from cae_np.coursework.tasks.stubs import stub
from cae_np.spec.cases import LARGEST
from cae_np.spec.implementation import failures, implementation
from cae_np.spec.operations import OPERATIONS as ALL_OPERATIONS

LECTURES = Path(__file__).parents[3] / "lectures"
OPERATIONS = [task for task in TASKS if task.operations]


@pytest.fixture(autouse=True)
def on_numpy():
    before = backend.active().name
    yield
    backend.use(before)


def arrays_of(task):
    """Position and name of every array that a task's function is given."""
    names = list(inspect.signature(task.solution).parameters)
    arguments = task.arguments(SCORED[0])
    return [
        (i, name)
        for i, (name, argument) in enumerate(zip(names, arguments, strict=False))
        if isinstance(argument, np.ndarray)
    ]


@pytest.mark.parametrize(
    ("task", "position", "name"),
    [(task.name, *array) for task in OPERATIONS for array in arrays_of(task)],
)
def test_the_argument_that_is_changed_is_named_once(task, position, name):
    """Right in all else: each argument of each task, whatever its dtype."""
    task = find_task(task)

    def function(*arguments):
        kept = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        changed = arguments[position]
        changed[...] = ~changed if changed.dtype == bool else changed + 1
        return task.solution(*kept)

    report = try_task(task, function, examples=0).report
    assert report.count("Cause:") == 1
    assert f"it changes its argument {name} in place" in report
    others = [other for _, other in arrays_of(task) if other != name]
    assert not any(f" {other} in place" in report or f"and {other}" in report for other in others)


def test_two_changed_arguments_are_both_named():
    def function(p, dp, v, rate, momentum):
        v *= momentum
        v -= rate * dp
        p += v
        return p.copy(), v.copy()

    report = try_task(find_task("sgd_step"), function, examples=0).report
    assert "it changes its arguments p and v in place" in report


# --- where it went wrong --------------------------------------------------------------------------


def helper(x):
    return x.reshape(5, 5, 5, 5, 5)


def correlate_valid(x, w):
    col = helper(x)
    return col


def test_the_line_is_that_of_the_function_with_the_inner_one_added():
    report = try_task(find_task("correlate_valid"), correlate_valid, examples=0).report
    outer = report.index("at line ")
    assert report[outer:].splitlines()[0].endswith("test_wording.py: col = helper(x)")
    assert report[outer:].splitlines()[1].strip().startswith("and from there at line ")
    assert report[outer:].splitlines()[1].endswith("return x.reshape(5, 5, 5, 5, 5)")


def test_one_line_is_said_once():
    def correlate_valid(x, w):
        raise ValueError("no")

    report = try_task(find_task("correlate_valid"), correlate_valid, examples=0).report
    assert report.count("at line") == 1


# --- causes ---------------------------------------------------------------------------------------


def test_zero_everywhere_is_not_blamed_on_a_division_alone():
    report = try_task(find_task("scaled_tanh"), lambda x: 0 * x, examples=0).report
    assert "All is 0" in report


def raises_for_a_number(x, size):
    ph, pw = size
    y, mask = find_task("max_pool").solution(x, size)
    return 2 * y, mask


def only_the_loss(x, w, b, c):
    return find_task("tied_cae_gradient").solution(x, w, b, c)[0] * 2


def test_results_that_did_not_come_are_not_called_right():
    """An error, and one result in place of four; where all come, which are right is said."""
    for task, function in (
        ("max_pool", raises_for_a_number),
        ("tied_cae_gradient", only_the_loss),
    ):
        assert "Right: " not in try_task(find_task(task), function, examples=0).report

    def doubled(x, size):
        y, mask = find_task("max_pool").solution(x, size)
        return 2 * y, mask

    report = try_task(find_task("max_pool"), doubled, examples=0).report
    assert "Wrong: y.  Right: mask." in report


# --- large values ---------------------------------------------------------------------------------


def cut_off_loss(z, labels):
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels] + 1e-12).mean()


def clipped_loss(z, labels):
    p = np.exp(z - z.max(1, keepdims=True))
    p = np.clip(p / p.sum(1, keepdims=True), 1e-15, 1 - 1e-15)
    return -np.log(p[np.arange(len(z)), labels]).mean()


def tanh_cut_off(x):
    return np.where(abs(x) > 20, 0, 1.7159 * np.tanh(2 / 3 * x)).astype(x.dtype)


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("softmax_cross_entropy", cut_off_loss),
        ("softmax_cross_entropy", clipped_loss),
        ("scaled_tanh", tanh_cut_off),
    ],
)
def test_finite_is_not_enough_for_large_values(task, function):
    result = try_task(find_task(task), function, examples=0)
    assert result.points < result.max_points and not result.checks["large values"]
    assert "Likely cause" in result.report


@pytest.mark.parametrize("operation", [o for o in ALL_OPERATIONS if o.exponential], ids=str)
@pytest.mark.parametrize("factor", [0, 0.5, -1])
def test_wrong_where_values_are_large(operation, factor):
    """Whatever finite number comes out for large values: both directions, every function."""
    right = implementation()
    for name in operation.functions:

        def wrong(*arguments, name=name):
            """Right for small values; the backwards of non-linearities see none but small ones."""
            y = getattr(right, name)(*arguments)
            return y * factor if any(np.any(abs(np.asarray(a)) > 20) for a in arguments) else y

        caught = {p.name for p, *_ in failures(implementation(**{name: wrong}), name)}
        if name == operation.name or operation.is_loss:
            assert caught == {"large values"}


def test_one_range_in_lecture_stub_and_kit():
    """±4000 where it is announced, and no draw is larger."""
    said = f"±{LARGEST:g}"
    for lecture in ("02_backpropagation.md", "09_error_rates.md"):
        assert said in (LECTURES / lecture).read_text(encoding="utf-8")
    for task in TASKS:
        if task.operations and task.has("large"):
            assert said in stub(task)
            for case in SCORED:
                largest = max(abs(a).max() for a in task.arguments(case, "large")[:1])
                assert largest <= LARGEST
    assert said in WHEN["large"]


def test_check_says_how_it_is_called(capsys):
    check(correlate_valid, "correlate_valid")
    assert 'check("correlate_valid", correlate_valid)' in capsys.readouterr().out
