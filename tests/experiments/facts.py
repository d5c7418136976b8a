"""The papers' data sets, settings and made-up results, for tests of experiments."""

from pathlib import Path

from cae_np import experiments
from cae_np.experiments.frame import cells
from cae_np.experiments.frame.experiment import DataFacts, Settings
from cae_np.experiments.frame.results import Result, Results

FACTS = {
    "cifar10": DataFacts("cifar10", "--data-dir", "c0ffee", 50_000, 10_000, 10_000, (3, 32, 32)),
    "mnist": DataFacts("mnist", "--data-dir", "c0ffee", 60_000, 10_000, 10_000, (1, 28, 28)),
    "norb": DataFacts("norb", "--data-dir", "c0ffee", 24_300, 4_860, 24_300, (2, 32, 32)),
}


def settings(of, preset="paper", seeds=range(5)):
    """What an experiment, or a module that has one, is asked for, on the paper's data."""
    experiment = getattr(of, "EXPERIMENT", of)
    name, data = experiment.name, experiment.data
    return Settings(name, preset, tuple(seeds), FACTS[data], data, "numpy", 1, "float32")


def all_cells(module, preset="paper", seeds=range(5)):
    """The cells of an experiment and those that they need, none twice, in the order of a run."""
    at = settings(module, preset, seeds)
    jobs = cells.plan(module.EXPERIMENT.cells(at), at, Path(), None, experiments.find)
    return [job.cell for job in jobs]


def results_where(cells, values_of, arrays_of=None):
    """Results of cells, whose values and arrays are functions of the configuration."""
    found = []
    for cell in cells:
        result = Result(cell, values_of(cell.config), 1.0, Path())
        if arrays_of:
            result.__dict__["arrays"] = arrays_of(cell.config)
        found.append(result)
    return Results(found)
