"""How far a training is: a bar where there is a terminal, a line now and then elsewhere."""

import sys
import threading
import time

from ..waiting import may_draw

# The figures first: a label may be longer than a terminal is wide.
BAR = "{percentage:3.0f}%|{bar:10}| {remaining} left, {rate_fmt}{postfix}  {desc}"
# Seconds between two readings of the loss: of a bar, and of plain lines.
BAR_INTERVAL, LINE_INTERVAL = 1.0, 10.0


class Progress:
    """The progress of one training.

    Parameters
    ----------
    label : str
    epochs, n : int
        Of n images each.
    done : int
        Images that an earlier, interrupted run has done.
    """

    def __init__(self, label, epochs, n, done):
        self._label, self._total, self._n = label, epochs * n, n
        self._is_terminal = may_draw()
        self._interval = BAR_INTERVAL if self._is_terminal else LINE_INTERVAL
        self._bar = self._drawn(done) if self._is_terminal else None
        self._done = done
        self._started, self._from = time.monotonic(), done
        self._read = self._started
        self._telemetry = ""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def _drawn(self, done):
        """The bar itself, of so many images done."""
        from tqdm import tqdm

        # Only one process draws bars.  tqdm's own lock is one between processes, a semaphore of
        # the system's that stays behind where one of them is killed.
        tqdm.set_lock(threading.RLock())
        return tqdm(
            total=self._total,
            initial=done,
            desc=self._label,
            unit="img",
            leave=False,
            dynamic_ncols=True,
            bar_format=BAR,
        )

    def is_due(self):
        """Whether it is time to read the loss, which waits for the device."""
        return time.monotonic() - self._read >= self._interval

    def count(self, images):
        """So many images more are done."""
        self._done += images
        if self._bar is not None:
            self._bar.update(images)

    def show(self, images, loss):
        """The same, and what the loss was: on the bar, or as a line where there is none."""
        self.count(images)
        self._read = time.monotonic()
        text = f"loss {loss:.4g}{self._telemetry}"
        if self._bar is not None:
            self._bar.set_postfix_str(text)
        elif self._read - self._started >= self._interval:
            self._line(text)

    def note(self, entry):
        """Keep what the model reported of an epoch in sight until the next one ends."""
        if "active_share" in entry:
            least, median, _ = entry["active_share"]
            self._telemetry = (
                f"  dead {entry['dead_maps']}  active on {least:.0%} (median {median:.0%})  "
                f"sparsity {entry['hidden_sparsity']:.2%}  ties {entry['ties']:.2%}"
            )

    def images_per_second(self):
        """Since this process began; 0 before any time has passed."""
        elapsed = time.monotonic() - self._started
        return (self._done - self._from) / elapsed if elapsed else 0.0

    def _line(self, text):
        share = self._done / self._total
        print(
            f"{self._label}: {share:4.0%}  {text}  {self.images_per_second():.0f} images/s",
            file=sys.stderr,
            flush=True,
        )
