"""Running experiments: data, cells, then rows and figures, then ``results.json``."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ... import backend, plotting, storage
from ...errors import CaeError, DataError
from .. import find
from . import cells, document, results
from .executors import InlineExecutor
from .experiment import DataFacts, Experiment, Settings

# The embedded data sets are drawn as large as a preset has use for.
DRAWN = {"smoke": (("n_train", 600), ("n_test", 200))}


@dataclass(frozen=True)
class Options:
    """What the command line decides for all experiments.

    Attributes
    ----------
    preset : {"smoke", "quick", "paper"}
    out : pathlib.Path
    first_seed : int
    n_seeds : int or None
        None: as many as the experiment takes for the preset.
    data_dir : str or None
    download, resume : bool
    threads : int or None
        Of the BLAS library, for each cell; None: as many as it takes here.
    part : (int, int) or None
        Only one part of the cells, of so many: ``(3, 10)``.
    """

    preset: str
    out: Path
    first_seed: int = 0
    n_seeds: int | None = None
    data_dir: str | None = None
    download: bool = False
    resume: bool = False
    threads: int | None = None
    part: tuple | None = None

    @property
    def reuse(self):
        """Whether results that are there already will do; those of other parts always do."""
        return self.resume or self.part is not None


@dataclass(frozen=True)
class Prepared:
    """An experiment that is ready to run.

    Attributes
    ----------
    experiment : Experiment
    settings : Settings
    jobs : list of Job
    notice : str or None
        One line about the data, where others stand in for those that the experiment wants.
    hint : str or None
        One line about finished cells that other options would find.
    """

    experiment: Experiment
    settings: Settings
    jobs: list
    notice: str | None
    hint: str | None = None


def prepare(experiment, options):
    """Find the data and lay out the cells, so that what is wrong shows before anything runs.

    Parameters
    ----------
    experiment : Experiment
    options : Options

    Returns
    -------
    Prepared

    Raises
    ------
    CaeError
        If the data are not to be had, or a configuration cannot be run.
    """
    request, facts, notice = None, None, None
    if experiment.data:
        request = cells.DataRequest(
            experiment.data, options.data_dir, options.download, DRAWN.get(options.preset, ())
        )
        dataset, notice = cells.load_data(request)
        facts = _facts(dataset)
    n_seeds = options.n_seeds or experiment.seeds[options.preset]
    settings = Settings(
        experiment=experiment.name,
        preset=options.preset,
        seeds=tuple(range(options.first_seed, options.first_seed + n_seeds)),
        data=facts,
        paper_data=experiment.data,
        backend=backend.active().name,
        threads=options.threads or cells.blas_threads(),
        dtype=experiment.dtype,
    )
    known = {experiment.name: experiment}

    def plan(settings):
        return cells.plan(
            experiment.cells(settings),
            settings,
            options.out,
            request,
            lambda name: known.get(name) or find(name),
            options.reuse,
        )

    jobs, hint = plan(settings), None
    if options.reuse and not any(job.path.exists() for job in jobs):
        hint = _finished_with_other_threads(settings, plan)
    return Prepared(experiment, settings, jobs, notice, hint)


def _finished_with_other_threads(settings, plan):
    """A line about cells that are there for another number of threads, or None."""
    for threads in range(1, (os.cpu_count() or 1) + 1):
        finished = sum(job.path.exists() for job in plan(replace(settings, threads=threads)))
        if finished:
            return (
                f"{finished} finished cells of {settings.experiment} took threads: {threads}, "
                f"none threads: {settings.threads}; --threads {threads} goes on with them"
            )
    return None


class Session:
    """Experiments that run one after another through one executor.

    Parameters
    ----------
    options : Options
    executor : concurrent.futures.Executor, optional
        Default: in this process, one cell after another.
    width : int
        How many cells may be under way at a time.
    say : callable, (str) -> None
        Takes the lines for the user.
    """

    def __init__(self, options, executor=None, width=1, say=print):
        self.options, self.say, self.width = options, say, width
        self.executor = executor or InlineExecutor()
        self._failures = {}  # by path, of every cell that ran: None, or how it failed

    def run(self, prepared):
        """Run the cells of an experiment and write its rows, figures and ``results.json``.

        Of a part only the cells are run.

        Parameters
        ----------
        prepared : Prepared

        Returns
        -------
        bool
            Whether everything went well.

        Raises
        ------
        DataError
            If results.json cannot be written.
        """
        jobs = prepared.jobs
        if self.options.part:
            jobs = cells.part_of(jobs, *self.options.part)
        self._run_cells(jobs)
        failures = [self._failures[job.path] for job in jobs]
        if self.options.part:
            self.say("  part {} of {}: ".format(*self.options.part) + f"{len(jobs)} cells")
            return not any(failures)
        found = results.Results(
            (
                results.load(job.path, job.cell)
                for job, failure in zip(prepared.jobs, failures, strict=True)
                if failure is None
            ),
            self._beside(prepared),
        )
        failed = [failure for failure in failures if failure is not None]
        folder = self.options.out / prepared.experiment.name
        # Every preset, data set and backend keeps its own results; the folder has the latest.
        own = folder / "runs" / document.slug(prepared.settings)
        parts = {
            "rows": lambda: document.rows(prepared, found),
            "choices": lambda: document.choices(prepared, found),
            "figures": lambda: self._draw(prepared, found, (own, folder)),
        }
        made = {}
        for part, make in parts.items():
            try:
                made[part] = make()
            except results.NumbersOnly as error:
                made[part] = self._kept_pictures(folder)
                self.say(f"  pictures as before: {error}")
            except Exception as error:
                self.say(f"  failed: {part}: {document.one_line(error)}")
                failed.append(document.failure(part, error))
                made[part] = []
        whole = document.make(prepared, found, made, failed)
        self._announce_replacement(own / "results.json", whole)
        for place in (own, folder):
            storage.save_json(place / "results.json", whole)
        return not failed

    def _kept_pictures(self, folder):
        """Those that results.json has, where the arrays of new ones are not all kept."""
        path = folder / "results.json"
        return storage.load_json(path).get("figures", []) if path.exists() else []

    def _run_cells(self, jobs):
        to_run, arrays_wanted = [], set()
        for job in reversed(jobs):  # so that whoever needs a cell comes before it
            if (
                self.options.reuse
                and job.path not in self._failures
                and self._is_there(job, job.path in arrays_wanted)
            ):
                self._failures[job.path] = None
            if job.path not in self._failures:
                to_run.insert(0, job)
                arrays_wanted.update(set(job.needs).difference(job.numbers_do))
        reused = sum(self._failures.get(job.path, job) is None for job in jobs)
        if reused:
            self.say(f"  {reused} of {len(jobs)} cells are there already")
        if not self.options.reuse:
            for job in to_run:
                job.checkpoint.unlink(missing_ok=True)
        failed = [path for path, failure in self._failures.items() if failure]
        outcomes = cells.execute(to_run, self.executor, self.width, failed)
        for n, (job, error) in enumerate(outcomes, start=1):
            name = f"  [{n}/{len(to_run)}] {job.cell.name}"
            if error is None:
                self._failures[job.path] = None
                self.say(f"{name}: {results.load(job.path, job.cell).seconds:.1f} s")
            else:
                # As text, since an exception keeps the arrays of its frames in memory.
                failure = document.failure(str(job.cell), error, job.hash)
                self._failures[job.path] = failure
                self.say(f"{name}: failed: {failure['error']}")

    def _is_there(self, job, arrays_wanted):
        """Whether a cell is finished: its files are whole, or its numbers are kept and enough."""
        if results.is_whole(job.path, job.cell, lambda line: self.say(f"  {line}")):
            return True
        if arrays_wanted or job.path.exists() or job.cell.config.get("stage") in job.rows_see:
            return False
        return job.path.stem in results.kept(job.path.parents[1])

    def _beside(self, prepared):
        """Rows of the experiments that this one names, run before with the same preset."""
        found, settings = {}, prepared.settings
        # The folder itself has the latest run, which may be of another preset.
        paths = [
            (name, path)
            for name in prepared.experiment.beside
            for pattern in ("runs/*/results.json", "results.json")
            for path in sorted((self.options.out / name).glob(pattern))
        ]
        for name, path in paths:
            try:
                other = storage.load_json(path)
                there = (
                    other["preset"],
                    other["backend"]["name"],
                    other["data"]["name"] == other["paper_data"],
                )
                if there == (settings.preset, settings.backend, settings.on_paper_data):
                    found[name] = other["rows"]
            except (DataError, LookupError, TypeError) as error:
                self.say(f"  {path} is left aside: {document.one_line(error)}")
        return found

    def _draw(self, prepared, found, folders):
        drawn = []
        for name, picture in prepared.experiment.figures(prepared.settings, found).items():
            png = plotting.png(picture.figure)
            for folder in folders:
                with storage.atomic_file(folder / name) as file:
                    file.write(png)
            self.say(f"  {folders[-1] / name}")
            drawn.append({"file": name, "alt": picture.alt, "caption": picture.caption})
        return drawn

    def _announce_replacement(self, path, new):
        """Say so where results of other seeds, threads, versions or cells give way to these."""
        if not path.exists():
            return
        try:
            old = storage.load_json(path)
            changed = [
                f"{name} {old[name]} → {new[name]}"
                for name in ("seeds", "threads", "version")
                if old[name] != new[name]
            ]
            before, after = ({cell["cell"] for cell in one["cells"]} for one in (old, new))
            if before != after and not changed:
                changed = [f"{len(before - after)} of its cells had another configuration or data"]
        except (CaeError, KeyError, TypeError):
            changed = ["the old file was damaged"]
        if changed:
            self.say(f"  {path} replaced ({'; '.join(changed)}); the old cells are kept")


def _facts(dataset):
    return DataFacts(
        name=dataset.name,
        source=dataset.source,
        checksum=dataset.checksum,
        n_train=len(dataset.train),
        n_validation=dataset.validation,
        n_test=len(dataset.test),
        image_shape=tuple(dataset.image_shape),
        classes=tuple(dataset.classes),
    )
