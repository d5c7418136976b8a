"""Cells in several processes, on a Dask cluster and in parts: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from fake_experiments import numbers, sums, trained

from cae_np import experiments, storage
from cae_np.errors import CaeError
from cae_np.experiments import cells, executors, runner

ROOT = Path(__file__).parents[1]
PROGRAM = (
    "import sys; from cae_np import experiments; import run_experiments\n"
    "for name in ('numbers', 'sums', 'trained'):\n"
    "    experiments.MODULES[name] = f'fake_experiments.{name}'\n"
    "sys.exit(run_experiments.main())"
)
PATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


@pytest.fixture(autouse=True)
def fakes(monkeypatch, tmp_path):
    for name in ("numbers", "sums", "trained"):
        monkeypatch.setitem(experiments.MODULES, name, f"fake_experiments.{name}")
    for name in ("CAE_DATA", "CAE_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", PATH)


@pytest.fixture
def faults(monkeypatch, tmp_path):
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("FAKE_FAULTS", str(folder))
    return folder


def start(out, *chosen, executor=None, width=1, said=None, **options):
    options = runner.Options(**{"preset": "smoke", "out": out, "threads": 1} | options)
    say = (said if said is not None else []).append
    session = runner.Session(options, executor, width, say)
    return [session.run(runner.prepare(experiment, options)) for experiment in chosen]


def program(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def weights(out):
    return {path.name: path.read_bytes() for path in (out / "trained" / "cells").glob("*.npz")}


def lines(faults):
    log = faults / "log"
    return log.read_text().splitlines() if log.exists() else []


def until(condition, process=None, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end and (process is None or process.poll() is None)
        time.sleep(0.02)


# --- processes on one machine -------------------------------------------------------------------


@posix
def test_the_bits_do_not_depend_on_the_jobs_even_if_one_of_them_is_killed(tmp_path, faults):
    assert start(tmp_path / "one", trained.EXPERIMENT) == [True]
    (faults / "kill at 7").touch()
    said = []
    with executors.opened(2, None, tmp_path) as (executor, width):
        assert start(tmp_path / "two", trained.EXPERIMENT, executor=executor, width=width,
                     said=said) == [False]  # fmt: skip
        assert sum("was killed by SIGKILL (out of memory?)" in line for line in said) == 1
        assert sum(line.endswith(" s") for line in said) == 3  # it cost its own cell only
        # A new process takes its place, and the cell goes on from its checkpoint.
        before = len(lines(faults))
        assert start(tmp_path / "two", trained.EXPERIMENT, executor=executor, width=width,
                     resume=True) == [True]  # fmt: skip
    assert len(lines(faults)) - before == 15 - 6
    assert len(weights(tmp_path / "one")) == 4
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


def test_errors_of_other_processes_keep_type_words_and_traceback(tmp_path, faults):
    (faults / "bug 0").touch()
    (faults / "diverge 10").touch()
    with executors.opened(2, None, tmp_path) as (executor, width):
        start(tmp_path, numbers.EXPERIMENT, executor=executor, width=width)
        with pytest.raises(RuntimeError, match="Unpicklable: on purpose"):
            executor.submit(_raise_unpicklable).result()
        with pytest.raises(CaeError, match="ended with exit code 3"):
            executor.submit(os._exit, 3).result()
    failed = storage.load_json(tmp_path / "numbers" / "results.json")["failed"]
    bug, divergence = failed[0], failed[-1]
    assert bug["error"] == "ZeroDivisionError: division by zero in a layer"
    assert "in run" in bug["traceback"] and "numbers.py" in bug["traceback"]
    assert divergence["error"].startswith("the loss is nan") and not divergence["traceback"]


def _raise_unpicklable():
    class Unpicklable(Exception):
        pass

    raise Unpicklable("on purpose")


@posix
@pytest.mark.parametrize("how", ["ctrl-c", "parent killed"])
def test_no_process_outlives_the_program(tmp_path, faults, how):
    for seed in (0, 1):
        (faults / f"wait {seed}").touch()
    arguments = ["numbers", "--preset", "smoke", "--jobs", "2", "--out", str(tmp_path / "out")]
    with program(*arguments, start_new_session=True) as process:
        until(lambda: len(lines(faults)) == 2, process)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        if how == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        else:
            process.kill()
        out, err = process.communicate(timeout=30)
    if how == "ctrl-c":
        assert process.returncode == 130
        assert err.count("\n") == 1 and "--jobs 2" in err and "--resume" in err
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_threads_are_shared_out_among_the_jobs(monkeypatch):
    import run_experiments

    monkeypatch.setattr(cells, "blas_threads", lambda: 6)

    def threads(*arguments):
        return run_experiments.runner_options(run_experiments.parse(arguments)).threads

    assert threads() == 6
    assert threads("--jobs", "2") == 3
    assert threads("--jobs", "4") == threads("--jobs", "12") == 1
    assert threads("--jobs", "4", "--threads", "2") == 2
    assert threads("--dask", "tcp://host:1") == 1


def test_a_resumed_run_says_which_threads_the_finished_cells_had(tmp_path):
    start(tmp_path, numbers.EXPERIMENT)

    def hint(**options):
        options = runner.Options("smoke", tmp_path, **options)
        return runner.prepare(numbers.EXPERIMENT, options).hint

    assert hint(resume=True, threads=7) == (
        "4 finished cells of numbers took threads: 1, none threads: 7; --threads 1 goes on with "
        "them"
    )
    assert hint(resume=True, threads=1) is hint(threads=7) is None


# --- parts for job arrays -----------------------------------------------------------------------


def plan(out, experiment, n_seeds):
    options = runner.Options("smoke", out, n_seeds=n_seeds, threads=1)
    return runner.prepare(experiment, options).jobs


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 20])
def test_parts_cover_everything_and_bring_what_they_need(tmp_path, parts):
    jobs = plan(tmp_path, sums.EXPERIMENT, 7)
    chosen = [cells.part_of(jobs, part, parts) for part in range(1, parts + 1)]
    assert sorted(job.path for part in chosen for job in part) == sorted(j.path for j in jobs)
    for part in chosen:
        paths = [job.path for job in part]
        assert all(paths.index(need) < paths.index(j.path) for j in part for need in j.needs)


def test_a_need_that_two_parts_share_is_in_both(tmp_path):
    shared, *others = plan(tmp_path, numbers.EXPERIMENT, 2)
    others = [replace(job, needs=(shared.path,)) for job in others]
    for part in (1, 2, 3):
        chosen = cells.part_of([shared, *others], part, 3)
        assert chosen == [shared, others[part - 1]]


@posix
def test_programs_that_share_a_folder_share_the_work(tmp_path, faults):
    """Two whole runs at once; each cell is computed by one of them, which the other waits for."""
    (faults / "slow").touch()
    out = tmp_path / "out"
    arguments = ["trained", "--preset", "smoke", "--cells", "1/1", "--threads", "1"]
    with program(*arguments, "--out", str(out)) as one, program(*arguments, "--out", str(out)) as two:
        outputs = [process.communicate(timeout=100) for process in (one, two)]
    assert one.returncode == two.returncode == 0, outputs
    assert len(lines(faults)) == 4 * 15
    assert any("another process is at work on" in err for _, err in outputs)
    assert not (out / "trained" / "results.json").exists() and not (out / "report.html").exists()
    last = program("trained", "--preset", "smoke", "--threads", "1", "--resume", "--out", str(out))
    with last:
        said, _ = last.communicate(timeout=60)
    assert "4 of 4 cells are there already" in said and len(lines(faults)) == 60
    assert (out / "trained" / "results.json").exists() and (out / "report.html").exists()

