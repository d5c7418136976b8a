"""What is left of a run is told where it is known."""

from pathlib import Path

import pytest

from cae_np import experiments
from cae_np.experiments.frame import expected
from cae_np.experiments.frame.expected import QUICK_SECONDS, Expected
from cae_np.experiments.frame.runner import Options

NAMES = list(QUICK_SECONDS)


@pytest.fixture
def clock(monkeypatch):
    times = [100.0]
    monkeypatch.setattr(expected.time, "monotonic", lambda: times[0])
    return times


def test_every_experiment_that_runs_unnamed_has_its_time():
    ours = [name for name in experiments.MODULES if name[:5] in ("masci", "makhz")]
    assert ours == NAMES and len(NAMES) == 13


def test_what_is_left_follows_from_how_long_the_others_took(clock):
    run = Expected(NAMES, Options("quick", Path("out")))
    assert run.left(0) == []
    assert run.in_all() == [", about 6 minutes on two idle cores"]
    seconds = list(QUICK_SECONDS.values())
    clock[0] += 60 * sum(seconds[:3])  # sixty times as slow as here
    (text,) = run.left(3)
    assert text == f", about {sum(seconds[3:])} minutes left"


@pytest.mark.parametrize("changes", [{"preset": "paper"}, {"resume": True}, {"n_seeds": 2}])
def test_nothing_is_promised_where_it_is_not_known(changes, clock):
    run = Expected(NAMES, Options(**{"preset": "quick", "out": Path("out")} | changes))
    clock[0] += 60
    assert run.left(3) == run.in_all() == []


def test_minutes_for_people():
    said = [expected.in_minutes(s) for s in (5, 30, 50, 100, 240)]
    assert said == ["some seconds", "about half a minute", "about 1 minute", "about 2 minutes",
                    "about 4 minutes"]  # fmt: skip
