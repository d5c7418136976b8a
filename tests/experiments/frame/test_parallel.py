"""Cells in several processes, on a Dask cluster and in parts: nothing lost, nothing twice."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from fake_experiments import numbers, sums, trained

from cae_np import storage
from cae_np.errors import CaeError, ConfigError
from cae_np.experiments.frame import cells, dask_cluster, executors, runner

ROOT = Path(__file__).parents[3]
PROGRAM = (
    "import signal, sys; from cae_np import experiments; import run_experiments\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)  # also in a shell's background\n"
    "for name in ('numbers', 'sums', 'trained'):\n"
    "    experiments.MODULES[name] = f'fake_experiments.{name}'\n"
    "sys.exit(run_experiments.main())"
)
PATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("CAE_DATA", "CAE_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", PATH)


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
    (faults / "slow").touch()
    arguments = ["trained", "--preset", "smoke", "--jobs", "2", "--out", str(tmp_path / "out")]
    with program(*arguments, start_new_session=True) as process:
        until(lambda: len(lines(faults)) >= 4, process)
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


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_told_to_end_loses_no_step(tmp_path, faults, monkeypatch, number, jobs):
    """No checkpoint is made otherwise, so what goes on is the state that was saved at the end."""
    monkeypatch.setenv("FAKE_CHECKPOINT_EVERY", "1e9")
    (faults / "slow").touch()
    arguments = ["trained", "--preset", "smoke", "--jobs", jobs, "--out", str(tmp_path / "out")]
    with program(*arguments, start_new_session=True) as process:
        until(lambda: len(lines(faults)) >= 7, process)
        os.killpg(process.pid, signal.SIGINT) if number == signal.SIGINT else process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err.count("\n") == 1 and "--resume" in err and "states are kept" in err
    (faults / "slow").unlink()
    with program(*arguments, "--resume") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    batches = Counter(line.partition(",")[0] for line in lines(faults))
    assert set(batches.values()) == {2 * 3 * 5} and len(batches) == 2  # seeds, epochs, batches


def test_threads_are_shared_out_among_the_jobs(monkeypatch):
    from cae_np.experiments import main
    from cae_np.experiments.frame import arguments

    monkeypatch.setattr(cells, "blas_threads", lambda: 6)

    def threads(*options):
        return main.runner_options(arguments.parse(options)).threads

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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_ends_well_says_nothing_more(tmp_path, jobs):
    """Also through the stand-in for CuPy, which other processes have to find by its module."""
    out = tmp_path / "out"
    with program("trained", "--preset", "smoke", "--seeds", "1", "--jobs", jobs, "--out", str(out),
                 env=os.environ | {"CAE_BACKEND": "strict_cupy:strict"}) as process:  # fmt: skip
        said, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert "stand-in for CuPy" in said and f"jobs: {jobs}" in said
    assert storage.load_json(out / "trained" / "results.json")["backend"]["name"] == "strict"


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
    with (
        program(*arguments, "--out", str(out)) as one,
        program(*arguments, "--out", str(out)) as two,
    ):
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


# --- Dask ---------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, processes of their own as on a cluster; (address, processes)."""
    distributed = pytest.importorskip("distributed")
    del distributed
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                 "--scheduler-file", str(tmp_path / "scheduler.json")]]  # fmt: skip
    worker = ["worker", "--scheduler-file", str(tmp_path / "scheduler.json"), "--nthreads", "1",
              "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path)]  # fmt: skip
    commands += [worker, worker]
    with open(tmp_path / "dask.log", "w") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + command[0],
                              *command[1:]], stdout=log, stderr=log)
            for command in commands
        ]  # fmt: skip
    try:
        until(lambda: (tmp_path / "scheduler.json").exists(), processes[0])
        yield storage.load_json(tmp_path / "scheduler.json")["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@posix
def test_a_dask_worker_that_is_killed_loses_nothing(tmp_path, faults, cluster):
    address, (_, *workers) = cluster
    assert start(tmp_path / "one", trained.EXPERIMENT) == [True]
    (faults / "log").unlink()
    (faults / "kill at 7").touch()
    out = tmp_path / "out"
    with executors.opened(1, address, tmp_path) as (executor, width):
        assert start(out, trained.EXPERIMENT, executor=executor, width=width) == [True]
    assert sum(worker.poll() is not None for worker in workers) == 1
    assert weights(out) == weights(tmp_path / "one") and len(weights(out)) == 4
    document = storage.load_json(out / "trained" / "results.json")
    assert document["failed"] == []
    assert len({cell["cell"] for cell in document["cells"]}) == len(document["cells"]) == 4
    assert [row["loss"] for row in document["rows"]] == [
        row["loss"] for row in
        storage.load_json(tmp_path / "one" / "trained" / "results.json")["rows"]
    ]  # fmt: skip
    # Every batch once; the one that died with its worker was served twice.
    served = [line.partition(", process")[0] for line in lines(faults)]
    assert len(served) == 4 * 15 + 1


@posix
def test_a_dask_scheduler_that_dies_fails_the_cells_and_not_the_program(tmp_path, faults, cluster):
    address, (scheduler, *_) = cluster
    (faults / "slow").touch()
    said = []

    def say(line):
        said.append(line)

    def kill_soon():
        until(lambda: lines(faults))
        scheduler.kill()

    killer = threading.Thread(target=kill_soon)
    killer.start()
    with executors.opened(1, address, tmp_path) as (executor, width):
        options = runner.Options("smoke", tmp_path / "out", threads=1)
        session = runner.Session(options, executor, width, say)
        assert not session.run(runner.prepare(trained.EXPERIMENT, options))
    killer.join()
    assert any("failed: " in line for line in said), said


class Cluster:
    """What :func:`dask_cluster.check_workers` asks of a client."""

    def __init__(self, answer, has_workers=True):
        self.answer, self.has_workers = answer, has_workers

    def wait_for_workers(self, n, timeout):
        if not self.has_workers:
            raise TimeoutError

    def run(self, function, *args, on_error):
        return {"tcp://b:2": function(*args), "tcp://a:1": self.answer}


OTHER = dask_cluster._versions() | {"numpy": "1.0"}


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (Cluster(None, False), r"has no workers; start some, .* dask worker tcp://s:8786"),
        (Cluster(ImportError("No module named 'cae_np'")), r"a:1 cannot run cae_np \(No module"),
        (Cluster((OTHER, True)), r"a:1 has numpy 1\.0 and here is numpy 2.*same versions"),
        (Cluster((dask_cluster._versions(), False)), r"a:1 does not see .*; choose with --out"),
    ],
)
def test_workers_that_would_compute_something_else_are_refused(tmp_path, cluster, message):
    with pytest.raises(ConfigError, match="--dask tcp://s:8786: .*" + message) as refusal:
        dask_cluster.check_workers(cluster, "tcp://s:8786", tmp_path, 1)
    assert "\n" not in str(refusal.value) and not list(tmp_path.iterdir())


def test_a_cluster_that_is_not_there(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    if importlib.util.find_spec("distributed"):
        with pytest.raises(ConfigError, match="no scheduler answers there .*dask scheduler"):
            with dask_cluster.dask_executor(address, tmp_path, timeout=0.5):
                pass
        for wrong in ("nonsense", "nonsense://x"):
            with pytest.raises(ConfigError, match="is no address .*expected one like tcp://HOST"):
                with dask_cluster.dask_executor(wrong, tmp_path, timeout=0.5):
                    pass
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match="needs the package distributed; pip install"):
        with dask_cluster.dask_executor(address, tmp_path):
            pass
