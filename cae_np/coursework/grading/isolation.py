"""Each task in a process of its own, forked from one that has everything imported.

A child that hangs, exits, or floods its output costs its own task.  Against hostile code this is
no protection: it runs with the rights of whoever grades, so grade strangers in a container.
"""

import contextlib
import json
import math
import os
import selectors
import signal
import sys
import time
import warnings

from threadpoolctl import threadpool_limits

SECONDS = 12.0  # of the processor, per task: what others do on the machine costs nobody points
PATIENCE = 5  # times as long by the clock, for code that waits for something


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
        Of processor time; the child is killed then, or after :data:`PATIENCE` times as long.

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
        # Python warns of threads that stay behind; those of BLAS may.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _be_the_child(work, seconds, reader, writer)  # does not return
    os.close(writer)
    message, ending = None, "vanished"
    try:
        message, ending = _collect(reader, time.monotonic() + PATIENCE * seconds)
    finally:
        os.close(reader)
        status = _end(child, gently=ending == "vanished")
    if ending == "vanished" and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        ending = "time"
    return message, ending


def _end(child, gently):
    """Kill a child and its own children, and return how it ended."""
    status = None
    if gently:  # its pipe is closed: it is ending by itself, and the reason counts
        ended, status = _wait(child, 1.0)
        status = status if ended else None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return status


def _wait(child, seconds):
    """``(ended, status)`` of a child that is about to end."""
    stop = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended or time.monotonic() > stop:
            return ended, status
        time.sleep(0.005)


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


def _be_the_child(work, seconds, reader, writer):
    import resource  # there is none where there is no fork

    status = 1
    try:
        os.close(reader)
        os.setsid()  # so that its own children end with it
        limit = math.ceil(seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 2))
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        sys.stdin = open(os.devnull)  # whoever asks for input is told that there is none
        sys.stdout = sys.stderr = open(os.devnull, "w")

        def send(message):
            _write(writer, json.dumps(message, allow_nan=False).encode() + b"\n")

        with threadpool_limits(1):  # BLAS's other threads have not come along
            work(send)
        _write(writer, b"end\n")
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is tidied up in the child


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]
