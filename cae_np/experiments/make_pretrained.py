"""Turn finished cells of an experiment into networks that can be committed.

python -m cae_np.experiments.make_pretrained OUT --data-dir DIR

Takes the cells of M14's three tables, preset `paper`, that left a trained network of one layer
behind, the first seed of each, rounds its numbers to half precision, and asks it again: where the
figure changes by more than verification allows, the numbers stay in single precision.
"""

import shutil
import sys
from pathlib import Path

from .. import data, storage
from ..command_line import Parser, as_path, refuse
from ..errors import CaeError, ConfigError
from ..models.classifier import ImageClassifier
from ..pretrained import FOLDER, pack, unpack
from .verify import ALLOWED

TABLES = ("makhzani2014-table1", "makhzani2014-table2", "makhzani2014-table3")


def main(arguments=None):
    """Run the command; returns its exit code."""
    p = Parser(prog="python -m cae_np.experiments.make_pretrained", description=__doc__)
    p.add_argument(
        "out", type=as_path, metavar="OUT", help="where run_experiments.py left its results"
    )
    p.add_argument("--data-dir", metavar="DIR", help="as for run_experiments.py")
    p.add_argument(
        "--into", type=as_path, metavar="FOLDER", default=FOLDER, help="default: the package's own"
    )
    options = p.parse_args(arguments)
    try:
        for path, record in shallow_networks(options.out):
            print(write(path, record, options.data_dir, options.into))
    except CaeError as error:
        return refuse(p.prog, error)
    return 0


def shallow_networks(out):
    """The cells to be taken, one for each table and number of maps.

    Parameters
    ----------
    out : path-like

    Returns
    -------
    list of (pathlib.Path, dict)
        The cell's JSON file, and what it holds.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = {}
    cells = (path for table in TABLES for path in sorted(Path(out).glob(f"{table}/cells/*.json")))
    for path in cells:
        record = storage.load_json(path)
        inputs, network = record["inputs"], record["values"].get("network")
        if network and len(network["layers"]) == 1 and inputs["preset"] == "paper":
            key = inputs["experiment"], network["layers"][0]["maps"]
            if key not in found or inputs["seed"] < found[key][1]["inputs"]["seed"]:
                found[key] = path, record
    if not found:
        raise ConfigError(
            f"no finished cell below {out} holds a trained network of one layer; expected results "
            "of run_experiments.py makhzani2014-table3 --preset paper, for instance"
        )
    return list(found.values())


def write(path, record, data_dir, folder):
    """Write one network, after it has shown that it still computes its figure.

    Parameters
    ----------
    path : pathlib.Path
        The cell's JSON file.
    record : dict
        What it holds.
    data_dir : str or None
    folder : pathlib.Path

    Returns
    -------
    str
        One line for the user.

    Raises
    ------
    ConfigError
        If even single precision does not give the figure again, or on other data.
    DataError
        If files are missing or damaged.
    """
    from . import find

    inputs, values = record["inputs"], record["values"]
    dataset = data.load(find(inputs["experiment"]).data, data_dir)
    if dataset.checksum != inputs["data"]:
        raise ConfigError(
            f"{path} was computed on other data than those at hand, {dataset.name} from "
            f"{dataset.source}; give the same --data-dir"
        )
    arrays = storage.load_arrays(path.with_suffix(".npz"))
    maps = values["network"]["layers"][0]["maps"]
    name = f"{dataset.name}-{maps}"
    for dtype in ("float16", "float32"):
        packed, largest = pack(arrays, dtype)
        network = ImageClassifier.from_state(unpack(packed, largest), values["network"])
        network.prepare(dataset.train)
        wrong = network.count_errors(dataset.test)
        if abs(wrong - values["wrong"]) <= ALLOWED:
            break
    else:
        raise ConfigError(
            f"{path}: {wrong:,} wrong test images instead of {values['wrong']:,}; run its "
            "experiment again"
        )
    storage.save_arrays(folder / f"{name}.npz", packed)
    storage.save_json(
        folder / f"{name}.json", {"data": dataset.name, "largest": largest, "cell": record}
    )
    results = path.parents[1] / "results.json"
    if results.exists():
        shutil.copy(results, folder / f"{inputs['experiment']}.results.json")
    return (
        f"{name}: {dtype}, {(folder / f'{name}.npz').stat().st_size:,} bytes; {wrong:,} wrong test "
        f"images of {len(dataset.test):,}, {values['wrong']:,} when it was trained"
    )


if __name__ == "__main__":
    sys.exit(main())
