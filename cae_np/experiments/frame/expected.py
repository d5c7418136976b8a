"""How long a run will take: as measured once, scaled to this machine, corrected as it goes on."""

import time

import numpy as np

# Seconds of each experiment's quick preset on embedded data, and of the product below, on one
# machine: two idle cores, two threads.
QUICK_SECONDS = {
    "masci2011-fig1": 12,
    "masci2011-fig2": 12,
    "masci2011-table1": 40,
    "masci2011-table2": 40,
    "makhzani2014-fig1": 30,
    "makhzani2014-fig2": 10,
    "makhzani2014-fig3": 15,
    "makhzani2014-fig4": 8,
    "makhzani2014-fig5": 10,
    "makhzani2014-table1": 25,
    "makhzani2014-table2": 25,
    "makhzani2014-table3": 25,
    "makhzani2014-ablations": 30,
}
PRODUCT_SECONDS = 0.0022


class Expected:
    """The time that a list of experiments takes, as far as it is known.

    Parameters
    ----------
    names : list of str
        In the order in which they run.
    options : Options
        It is known beforehand of the quick preset as it is, where no cell is there already.
    """

    def __init__(self, names, options):
        known = options.preset == "quick" and not (options.reuse or options.n_seeds)
        known = known and all(name in QUICK_SECONDS for name in names)
        self._seconds = [QUICK_SECONDS[name] for name in names] if known else None
        self._began = time.monotonic()

    def announcement(self):
        """["about 4 minutes on this machine"], or nothing where that is not known."""
        if self._seconds is None:
            return []
        whole = sum(self._seconds) * _product_seconds() / PRODUCT_SECONDS
        return [f"{in_minutes(whole)} on this machine"]

    def left(self, done):
        """[", about 2 minutes left"] after so many of them, by how long those took, or nothing."""
        if self._seconds is None or not done:
            return []
        elapsed = time.monotonic() - self._began
        left = elapsed * sum(self._seconds[done:]) / sum(self._seconds[:done])
        return [f", {in_minutes(left)} left"]


def in_minutes(seconds):
    """For people: "about 4 minutes", "about half a minute"."""
    if seconds < 45:
        return "about half a minute" if seconds > 20 else "some seconds"
    minutes = max(1, round(seconds / 60))
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"


def _product_seconds():
    """What this machine takes for a product like those of the trainings: the best of twenty."""
    a = np.random.default_rng(0).random((128, 1024), np.float32)
    b = np.random.default_rng(1).random((1024, 1024), np.float32)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - began)
    return min(times)
