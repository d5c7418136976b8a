"""Keep finished results for good: numbers as text, without the arrays.

python -m cae_np.experiments.keep OUT KEPT [EXPERIMENT ...]

Takes over each experiment's ``results.json``, its pictures, and its cells, all of them in one file
``cells.json``, and makes KEPT's ``report.md`` again.  A later run goes on from there: copy KEPT to
its ``--out``, and ``--resume`` computes only what is not kept, further seeds for instance.
"""

import json
import shutil
import sys
from pathlib import Path

from .. import storage
from ..command_line import Parser, refuse
from ..errors import CaeError, ConfigError
from . import MODULES
from .frame.results import KEPT, checked, kept
from .report import build


def main(arguments=None):
    """Run the command; returns its exit code."""
    p = Parser(prog="python -m cae_np.experiments.keep", description=__doc__)
    p.add_argument("out", metavar="OUT", type=Path, help="where a run left its results")
    p.add_argument("kept", metavar="KEPT", type=Path, help="lectures/results")
    p.add_argument("names", metavar="EXPERIMENT", nargs="*", help="default: all that are in OUT")
    options = p.parse_args(arguments)
    try:
        names = options.names or [n for n in MODULES if (options.out / n / "results.json").exists()]
        if not names:
            raise ConfigError(f"there is no results.json below {options.out}; run something first")
        for name in names:
            print(f"{name}: {keep(options.out / name, options.kept / name)} cells")
        runs, unreadable = build.collect(options.kept)
        with storage.atomic_file(options.kept / "report.md") as file:
            file.write(build.markdown(runs, unreadable, options.kept).encode())
    except CaeError as error:
        return refuse(p.prog, error)
    return 0


def keep(source, target):
    """Take over the results of one experiment.

    Parameters
    ----------
    source, target : pathlib.Path
        Folders of the experiment: ``OUT/EXPERIMENT`` and ``KEPT/EXPERIMENT``.

    Returns
    -------
    int
        How many cells are kept.

    Raises
    ------
    DataError
        If a file is missing or damaged.
    """
    document = storage.load_json(source / "results.json")
    names = [cell["cell"] for cell in document["cells"]]
    earlier, records = kept(source), {}
    for name in names:
        path = source / "cells" / f"{name}.json"
        record = (
            checked(storage.load_json(path), path, name) if path.exists() else earlier.get(name)
        )
        # A cell that an experiment shares with another one is kept by that one.
        if record and record["inputs"]["experiment"] == source.name:
            records[name] = {part: record[part] for part in record if part != "arrays"}
    target.mkdir(parents=True, exist_ok=True)
    if records:
        with storage.atomic_file(target / KEPT) as file:
            file.write(text_of(records).encode())
    if source.resolve() != target.resolve():
        for picture in document["figures"]:
            shutil.copyfile(source / picture["file"], target / picture["file"])
        storage.save_json(target / "results.json", document)
    return len(records)


def text_of(records):
    """Cells as JSON, a line for each of their numbers, in the order of their labels.

    Parameters
    ----------
    records : dict of str to dict

    Returns
    -------
    str
    """
    in_order = sorted(records.items(), key=lambda item: (item[1]["label"], item[0]))
    return "{\n" + ",\n".join(f'"{name}": {_block(record)}' for name, record in in_order) + "\n}\n"


def _block(record):
    def line(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    values = [f" {line(name)}: {line(value)}" for name, value in sorted(record["values"].items())]
    return (
        f'{{"label": {line(record["label"])},\n "inputs": {line(record["inputs"])},\n'
        f' "seconds": {line(record["seconds"])},\n "values": {{\n' + ",\n".join(values) + "}}"
    )


if __name__ == "__main__":
    sys.exit(main())
