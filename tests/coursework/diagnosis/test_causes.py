"""The kit names the mistakes that it knows, and claims nothing about those that it does not."""

import functools
import itertools
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from coursework import attempts_fresh, attempts_layers, attempts_models, attempts_unseen
from coursework.attempts import FLOAT64, IN_PLACE, MASK, first_words, row, verdict
from coursework.mutants import mutants

from cae_np import backend
from cae_np.coursework.diagnosis.causes import diagnose
from cae_np.coursework.grading.bughunt import hunted_tasks
from cae_np.coursework.grading.engine import try_task
from cae_np.coursework.planted import MISTAKES
from cae_np.coursework.tasks.catalogue import TASKS, arranged, find_task
from cae_np.spec.answers import ask, close
from cae_np.spec.cases import Case

OF_TASKS = [m for m in MISTAKES if m.operation in {task.name for task in TASKS}]
TABLE_FILE = Path(__file__).parents[3] / "lectures" / "exercises" / "WRONG_SOLUTIONS.md"
TABLE = TABLE_FILE.read_text(encoding="utf-8").splitlines()
# Signs of eigenvectors, and all of those of no variance, are LAPACK's choice, which differs between
# processors; so does what comes out where they are misused.
LAPACK_CHOOSES = "rows of eigh taken for the eigenvectors"
# The words for what two checks find out with certainty, whatever function does it.
CERTAIN = {
    FLOAT64: "Cause: float64 comes out",
    IN_PLACE: "Cause: it changes its argument",
    MASK: ("Cause: mask has another type", "Cause: winner has another type"),
}
BATCHES = (attempts_layers, attempts_models, attempts_unseen, attempts_fresh)


def unseen_cases(count=20):
    """Sizes in none of the lists of the kit."""
    rng = random.Random(5)
    for seed in range(count):
        kh, kw = rng.randint(1, 4), rng.randint(1, 4)
        H, W = kh + rng.randint(0, 3), kw + rng.randint(0, 3)
        n, c, k = (rng.randint(1, 3) for _ in range(3))
        ph, pw = rng.randint(1, H), rng.randint(1, W)
        yield Case(n, c, k, H, W, kh, kw, ph, pw, 1, 1, 1, seed=1000 + seed)


UNSEEN = tuple(unseen_cases())


@pytest.fixture(autouse=True)
def on_numpy():
    before = backend.active().name
    yield
    backend.use(before)


@functools.cache  # several tests ask about one function
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
            assert mistake.sentence not in result.report
            return
    assert first_words(result.report).startswith("Likely cause")
    assert mistake.sentence in first_words(result.report)
    assert "Cause:" not in result.report and result.report.count(mistake.sentence) == 1


@pytest.mark.parametrize(
    "attempt",
    [attempt for batch in BATCHES for attempt in batch.ATTEMPTS],
    ids=lambda a: f"{a.task}: {a.what}",
)
def test_what_is_not_known_gets_no_cause(attempt):
    """The right cause first where there is one, none where there is none."""
    result = tried(attempt.task, attempt.function)
    assert result.state == "failed" and result.points < result.max_points
    words = first_words(result.report)
    said, table = row(attempt, result), TABLE
    if attempt.what == LAPACK_CHOOSES:
        said, *table = (
            re.sub(r"is -?[\d.]+, expected", "is …, expected", x) for x in (said, *TABLE)
        )
    assert said in table, "see tests/coursework/wrong_solutions.py"
    if attempt.cause is None or not attempt.named:
        assert not words.startswith(("Likely cause", "Cause"))
    elif attempt.cause in CERTAIN:
        assert words.startswith(CERTAIN[attempt.cause])
    else:
        assert words.startswith("Likely cause") and sentence_of(attempt) in words


def test_the_fresh_hundred_are_counted():
    """As in TEACHING.md; which causes are right is held by the test above, one by one."""
    counts = Counter(verdict(tried(a.task, a.function).report) for a in attempts_fresh.ATTEMPTS)
    assert sum(counts.values()) == 100 and not counts["full points"]
    teaching = (TABLE_FILE.parent / "TEACHING.md").read_text(encoding="utf-8")
    row = f"| now | {counts['cause']} | {counts['observation']} | {counts['example']} | 0 | 0 |"
    assert row in teaching


def sentence_of(attempt):
    if attempt.cause == "upstream_ignored":  # known of every backward
        return "The upstream gradient is ignored"
    (mistake,) = [
        m for m in MISTAKES if m.operation == attempt.task and m.mutant.__name__ == attempt.cause
    ]
    return mistake.sentence


def named_and_refuted(name):
    """For how many changes of a task's loops a cause is named, and for which it is wrong."""
    task, named, refuted = find_task(name), 0, []
    for operation, situation in itertools.product(task.operations, ("plain", "ties")):
        if not task.has(situation):
            continue
        for line, function in mutants(name):
            found = diagnose(task, function, situation, operation, examples=0)
            named += bool(found.causes)
            for cause in found.causes[:1]:
                for case in UNSEEN:
                    arguments = task.arguments(case, situation, operation)
                    a = ask(function, arranged(arguments, situation))
                    b = ask(cause.mistake.mutant, arranged(arguments, situation))
                    pairs = zip(a.results, b.results, strict=True)
                    results = cause.results or range(len(a.results))
                    if not all(
                        p.shape == q.shape and close(p, q).all()
                        for i, (p, q) in enumerate(pairs)
                        if i in results
                    ):
                        refuted.append(f"{line}: {cause.mistake}")
                        break
    return named, refuted


@pytest.mark.parametrize("name", ["scaled_tanh", "sgd_step"])
def test_a_cause_holds_in_calls_that_were_not_looked_at(name):
    named, refuted = named_and_refuted(name)
    assert named and not refuted


@pytest.mark.slow
@pytest.mark.parametrize("name", [task.name for task in hunted_tasks()])
def test_no_small_change_of_the_loops_is_given_a_wrong_cause(name):
    assert not named_and_refuted(name)[1]


def test_the_right_solutions_are_told_nothing():
    for task in TASKS:
        result = tried(task.name, task.solution)
        assert result.passed and result.points == task.points
