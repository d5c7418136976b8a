"""A run: its data, its results.json, and what is told of failures."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from experiments.frame.runs import start
from fake_experiments import numbers

from cae_np import storage

ROOT = Path(__file__).parents[3]


def test_results_on_a_stand_in_have_no_paper_beside_them(tmp_path, digits):
    on_mnist = replace(numbers.EXPERIMENT, data="mnist")
    assert start(tmp_path, on_mnist) == [True]
    document = storage.load_json(tmp_path / "numbers" / "results.json")
    assert document["notice"] == "mnist: using glyphs"
    assert document["data"]["checksum"] == digits.checksum
    assert document["data"]["n_train"] == 3 and document["paper_data"] == "mnist"
    ten, zero, others, *claims = document["rows"]
    assert ten["paper"] is None and ten["ours"] is not None and "mnist" in ten["note"]
    assert ten["data"] == zero["data"] == "glyphs"
    assert others["paper"] == 9.5 and others["ours"] is None and others["data"] == "mnist"
    assert all("mnist" in row["note"] for row in claims)


def test_results_json_says_what_was_run_on_what(tmp_path):
    said = []
    assert start(tmp_path, numbers.EXPERIMENT, said=said, preset="quick") == [True]
    document = storage.load_json(tmp_path / "numbers" / "results.json")
    assert document["seeds"] == [0, 1, 2, 3, 4] and document["preset"] == "quick"
    assert document["backend"]["name"] == "numpy" and document["backend"]["description"]
    assert document["threads"] >= 1 and document["data"] is None and document["failed"] == []
    assert document["versions"]["numpy"] == np.__version__
    assert {"python", "scipy", "cae_np", "cupy"} <= document["versions"].keys()
    assert len(document["cells"]) == 10 and document["cells"][0]["config"] == {"mean": 0}
    assert [row.get("verdict") for row in document["rows"]][-3:] == [
        "holds", "not decided", "does not hold",
    ]  # fmt: skip
    assert document["figures"][0]["alt"] == 'Dots near "zero" & ten.'
    assert (tmp_path / "numbers" / "means.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "numbers" / "means.png") in "".join(said)


def test_results_of_different_presets_are_kept_apart(tmp_path):
    start(tmp_path, numbers.EXPERIMENT, preset="quick")
    start(tmp_path, numbers.EXPERIMENT, preset="smoke")
    runs = tmp_path / "numbers" / "runs"
    kept = storage.load_json(runs / "quick-no-data-numpy" / "results.json")
    assert kept["preset"] == "quick" and (runs / "quick-no-data-numpy" / "means.png").exists()
    assert storage.load_json(tmp_path / "numbers" / "results.json")["preset"] == "smoke"


def test_results_are_not_replaced_silently(tmp_path):
    start(tmp_path, numbers.EXPERIMENT, n_seeds=3)
    said = []
    start(tmp_path, numbers.EXPERIMENT, n_seeds=3, said=said)
    assert not any("replaced (" in line for line in said)
    start(tmp_path, numbers.EXPERIMENT, n_seeds=1, said=said)
    assert any("replaced (seeds [0, 1, 2] → [0]" in line for line in said)
    assert len(list((tmp_path / "numbers" / "cells").glob("*.json"))) == 6
    said.clear()
    other = replace(numbers.EXPERIMENT, cells=lambda s: [numbers.EXPERIMENT.cell({"mean": 10}, 0)])
    start(tmp_path, other, n_seeds=1, said=said)
    assert any("replaced (1 of its cells had another configuration or data)" in s for s in said)
    assert len(list((tmp_path / "numbers" / "cells").glob("*.json"))) == 6


@pytest.mark.parametrize("content", [None, "{}", "[1]", "{", '{"preset": "smoke"}'])
def test_rows_of_another_experiment_stand_beside_unless_they_are_damaged(tmp_path, digits, content):
    on_mnist = replace(numbers.EXPERIMENT, data="mnist")
    start(tmp_path, on_mnist)
    path, seen, said = tmp_path / "numbers" / "results.json", [], []
    if content is not None:
        shutil.rmtree(tmp_path / "numbers" / "runs")
        path.write_text(content)

    def rows(settings, results):
        seen.append(results.beside)
        return []

    def cells(settings):
        return [curious.cell({"mean": 0}, 0)]

    curious = replace(on_mnist, name="curious", beside=("numbers", "never run"), rows=rows,
                      cells=cells, figures=lambda settings, results: {})  # fmt: skip
    assert start(tmp_path, curious, said=said) == [True]
    if content is None:
        assert [row["label"] for row in seen[0]["numbers"]][:2] == ["ten", "zero"]
    else:
        assert seen == [{}] and any(f"{path} is left aside: " in line for line in said)


def test_rows_beside_are_those_of_the_same_preset_whatever_ran_last(tmp_path, digits):
    on_mnist, seen = replace(numbers.EXPERIMENT, data="mnist"), []
    start(tmp_path, on_mnist)
    start(tmp_path, on_mnist, preset="quick")

    def rows(settings, results):
        seen.append({row["preset"] for row in results.beside["numbers"]})
        return []

    def cells(settings):
        return [curious.cell({"mean": 0}, 0)]

    curious = replace(on_mnist, name="curious", beside=("numbers",), rows=rows, cells=cells,
                      figures=lambda settings, results: {})  # fmt: skip
    assert start(tmp_path, curious) == [True] and seen == [{"smoke"}]


def test_what_failed_is_in_results_json_with_what_did_not(tmp_path, faults):
    (faults / "bug 10").touch()
    assert start(tmp_path, numbers.EXPERIMENT) == [False]
    document = storage.load_json(tmp_path / "numbers" / "results.json")
    assert [entry["label"] for entry in document["failed"]] == [
        "numbers mean 10, seed 0", "numbers mean 10, seed 1",
    ]  # fmt: skip
    assert document["failed"][0]["error"] == "ZeroDivisionError: division by zero in a layer"
    assert "Traceback" in document["failed"][0]["traceback"]
    ten, zero = document["rows"][:2]
    assert ten["ours"] is None and zero["ours"] is not None


def test_a_message_for_the_user_has_no_traceback(tmp_path, faults):
    (faults / "diverge 10").touch()
    start(tmp_path, numbers.EXPERIMENT)
    failed = storage.load_json(tmp_path / "numbers" / "results.json")["failed"]
    assert failed[0]["traceback"] is None and "learning rate of 0.01" in failed[0]["error"]


@pytest.mark.parametrize("part", ["rows", "figures", "choices"])
def test_a_mistake_in_one_part_leaves_the_others(tmp_path, part):
    def broken(settings, results):
        raise KeyError("nobody")

    assert start(tmp_path, replace(numbers.EXPERIMENT, **{part: broken})) == [False]
    document = storage.load_json(tmp_path / "numbers" / "results.json")
    assert [entry["label"] for entry in document["failed"]] == [part]
    assert [name for name in ("rows", "figures", "choices") if not document[name]] == [part]


def test_values_that_are_not_json_fail_their_cell(tmp_path):
    def run(cell, context):
        return {"loss": float("nan")}, {}

    assert start(tmp_path, numbers.EXPERIMENT) == [True]
    assert start(tmp_path, replace(numbers.EXPERIMENT, run=run)) == [False]
    document = storage.load_json(tmp_path / "numbers" / "results.json")
    assert len(document["failed"]) == 4 and "NaN" in document["failed"][0]["error"]
    # The older values must not stand beside the newer arrays.
    assert list((tmp_path / "numbers" / "cells").glob("*.json")) == []


def test_experiments_import_nothing_heavy():
    """``--list`` imports them all; matplotlib, scipy.signal and torch take a second each."""
    program = (
        "import sys\n"
        "from cae_np import experiments\n"
        "for name in experiments.MODULES: experiments.find(name)\n"
        "heavy = {'matplotlib', 'scipy.signal', 'scipy.stats', 'scipy.ndimage', 'torch', 'cupy'}\n"
        "print(*sorted(heavy & sys.modules.keys()))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
