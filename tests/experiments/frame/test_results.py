"""What lies in a folder of results is believed only where it is what it says it is."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_experiments import numbers, sums
from hypothesis import given
from hypothesis import strategies as st

from cae_np import storage
from cae_np.errors import DataError
from cae_np.experiments import keep
from cae_np.experiments.frame import results
from cae_np.experiments.frame.experiment import Cell
from cae_np.experiments.frame.runner import Options, Session, prepare

COMMITTED = Path(__file__).parents[3] / "lectures" / "results"
CELL = Cell("numbers", 1, {"mean": 0}, 0)
INPUTS = {"experiment": "numbers", "config": {"mean": 0}, "seed": 0}


pytestmark = pytest.mark.usefixtures("faults")


def start(out, *chosen, seeds=2, resume=True):
    """Run fake experiments; what was said, and how many cells were computed."""
    said, log = [], out.parent / "faults" / "log"
    log.write_text("")
    options = Options("quick", out, n_seeds=seeds, resume=resume, threads=1)
    session = Session(options, say=said.append)
    assert all(session.run(prepare(experiment, options)) for experiment in chosen), said
    return said, len(log.read_text().splitlines())


def only_numbers(out):
    """Leave of the cells what is kept for good."""
    assert keep.main([str(out), str(out)]) == 0
    shutil.rmtree(out / "numbers" / "cells")


def rows_in(folder):
    """The rows of its results, without the times."""
    rows = storage.load_json(folder / "numbers" / "results.json")["rows"]
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def written(folder, inputs=INPUTS, **changes):
    """A cell's two files; the path of the first."""
    path = folder / "numbers" / "cells" / f"{results.name_of(inputs)}.json"
    results.save(path, CELL, inputs, {"mean": 1.0}, {"draws": np.arange(3)}, 2.0)
    storage.save_json(path, storage.load_json(path) | changes)
    return path


def test_files_of_two_cells_that_were_exchanged_are_computed_again(tmp_path):
    out = tmp_path / "out"
    start(out, numbers.EXPERIMENT)
    rows = rows_in(out)
    one, other = sorted((out / "numbers" / "cells").glob("*.json"))[:2]
    for suffixes in ((".json", ".npz"), (".json",), (".npz",)):
        for suffix in suffixes:
            a, b = one.with_suffix(suffix), other.with_suffix(suffix)
            mine, theirs = a.read_bytes(), b.read_bytes()
            a.write_bytes(theirs), b.write_bytes(mine)
        said, computed = start(out, numbers.EXPERIMENT)
        assert computed == 2, suffixes
        assert sum(one.stem in line or other.stem in line for line in said) >= 2
        assert rows_in(out) == rows


@given(
    seconds=st.one_of(
        st.just(10**400), st.just(-1), st.booleans(), st.text(), st.none(), st.just([])
    )
)
def test_a_time_that_no_machine_took_is_no_result(tmp_path_factory, seconds):
    path = written(tmp_path_factory.mktemp("cells"), seconds=seconds)
    with pytest.raises(DataError, match="not a cell's result"):
        results.load(path, CELL)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(record=json_values, part=st.sampled_from(["inputs", "values", "seconds", "arrays", None]))
def test_whatever_json_lies_there_it_is_the_cell_or_one_clear_line(tmp_path_factory, record, part):
    folder = tmp_path_factory.mktemp("cells")
    path = written(folder, **({} if part is None else {part: record}))
    if part is None:
        storage.save_json(path, record)
    try:
        result = results.load(path, CELL)
        assert isinstance(result.values, dict) and result.seconds >= 0
        result.arrays  # noqa: B018
    except DataError as error:
        assert str(path.with_suffix("")) in str(error) and "\n" not in str(error)


def test_a_missing_value_is_named_with_its_file(tmp_path):
    path = written(tmp_path)
    with pytest.raises(DataError, match=f"{path.name} has no value 'kurtosis'"):
        results.Results([results.load(path, CELL)]).by_seed("kurtosis")


def test_of_kept_cells_the_numbers_will_do_and_more_seeds_are_added(tmp_path):
    out, kept = tmp_path / "out", tmp_path / "kept"
    start(out, numbers.EXPERIMENT)
    assert keep.main([str(out), str(kept)]) == 0
    assert sorted(p.name for p in (kept / "numbers").iterdir()) == [
        "cells.json", "means.png", "results.json"]  # fmt: skip
    said, computed = start(kept, numbers.EXPERIMENT)
    assert computed == 0 and any("4 of 4 cells are there" in line for line in said)
    _, computed = start(kept, numbers.EXPERIMENT, seeds=5)
    assert computed == 6  # two means, three more seeds
    _, computed = start(out, numbers.EXPERIMENT, seeds=5)
    assert rows_in(out) == rows_in(kept)
    assert keep.main([str(kept), str(kept)]) == 0  # old numbers and new cells
    assert len(results.kept(kept / "numbers")) == 10


def test_a_cell_whose_arrays_are_needed_is_computed_again(tmp_path):
    out, kept = tmp_path / "out", tmp_path / "kept"
    start(out, numbers.EXPERIMENT, sums.EXPERIMENT)
    keep.main([str(out), str(kept), "numbers"])
    _, computed = start(kept, sums.EXPERIMENT)
    assert computed == 4
    keep.main([str(out), str(kept), "sums"])
    shutil.rmtree(kept / "numbers" / "cells")
    assert start(kept, sums.EXPERIMENT)[1] == 0  # the sums are kept, so nobody needs them


@pytest.mark.parametrize("seen", [True, False])
def test_of_cells_whose_arrays_rows_see_kept_numbers_will_not_do(tmp_path, seen):
    def staged(settings):
        return [
            numbers.EXPERIMENT.cell({"mean": mean, "stage": "x"}, seed)
            for mean in (0, 10)
            for seed in settings.seeds
        ]

    out = tmp_path / "out"
    experiment = replace(numbers.EXPERIMENT, cells=staged, rows_see=("x",) if seen else ("y",))
    start(out, experiment)
    only_numbers(out)
    assert start(out, experiment)[1] == 4 * seen


@pytest.mark.parametrize("enough", [True, False])
def test_of_cells_that_are_needed_for_their_numbers_kept_numbers_will_do(tmp_path, enough):
    def staged(more):
        def cells(settings):
            tried = [
                numbers.EXPERIMENT.cell({"mean": mean, "stage": "tried"}, settings.seeds[0])
                for mean in (0, 10)
            ]
            return [
                numbers.EXPERIMENT.cell({"mean": mean, "stage": "best"}, seed, needs=tried)
                for mean in range(1, 2 + more)
                for seed in settings.seeds
            ]

        numbers_do = {"best": ("tried",)} if enough else {"tried": ("best",)}
        return replace(numbers.EXPERIMENT, cells=cells, numbers_do=numbers_do)

    out = tmp_path / "out"
    start(out, staged(0))
    only_numbers(out)
    assert start(out, staged(1))[1] == 2 + 2 * (not enough)


def test_pictures_stay_where_arrays_are_not_kept(tmp_path, monkeypatch):
    def figures(settings, found):
        return {"x.png": found[0].arrays["draws"]}

    out = tmp_path / "out"
    start(out, numbers.EXPERIMENT)
    only_numbers(out)
    said, computed = start(out, replace(numbers.EXPERIMENT, figures=figures))
    assert computed == 0 and any("pictures as before" in line for line in said)
    [picture] = storage.load_json(out / "numbers" / "results.json")["figures"]
    assert picture["file"] == "means.png"


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}', json.dumps({"00": {"values": {}}})])
def test_a_damaged_file_of_kept_cells_is_one_line(tmp_path, content):
    (tmp_path / results.KEPT).write_text(content)
    with pytest.raises(DataError, match=str(tmp_path / results.KEPT)):
        results.kept(tmp_path)


def test_the_committed_cells_are_those_that_the_results_name():
    for path in sorted(COMMITTED.glob("*/results.json")):
        named = {
            cell["cell"]
            for cell in storage.load_json(path)["cells"]
            if cell["experiment"] == path.parent.name and cell["seconds"] is not None
        }
        there = results.kept(path.parent)
        if path.parent.name[:5] != "bench":  # rows are all that these have
            assert named == set(there), path
        if there:
            assert (path.parent / results.KEPT).read_text("utf-8") == keep.text_of(there)
