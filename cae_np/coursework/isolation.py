"""Each task in a process of its own, forked from one that has everything imported.

A child that hangs, exits, or floods its output costs its own task.  Against hostile code this is
no protection: it runs with the rights of whoever grades, so grade strangers in a container.
"""

import contextlib
import io
import json
import os
import selectors
import signal
import sys
import time
import warnings

from threadpoolctl import threadpool_limits

SECONDS = 20.0  # per task
PRINTED = 2000  # characters of a student's output that are kept


def can_fork():
    """Whether there are processes to be forked; there are none in a browser, nor on Windows."""
    return hasattr(os, "fork") and sys.platform not in ("emscripten", "wasi")


def in_child(work, seconds=SECONDS):
    """Run ``work(send)`` in a forked child and return what it sent last.

    Parameters
    ----------
    work : callable, (send) -> None
        ``send(message)`` takes a dict for JSON; a later message replaces an earlier one.
    seconds : float
        The child is killed then.

    Returns
    -------
    message : dict, or None if nothing was sent
    ending : {"ended", "time", "vanished"}
        "vanished": the child ended before its work did.
    """
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with warnings.catch_warnings():
        # BLAS has threads, which do not matter: it restarts them in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _be_the_child(work, reader, writer)  # does not return
    os.close(writer)
    try:
        return _collect(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _collect(reader, stop):
    """The last complete line, and how it ended."""
    pending, message, ending = b"", None, "vanished"
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, stop - time.monotonic())):
                return message, "time"
            data = os.read(reader, 1 << 16)
            if not data:
                return message, ending
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                if line == b"end":
                    ending = "ended"
                else:
                    message = json.loads(line)
            if ending == "ended":
                return message, ending


def _be_the_child(work, reader, writer):
    status = 1
    try:
        os.close(reader)
        os.setsid()  # so that its own children end with it
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        sys.stdin = open(os.devnull)  # whoever asks for input is told that there is none

        def send(message):
            _write(writer, json.dumps(message, allow_nan=False).encode() + b"\n")

        quiet_streams = contextlib.redirect_stdout(Kept()), contextlib.redirect_stderr(Kept())
        with quiet_streams[0], quiet_streams[1], threadpool_limits(1):
            work(send)
        _write(writer, b"end\n")
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is tidied up in the child


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


class Kept(io.TextIOBase):
    """An output that keeps its first characters."""

    def __init__(self):
        self.text = ""

    def writable(self):
        return True

    def write(self, text):
        if len(self.text) < PRINTED:
            self.text = (self.text + text)[:PRINTED]
        return len(text)
