"""What cells leave behind: one JSON file and one npz file each, and ways to choose among them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ... import storage
from ...errors import DataError
from .experiment import Cell, canonical


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
    arrays : dict of str to numpy.ndarray
        Read from the disk when first asked for.
    """

    cell: Cell
    values: dict
    seconds: float
    path: Path

    @property
    def config(self):
        return self.cell.config

    @property
    def seed(self):
        return self.cell.seed

    @cached_property
    def arrays(self):
        return storage.load_arrays(self.path.with_suffix(".npz"))


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
    record = {"label": str(cell), "inputs": inputs, "values": values, "seconds": seconds}
    path.unlink(missing_ok=True)  # an older result must not stand beside newer arrays
    storage.save_arrays(path.with_suffix(".npz"), arrays)
    storage.save_json(path, record)


def load(path, cell):
    """Read what :func:`save` wrote.

    Returns
    -------
    Result

    Raises
    ------
    DataError
        If a file is missing or damaged.
    """
    record = storage.load_json(path)
    if not (
        isinstance(record, dict)
        and isinstance(record.get("values"), dict)
        and isinstance(record.get("seconds"), (int, float))
        and record["seconds"] >= 0
    ):
        raise DataError(f"{path} is not a cell's result; delete it and run again with --resume")
    return Result(cell, record["values"], record["seconds"], path)


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
