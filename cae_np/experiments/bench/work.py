"""How long whole pieces of work take, beside what a user would pick instead.

The contenders of a case take turns in one fresh process, on equal threads; their medians count.
Peak memory is that of a process in which one of them works alone, with all that it imports.
"""

import importlib.util

from ..frame.experiment import Experiment
from . import contest
from .steps import IDLE
from .work_cases import CASES, NEEDS, OURS

ROUNDS = {"smoke": 1, "quick": 3, "paper": 9}
SMALLER = {"smoke": 25, "quick": 1, "paper": 1}


def cells(settings):
    return [
        EXPERIMENT.cell(
            {
                "case": name,
                "images": images // SMALLER[settings.preset],
                "rounds": ROUNDS[settings.preset],
                "threads": settings.threads,
                "backend": settings.backend,
            },
            settings.seeds[0],
            name,
        )
        for name, (_, images, _, _) in CASES.items()
    ]


def run(cell, context):
    import psutil

    config = cell.config
    threads, backend = config["threads"], config["backend"]
    busy = psutil.cpu_percent(interval=1.0)
    who = CASES[config["case"]][3]
    here = [OURS, *(name for name in who if importlib.util.find_spec(_needed(name)))]
    sizes = config["case"], config["images"]
    found = contest.held(*sizes, config["rounds"], threads, backend, *here)
    alone = {name: contest.held(*sizes, 1, threads, backend, name)["peak_bytes"] for name in here}
    return {
        "seconds": found["seconds"],
        "result": found["result"],
        "peak_bytes": alone,
        "absent": [name for name in who if name not in here],
        "busy_percent": busy,
    }, {}


def _needed(name):
    return NEEDS[name.split(",")[0]]


def rows(settings, results):
    """One row a case and contender: seconds, their spread, memory, and the result reached."""
    table = []
    for result in results:
        config, values = result.config, result.values
        make, _, measure, _ = CASES[config["case"]]
        ours, _, _ = contest.spread(values["seconds"][OURS])
        busy, notes = values["busy_percent"], []
        if busy > IDLE:
            notes.append(f"warning: other programs used {busy:.0f} % of the machine")
        notes += [f"{name} is not installed" for name in values["absent"]]
        for name, seconds in values["seconds"].items():
            median, least, most = contest.spread(seconds)
            table.append(
                {
                    "label": config["case"],
                    "work": make.__doc__.rstrip("."),
                    "images": config["images"],
                    "who": name,
                    "seconds": median,
                    "least": least,
                    "most": most,
                    "vs_ours": median / ours,
                    "peak_mb": values["peak_bytes"][name] / 1e6,
                    "result": values["result"][name],
                    "of": measure,
                    "threads": config["threads"],
                    "backend": config["backend"],
                    "note": "; ".join(notes) or None,
                }
            )
    return table


EXPERIMENT = Experiment(
    name="bench-work",
    version=1,
    title="Whole pieces of work, beside PyTorch, scikit-learn and SciPy",
    paper="cae_np's own",
    data=None,
    seeds={"smoke": 1, "quick": 1, "paper": 1},
    cells=cells,
    run=run,
    rows=rows,
    named_only=True,
    timed=True,
)
