"""The kit names the mistakes that it knows, and claims nothing about those that it does not."""

import pytest
from coursework.attempts import ATTEMPTS, FLOAT64, IN_PLACE, first_words

from cae_np import backend
from cae_np.coursework.engine import try_task
from cae_np.coursework.planted import MISTAKES
from cae_np.coursework.tasks import TASKS, find_task

OF_TASKS = [m for m in MISTAKES if m.operation in {task.name for task in TASKS}]
# The words for what two checks find out with certainty, whatever function does it.
CERTAIN = {FLOAT64: "Cause: float64 comes out", IN_PLACE: "Cause: it changes its argument"}


@pytest.fixture(autouse=True)
def on_numpy():
    before = backend.active().name
    yield
    backend.use(before)


def tried(task, function):
    return try_task(find_task(task), function, examples=0)


@pytest.mark.parametrize("mistake", OF_TASKS, ids=str)
def test_planted_mistakes_are_named_first(mistake):
    result = tried(mistake.operation, mistake.mutant)
    assert result.state == "failed" and result.points < result.max_points
    certain = {"in_place": IN_PLACE, "float64": FLOAT64}
    for ending, kind in certain.items():
        if mistake.mutant.__name__.endswith(ending):
            assert first_words(result.report).startswith(CERTAIN[kind])
            return
    assert first_words(result.report).startswith("Likely cause")
    assert mistake.sentence in first_words(result.report)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: f"{a.task}: {a.what}")
def test_what_is_not_known_gets_no_cause(attempt):
    """The right cause first where there is one, none where there is none."""
    result = tried(attempt.task, attempt.function)
    assert result.state == "failed" and result.points < result.max_points
    words = first_words(result.report)
    if attempt.cause is None:
        assert not words.startswith(("Likely cause", "Cause"))
    elif attempt.cause in CERTAIN:
        assert words.startswith(CERTAIN[attempt.cause])
    else:
        assert words.startswith("Likely cause") and sentence_of(attempt) in words


def sentence_of(attempt):
    if attempt.cause == "upstream_ignored":  # known of every backward
        return "The upstream gradient is ignored"
    (mistake,) = [
        m for m in MISTAKES if m.operation == attempt.task and m.mutant.__name__ == attempt.cause
    ]
    return mistake.sentence


def test_the_right_solutions_are_told_nothing():
    for task in TASKS:
        result = tried(task.name, task.solution)
        assert result.passed and result.points == task.points
