"""What a cell is, and what decides its hash."""

import textwrap
from dataclasses import replace

import numpy as np
import pytest
from experiments.frame.runs import FACTS, SETTINGS, start
from fake_experiments import numbers

from cae_np import data, experiments, storage
from cae_np.data import Dataset, Split
from cae_np.experiments.frame import cells, experiment
from cae_np.experiments.frame.experiment import Cell


def test_cells_are_equal_by_content_and_not_by_label():
    one = Cell("e", 1, {"a": 1, "kernel": (7, 7)}, 0, "one")
    same = Cell("e", 1, {"kernel": [7, 7], "a": 1}, 0, "another label")
    assert one == same and hash(one) == hash(same)
    assert one.config == {"a": 1, "kernel": [7, 7]}
    for other in (
        replace(one, experiment="f"),
        replace(one, version=2),
        replace(one, config={"a": 2, "kernel": [7, 7]}),
        replace(one, seed=1),
        replace(one, needs=(same,)),
    ):
        assert other != one


def test_a_configuration_that_is_not_json_is_refused():
    with pytest.raises(TypeError):
        Cell("e", 1, {"n": np.int64(3)}, 0)
    with pytest.raises(ValueError):
        Cell("e", 1, {"rate": float("nan")}, 0)


def test_the_hash_covers_everything_that_decides_a_result(tmp_path):
    def job(cell, settings, **changes):
        on_mnist = replace(numbers.EXPERIMENT, data="mnist", **changes)
        return cells.plan([cell], settings, tmp_path, None, lambda name: on_mnist)[-1]

    cell = Cell("numbers", 1, {"mean": 0}, 0)
    needing = replace(cell, needs=(replace(cell, seed=5),))
    changed = [
        job(cell, SETTINGS),
        job(replace(cell, experiment="other"), SETTINGS),
        job(replace(cell, version=2), SETTINGS),
        job(replace(cell, config={"mean": 1}), SETTINGS),
        job(replace(cell, seed=1), SETTINGS),
        job(needing, SETTINGS),
        job(replace(cell, needs=(replace(cell, seed=6),)), SETTINGS),
        job(cell, replace(SETTINGS, preset="paper")),
        job(cell, replace(SETTINGS, data=replace(FACTS, checksum="decaf"))),
        job(cell, replace(SETTINGS, backend="cupy")),
        job(cell, replace(SETTINGS, threads=1)),
        job(cell, SETTINGS, dtype="float64"),
    ]
    assert len({job.hash for job in changed}) == len(changed)
    # ... and nothing else: neither the label, nor which other seeds there are.
    assert job(replace(cell, label="x"), replace(SETTINGS, seeds=(0,))).hash == changed[0].hash


def test_the_example_of_the_manual_runs(tmp_path, monkeypatch):
    _, _, rest = experiment.__doc__.partition("::\n\n")
    example, _, _ = rest.partition("\nA cell that needs others")
    text = textwrap.dedent(example)
    for relative, absolute in (
        ("from ... import", "from cae_np import"),
        ("from ...", "from cae_np."),
        ("from ..", "from cae_np.experiments."),
    ):
        text = text.replace(relative, absolute)
    assert "EXPERIMENT = Experiment(" in text
    (tmp_path / "manual_example.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(experiments.MODULES, "example", "manual_example")
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (150, 1, 28, 28), np.uint8), np.arange(150) % 10)
    dataset = Dataset("mnist", "drawn", split, split, tuple("0123456789"), 10)
    monkeypatch.setattr(data, "load_or_stand_in", lambda *a, **k: (dataset, None))
    cells.load_data.cache_clear()
    assert start(tmp_path, experiments.find("example")) == [True]
    document = storage.load_json(tmp_path / "example" / "results.json")
    assert [row["kind"] for row in document["rows"]] == [
        "measured", "measured", "cited", "claim",
    ]  # fmt: skip
    assert document["rows"][1]["paper"] == 1.23 and document["figures"][0]["file"] == "filters.png"
    cells.load_data.cache_clear()
