"""Cells on the workers of a Dask cluster (the package ``distributed``)."""

import os
import platform
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy

from ... import __version__
from ...errors import ConfigError


@contextmanager
def dask_executor(address, out, timeout=10):
    """An executor on a Dask cluster (the package ``distributed``).

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://HOST:8786``.
    out : pathlib.Path
        The folder of the results, which every worker has to see.
    timeout : float
        Seconds to wait for the scheduler and a first worker.

    Yields
    ------
    concurrent.futures.Executor

    Raises
    ------
    ConfigError
        If ``distributed`` is missing, nobody answers, no worker is there, or the workers have
        other versions or do not see the folder.
    """
    try:
        import distributed
    except ImportError as error:
        raise ConfigError(
            f"--dask {address} needs the package distributed; pip install distributed, "
            "here and on every worker"
        ) from error
    try:
        distributed.comm.get_address_host_port(address)  # a client that refuses it leaves a mess
    except (ValueError, NotImplementedError) as error:
        raise ConfigError(
            f"--dask {address} is no address ({error}); expected one like tcp://HOST:8786"
        ) from error
    try:
        client = distributed.Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"--dask {address}: no scheduler answers there ({reason}); start one with: "
            "dask scheduler"
        ) from error
    with client:
        check_workers(client, address, out, timeout)
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


def check_workers(client, address, out, timeout):
    """Refuse workers that would compute something else or put it where nobody finds it.

    Parameters
    ----------
    client : distributed.Client
    address, out, timeout
        As for :func:`dask_executor`.

    Raises
    ------
    ConfigError
    """
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError as error:
        raise ConfigError(
            f"--dask {address}: the scheduler has no workers; start some, on each machine, with: "
            f"dask worker {address} --nthreads 1 --nworkers N"
        ) from error
    token = Path(out) / f".{uuid.uuid4().hex}.seen"
    token.touch()
    try:
        found = client.run(_about_here, str(token), on_error="return")
    finally:
        token.unlink()
    ours = _versions()
    for worker, answer in found.items():
        if isinstance(answer, BaseException):
            raise ConfigError(
                f"--dask {address}: worker {worker} cannot run cae_np ({answer}); type pip "
                "install . there, in this folder, or start it with PYTHONPATH set to the folder"
            )
        versions, sees = answer
        if versions != ours:
            theirs = ", ".join(f"{n} {versions[n]}" for n in ours if versions[n] != ours[n])
            here = ", ".join(f"{n} {ours[n]}" for n in ours if versions[n] != ours[n])
            raise ConfigError(
                f"--dask {address}: worker {worker} has {theirs} and here is {here}; install the "
                "same versions, other ones give other bits"
            )
        if not sees:
            raise ConfigError(
                f"--dask {address}: worker {worker} does not see {out}; choose with --out a "
                "folder that all machines share"
            )


def _about_here(token):
    return _versions(), os.path.exists(token)


def _versions():
    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "cae_np": __version__,
    }
