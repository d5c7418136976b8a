"""What an experiment is.  This is the manual for whoever writes one.

An experiment reproduces one figure or table of a paper.  It is a module of its
paper's folder that ends in ``EXPERIMENT = Experiment(...)`` and is listed in
:data:`cae_np.experiments.MODULES`.
Its work is cut into **cells**: a cell trains or measures one thing with one seed, and everything
else (tables, figures, claims) only reads what the cells left behind.  That is what makes
``--resume``, seeds and parallel runs work without a line of code in the experiment::

    from ...data import subset
    from ...models.cae import ConvAutoEncoder
    from ...training import Plan, train
    from ..frame.experiment import Choice, Experiment, Picture
    from ..frame.rows import cited, claim, measured

    IMAGES = {"smoke": 100, "quick": 10_000, "paper": 60_000}

    def cells(settings):
        n = min(IMAGES[settings.preset], settings.data.n_train)
        plan = Plan(epochs=1, batch_size=100, rate=1e-3)
        return [
            EXPERIMENT.cell({"pool": pool, "images": n, "plan": plan.as_dict()}, seed, label)
            for label, pool in (("plain", None), ("pooled", 2))
            for seed in settings.seeds
        ]

    def run(cell, context):
        images = subset(context.dataset.train, cell.config["images"], cell.seed)
        model = ConvAutoEncoder(1, 20, (7, 7), pool=cell.config["pool"], seed=cell.seed)
        history = train(model, images, Plan(**cell.config["plan"]), cell.seed,
                        label=context.label, checkpoint=context.checkpoint)
        arrays, _ = model.state()
        return {"error": history[-1]["loss"], "history": history}, arrays

    def rows(settings, results):
        plain, pooled = results.where(pool=None), results.where(pool=2)
        return [
            measured(settings, plain, "error", label="plain", metric="error", unit="per image"),
            measured(settings, pooled, "error", label="pooled", metric="error", unit="per image",
                     paper=1.23, samples=60_000),
            cited(settings, 0.35, label="others", metric="test error", source="M11, table 1"),
            claim(settings, "Pooling raises the error.", metric="error, pooled - plain",
                  larger=pooled.by_seed("error"), smaller=plain.by_seed("error")),
        ]

    def figures(settings, results):
        from ... import plotting
        drawn = {r.cell.label: r.arrays["w"] for r in results.where(seed=settings.seeds[0])}
        return {
            "filters.png": Picture(
                plotting.filter_grid(drawn),
                alt="Two panels of twenty filters of 7×7 pixels.",
                caption=f"Filters, seed {settings.seeds[0]}.",
            )
        }

    def choices(settings, results):
        return [Choice("Learning rate", "0.001", "the largest of 1, 3, 10 that does not diverge")]

    EXPERIMENT = Experiment(
        name="example", version=1, title="Filters with and without pooling",
        paper="M11, figure 1", data="mnist", seeds={"smoke": 1, "quick": 1, "paper": 5},
        cells=cells, run=run, rows=rows, figures=figures, choices=choices,
    )

A cell that needs others names them, ``EXPERIMENT.cell(config, seed, label, needs=[first])``, and
its ``run`` reads ``context.needed[first].arrays["w"]``.

Rules that the frame relies on
------------------------------
* ``run`` depends on ``cell.config``, ``cell.seed``, the data set and the needed cells, on nothing
  else: that is what a cell's hash covers.  When the code of ``run`` changes so that it gives other
  numbers, raise ``version``.
* Values are JSON without NaN (None stands for "no such number"); arrays are host arrays of
  numbers, and hold everything that a picture shows.
* ``rows``, ``figures`` and ``choices`` receive whatever cells are there (a
  :class:`~.results.Results`).  A cell that failed is missing; an empty selection
  makes a row without a number, and a figure may be left out.
* Everything that decides a result stands in the configuration, presets are only a way to fill it.
  A configuration that cannot be run raises ConfigError in ``cells``, before anything starts.
* An experiment that compares itself with another one, of another data set, names it in ``beside``;
  ``rows`` then finds that one's rows, as its ``results.json`` has them, in
  ``results.beside["other"]``, if it was run before with the same preset and backend.
* matplotlib is imported inside ``figures`` (through :mod:`cae_np.plotting`), never by the module.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

PRESETS = ("smoke", "quick", "paper")


@dataclass(frozen=True, eq=False)
class Cell:
    """One unit of work: of resuming, of parallelism and of seeds.

    Attributes
    ----------
    experiment, version : str, int
        Whose ``run`` computes it; :meth:`Experiment.cell` fills them in.
    config : dict
        JSON: everything that decides the result, besides seed and data.  Kept as JSON would
        give it back: tuples become lists.
    seed : int, >= 0
    label : str
        For people: progress lines and messages.  Not part of its identity.
    needs : tuple of Cell
        Cells that run first and whose results this one reads (also another experiment's, if it
        is of the same data set).
    """

    experiment: str
    version: int
    config: dict
    seed: int
    label: str = ""
    needs: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "config", json.loads(canonical(self.config)))

    @cached_property
    def key(self):
        """What makes it this cell and no other, as text; equal keys are equal cells."""
        return canonical(
            {
                "experiment": self.experiment,
                "version": self.version,
                "config": self.config,
                "seed": self.seed,
                "needs": [hashlib.sha256(cell.key.encode()).hexdigest() for cell in self.needs],
            }
        )

    def __eq__(self, other):
        return isinstance(other, Cell) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    @property
    def name(self):
        """What tells it from the other cells of its experiment, for people."""
        return ", ".join(filter(None, (self.label, f"seed {self.seed}")))

    def __str__(self):
        return f"{self.experiment} {self.name}"


def canonical(value):
    """JSON in the one form that is hashed: sorted names, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class DataFacts:
    """What may be known about a data set before any cell runs.

    Attributes
    ----------
    name, source, checksum : str
        As :class:`cae_np.data.Dataset` has them.
    n_train, n_validation, n_test : int
        Records; the validation records are the last of the training records, or those of one
        instance (see :meth:`cae_np.data.Dataset.held_out`).
    image_shape : tuple of int
        (C, H, W).
    classes : tuple of str
        The names of the labels 0, 1, ...
    """

    name: str
    source: str
    checksum: str
    n_train: int
    n_validation: int
    n_test: int
    image_shape: tuple
    classes: tuple = tuple("0123456789")


@dataclass(frozen=True)
class Settings:
    """Under which circumstances an experiment runs.

    Attributes
    ----------
    experiment : str
        Its name.
    preset : {"smoke", "quick", "paper"}
        Seconds, minutes, or what the paper did.
    seeds : tuple of int
        The cells of every configuration exist once for each of them.
    data : DataFacts or None
        The data set at hand, which may be an embedded stand-in.
    paper_data : str or None
        The data set that the paper used; only on that one do the paper's numbers stand beside
        ours.
    backend : str
        "numpy", "cupy", ...
    threads : int
        Of the BLAS library.
    dtype : str
    """

    experiment: str
    preset: str
    seeds: tuple
    data: DataFacts | None
    paper_data: str | None
    backend: str
    threads: int
    dtype: str

    @property
    def on_paper_data(self):
        """Whether the data at hand are those that the paper used."""
        return self.paper_data == (self.data.name if self.data else None)


@dataclass(frozen=True)
class Context:
    """What ``run`` receives besides its cell.

    Attributes
    ----------
    dataset : cae_np.data.Dataset or None
    needed : Results
        Of the cells that it needs, in their order: ``context.needed[0].arrays["w"]``, or by
        cell, ``context.needed[cell.needs[0]]``.
    checkpoint : pathlib.Path
        Where a long training may save its state (``train(..., checkpoint=context.checkpoint)``).
        After ``--resume`` the file of an interrupted cell is still there; when the cell is
        finished it is deleted.
    label : str
        For progress bars.
    """

    dataset: Any
    needed: Any
    checkpoint: Path
    label: str


@dataclass(frozen=True)
class Picture:
    """A figure with its words.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        From :mod:`cae_np.plotting`, or made without pyplot.
    alt : str
        What is to be seen, for whoever does not see it.
    caption : str
        What it shows and which cells it comes from.
    """

    figure: Any
    alt: str
    caption: str


@dataclass(frozen=True)
class Choice:
    """An entry of the ledger: something that the paper leaves open, and what was done about it.

    Attributes
    ----------
    question : str
        What the paper does not say ("Output non-linearity").
    chosen : str
    why : str
    effect : str, optional
        The measured effect of choosing otherwise; None while nobody has measured it.
    """

    question: str
    chosen: str
    why: str
    effect: str | None = None


def _nothing(settings, results):
    return {}


@dataclass(frozen=True)
class Experiment:
    """One figure or table of a paper.

    Attributes
    ----------
    name : str
        As the command line has it: ``masci2011-fig1``.
    version : int
        Raised whenever the code of ``run`` changes so that equal cells give other numbers.
    title : str
    paper : str
        What it reproduces: "M11, figure 1".
    data : str or None
        The data set that the paper used, by its name in :mod:`cae_np.data`.
    seeds : dict
        How many seeds each preset takes by default.
    cells : callable, (settings) -> list of Cell
        Cells that are only needed by others need not be listed.
    run : callable, (cell, context) -> (values, arrays)
        A function of the module, since other processes look it up by name.  ``values`` is a JSON
        dictionary, ``arrays`` one of host arrays.
    rows : callable, (settings, results) -> list of Row
        Made by :func:`~cae_np.experiments.frame.rows.measured`, ``claim`` and ``cited``; or plain
        dictionaries, where a table has columns of its own.
    figures : callable, (settings, results) -> dict of file name to Picture
    choices : callable, (settings, results) -> list of Choice
    dtype : str
        In which precision it computes.
    beside : tuple of str
        Names of experiments whose rows this one's ``rows`` compare themselves with.
    named_only : bool
        Whether it runs only when it is named on the command line.
    timed : bool
        Whether it measures times, which cells that run beside it would spoil.
    rows_see : tuple of str
        Values of ``config["stage"]`` of the cells whose arrays its rows measure: of those it is
        not enough that their numbers are kept.
    numbers_do : dict of str to tuple of str
        By the stage of a cell: stages of those cells that it needs for their numbers alone,
        ``{"final": ("search",)}``.  They are not computed again where their numbers are kept.
    """

    name: str
    version: int
    title: str
    paper: str
    data: str | None
    cells: Callable
    run: Callable
    rows: Callable
    figures: Callable = _nothing
    choices: Callable = _nothing
    seeds: dict = field(default_factory=lambda: {"smoke": 1, "quick": 1, "paper": 5})
    dtype: str = "float32"
    beside: tuple = ()
    named_only: bool = False
    timed: bool = False
    rows_see: tuple = ()
    numbers_do: dict = field(default_factory=dict)

    def cell(self, config, seed, label="", needs=()):
        """A :class:`Cell` of this experiment; without a label its configuration is shown."""
        label = label or ", ".join(f"{name} {value}" for name, value in config.items())
        return Cell(self.name, self.version, config, seed, label, tuple(needs))
