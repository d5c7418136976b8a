"""Table 1: MNIST, one layer and two."""

import numpy as np
import pytest

from cae_np import storage
from cae_np.experiments.frame import runner
from cae_np.experiments.makhzani2014 import table1


def images(n, channels, size, seed=0):
    """Images without any order, so that no pixel says anything about another."""
    return np.random.default_rng(seed).random((n, channels, size, size), np.float32)


def test_deep_rows_of_table_1(embedded_data, monkeypatch, tmp_path):
    monkeypatch.setattr(table1, "BELOW", 4)
    monkeypatch.setattr(table1, "WIDTHS", {"smoke": (6, 8, 9)})
    small = {"maps": 5, "images": 100, "penalties": (1e-3, 1e-2)}
    monkeypatch.setattr(table1, "SECOND_SEARCH", small)
    options = runner.Options(preset="smoke", out=tmp_path)
    said = []
    session = runner.Session(options, say=said.append)
    assert session.run(runner.prepare(table1.EXPERIMENT, options)), said
    document = storage.load_json(tmp_path / "makhzani2014-table1" / "results.json")
    rows = {row["label"]: row for row in document["rows"] if row["kind"] != "claim"}
    for width in (6, 8, 9):
        assert 0 <= rows[f"Deep, 4 + {width} maps"]["ours"] <= 100
    for width in (6, 8):
        control = rows[f"Deep, 4 + {width} maps, the second layer untrained"]
        assert control["kind"] == "control" and control["ours"] is not None
        (judged,) = [
            row for row in document["rows"]
            if row["kind"] == "claim" and f"random ones (4 + {width} maps)" in row["statement"]
        ]  # fmt: skip
        learned = rows[f"Deep, 4 + {width} maps"]["ours"]
        assert judged["ours"] == pytest.approx(control["ours"] - learned)
    ledger = {choice["question"]: choice["effect"] for choice in document["choices"]}
    tried = next(effect for q, effect in ledger.items() if q.startswith("The second layer"))
    assert all(name in tried for name in [*table1.SECOND_PLANS, "untrained"])

    # A final cell takes what the lowest validation error took.
    folder = tmp_path / "makhzani2014-table1" / "cells"
    made = [storage.load_json(path) for path in folder.glob("*.json")]

    def of(stage):
        return [(c["inputs"]["config"], c["values"]) for c in made if stage in c["label"]]

    searched = [
        (min(values["validation_error"].values()), config["layer"], config["plan"])
        for config, values in of("search: second layer")
    ]
    lowest = min(error for error, _, plan in searched if plan)
    for config, values in of("4 + "):
        if "untrained" not in config:
            chosen = values["chosen"]
            assert chosen["validation_error"] == lowest
            assert (lowest, chosen["layer"], chosen["plan"]) in searched
        else:
            assert values["chosen"]["plan"] is None and values["history"] == []
