"""How long a training step takes, beside PyTorch's and beside the bare matrix products.

One process, the contenders taking turns round by round, medians.  Every timed call follows an
untimed one of the same contender, so that none finds the caches or the thread pools as another left
them.  On a GPU its own events measure.  PyTorch (optional) is timed on one and on two threads and
counts with the better of the two; where we compute on a GPU, so does PyTorch.
"""

import statistics

from ...backend import elapsed, synchronize
from ..frame.experiment import Experiment
from . import torch_steps
from .cases import CASES

ROUNDS = {"smoke": 1, "quick": 7, "paper": 25}
IDLE = 10.0  # per cent of all cores that others may use before the figures carry a warning


def cells(settings):
    return [
        EXPERIMENT.cell({"case": name, "rounds": ROUNDS[settings.preset]}, settings.seeds[0], name)
        for name in CASES
    ]


def run(cell, context):
    import psutil

    busy = psutil.cpu_percent(interval=1.0)
    contenders = {name: f for name, f in CASES[cell.config["case"]]().items() if f}
    for name in [n for n in contenders if n.startswith("torch")]:
        step = contenders.pop(name)
        cores = psutil.cpu_count(logical=False) or 1
        for threads in sorted({1, min(2, cores)}) if torch_steps.device() == "cpu" else (1,):
            contenders[f"{name} {threads}"] = _with_threads(step, threads)

    samples = {name: [] for name in contenders}
    for _ in range(cell.config["rounds"]):
        for name, step in contenders.items():
            step()
            synchronize()
            samples[name].append(elapsed(step))
    medians = {name: statistics.median(times) for name, times in samples.items()}
    return {
        "medians_ms": medians,
        "quartiles_ms": {name: _quartiles(times) for name, times in samples.items()},
        "busy_percent": busy,
        "torch": torch_steps.version(),
    }, {}


def _with_threads(step, threads):
    def limited():
        torch_steps.set_threads(threads)
        step()

    return limited


def _quartiles(times):
    return statistics.quantiles(times, n=4) if len(times) > 1 else times


def rows(settings, results):
    """One row a case, with columns of its own: milliseconds and their ratios."""
    table = []
    for result in results:
        medians = result.values["medians_ms"]
        row = {"label": result.config["case"], "ours_ms": medians["ours"]}
        for contender in ("torch", "torch_sparse"):
            times = {n: ms for n, ms in medians.items() if n.rsplit(" ", 1)[0] == contender}
            best = min(times, key=times.get, default=None)
            row[f"{contender}_ms"] = times.get(best)
            row[f"{contender}_threads"] = int(best.rsplit(" ", 1)[1]) if best else None
            row[f"vs_{contender}"] = times[best] / row["ours_ms"] if best else None
        for of, ms in (("gemm", medians["gemm"]), ("products", _products(medians))):
            row[f"{of}_ms"] = ms
            row[f"vs_{of}"] = row["ours_ms"] / ms
        row["threads"] = settings.threads
        row["backend"] = settings.backend
        row["torch"] = result.values["torch"]
        busy = result.values["busy_percent"]
        row["note"] = (
            f"warning: other programs used {busy:.0f} % of the machine" if busy > IDLE else None
        )
        table.append(row)
    return table


def _products(medians):
    """All that the step needs; for winner-take-all that is the encoder's one product."""
    return medians.get("products", medians["gemm"])


EXPERIMENT = Experiment(
    name="bench",
    version=2,
    title="Training steps, beside PyTorch and the bare matrix products",
    paper="cae_np's own",
    data=None,
    seeds={"smoke": 1, "quick": 1, "paper": 1},
    cells=cells,
    run=run,
    rows=rows,
    named_only=True,
    timed=True,
)
