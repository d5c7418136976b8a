"""Where cells are computed: in this process, in several beside it, or on a Dask cluster.

All three are ``concurrent.futures`` executors, so that nothing else knows the difference.  A cell
is a process's only work while it runs: the number of BLAS threads, which is part of what a cell is,
belongs to the whole process.
"""

import multiprocessing
import os
import pickle
import queue
import signal
import threading
import traceback
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager

from ...errors import CaeError
from .dask_cluster import dask_executor

# A scheduler shares out what is ready itself; it gets everything.
ALL_THAT_IS_READY = 1 << 20
SECONDS_TO_SAVE = 20  # for a step and a checkpoint, once the program ends


class InlineExecutor(Executor):
    """An executor that runs what it is given at once, in this process."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # Ctrl-C is no result and goes through
            future.set_exception(error)
        return future


class ProcessExecutor(Executor):
    """Processes on this machine that outlive each other.

    Parameters
    ----------
    jobs : int
        How many.  A process keeps what it has loaded for the next call.

    Notes
    -----
    Of the standard library's pool, one process that dies takes all calls along.  Here it costs
    the one call that it was busy with, which ends in a CaeError, and another takes its place.
    """

    def __init__(self, jobs):
        self._threads = ThreadPoolExecutor(jobs, "cae_np-job", _leave_ctrl_c_to_the_parent)
        self._workers = [_Worker() for _ in range(jobs)]
        self._idle = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, function, /, *args, **kwargs):
        return self._threads.submit(self._call, function, args, kwargs)

    def _call(self, function, args, kwargs):
        worker = self._idle.get()
        try:
            return worker.call(function, args, kwargs)
        finally:
            self._idle.put(worker)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """End the processes; with ``cancel_futures`` as soon as a training has saved its state."""
        if not cancel_futures:
            self._threads.shutdown(wait)
        for worker in self._workers if cancel_futures else ():
            worker.ask_to_end()
        for worker in self._workers:
            worker.stop(at_once=cancel_futures)
        self._threads.shutdown(wait, cancel_futures=True)


class _Worker:
    """A process that computes one call after another, begun when it is first needed."""

    def __init__(self):
        self._process = self._pipe = None
        self._stopped = False

    def call(self, function, args, kwargs):
        if self._stopped:
            raise CaeError("not run, since the program ended")
        if self._process is None:
            self._start()
        try:
            self._pipe.send((function, args, kwargs))
            result, error = self._pipe.recv()
        except (EOFError, OSError) as lost:
            process, self._process = self._process, None
            self._pipe.close()
            process.join(timeout=5)
            process.kill()  # it does not answer; whatever it does, nobody waits for it
            process.join()
            raise CaeError(
                f"the process that computed it {_how_it_ended(process.exitcode)}; finished cells "
                "and its last checkpoint are kept, go on with --resume and fewer --jobs"
            ) from lost
        if error is not None:
            raise error
        return result

    def _start(self):
        """Begin the process; what fails leaves nothing behind that a later call would wait for."""
        # Not forked: threads and their locks do not survive it.
        context = multiprocessing.get_context("spawn")
        try:
            ours, theirs = context.Pipe()
        except OSError as error:
            raise _could_not_start(error) from error
        try:
            with theirs:  # the process has its own copy, and its end is noticed
                process = context.Process(target=_work, args=(theirs,), daemon=True)
                process.start()
        except Exception as error:  # no memory, no more processes or open files, a script unguarded
            ours.close()
            raise _could_not_start(error) from error
        self._process, self._pipe = process, ours

    def ask_to_end(self):
        """By SIGTERM, for which a training saves its state."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()

    def stop(self, at_once):
        self._stopped = True
        if (process := self._process) is not None:
            if not at_once:
                self._pipe.close()  # it has nothing to do, and ends when it notices
            process.join(timeout=SECONDS_TO_SAVE if at_once else 5)
            process.kill()
            process.join()


def _leave_ctrl_c_to_the_parent():
    """Block SIGINT for this thread and, from their first moment, for the processes it starts."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _could_not_start(error):
    reason = " ".join(str(error).split())  # some have paragraphs
    return CaeError(
        f"a process could not be started ({reason}); finished cells are kept, go on with --resume "
        "and fewer --jobs, or allow more open files and processes (ulimit -n, ulimit -u)"
    )


def _how_it_ended(code):
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return f"ended with exit code {code}"


def _work(pipe):
    """What a worker process does: calls from the pipe, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be blocked
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    while True:
        try:
            function, args, kwargs = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # a module that cannot be imported here
            pipe.send((None, _sendable(error)))
            continue
        try:
            outcome = function(*args, **kwargs), None
        except BaseException as error:
            outcome = None, _sendable(error)
        pipe.send(outcome)


def _end_with_the_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _sendable(error):
    """The error with its traceback as a note, or its words where it cannot be pickled."""
    text = "".join(traceback.format_exception(error))
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.add_note(text)
    return copy


# --- the choice ---------------------------------------------------------------------------------


@contextmanager
def opened(jobs, dask, out):
    """The executor that the options ask for.

    Parameters
    ----------
    jobs : int
        Processes on this machine.
    dask : str or None
        Address of a Dask scheduler, instead.
    out : pathlib.Path

    Yields
    ------
    executor : concurrent.futures.Executor
    width : int
        How many cells it should have at a time.
    """
    if dask:
        with dask_executor(dask, out) as executor:
            yield executor, ALL_THAT_IS_READY
    elif jobs == 1:
        yield InlineExecutor(), 1
    else:
        executor = ProcessExecutor(jobs)
        try:
            yield executor, jobs
        except BaseException:  # after Ctrl-C somebody is at work still
            executor.shutdown(cancel_futures=True)
            raise
        executor.shutdown()
