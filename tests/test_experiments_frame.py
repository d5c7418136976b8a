"""The frame of the experiments: cells, hashes, order, resuming, rows and results.json."""

import pickle
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from fake_experiments import numbers, sums

from cae_np import data, experiments, storage
from cae_np.data import Dataset, Split
from cae_np.errors import ConfigError, DataError
from cae_np.experiments.frame import cells, executors, experiment, runner
from cae_np.experiments.frame.experiment import Cell, DataFacts, Settings
from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.frame.rows import cited, claim, measured

ROOT = Path(__file__).parents[1]
FACTS = DataFacts("mnist", "--data-dir", "c0ffee", 60, 10, 10, (1, 28, 28))
SETTINGS = Settings("numbers", "quick", (0, 1, 2), FACTS, "mnist", "numpy", 2, "float32")


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    """The two fake experiments, registered."""
    monkeypatch.setitem(experiments.MODULES, "numbers", "fake_experiments.numbers")
    monkeypatch.setitem(experiments.MODULES, "sums", "fake_experiments.sums")


@pytest.fixture
def faults(monkeypatch, tmp_path):
    """A folder whose files make cells fail, and whose log names the cells that ran."""
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("FAKE_FAULTS", str(folder))
    return folder


def start(out, *chosen, said=None, **options):
    """Run experiments as the program does; returns the session's verdicts."""
    options = runner.Options(**{"preset": "smoke", "out": out, "resume": False} | options)
    session = runner.Session(options, say=(said if said is not None else []).append)
    return [session.run(runner.prepare(experiment, options)) for experiment in chosen]


def ran(faults):
    """The labels of the cells that ran since the last call."""
    log = faults / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


# --- what a cell is -----------------------------------------------------------------------------


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


# --- running ------------------------------------------------------------------------------------


def plan(tmp_path, experiment=sums.EXPERIMENT, seeds=(0, 1)):
    settings = replace(SETTINGS, data=None, paper_data=None, seeds=seeds)
    return cells.plan(experiment.cells(settings), settings, tmp_path, None, experiments.find)


def test_needed_cells_come_first_and_only_once(tmp_path):
    jobs = plan(tmp_path)
    assert [str(job.cell) for job in jobs] == [
        "numbers mean 0, seed 0",
        "numbers mean 10, seed 0",
        "sums seed 0",
        "numbers mean 0, seed 1",
        "numbers mean 10, seed 1",
        "sums seed 1",
    ]
    # Also where they are handed over the other way round, and two run at a time.
    with ThreadPoolExecutor(2) as executor:
        done = [job.path for job, error in cells.execute(jobs[::-1], executor, 2) if error is None]
    assert len(done) == 6
    assert all(done.index(job.path) > done.index(need) for job in jobs for need in job.needs)


def test_a_cell_reads_the_cells_that_it_needs(tmp_path):
    jobs = plan(tmp_path)
    assert all(error is None for _, error in cells.execute(jobs, executors.InlineExecutor()))
    draws = [storage.load_arrays(job.path.with_suffix(".npz"))["draws"] for job in jobs[:2]]
    assert storage.load_json(jobs[2].path)["values"] == {"sum": float(np.sum(draws))}


def test_a_cell_that_fails_takes_only_those_along_that_need_it(tmp_path, faults):
    (faults / "bug 10").touch()
    outcomes = {str(job.cell): error for job, error in
                cells.execute(plan(tmp_path), executors.InlineExecutor())}  # fmt: skip
    assert outcomes["numbers mean 0, seed 0"] is None is outcomes["numbers mean 0, seed 1"]
    assert isinstance(outcomes["numbers mean 10, seed 0"], ZeroDivisionError)
    assert "numbers mean 10, seed 1 failed" in str(outcomes["sums seed 1"])
    assert len(outcomes) == 6


def test_another_process_gives_the_same_bits(tmp_path):
    here, there = plan(tmp_path / "here"), plan(tmp_path / "there")
    list(cells.execute(here, executors.InlineExecutor()))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert [error for _, error in cells.execute(there, executor)] == [None] * 6
    for one, other in zip(here, there, strict=True):
        assert one.path.with_suffix(".npz").read_bytes() == (
            other.path.with_suffix(".npz").read_bytes()
        )
        assert storage.load_json(one.path)["values"] == storage.load_json(other.path)["values"]


def test_jobs_travel_by_pickle(tmp_path):
    job = plan(tmp_path)[2]
    copy = pickle.loads(pickle.dumps(job))
    for name in ("cell", "run", "path", "inputs", "needs", "data"):
        assert getattr(copy, name) == getattr(job, name)


def test_only_resume_reuses_finished_cells(tmp_path, faults):
    start(tmp_path, numbers.EXPERIMENT)
    assert len(ran(faults)) == 4
    start(tmp_path, numbers.EXPERIMENT)
    assert len(ran(faults)) == 4
    start(tmp_path, numbers.EXPERIMENT, resume=True)
    assert ran(faults) == []
    start(tmp_path, numbers.EXPERIMENT, resume=True, n_seeds=3)
    assert ran(faults) == ["numbers mean 0, seed 2", "numbers mean 10, seed 2"]


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_resume_runs_damaged_cells_again(tmp_path, faults, suffix):
    start(tmp_path, numbers.EXPERIMENT)
    ran(faults)
    victim = sorted((tmp_path / "numbers" / "cells").glob(f"*{suffix}"))[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    said = []
    assert start(tmp_path, numbers.EXPERIMENT, resume=True, said=said) == [True]
    assert len(ran(faults)) == 1 and any(victim.name in line for line in said)
    if suffix == ".npz":
        assert victim.read_bytes() == whole


def test_resume_runs_failed_cells_again(tmp_path, faults):
    (faults / "diverge 10").touch()
    assert start(tmp_path, numbers.EXPERIMENT) == [False]
    ran(faults)
    (faults / "diverge 10").unlink()
    assert start(tmp_path, numbers.EXPERIMENT, resume=True) == [True]
    assert ran(faults) == ["numbers mean 10, seed 0", "numbers mean 10, seed 1"]


@pytest.mark.parametrize("resume", [True, False])
def test_checkpoints_survive_an_interruption_and_only_resume_sees_them(tmp_path, faults, resume):
    (faults / "checkpoint 0").touch()
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, numbers.EXPERIMENT)
    checkpoints = list((tmp_path / "numbers" / "cells").glob("*.checkpoint.npz"))
    assert len(checkpoints) == 1
    (faults / "checkpoint 0").unlink()
    start(tmp_path, numbers.EXPERIMENT, resume=resume)
    seen = [storage.load_json(path)["values"]["checkpoint"] for path in
            (tmp_path / "numbers" / "cells").glob("*.json")]  # fmt: skip
    assert sum(seen) == resume and len(seen) == 4
    assert not checkpoints[0].exists()


def test_cells_that_two_experiments_share_run_once(tmp_path, faults):
    assert start(tmp_path, numbers.EXPERIMENT, sums.EXPERIMENT) == [True, True]
    assert len(ran(faults)) == 4


def test_a_cell_cannot_need_one_of_another_data_set(tmp_path):
    other = replace(numbers.EXPERIMENT, data="cifar10")

    def find(name):
        return {"numbers": other, "sums": sums.EXPERIMENT}[name]

    settings = replace(SETTINGS, data=None, paper_data=None)
    with pytest.raises(ConfigError, match="same data set"):
        cells.plan(sums.EXPERIMENT.cells(settings), settings, tmp_path, None, find)


# --- data ---------------------------------------------------------------------------------------


@pytest.fixture
def digits(monkeypatch):
    """A data set of three images that stands in for mnist."""
    split = Split(np.zeros((3, 1, 2, 2), np.uint8), np.arange(3))
    dataset = Dataset("glyphs", "embedded", split, split, tuple("012"), 1)

    def load_or_stand_in(name, data_dir=None, download=False, **sizes):
        assert name == "mnist"
        return dataset, "mnist: using glyphs"

    monkeypatch.setattr(data, "load_or_stand_in", load_or_stand_in)
    cells.load_data.cache_clear()
    yield dataset
    cells.load_data.cache_clear()


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


def test_a_process_with_other_data_refuses(tmp_path, digits):
    settings = replace(SETTINGS, data=FACTS)
    on_mnist = replace(numbers.EXPERIMENT, data="mnist")
    request = cells.DataRequest("mnist")
    jobs = cells.plan(on_mnist.cells(settings), settings, tmp_path, request, lambda name: on_mnist)
    with pytest.raises(DataError, match="another checksum"):
        cells.run_cell(jobs[0])


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


# --- rows ---------------------------------------------------------------------------------------


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


# --- results.json -------------------------------------------------------------------------------


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


# --- what is imported ---------------------------------------------------------------------------


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
