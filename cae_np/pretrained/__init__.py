"""Networks that come trained: filters and read-outs behind figures of the results, small enough
to be committed, to look at, to build on, and to verify those figures with.

>>> from cae_np import data, pretrained
>>> trained = pretrained.load("norb-128")                # doctest: +SKIP
>>> norb = data.load(trained.data, data_dir)             # doctest: +SKIP
>>> trained.network.prepare(norb.train)                  # doctest: +SKIP
>>> trained.network.count_errors(norb.test)              # doctest: +SKIP

For each there are ``NAME.npz``, the numbers in half precision, and ``NAME.json``, what the cell of
the experiment left behind that made it; ``EXPERIMENT.results.json`` is the whole run's.
:mod:`cae_np.experiments.make_pretrained` writes them.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from .. import storage
from ..errors import ConfigError, DataError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Pretrained:
    """A trained network and where it comes from.

    Attributes
    ----------
    name : str
    network : cae_np.models.classifier.ImageClassifier
        Its ``prepare`` wants the training images before it can be asked, if it whitens.
    data, checksum : str
        On which data set it was trained.
    wrong : int
        How many test images it put into a wrong class when it was trained, in full precision.
    record : dict
        The cell's: ``inputs`` (experiment, configuration, seed, ...), ``values``, ``seconds``.
    """

    name: str
    network: Any
    data: str
    checksum: str
    wrong: int
    record: dict


def names(folder=FOLDER):
    """What there is, in alphabetical order."""
    return sorted(path.stem for path in Path(folder).glob("*.npz"))


def load(name, folder=FOLDER):
    """Load a trained network onto the active backend.

    Parameters
    ----------
    name : str
        One of :func:`names`.
    folder : path-like

    Returns
    -------
    Pretrained

    Raises
    ------
    ConfigError
        If there is none of that name.
    DataError
        If its files are missing or damaged, or hold weights that are no finite numbers.
    """
    # SciPy and more, which listing names need not load
    from ..models.classifier import ImageClassifier
    from ..models.parameters import require_finite

    known = names(folder)
    if name not in known:
        close = get_close_matches(str(name), known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"
        raise ConfigError(f"no trained network is called {name!r}; {hint}")
    path = Path(folder) / f"{name}.npz"
    arrays, whole = storage.load_arrays(path), storage.load_json(path.with_suffix(".json"))
    try:
        record, values = whole["cell"], whole["cell"]["values"]
        weights = unpack(arrays, whole["largest"])
        require_finite(weights)
        network = ImageClassifier.from_state(weights, values["network"])
        return Pretrained(
            name,
            network,
            whole["data"],
            record["inputs"]["data"],
            values["wrong"],
            record,
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
        raise DataError(
            f"{path} and its JSON file do not belong together ({error}); write both again with "
            "python -m cae_np.experiments.make_pretrained"
        ) from error


def pack(arrays, dtype="float16"):
    """Arrays in less precision, each divided by its largest magnitude so that none underflows.

    Parameters
    ----------
    arrays : dict of numpy.ndarray
    dtype : str

    Returns
    -------
    packed : dict of numpy.ndarray
        Between -1 and 1.
    largest : dict of float
        What they were divided by; 1 where all is zero.
    """
    largest = {name: float(np.abs(array).max()) or 1.0 for name, array in arrays.items()}
    return {name: (a / largest[name]).astype(dtype) for name, a in arrays.items()}, largest


def unpack(packed, largest):
    """float32 arrays of what :func:`pack` returned."""
    return {name: array.astype("float32") * largest[name] for name, array in packed.items()}
