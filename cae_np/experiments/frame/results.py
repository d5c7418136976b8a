"""What cells leave behind: one JSON file and one npz file each, and ways to choose among them.

Where an experiment's results are kept for good (``lectures/results``) all its cells stand in one
file, ``EXPERIMENT/cells.json``, without their arrays: numbers that a text tool can compare.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from ... import storage
from ...errors import DataError
from .experiment import Cell, canonical

KEPT = "cells.json"  # the cells of an experiment whose arrays are not kept


class NumbersOnly(DataError):
    """Arrays are asked for of a cell of which only the numbers are kept."""


class Values(dict):
    """The numbers of a cell; one that is missing is named with its file."""

    def __init__(self, values, path):
        super().__init__(values)
        self._path = path

    def __missing__(self, name):
        raise DataError(
            f"{self._path} has no value {name!r}; delete it and run again with --resume"
        )


def name_of(inputs):
    """The name of a cell's files: a hash of everything that its numbers depend on.

    Parameters
    ----------
    inputs : dict
        JSON: experiment, version, configuration, seed, preset, data, backend, dtype, threads, and
        the names of the cells that it needs.

    Returns
    -------
    str
    """
    return hashlib.sha256(canonical(inputs).encode()).hexdigest()[:20]


@dataclass(frozen=True, eq=False)
class Result:
    """What one cell computed.

    Attributes
    ----------
    cell : Cell
    values : dict
        Its numbers, JSON.
    seconds : float
        Wall time of its ``run``.
    path : pathlib.Path
        Of its JSON file; the arrays lie beside it.
    digest : str, optional
        SHA-256 of the npz file that was written with it.
    arrays : dict of str to numpy.ndarray
        Read from the disk when first asked for.
    """

    cell: Cell
    values: dict
    seconds: float
    path: Path
    digest: str | None = None

    @property
    def config(self):
        return self.cell.config

    @property
    def seed(self):
        return self.cell.seed

    @cached_property
    def arrays(self):
        path = self.path.with_suffix(".npz")
        if not path.exists() and not self.path.exists():
            raise NumbersOnly(f"of {self.cell} only the numbers are kept; run without {KEPT}")
        if self.digest not in (None, _digest(path)):
            raise DataError(
                f"{path} is not what was written with {self.path.name}; delete both and run again "
                "with --resume"
            )
        return storage.load_arrays(path)


class Results(Sequence):
    """Results of several cells, in the order of the cells.

    ``results[0]`` is the first of them, ``results[cell]`` that of a cell; both raise LookupError
    where there is none.

    Attributes
    ----------
    beside : dict of str to list of dict
        Rows of the experiments that this one compares itself with, by their names.
    """

    def __init__(self, results=(), beside=None):
        self._results = list(results)
        self.beside = beside or {}

    def __len__(self):
        return len(self._results)

    def __getitem__(self, which):
        if not isinstance(which, Cell):
            return self._results[which]
        for result in self._results:
            if result.cell == which:
                return result
        raise KeyError(f"no result of {which}")

    def where(self, **config):
        """Those whose configuration has these values; ``seed=`` and ``experiment=`` work as well.

        A name that a configuration does not have counts as None.
        """
        config = json.loads(canonical(config))  # as the configurations of cells are

        def fits(result):
            found = {
                **result.config,
                "seed": result.seed,
                "experiment": result.cell.experiment,
            }
            return all(found.get(name) == value for name, value in config.items())

        return Results(filter(fits, self._results), self.beside)

    def by_seed(self, value):
        """One number per seed.

        Parameters
        ----------
        value : str or callable
            The name of the number in a cell's values, or a function of a :class:`Result`.

        Returns
        -------
        dict of int to number

        Raises
        ------
        ValueError
            If two results share a seed: choose with :meth:`where` first.
        """
        numbers = {}
        for result in self._results:
            if result.seed in numbers:
                raise ValueError(
                    f"two results have seed {result.seed}: {result.config} and another; "
                    "choose one configuration with where(...)"
                )
            numbers[result.seed] = value(result) if callable(value) else result.values[value]
        return numbers

    def needed_by(self, others):
        """Those that cells of ``others`` need, the layers below a read-out for instance."""
        needed = {cell for result in others for cell in result.cell.needs}
        return Results((r for r in self._results if r.cell in needed), self.beside)

    def seconds_per_seed(self):
        """Wall time of all of them, divided by the number of seeds; None where there are none."""
        seeds = {result.seed for result in self._results}
        return sum(result.seconds for result in self._results) / len(seeds) if seeds else None


def after(value):
    """A measure after training, as a function of a result."""
    return lambda result: result.values["after"][value]


def before(value):
    """A measure before training, as a function of a result."""
    return lambda result: result.values["before"][value]


def save(path, cell, inputs, values, arrays, seconds):
    """Write a cell's result, so that its JSON file is only there once everything is.

    Parameters
    ----------
    path : pathlib.Path
        ``.../cells/HASH.json``.
    cell : Cell
    inputs : dict
        What the hash covers.
    values, arrays : dict
    seconds : float

    Raises
    ------
    ValueError, TypeError
        If the values are not JSON, or the arrays not numbers.
    DataError
        If the disk refuses.
    """
    path.unlink(missing_ok=True)  # an older result must not stand beside newer arrays
    storage.save_arrays(path.with_suffix(".npz"), arrays)
    record = {"label": str(cell), "inputs": inputs, "values": values, "seconds": seconds}
    storage.save_json(path, record | {"arrays": _digest(path.with_suffix(".npz"))})


def load(path, cell):
    """Read what :func:`save` wrote, or, where that is not there, what is kept of it.

    Parameters
    ----------
    path : pathlib.Path
        ``.../cells/HASH.json``.
    cell : Cell

    Returns
    -------
    Result

    Raises
    ------
    DataError
        If a file is missing or damaged, or holds the result of another cell.
    """
    if not path.exists() and path.stem in (records := kept(path.parents[1])):
        record = records[path.stem]
    else:
        record = checked(storage.load_json(path), path, path.stem)
    values = Values(record["values"], path)
    return Result(cell, values, record["seconds"], path, record.get("arrays"))


def kept(folder):
    """The cells of an experiment of which only the numbers are kept.

    Parameters
    ----------
    folder : pathlib.Path
        ``OUT/EXPERIMENT``.

    Returns
    -------
    dict of str to dict
        By the names of their files; empty where nothing is kept.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    path = Path(folder) / KEPT
    try:
        written = path.stat()
    except OSError:
        return {}
    return _kept(path, written.st_mtime_ns, written.st_size)


@lru_cache(maxsize=4)
def _kept(path, *_written):
    records = storage.load_json(path)
    if not isinstance(records, dict):
        raise DataError(f"{path} is no file of cells; take it from the repository again")
    return {name: checked(record, path, name) for name, record in records.items()}


def checked(record, path, name):
    """A cell's record, after it has shown that it is the one of this name, and whole.

    Parameters
    ----------
    record : object
        What a JSON file held.
    path : pathlib.Path
        Of the file, for the message.
    name : str
        As :func:`name_of` gives it.

    Returns
    -------
    dict

    Raises
    ------
    DataError
    """
    again = "delete it and run again with --resume"
    if not (
        isinstance(record, dict)
        and isinstance(record.get("values"), dict)
        and isinstance(record.get("inputs"), dict)
        and _is_duration(record.get("seconds"))
        and isinstance(record.get("arrays"), (str, type(None)))
    ):
        raise DataError(f"{path} is not a cell's result; {again}")
    if name_of(record["inputs"]) != name:
        label = str(record.get("label", "another cell"))[:200]
        raise DataError(f"{path} holds the result of {label}, which is not cell {name}; {again}")
    return record


def _is_duration(seconds):
    """Whether it is a number of seconds that a machine could have taken."""
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    return is_number and 0 <= seconds < 1e10 and math.isfinite(seconds)


def _digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); run again with --resume"
        ) from error


def is_whole(path, cell, say=None):
    """Whether a cell's result is there and undamaged, arrays included.

    Parameters
    ----------
    path : pathlib.Path
    cell : Cell
    say : callable, (str) -> None, optional
        Takes a line where it is there and damaged.

    Returns
    -------
    bool
    """
    if not path.exists():
        return False
    try:
        load(path, cell).arrays  # noqa: B018 - reading them verifies them
    except DataError as error:
        if say:
            say(str(error))
        return False
    return True
