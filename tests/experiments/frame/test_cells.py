"""Cells are run once, in order, and resumed."""

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from experiments.frame.runs import FACTS, SETTINGS, start
from fake_experiments import numbers, sums

from cae_np import experiments, storage
from cae_np.errors import ConfigError, DataError
from cae_np.experiments.frame import cells, executors


def ran(faults):
    """The labels of the cells that ran since the last call."""
    log = faults / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


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


def test_a_process_with_other_data_refuses(tmp_path, digits):
    settings = replace(SETTINGS, data=FACTS)
    on_mnist = replace(numbers.EXPERIMENT, data="mnist")
    request = cells.DataRequest("mnist")
    jobs = cells.plan(on_mnist.cells(settings), settings, tmp_path, request, lambda name: on_mnist)
    with pytest.raises(DataError, match="another checksum"):
        cells.run_cell(jobs[0])
