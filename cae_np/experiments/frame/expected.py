"""How long a run will go on: by what experiments took once, and the first ones here."""

import time

# Seconds of each quick preset on embedded data, on two cores that had nothing else to do.
QUICK_SECONDS = {
    "masci2011-fig1": 6,
    "masci2011-fig2": 10,
    "masci2011-table1": 92,
    "masci2011-table2": 66,
    "makhzani2014-fig1": 66,
    "makhzani2014-fig2": 13,
    "makhzani2014-fig3": 6,
    "makhzani2014-fig4": 3,
    "makhzani2014-fig5": 5,
    "makhzani2014-table1": 14,
    "makhzani2014-table2": 25,
    "makhzani2014-table3": 19,
    "makhzani2014-ablations": 18,
}


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

    def in_all(self):
        """[", about 6 minutes on two idle cores"], or nothing."""
        if self._seconds is None:
            return []
        return [f", {in_minutes(sum(self._seconds))} on two idle cores"]

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
