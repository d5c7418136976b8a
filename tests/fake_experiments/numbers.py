"""Means of random numbers."""

import os
import time
from pathlib import Path

from cae_np.errors import ConfigError, DivergenceError
from cae_np.experiments.frame.experiment import Choice, Experiment, Picture
from cae_np.experiments.frame.rows import cited, claim, measured
from cae_np.rng import Purpose, generator


def cells(settings):
    if settings.seeds[0] == 99:
        raise ConfigError("seed 99 asks for a kernel of 9×9 on images of 7×7; choose a smaller one")
    return [
        EXPERIMENT.cell({"mean": mean}, seed, f"mean {mean}")
        for mean in (0, 10)
        for seed in settings.seeds
    ]


def run(cell, context):
    """Draw around a mean; files in the folder $FAKE_FAULTS make it fail or wait, and log runs."""
    faults = Path(os.environ.get("FAKE_FAULTS", "/nonexistent"))
    if faults.is_dir():
        with open(faults / "log", "a") as log:
            log.write(f"{context.label}\n")
        if (faults / f"bug {cell.config['mean']}").exists():
            raise ZeroDivisionError("division by zero in a layer")
        if (faults / f"diverge {cell.config['mean']}").exists():
            raise DivergenceError("the loss is nan at step 3; try a learning rate of 0.01")
        if (faults / f"interrupt {cell.seed}").exists():
            raise KeyboardInterrupt
        if (faults / f"checkpoint {cell.config['mean']}").exists():
            context.checkpoint.write_bytes(b"half of it")
            raise KeyboardInterrupt
        if (faults / f"wait {cell.seed}").exists():
            time.sleep(60)
    draws = generator(Purpose.NOISE, cell.seed).standard_normal(50) + cell.config["mean"]
    return {"mean": float(draws.mean()), "checkpoint": context.checkpoint.exists()}, {
        "draws": draws
    }


def rows(settings, results):
    high, low = results.where(mean=10), results.where(mean=0)
    return [
        measured(settings, high, "mean", label="ten", metric="mean", unit="units", paper=10.25),
        measured(settings, low, "mean", label="zero", metric="mean", unit="units", control=True),
        cited(settings, 9.5, label="others", metric="mean", unit="units", source="M11, table 9"),
        claim(
            settings,
            "Ten is more than zero.",
            metric="mean",
            larger=high.by_seed("mean"),
            smaller=low.by_seed("mean"),
        ),
        claim(settings, "Ten is above 10.", metric="mean", larger=high.by_seed("mean"), smaller=10),
        claim(settings, "Ten is below 5.", metric="mean", larger=5, smaller=high.by_seed("mean")),
    ]


def figures(settings, results):
    from cae_np import plotting

    means = {f"mean {mean}": list(results.where(mean=mean).by_seed("mean").values())
             for mean in (0, 10)}  # fmt: skip
    return {
        "means.png": Picture(
            plotting.dots(means, "mean of 50 draws", paper={"mean 10": 10.25}),
            alt='Dots near "zero" & ten.',
            caption="Means of <fifty> draws.",
        )
    }


def choices(settings, results):
    return [Choice("How many draws", "50", "enough | for anybody")]


EXPERIMENT = Experiment(
    name="numbers",
    version=1,
    title="Means of random numbers",
    paper="M11, table 9",
    data=None,
    seeds={"smoke": 2, "quick": 5, "paper": 7},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
