"""A process of its own for each task, forked from one that has everything imported.

A child that hangs, exits, floods its output, or takes all memory costs its own task, and what it
has started ends with it.  Against hostile code this is no full protection: it runs with the rights
of whoever grades, so grade strangers in a container.
"""

import contextlib
import ctypes
import math
import os
import signal
import socket
import struct
import sys
import threading
import time
import warnings

from . import wire

SECONDS = 12.0  # of the processor, per task: what others do on the machine costs nobody points
PATIENCE = 5  # times as long by the clock, for code that waits for something
MEMORY = 3 << 30  # bytes of addresses that a child may take besides what it begins with
LOOK = 0.5  # seconds after which the grader looks whether a silent child is still there
AT_ONCE = 1 << 18  # bytes that are received in one go
SOCKET, RECEIVING, SENDING = socket.SOL_SOCKET, socket.SO_RCVTIMEO, socket.SO_SNDTIMEO
FILE = 1 << 26  # bytes of a file that it writes


def can_fork():
    """Whether there are processes to be forked; there are none in a browser, nor on Windows."""
    return hasattr(os, "fork") and sys.platform not in ("emscripten", "wasi")


class Ended(BaseException):
    """A child has ended, or has to.

    No Exception, so that it ends whatever was going to be asked next.

    Attributes
    ----------
    how : {"time", "vanished"}
    """

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class Child:
    """A forked process with a line to it, on which messages of :mod:`.wire` go to and fro.

    A context manager: at its end the process is no more, nor what it has started.

    Parameters
    ----------
    work : callable, (line) -> None
        What it does; ``line`` is a :class:`Line`.
    seconds : float
        Of processor time; the child is killed then, or after :data:`PATIENCE` times as long.
    """

    def __init__(self, work, seconds=SECONDS):
        self._work, self._seconds = work, seconds

    def __enter__(self):
        ours, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        self._before = {process.pid for process in _children()}
        self._was_reaper = _adopt_orphans(True)
        with warnings.catch_warnings():
            # Python warns of threads that stay behind; those of BLAS may.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _be_the_child(self._work, self._seconds, theirs)  # does not return
        theirs.close()
        self._ours = ours
        stop = time.monotonic() + PATIENCE * self._seconds
        self._line = Line(ours, stop, self._is_over)
        return self

    def __exit__(self, kind, error, traceback):
        self._ours.close()
        if self._pid:
            self._end(gently=False)
        while strays := self._strays():
            _kill(strays)
        _adopt_orphans(self._was_reaper)

    def send(self, header, arrays=()):
        """Send a message; raises :class:`Ended`."""
        with self._ending():
            self._line.send(header, arrays)

    def receive(self):
        """The next message, ``(header, arrays)``; raises :class:`Ended`."""
        with self._ending():
            return self._line.receive()

    @contextlib.contextmanager
    def _ending(self):
        """What goes wrong with the line, as :class:`Ended`, with the reason."""
        if self._pid is None:
            raise Ended("vanished")
        try:
            yield
        except TimeoutError:
            raise Ended("time") from None
        except (OSError, EOFError):  # it is ending by itself, and the reason counts
            raise Ended(self._end(gently=True)) from None
        except ValueError:  # that was none of our messages
            raise Ended("vanished") from None

    def _end(self, gently):
        """Kill the child, unless it ends by itself, and say how it ended."""
        stop = time.monotonic() + (1.0 if gently else 0.0)
        while not self._is_over() and time.monotonic() < stop:
            time.sleep(0.005)
        for kill in (os.killpg, os.kill):  # of one that has ended, the rest of its group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self._pid, signal.SIGKILL)
        _, status, used = os.wait4(self._pid, 0)
        self._pid = None
        is_late = used.ru_utime + used.ru_stime >= 0.98 * math.ceil(self._seconds)
        is_late = is_late or os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        return "time" if is_late else "vanished"

    def _is_over(self):
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._pid, how) is not None

    def _strays(self):
        """What the child has started and has not ended, wherever it went.

        Its orphans are this process' children, in sessions that are not this one's.
        """
        found = []
        for process in _children(recursive=True):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if process.pid not in self._before and os.getsid(process.pid) != os.getsid(0):
                    found.append(process)
        return found


def _children(recursive=False):
    """Processes that this one has started, or adopted."""
    try:
        import psutil
    except ImportError:  # what leaves its process group escapes then
        return []
    return psutil.Process().children(recursive)


def _kill(processes):
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    for process in processes:
        with contextlib.suppress(ChildProcessError):  # it is a child of one that is
            os.waitpid(process.pid, 0)


def _adopt_orphans(wanted):
    """Become the parent of grandchildren whose parent ends (Linux); whether it was so before."""
    if sys.platform != "linux":
        return False
    set_it, get_it = 36, 37  # PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER
    process, before = ctypes.CDLL(None), ctypes.c_int()
    process.prctl(get_it, ctypes.byref(before), 0, 0, 0)
    process.prctl(set_it, int(wanted), 0, 0, 0)
    return bool(before.value)


class Line:
    """One end of the line.

    Parameters
    ----------
    socket : socket.socket
    stop : float, optional
        When to stop waiting, on the monotonic clock.
    is_over : callable, () -> bool, optional
        Whether the process at the other end has ended; others may hold its end of the line.
    """

    def __init__(self, socket, stop=math.inf, is_over=None):
        self._socket, self._stop, self._is_over = socket, stop, is_over
        self._received = bytearray()
        if is_over:  # waking up now and then is the system's work: a call for each message is saved
            wake = struct.pack("ll", 0, int(1e6 * LOOK))
            socket.setsockopt(SOCKET, RECEIVING, wake)
            socket.setsockopt(SOCKET, SENDING, wake)

    def send(self, header, arrays=()):
        """Send a message."""
        data = memoryview(wire.packed(header, arrays))
        while data:
            data = data[self._patiently(self._socket.send, data) :]

    def receive(self):
        """The next message, ``(header, arrays)``.

        Raises
        ------
        EOFError
            If the other end is closed.
        TimeoutError
        ValueError
            If it is none.
        """
        if time.monotonic() > self._stop:
            raise TimeoutError
        self._have(wire.START.size)
        whole, header = wire.lengths(self._received[: wire.START.size])
        end = wire.START.size + whole
        self._have(end)
        body, self._received = self._received[wire.START.size : end], self._received[end:]
        return wire.unpacked(body, header)

    def _have(self, count):
        """Receive so many bytes, at least."""
        while len(self._received) < count:
            got = self._patiently(self._socket.recv, AT_ONCE)
            if not got:
                raise EOFError
            self._received += got

    def _patiently(self, transfer, data):
        """What a transfer gives, however long it takes."""
        while True:
            try:
                return transfer(data)
            except BlockingIOError:
                if time.monotonic() > self._stop:
                    raise TimeoutError from None
                if self._is_over():
                    raise EOFError from None


def _be_the_child(work, seconds, theirs):
    status = 1
    try:
        os.setsid()  # so that its own children end with it
        _limit_resources(seconds)
        _close_others(theirs.fileno())
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        sys.stdin = open(os.devnull)  # whoever asks for input is told that there is none
        sys.stdout = sys.stderr = open(os.devnull, "w")
        # In a thread, whose callers are nobody: the grader's own frames hold the right answers.
        thread = threading.Thread(target=work, args=(Line(theirs),))
        thread.start()
        thread.join()
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is tidied up in the child


def _close_others(kept):
    """Close what the grader has opened: files of results, the terminal under other numbers."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        numbers = range(256)
    for number in numbers:
        if number > 2 and number != kept:
            with contextlib.suppress(OSError):
                os.close(number)


def _limit_resources(seconds):
    """Limit time, memory and files of this process; what a system does not know is left out."""
    import resource  # there is none where there is no fork

    limit = math.ceil(seconds)
    limits = {
        "RLIMIT_CPU": (limit, limit + 2),
        "RLIMIT_AS": (_addresses() + MEMORY,) * 2,
        "RLIMIT_FSIZE": (FILE,) * 2,
        "RLIMIT_CORE": (0, 0),
    }
    for name, (soft, hard) in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):
            most = resource.getrlimit(getattr(resource, name))[1]
            if most != resource.RLIM_INFINITY:
                soft, hard = min(soft, most), min(hard, most)
            resource.setrlimit(getattr(resource, name), (soft, hard))


def _addresses():
    """Bytes of addresses that this process has."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
