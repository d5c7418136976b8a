"""Rows, spreads and verdicts."""

from pathlib import Path

import numpy as np
import pytest
from experiments.frame.runs import SETTINGS

from cae_np.experiments.frame.experiment import Cell
from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.frame.rows import cited, claim, measured


def some_results(*values):
    return Results(
        Result(Cell("e", 1, {"v": "a"}, seed), {"error": value}, 2.0 + seed, Path())
        for seed, value in enumerate(values)
    )


def test_a_measured_row_has_mean_and_sample_standard_deviation():
    row = measured(SETTINGS, some_results(1.0, 2.0, 6.0), "error", label="l", metric="m", unit="%",
                   paper=2.5, samples=50).as_dict()  # fmt: skip
    assert row.pop("spread") == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert row == {
        "label": "l", "metric": "m", "unit": "%", "paper": 2.5, "ours": 3.0,
        "values": [1.0, 2.0, 6.0], "seeds": [0, 1, 2], "samples": 50, "data": "mnist",
        "kind": "measured", "preset": "quick", "backend": "numpy", "threads": 2, "seconds": 3.0,
        "source": None, "statement": None, "verdict": None, "note": None,
    }  # fmt: skip


def test_rows_of_one_seed_of_none_and_of_missing_values():
    def row(*values, **more):
        return measured(SETTINGS, some_results(*values), "error", label="l", metric="m", **more)

    assert (row(4.0).ours, row(4.0).spread) == (4.0, None)
    assert (row().ours, row().values, row().seconds) == (None, [], None)
    assert (row(1.0, None, 3.0).values, row(1.0, None, 3.0).seeds) == ([1.0, 3.0], [0, 2])
    assert row(1.0, control=True).kind == "control"
    with pytest.raises(ValueError, match="seed 1 is inf"):
        row(1.0, float("inf"))


def test_the_time_of_needed_cells_counts_and_that_of_others_does_not():
    layers = [Cell("e", 1, {"layer": layer}, 0) for layer in range(3)]
    read_out = Cell("e", 1, {"v": "a"}, 0, needs=layers[:2])
    results = Results(
        Result(cell, {"error": 1.0}, seconds, Path())
        for cell, seconds in zip([*layers, read_out], (1.0, 2.0, 4.0, 8.0), strict=True)
    )
    found = results.where(v="a")
    assert [r.seconds for r in results.needed_by(found)] == [1.0, 2.0]
    options = {"label": "l", "metric": "m"}
    row = measured(SETTINGS, found, "error", needed=results.needed_by(found), **options)
    assert row.seconds == 11.0
    assert measured(SETTINGS, found, "error", **options).seconds == 8.0


def test_a_cited_row_has_no_number_of_ours():
    row = cited(SETTINGS, 0.35, label="others", metric="error", source="M11, table 1")
    assert (row.kind, row.paper, row.ours, row.source) == ("cited", 0.35, None, "M11, table 1")


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([1, 1, 1, 1, 1], "holds"),
        ([1, 2, 1, 3, 1, 9], "holds"),
        ([-1, -1, -1, -1, -1], "does not hold"),
        ([1, 1, 1, 1], "not decided"),
        ([-1, -1, -1, -1], "not decided"),
        ([1, 1, 1, 1, -1], "not decided"),
        ([1, 1, 1, 1, 0], "not decided"),
        ([-1, -1, -1, -1, 0], "not decided"),
        ([1, 1, 1, 1, None], "not decided"),
        ([], "not decided"),
    ],
)
def test_verdicts(differences, verdict):
    larger = {seed: d if d is None else 10 + d for seed, d in enumerate(differences)}
    row = claim(SETTINGS, "It is.", metric="m", larger=larger, smaller=10)
    assert (row.kind, row.verdict, row.statement) == ("claim", verdict, "It is.")
    assert row.values == [d for d in differences if d is not None]


def test_claims_pair_seeds():
    larger, smaller = {0: 1, 1: 5, 2: 7}, {2: 6, 1: 1, 3: 0}
    row = claim(SETTINGS, "It is.", metric="m", larger=larger, smaller=smaller)
    assert (row.seeds, row.values, row.ours) == ([1, 2], [4, 1], 2.5)


def test_results_are_chosen_by_configuration_and_seed():
    made = [
        Result(Cell("e", 1, {"pool": pool, "kernel": (7, 7)}, seed), {"x": pool}, 1.0, Path())
        for pool in (None, 2)
        for seed in (0, 1)
    ]
    results = Results(made)
    assert list(results.where(pool=2, seed=1)) == [made[3]]
    assert list(results.where(pool=None)) == made[:2]
    assert list(results.where(kernel=(7, 7))) == made
    assert results[made[2].cell] is made[2]
    with pytest.raises(LookupError):
        results[Cell("e", 1, {"pool": 3}, 0)]
    with pytest.raises(ValueError, match="seed 0"):
        results.by_seed("x")
