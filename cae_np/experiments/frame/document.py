"""``results.json``: what an experiment found, and everything that the finding depends on."""

import os
import platform
import sys
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from ... import __version__, backend
from ...errors import CaeError
from .experiment import canonical
from .rows import Row

# Raised whenever the content of ``results.json`` changes its shape.
SCHEMA = 1


def make(prepared, found, made, failed):
    """The content of ``results.json``.

    Parameters
    ----------
    prepared : Prepared
    found : Results
        Of the cells that did not fail.
    made : dict
        "rows", "figures" and "choices", as JSON.
    failed : list of dict
        From :func:`failure`.

    Returns
    -------
    dict
    """
    experiment, settings = prepared.experiment, prepared.settings
    seconds = {result.path: result.seconds for result in found}
    return {
        "schema": SCHEMA,
        "experiment": experiment.name,
        "version": experiment.version,
        "title": experiment.title,
        "paper": experiment.paper,
        "preset": settings.preset,
        "seeds": list(settings.seeds),
        "dtype": settings.dtype,
        "backend": {
            "name": settings.backend,
            "description": backend.active().description,
        },
        "threads": settings.threads,
        "data": asdict(settings.data) if settings.data else None,
        "paper_data": settings.paper_data,
        "notice": prepared.notice,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": sum(seconds.values()),
        "versions": _versions(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical CPUs",
        **made,
        "failed": failed,
        "cells": [
            {
                "cell": job.hash,
                "label": job.cell.label,
                "experiment": job.cell.experiment,
                "seed": job.cell.seed,
                "config": job.cell.config,
                "seconds": seconds.get(job.path),
            }
            for job in prepared.jobs
        ],
    }


def rows(prepared, found):
    """The rows as JSON; raises where a number is none that JSON knows."""
    made = prepared.experiment.rows(prepared.settings, found)
    made = [row.as_dict() if isinstance(row, Row) else row for row in made]
    canonical(made)
    return made


def choices(prepared, found):
    """The ledger as JSON."""
    return [asdict(choice) for choice in prepared.experiment.choices(prepared.settings, found)]


def failure(label, error, cell=None):
    """An entry of the list of what failed; only bugs bring their traceback."""
    return {
        "label": label,
        "cell": cell,
        "error": one_line(error),
        "traceback": None
        if isinstance(error, CaeError)
        else "".join(traceback.format_exception(error)),
    }


def slug(settings):
    """A folder name for what is kept apart: preset, data set, backend."""
    return "-".join(
        (settings.preset, settings.data.name if settings.data else "no-data", settings.backend)
    )


def one_line(error):
    """What a user is told about an error."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    if isinstance(error, CaeError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _versions():
    found = {"python": platform.python_version(), "cae_np": __version__}
    for name in ("numpy", "scipy", "matplotlib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    # CuPy's distribution is called after its CUDA version; ask the module, if it is loaded.
    found["cupy"] = getattr(sys.modules.get("cupy"), "__version__", None)
    return found
