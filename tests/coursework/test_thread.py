"""A student's functions put together: who computes what, and where they part from the package's."""

from pathlib import Path

import numpy as np
import pytest

from cae_np import ops
from cae_np.coursework import thread, together
from cae_np.coursework.__main__ import main
from cae_np.coursework.tasks.catalogue import find_task
from cae_np.data import load

NAMES = sorted(thread.PROJECTS)


@pytest.fixture(scope="module")
def digits():
    return load("glyphs", n_train=300, n_test=100).train


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    for name, project in thread.PROJECTS.items():
        monkeypatch.setitem(thread.PROJECTS, name, thread.replace(project, steps=4))
    monkeypatch.setattr(thread, "EVERY", 1)


def own(name, wrong=lambda answer: answer):
    """The package's function as somebody else's."""
    right = find_task(name).solution
    return lambda *arguments: wrong(right(*arguments))


def tried(name, digits, **functions):
    return thread.put_together(thread.PROJECTS[name], functions, digits)


@pytest.mark.parametrize("name", NAMES)
def test_right_functions_train_the_same_network(name, digits):
    outcome = tried(name, digits, **{n: own(n) for n in thread.PROJECTS[name].uses})
    assert not outcome.given and outcome.parted is None
    assert outcome.yours == outcome.ours
    assert all(np.isfinite(value) and value > 0 for value in outcome.ours.values())
    pictures = list(outcome.pictures.values())
    assert np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    "name, task", [(n, task) for n in NAMES for task in thread.PROJECTS[n].uses]
)
def test_a_wrong_function_is_the_one_that_is_named(name, task, digits):
    """Whichever function is wrong: every one of them is called, and compared where it is."""

    def scaled(answer):
        parts = answer if isinstance(answer, tuple) else (answer,)
        wrong = tuple(p if p.dtype.kind in "bi" else p * 1.01 for p in map(np.asarray, parts))
        return wrong if isinstance(answer, tuple) else wrong[0]

    functions = {
        n: own(n, scaled if n == task else lambda a: a) for n in thread.PROJECTS[name].uses
    }
    outcome = tried(name, digits, **functions)
    assert f"your {task} parts" in outcome.parted, outcome.parted
    assert task in str(outcome)


def test_what_is_missing_unwritten_borrowed_or_raises_is_the_package_s(digits):
    def unwritten(*arguments):
        raise NotImplementedError

    def broken(*arguments):
        return [][1]

    outcome = tried(
        "pooling",
        digits,
        max_pool=unwritten,
        unpool=broken,
        scaled_tanh=ops.scaled_tanh,
        sgd_step=own("sgd_step"),
    )
    assert outcome.given["max_pool"] == "not written yet"
    assert outcome.given["unpool"].startswith("yours raises IndexError")
    assert "line" in outcome.given["unpool"]
    assert outcome.given["scaled_tanh"] == "taken from it"
    assert outcome.given["convolve_full"] == "not there"
    assert "sgd_step" not in outcome.given
    assert outcome.parted == "At step 0, unpool raises an error."
    assert outcome.yours == outcome.ours


def test_weights_that_blow_up_end_the_training_and_nothing_else(digits):
    outcome = tried("winners", digits, sgd_step=lambda p, dp, v, rate, momentum: (p / 0.0, v))
    assert "no longer finite" in outcome.parted
    assert not outcome.yours and outcome.ours
    assert "nothing with yours" in str(outcome)


def test_a_slow_function_makes_fewer_steps_of_both(digits, monkeypatch):
    monkeypatch.setattr(thread, "SECONDS", -1)
    outcome = tried("filters", digits, sgd_step=own("sgd_step"))
    assert outcome.steps == 1 and outcome.yours == outcome.ours


def test_a_function_that_changes_its_arguments_is_compared_on_what_it_got(digits):
    def in_place(p, dp, v, rate, momentum):
        v *= momentum
        v -= rate * dp
        p += v
        return p, v

    assert tried("filters", digits, sgd_step=in_place).parted is None


def test_in_a_notebook(digits, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("cae_np.lecture.show", lambda figure, alt: shown.append(alt))
    together("winners", digits, 2, winner_take_all=own("winner_take_all"))
    assert "yours: winner_take_all\n" in capsys.readouterr().out and len(shown) == 1
    with pytest.raises(ValueError, match="there are filters, pooling, winners, classes"):
        together("nothing", digits)
    with pytest.raises(ValueError, match="does not use max_pool; it uses"):
        together("filters", digits, max_pool=own("max_pool"))


def test_on_the_command_line(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "def sgd_step(p, dp, v, rate, momentum):\n    v = momentum * v - rate * dp\n"
        "    return p + v, v\n"
    )
    out = tmp_path / "pictures"
    arguments = ["train", str(tmp_path / "mine.py"), "--project", "winners", "--out", str(out)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "yours: sgd_step" in printed and "Both agree, step for step." in printed
    assert (out / "winners.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit) as ended:
        main([*arguments[:3], "nothing"])
    assert ended.value.code == 2


@pytest.mark.parametrize("name", thread.PROJECTS)
def test_each_project_stands_at_the_end_of_its_lecture_and_in_the_table(name):
    project, folder = thread.PROJECTS[name], Path(__file__).parents[2] / "lectures"
    text = (folder / f"{project.lecture}.md").read_text("utf-8")
    _, _, last = text.partition("## Put together")
    assert f'together(\n    "{name}"' in last or f'together("{name}"' in last
    for task in project.uses:  # what is written in this lecture goes in
        assert f"{task}={task}" in last or f'check("{task}"' not in text
    number = int(project.lecture[:2])
    assert f"| `{name}` | {number} |" in (folder / "exercises" / "README.md").read_text("utf-8")
