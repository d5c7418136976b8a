"""What the command lines of this package have in common: one line for every mistake, and code 2."""

import argparse
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

REFUSED = 2  # the exit code of whatever is wrong with a call


class Parser(argparse.ArgumentParser):
    """Argparse without the usage before its message: one line, and where to read more."""

    def error(self, message):
        self.exit(REFUSED, f"{self.prog}: {message}; --help explains the options\n")


class Terminated(KeyboardInterrupt):
    """SIGTERM: it goes everywhere where Ctrl-C goes."""


@contextmanager
def sigterm_as_an_exception():
    """While it is open, SIGTERM raises :class:`Terminated`, so that nothing is left half done."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminated(number, frame):
    raise Terminated


def plain_warnings():
    """From now on warnings are one line each, without the line of source that gave them."""
    warnings.formatwarning = lambda message, category, *where, **more: f"warning: {message}\n"


def called():
    """What was typed to start the program of the experiments, to be typed again.

    Returns
    -------
    str
        ``cae-np``, ``python -m cae_np``, or for anything else ``python run_experiments.py``.
    """
    script = Path(sys.argv[0])
    if script.stem == "cae-np":
        return "cae-np"
    if script.parts[-2:] == ("cae_np", "__main__.py"):
        return "python -m cae_np"
    return "python run_experiments.py"


def program():
    """Its name in front of messages: as it was called, without Python."""
    return called().removeprefix("python ") if called().endswith(".py") else called()


def refuse(program, message, code=REFUSED):
    """Say in one line why a program ends here; returns the exit code."""
    print(f"{program}: {message}", file=sys.stderr)
    return code


def drop_output():
    """Let go of what could not be printed, or Python complains about it once more at its end."""
    with suppress(OSError):  # no file can be opened any more; then the output is not what failed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def whole_number(smallest, largest=None):
    """What turns an argument into a whole number within bounds, for ``add_argument(type=...)``."""
    bounds = f"from {smallest} on" if largest is None else f"from {smallest} to {largest:,}"

    def number(text):
        try:
            value = int(text)
        except ValueError:
            value = smallest - 1
        if value < smallest or (largest is not None and value > largest):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return value

    return number


def given(text):
    """An argument that is not empty, as it is where a shell's variable was never set."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; is the variable that you meant not set?")
    return text


def folder(text):
    """A folder's name that is not empty; ~ is the user's own, which no shell sees in --out=~/x."""
    return os.path.expanduser(given(text))


def as_path(text):
    """A path like :func:`folder`'s, as an object."""
    return Path(folder(text))


def what_failed(error):
    """An OSError in few words: the file it is about, if there is one, and what the system says."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
