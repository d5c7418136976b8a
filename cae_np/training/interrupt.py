"""Ctrl-C and SIGTERM between two steps: a training saves its state before it leaves."""

import signal
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While it is open, the first signal to end waits until the training asks for it.

    A second one acts at once.  What a signal does, in the end, is what it would have done without
    this; one that is ignored stays ignored.

    Parameters
    ----------
    wanted : bool
        Without, and outside of the main thread, where Python takes no signals, nothing is changed.

    Attributes
    ----------
    asked : signal.Signals or None
        Which signal is waiting.
    """

    def __init__(self, wanted=True):
        self._wanted = wanted and threading.current_thread() is threading.main_thread()
        self._before, self.asked = {}, None

    def __enter__(self):
        for number in SIGNALS if self._wanted else ():
            # None: set by something that is not Python, and not to be put back by it.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception):
        self.leave()

    def leave(self):
        """Let the signal do what it would have done, if there is one."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self.asked is not None:
            asked, self.asked = self.asked, None
            signal.raise_signal(asked)

    def _note(self, number, frame):
        if self.asked is not None:
            self.leave()
        self.asked = signal.Signals(number)
