"""For whoever waits: how far work is, a bar on a terminal and a line now and then elsewhere."""

import sys
import time

PATIENCE = 2.0  # seconds before a bar is shown: most work is shorter
LINE_INTERVAL = 10.0  # seconds between two lines where there is no terminal


def may_draw():
    """Whether bars may be drawn: on a terminal, and by one process, since several write over each
    other's."""
    import multiprocessing  # here, as tqdm below: nobody waits for them who only asks for --list

    return multiprocessing.parent_process() is None and sys.stderr.isatty()


class Waiting:
    """The progress of work that takes steps.

    Parameters
    ----------
    label : str
    total : int, optional
        Steps, if they are known.
    unit : str

    Examples
    --------
    >>> from cae_np.waiting import Waiting
    >>> with Waiting("whitening", total=3, unit="images") as waiting:
    ...     for _ in range(3):
    ...         waiting.advance(1)
    """

    def __init__(self, label, total=None, unit="images"):
        self._label, self._total, self._unit = label, total, unit
        self._is_terminal = may_draw()
        self._done, self._bar = 0, None
        self._began = self._said = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def advance(self, steps):
        """So many steps more are done."""
        self._done += steps
        now = time.monotonic()
        if self._is_terminal:
            if self._bar is None and now - self._began > PATIENCE:
                from tqdm import tqdm

                options = {"total": self._total, "desc": self._label, "unit": f" {self._unit}"}
                self._bar = tqdm(**options, leave=False, dynamic_ncols=True)
            if self._bar is not None:
                self._bar.update(self._done - self._bar.n)
        elif now - self._said > LINE_INTERVAL:
            self._said = now
            share = f"{self._done / self._total:4.0%} of " if self._total else f"{self._done:,} "
            of = f"{self._total:,} " if self._total else ""
            self.say(f"{share}{of}{self._unit}, {now - self._began:.0f} s")

    def say(self, text):
        """One line at once, of a step that cannot tell how far it is."""
        print(f"{self._label}: {text}", file=sys.stderr, flush=True)
