"""Work in independent blocks, on the CPU one block a core.

A block is as small as the cache wants it.  NumPy's copies and searches and SciPy's sparse products
keep one core busy, so the cores take a block each and BLAS uses one thread in it.  Every block
writes to a part of its own: which core does what, and how many there are, changes no bit.

BLAS has one thread for a single block too.  What fits into one gains little from a second, and on a
machine where others work, threads that wait for each other a thousand times a second made training
on small batches many times slower.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import numpy
from threadpoolctl import ThreadpoolController

from ...backend import of_module
from ...errors import BackendError
from .workspace import Workspace

# Even numbers of blocks, so that two or four cores finish together.  A constant, not the number
# of cores: results must not depend on that.
COUNT_MULTIPLE = 4

# On a GPU every launch costs microseconds and memory is fast: blocks are as large as is decent.
# Several arrays of a block's size live at a time, beside everything else.
DEVICE_BLOCK, SHARE_OF_FREE = 256 << 20, 1 / 16
_device_bytes = {}  # by array module: what was decided when it was first asked


def block_bytes(xp, host):
    """How many bytes a block may take.

    Parameters
    ----------
    xp : module
    host : int
        The answer for NumPy: about what a core's cache holds.  It is a constant, since the bits
        of a result depend on it.

    Returns
    -------
    int
        On a device a sixteenth of the memory that was free when it was first asked, 256 MB at
        most; half of what it was each time that the memory has not sufficed.
    """
    if xp is numpy:
        return host
    if xp not in _device_bytes:
        free, _ = of_module(xp).memory()
        _device_bytes[xp] = int(min(DEVICE_BLOCK, max(1 << 20, SHARE_OF_FREE * free)))
    return _device_bytes[xp]


def for_each_block(work, total, size, xp):
    """Call ``work`` on slices that cover ``range(total)``, as even as possible.

    Parameters
    ----------
    work : callable, slice -> None
        Writes its results into arrays, each slice to places of its own; it calls nothing that
        works in blocks itself.  Where it fails for want of memory it can be called again.
    total : int
        With 0 nothing is called.
    size : int
        No slice is longer.
    xp : module
        With NumPy as many slices are worked on at a time as BLAS has threads
        (``OPENBLAS_NUM_THREADS`` and the like, or ``threadpoolctl``); else one.

    Raises
    ------
    BackendError
        If a device's memory does not suffice for half a block either.
    """
    count = -(-total // size)
    if count > 1:
        count = min(total, -(-count // COUNT_MULTIPLE) * COUNT_MULTIPLE)
    blocks = [slice(total * i // count, total * (i + 1) // count) for i in range(count)]

    def work_on(some):
        for block in some:
            work(block)

    if xp is not numpy:
        for block in blocks:
            _work_on_device(work, block, xp)
        return
    threads = _blas_threads()
    if threads == 1:
        return work_on(blocks)
    with _one_caller, _blas().limit(limits=1):
        if count <= 1:
            return work_on(blocks)
        threads = min(threads, count)
        shares = min(count, 4 * threads)  # a few blocks at a time: handing one over takes 50 µs
        _all_of(_cores(threads).submit(work_on, blocks[i::shares]) for i in range(shares))


def _all_of(futures):
    """Wait for all of them, and then raise what the first one that failed has raised."""
    futures = list(futures)
    try:
        for future in futures:
            future.result()
    finally:  # nobody writes on while the caller, with its exception, goes on
        for future in futures:
            future.cancel()
        wait(futures)


def product(a, b):
    """``a @ b``; on the CPU a small one with a single BLAS thread.

    OpenBLAS's threads wait for more work by spinning, for some 20 ms after each product.  In a
    network whose fully connected layers were computed with two of them, the one that waited took
    a third of the time of the convolutions' blocks.

    Parameters
    ----------
    a, b : arrays, shapes (M, L) and (L, N)

    Returns
    -------
    array, shape (M, N)
    """
    if isinstance(a, numpy.ndarray) and a.size * b.shape[1] < SMALL and _blas_threads() > 1:
        with _one_caller, _blas().limit(limits=1):
            return a @ b
    return a @ b


SMALL = 1 << 29  # multiplications that one core does in about 5 ms


def _work_on_device(work, block, xp):
    """Work on a block; where memory does not suffice (CuPy's error is a MemoryError), on its
    halves, once."""
    try:
        return work(block)
    except MemoryError:
        pass  # the exception holds the arrays of its frames: let go of it first
    _make_room(xp)
    middle = (block.start + block.stop + 1) // 2
    try:
        for half in (slice(block.start, middle), slice(middle, block.stop)):
            if half.start < half.stop:
                work(half)
    except MemoryError as error:
        free, total = of_module(xp).memory()
        raise BackendError(
            f"the memory of {of_module(xp).description} does not suffice, not even for half a "
            f"block ({error}; {free / 1e6:,.0f} of {total / 1e6:,.0f} MB are free); choose a "
            "smaller batch size, or end what else uses it"
        ) from error


def _make_room(xp):
    """Give back what is kept for later, and keep less from now on."""
    _of_thread.workspace = Workspace()
    _device_bytes[xp] = max(1 << 20, block_bytes(xp, 0) // 2)
    of_module(xp).release()


def scratch():
    """The calling thread's own :class:`Workspace`, for what a block forgets when it ends."""
    if not hasattr(_of_thread, "workspace"):
        _of_thread.workspace = Workspace()
    return _of_thread.workspace


_of_thread = threading.local()

# BLAS's number of threads belongs to the whole process: one caller at a time changes it.
_one_caller = threading.Lock()


@cache
def _blas():
    return ThreadpoolController().select(user_api="blas")


def _blas_threads():
    return max((library.num_threads for library in _blas().lib_controllers), default=1)


@cache
def _cores(threads):
    return ThreadPoolExecutor(threads, thread_name_prefix="cae_np-block")


def _forget_threads():
    """Threads do not survive a fork, and one of them may have held the lock."""
    global _one_caller
    _one_caller = threading.Lock()
    _cores.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
