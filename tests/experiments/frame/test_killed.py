"""Whoever is killed, whenever, goes on to the same bits: no state of the disk is a wrong one."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
from fake_experiments import trained
from killed import MOMENTS, compute

from cae_np import errors, storage
from cae_np.experiments.frame import cells, results
from cae_np.experiments.frame.experiment import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

ROOT = Path(__file__).parents[3]
KILLS = [3, pytest.param(30, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def processes():
    """Processes that begin within milliseconds, forked from one that has imported everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), str(ROOT / "tests"))))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["killed", "fake_experiments.trained"])
        yield context


def job_of(out, epochs):
    cell = trained.EXPERIMENT.cell({"maps": 4, "epochs": epochs}, 0, "4 maps")
    settings = Settings("trained", "smoke", (0,), None, None, "numpy", 1, "float32")
    find = {"trained": trained.EXPERIMENT}.__getitem__
    return cells.plan([cell], settings, out, None, find, resume=True)[0]


@pytest.mark.parametrize("kills", KILLS)
def test_killed_at_random_moments(tmp_path, processes, kills):
    epochs = 4 * kills  # of five steps, each with a checkpoint
    whole = job_of(tmp_path / "whole", epochs)
    cells.run_cell(whole)
    job = job_of(tmp_path / "killed", epochs)
    chance = random.Random(kills)
    moments = [*MOMENTS, *["outside"] * 4] * kills
    chance.shuffle(moments)
    for killed in range(kills + 1):
        moment = moments[killed] if killed < kills else None
        ready, theirs = processes.Pipe(duplex=False)
        # At least one more checkpoint each time: an npz of some twenty arrays.
        which = chance.randint(1, 50 if moment == "half written" else 8)
        process = processes.Process(target=compute, args=(job, theirs, moment, which))
        process.start()
        theirs.close()
        assert ready.recv() == "begins"
        if moment == "outside":
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
        process.join()
        if moment == "outside" and process.exitcode == 0:
            pytest.fail("the training was over before it was killed: make it longer")
        assert process.exitcode == (-signal.SIGKILL if moment else 0)
        # Whatever lies there can be read.
        if job.checkpoint.exists():
            storage.load_arrays(job.checkpoint)
    assert job.path.with_suffix(".npz").read_bytes() == whole.path.with_suffix(".npz").read_bytes()
    assert sorted(path.name for path in job.path.parent.iterdir() if path.is_file()) == sorted(
        [job.path.name, job.path.with_suffix(".npz").name]
    )  # no checkpoint and nothing half written is left


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    whole, job = job_of(tmp_path / "whole", 3), job_of(tmp_path / "full", 3)
    cells.run_cell(whole)
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 9:  # files and folders: the fifth checkpoint
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.DataError, match=r"cannot write .*checkpoint.*No space left"):
        cells.run_cell(job)
    assert "loss_sum" in storage.load_arrays(job.checkpoint)
    monkeypatch.setattr(os, "fsync", fsync)
    cells.run_cell(job)
    assert job.path.with_suffix(".npz").read_bytes() == whole.path.with_suffix(".npz").read_bytes()


def test_a_finished_cell_is_not_computed_again(tmp_path, monkeypatch):
    job = job_of(tmp_path, 1)
    cells.run_cell(job)
    monkeypatch.setattr(cells, "_compute", lambda job: pytest.fail("computed again"))
    cells.run_cell(job)
    assert results.is_whole(job.path, job.cell)
