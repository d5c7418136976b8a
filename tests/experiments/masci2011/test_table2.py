"""Table 2: CIFAR-10 with few labels."""

from pathlib import Path

import pytest
from experiments.facts import all_cells, settings

from cae_np import storage
from cae_np.experiments.frame import runner
from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.masci2011 import pretraining, table1, table2


def test_table_2_compares_its_gain_with_table_1(embedded_data, tmp_path):
    options = runner.Options(preset="smoke", out=tmp_path)
    session = runner.Session(options, say=lambda line: None)
    rows = {}
    for module in (table1, table2):
        assert session.run(runner.prepare(module.EXPERIMENT, options))
        path = tmp_path / module.EXPERIMENT.name / "results.json"
        rows[module] = storage.load_json(path)["rows"]
    gains = {
        module: [r for r in found if r["label"] == pretraining.GAIN and r["samples"] == 40]
        for module, found in rows.items()
    }
    (claimed,) = [
        r for r in rows[table2] if r["label"] == "M11, section 4.1" and r["samples"] == 40
    ]
    assert claimed["ours"] == pytest.approx(gains[table2][0]["ours"] - gains[table1][0]["ours"])


def table_result(cell, agrees):
    """A cell's values when everything is as the paper says, or nothing."""
    config = cell.config
    better = (config.get("start") == "pre-trained") == agrees
    # Distances from the mean are those of 0, 1, 4, 9, 16, larger where it is said to be unstable.
    error = 5.0 + (0.001 if better else 0.1) * cell.seed**2 + (0 if better else 10)
    values = {"test_error": error, "validation_error": error, "history": []}
    return values | {"error": 1.0, "size": 1.0, "saturated": 1.0, "confusion": [[1]]}


def test_the_ledger_of_table_2_names_all_its_alternatives():
    found = Results(Result(c, table_result(c, True), 1.0, Path()) for c in all_cells(table2))
    effects = " ".join(c.effect or "" for c in table2.EXPERIMENT.choices(settings(table2), found))
    assert all(f"{name}: " in effects for name in table2.TABLE.alternatives)
