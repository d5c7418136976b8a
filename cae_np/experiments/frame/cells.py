"""Running cells: needed ones first, each through an executor, each into two files of its own."""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from threadpoolctl import threadpool_info, threadpool_limits

from ... import backend, data
from ...errors import CaeError, ConfigError, DataError
from ...storage.locks import only_one
from . import results
from .experiment import Cell, Context


@dataclass(frozen=True)
class DataRequest:
    """Which data set cells compute on, in words that any process can act on.

    Attributes
    ----------
    name, data_dir, download
        As :func:`cae_np.data.load_or_stand_in` takes them.
    sizes : tuple of (str, int)
        How many images are drawn, where an embedded data set stands in.
    """

    name: str
    data_dir: str | None = None
    download: bool = False
    sizes: tuple = ()


@lru_cache(maxsize=2)
def load_data(request):
    """The data set and the notice that answer a :class:`DataRequest`; the last two are kept."""
    sizes = dict(request.sizes)
    return data.load_or_stand_in(request.name, request.data_dir, request.download, **sizes)


@dataclass(frozen=True, eq=False)
class Job:
    """A cell with everything that another process has to know to compute it; picklable.

    Attributes
    ----------
    cell : Cell
    run : callable
        The experiment's.
    path : pathlib.Path
        ``OUT/EXPERIMENT/cells/HASH.json``.
    inputs : dict
        What the hash covers.
    needs : tuple of pathlib.Path
        Where the results of the cells that it needs lie, in their order.
    data : DataRequest or None
    backend : str
        What :func:`cae_np.backend.use` is told.
    resume : bool
        Whether a result that is there already will do.
    rows_see : tuple of str
        As of :class:`.experiment.Experiment`.
    numbers_do : tuple of pathlib.Path
        Those of ``needs`` of which the numbers are enough.
    """

    cell: Cell
    run: Callable
    path: Path
    inputs: dict
    needs: tuple
    data: DataRequest | None
    backend: str
    resume: bool = False
    rows_see: tuple = ()
    numbers_do: tuple = ()

    @property
    def hash(self):
        return self.path.stem

    @property
    def checkpoint(self):
        return self.path.with_suffix(".checkpoint.npz")


def plan(cells, settings, out, request, find, resume=False):
    """The jobs of some cells and of the cells that they need, needed ones first, none twice.

    Parameters
    ----------
    cells : list of Cell
    settings : Settings
    out : pathlib.Path
    request : DataRequest or None
    find : callable, (name) -> Experiment
    resume : bool
        Whether results that are there already will do.

    Returns
    -------
    list of Job

    Raises
    ------
    ConfigError
        If a cell needs one of an experiment with another data set.
    """
    jobs = {}

    def add(cell):
        needs = tuple(add(needed) for needed in cell.needs)
        experiment = find(cell.experiment)
        if experiment.data != settings.paper_data:
            raise ConfigError(
                f"{settings.experiment} computes on {settings.paper_data} and needs a cell of "
                f"{experiment.name}, which computes on {experiment.data}; "
                "cells may only need cells of the same data set"
            )
        inputs = {
            "experiment": cell.experiment,
            "version": cell.version,
            "config": cell.config,
            "seed": cell.seed,
            "preset": settings.preset,
            "data": settings.data.checksum if settings.data else None,
            "backend": settings.backend,
            "dtype": experiment.dtype,
            "threads": settings.threads,
            "needs": [path.stem for path in needs],
        }
        path = out / cell.experiment / "cells" / f"{results.name_of(inputs)}.json"
        stages = experiment.numbers_do.get(cell.config.get("stage"), ())
        job = Job(
            cell,
            experiment.run,
            path,
            inputs,
            needs,
            request,
            backend.active_spec(),
            resume,
            experiment.rows_see,
            tuple(
                need
                for need, needed in zip(needs, cell.needs, strict=True)
                if needed.config.get("stage") in stages
            ),
        )
        jobs.setdefault(path, job)
        return path

    for cell in cells:
        add(cell)
    return list(jobs.values())


# Two cells in one process (a Dask worker with several threads) would give each other's number of
# BLAS threads back to the library.
_one_cell = threading.Lock()


def run_cell(job):
    """Compute a cell and write its result; called in whichever process the executor chooses.

    Of all processes that share the folder one at a time computes a cell.  The others wait, and
    with ``job.resume`` find it finished.

    Parameters
    ----------
    job : Job

    Raises
    ------
    CaeError
        As ``run`` raises it, or because the result cannot be written.
    """

    def say(line):
        print(f"{job.cell}: {line}", file=sys.stderr, flush=True)

    with _one_cell, only_one(job.path.with_suffix(""), say):
        if not (job.resume and results.is_whole(job.path, job.cell)):
            _compute(job)


def _compute(job):
    backend.use(job.backend)
    dataset = load_data(job.data)[0] if job.data else None
    if dataset and dataset.checksum != job.inputs["data"]:
        raise DataError(
            f"{dataset.name} has another checksum here than where this run was started; "
            "let every process read the same files (--data-dir)"
        )
    needed = results.Results(
        results.load(path, cell) for path, cell in zip(job.needs, job.cell.needs, strict=True)
    )
    context = Context(dataset, needed, job.checkpoint, str(job.cell))
    started = time.perf_counter()
    with threadpool_limits(job.inputs["threads"], user_api="blas"):
        values, arrays = job.run(job.cell, context)
        backend.synchronize()
    seconds = time.perf_counter() - started
    results.save(job.path, job.cell, job.inputs, values, arrays, seconds)
    job.checkpoint.unlink(missing_ok=True)


def execute(jobs, executor, width=1, failed=()):
    """Run jobs, each after those that it needs.

    Parameters
    ----------
    jobs : list of Job
        Needed cells that are not among them are there already.
    executor : concurrent.futures.Executor
    width : int
        How many jobs may be under way at a time.
    failed : iterable of pathlib.Path
        Paths of jobs that failed before.

    Yields
    ------
    job : Job
    error : Exception or None
        Why there is no result.  A cell that needs one that failed is not run.
    """
    waiting, running, failed = list(jobs), {}, set(failed)
    try:
        while waiting or running:
            unfinished = {job.path for job in [*waiting, *running.values()]}
            for job in list(waiting):
                missing = [
                    str(cell)
                    for cell, path in zip(job.cell.needs, job.needs, strict=True)
                    if path in failed
                ]
                if missing:
                    waiting.remove(job)
                    failed.add(job.path)
                    yield job, CaeError(f"not run, because {missing[0]} failed")
                elif not unfinished.intersection(job.needs) and len(running) < width:
                    waiting.remove(job)
                    running[executor.submit(run_cell, job)] = job
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                job = running.pop(future)
                try:
                    error = future.exception()
                except CancelledError:
                    error = CaeError("the executor has lost it; go on with --resume")
                if error is not None:
                    failed.add(job.path)
                yield job, error
    finally:
        for future in running:
            future.cancel()


def part_of(jobs, part, parts):
    """One of several parts of some jobs, with all that it needs: for the jobs of a job array.

    Parameters
    ----------
    jobs : list of Job
        From :func:`plan`.
    part, parts : int
        1 <= part <= parts.  Neighbours, which often need the same cells, stay together.

    Returns
    -------
    list of Job
        In the order of ``jobs``; may be empty.
    """
    needed = {path for job in jobs for path in job.needs}
    last = [job for job in jobs if job.path not in needed]
    by_path, chosen = {job.path: job for job in jobs}, set()

    def choose(path):
        if path not in chosen:
            chosen.add(path)
            for need in by_path[path].needs:
                choose(need)

    for job in last[len(last) * (part - 1) // parts : len(last) * part // parts]:
        choose(job.path)
    return [job for job in jobs if job.path in chosen]


def blas_threads():
    """How many threads the BLAS library takes for one product."""
    pools = threadpool_info()
    return max((pool["num_threads"] for pool in pools if pool["user_api"] == "blas"), default=1)
