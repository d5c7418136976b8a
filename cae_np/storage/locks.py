"""Locks between processes, on one machine or on several that share a folder."""

import glob
from contextlib import contextmanager
from pathlib import Path

from .files import refused


@contextmanager
def only_one(path, say=None):
    """Hold a file's lock: of all processes that see its folder, one at a time is in the block.

    Whoever comes second waits.  When the holder dies, however that happens, the operating system
    takes the lock from it, and what it left half written is removed.

    Parameters
    ----------
    path : path-like
        Need not exist; the lock is a file of its own in ``.locks`` beside it.
    say : callable, (str) -> None, optional
        Takes one line where the lock is taken and has to be waited for.

    Raises
    ------
    DataError
        If the folder refuses.
    """
    import filelock  # whoever only reads does without

    path = Path(path)
    lock = filelock.FileLock(path.parent / ".locks" / path.name)
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            if say:
                say(f"another process is at work on {path.name}; waiting for it")
            lock.acquire()
    except NotImplementedError:
        pass  # a file system without locks: whatever is written is atomic all the same
    except OSError as error:
        raise refused(path, error) from error
    try:
        if lock.is_locked:
            for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
                leftover.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
