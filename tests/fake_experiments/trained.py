"""Small auto-encoders, trained with checkpoints: for tests that kill whoever trains them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from cae_np.experiments.frame.experiment import Experiment
from cae_np.models.cae import ConvAutoEncoder
from cae_np.training import Plan, train


class Images:
    """Random images; a log of the folder $FAKE_FAULTS gets a line for each batch, and a file there
    kills the process at a batch, once, or makes it slow."""

    def __init__(self, label):
        self._x = np.random.default_rng(0).random((40, 1, 12, 12), dtype="float32")
        self._label, self._faults = label, Path(os.environ.get("FAKE_FAULTS", "/nonexistent"))
        self._batches = 0

    def __len__(self):
        return len(self._x)

    def batch(self, indices):
        self._batches += 1
        if self._faults.is_dir():
            with open(self._faults / "log", "a") as log:
                log.write(f"{self._label}, process {os.getpid()}, batch {self._batches}\n")
            if (self._faults / "slow").exists():
                time.sleep(0.05)
            kill = self._faults / f"kill at {self._batches}"
            try:
                kill.unlink()
            except FileNotFoundError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._x[indices]


def run(cell, context):
    model = ConvAutoEncoder(1, cell.config["maps"], (5, 5), pool=2, seed=cell.seed)
    plan = Plan(cell.config["epochs"], 8, 1e-3, optimizer="adam", noise="binomial", amount=0.3)
    every = float(os.environ.get("FAKE_CHECKPOINT_EVERY", 0))
    history = train(model, Images(context.label), plan, cell.seed, 0, context.label,
                    context.checkpoint, checkpoint_every=every)  # fmt: skip
    arrays, _ = model.state()
    return {"loss": history[-1]["loss"]}, arrays


def cells(settings):
    return [
        EXPERIMENT.cell({"maps": maps, "epochs": 3}, seed, f"{maps} maps")
        for maps in (3, 4)
        for seed in settings.seeds
    ]


EXPERIMENT = Experiment(
    name="trained",
    version=1,
    title="Small auto-encoders",
    paper="M11, figure 9",
    data=None,
    seeds={"smoke": 2, "quick": 2, "paper": 2},
    cells=cells,
    run=run,
    rows=lambda settings, results: [
        {"label": r.cell.label, "seed": r.seed, "loss": r.values["loss"]} for r in results
    ],
)
