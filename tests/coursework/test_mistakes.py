"""Every planted mistake is noticed, by the checks that ought to notice it."""

import numpy as np
import pytest

from cae_np import backend
from cae_np.coursework.mistakes import MISTAKES, failures, implementation, main
from cae_np.spec.cases import CASES
from cae_np.spec.operations import OPERATIONS
from cae_np.spec.properties import PROPERTIES

BACKWARDS = {o.backward_name for o in OPERATIONS if o.arrays and o.backward_name != o.name}


@pytest.fixture(autouse=True)
def on_numpy():
    """The mistakes are written for NumPy."""
    before = backend.active().name
    yield backend.use("numpy")
    backend.use(before)


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistakes_are_caught(mistake):
    impl = implementation(**{mistake.operation: mistake.mutant})
    caught = {prop.name for prop, _, _ in failures(impl, mistake.operation)}
    assert caught, mistake.sentence
    if mistake.operation in BACKWARDS and caught != {"large values"}:
        # Not only by comparison with a right answer, which a new layer does not have.
        assert "difference quotients" in caught


@pytest.mark.parametrize("prop", PROPERTIES, ids=str)
def test_the_same_cases_pass_without_mistakes(prop):
    for case in CASES:
        prop.check(implementation(), np, case)


@pytest.mark.parametrize(
    ("mistake", "check"),
    [
        ("correlate_valid: always float64", "float32 kept"),
        ("correlate_valid: memory taken for contiguous", "memory order"),
        ("add_bias: bias added in place", "arguments untouched"),
        ("max_pool: every maximum marked", "first of equals"),
        ("max_pool: last maximum wins", "first of equals"),
        ("logistic: logistic overflows", "large values"),
    ],
)
def test_checks_without_rivals_catch_what_they_are_for(mistake, check):
    """Each of these would go unnoticed if its check were lost."""
    (mistake,) = [m for m in MISTAKES if str(m) == mistake]
    impl = implementation(**{mistake.operation: mistake.mutant})
    assert {prop.name for prop, _, _ in failures(impl, mistake.operation)} == {check}


def test_upstream_ignored_passes_with_ones():
    """Why upstream gradients are random: with ones this mistake is none."""
    (mistake,) = [m for m in MISTAKES if str(m) == "correlate_valid_backward: upstream ignored"]
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 1, 4, 4)), rng.standard_normal((3, 1, 2, 2))
    ones = np.ones((2, 3, 3, 3))
    right = implementation().correlate_valid_backward(ones, x, w)
    for found, expected in zip(mistake.mutant(ones, x, w), right, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_every_backward_has_a_mistake():
    assert BACKWARDS <= {mistake.operation for mistake in MISTAKES}


def test_names_and_sentences():
    names = [str(mistake) for mistake in MISTAKES]
    assert len(set(names)) == len(names)
    for mistake in MISTAKES:
        assert hasattr(implementation(), mistake.operation)
        assert mistake.sentence.endswith(".") and len(mistake.sentence) < 150


def test_the_command_prints_the_list(capsys, monkeypatch):
    some = MISTAKES[::20]  # all of them are tried above
    monkeypatch.setattr("cae_np.coursework.mistakes.MISTAKES", some)
    assert main() == 0
    printed = capsys.readouterr().out
    assert "caught by: " in printed and "MISSED" not in printed
    assert f"{len(some)} mistakes, {len(some)} caught" in printed
