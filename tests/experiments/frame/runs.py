"""Running made-up experiments as the program does."""

from cae_np.experiments.frame import runner
from cae_np.experiments.frame.experiment import DataFacts, Settings

FACTS = DataFacts("mnist", "--data-dir", "c0ffee", 60, 10, 10, (1, 28, 28))


SETTINGS = Settings("numbers", "quick", (0, 1, 2), FACTS, "mnist", "numpy", 2, "float32")


def start(out, *chosen, said=None, **options):
    """Run experiments as the program does; returns the session's verdicts."""
    options = runner.Options(**{"preset": "smoke", "out": out, "resume": False} | options)
    session = runner.Session(options, say=(said if said is not None else []).append)
    return [session.run(runner.prepare(experiment, options)) for experiment in chosen]
