"""Sums over cells of another experiment, in a table with columns of its own."""

import numpy as np

from cae_np.experiments.frame.experiment import Experiment

from . import numbers


def cells(settings):
    return [
        EXPERIMENT.cell({}, seed, needs=[c for c in numbers.cells(settings) if c.seed == seed])
        for seed in settings.seeds
    ]


def run(cell, context):
    arrays = [result.arrays["draws"] for result in context.needed]
    return {"sum": float(np.sum(arrays))}, {}


EXPERIMENT = Experiment(
    name="sums",
    version=1,
    title="Sums over cells of another experiment",
    paper="M14, figure 9",
    data=None,
    seeds={"smoke": 2, "quick": 5, "paper": 7},
    cells=cells,
    run=run,
    rows=lambda settings, results: [
        {"label": "own columns", "sum_ms": r.values["sum"], "torch_ms": None}
        for r in results.where(experiment="sums")
    ],
    named_only=True,
)
