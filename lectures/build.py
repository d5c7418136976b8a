"""Build the lectures: execute their sources into notebooks, check those, render the web site.

    python lectures/build.py --data-dir DIR                 # every notebook, anew
    python lectures/build.py 01_convolution --data-dir DIR  # one
    python lectures/build.py --check --data-dir DIR         # same cells, same numbers?
    python lectures/build.py --site out/site                # the notebooks as a web site
    python lectures/build.py --text                         # take over changed prose, run nothing
    python lectures/build.py --format                       # the sources' code cells, by ruff

Needs ``pip install .[lectures]``.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

from nbclient.exceptions import CellExecutionError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cae_np.command_line import Parser, as_path, refuse, what_failed  # noqa: E402
from lectures.building import compare, notebooks  # noqa: E402

COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # IPython's tracebacks are made for a terminal


def main(arguments=None):
    options = _parser().parse_args(arguments)
    if options.data_dir and not options.data_dir.is_dir():
        return _refuse(f"--data-dir {options.data_dir}: there is no such folder")
    if options.site:
        from lectures.building.site import render

        try:
            options.site.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return _refuse(f"--site {what_failed(error)}; choose another folder")
        return render(options.site)
    known = {path.stem: path for path in notebooks.sources() + notebooks.recipes()}
    unknown = sorted({Path(name).stem for name in options.names} - set(known))
    if unknown:
        return _refuse(f"no lecture {unknown[0]!r}; there are {', '.join(known)}")
    chosen = {Path(name).stem for name in options.names} or set(known)
    task = next((task for name, task in TASKS.items() if getattr(options, name)), _build)
    return max([_done(task, path, options) for stem, path in known.items() if stem in chosen])


def _done(task, source, options):
    """What the task returns; 1, and a sentence, where a cell fails or the disk refuses."""
    try:
        return task(source, options)
    except (CellExecutionError, RuntimeError, ValueError) as error:
        why = COLOUR.sub("", str(error))
    except OSError as error:
        why = f"cannot be written ({what_failed(error)})"
    print(f"{source.name}: {why}", file=sys.stderr, flush=True)
    return 1


def _build(source, options):
    began = time.monotonic()
    notebook = _executed(source, options)
    target = source.with_suffix(".ipynb")
    notebooks.write(notebook, target)
    record = notebook.metadata["cae_np"]
    print(
        f"{target.name}: {time.monotonic() - began:.0f} s, {target.stat().st_size / 1000:.0f} kB, "
        f"data {record.get('data')}, commit {record.get('commit')}",
        flush=True,
    )
    return 0


def _check(source, options):
    import nbformat

    target = source.with_suffix(".ipynb")
    if not target.exists():
        differences = ["has not been built"]
    else:
        committed = nbformat.read(target, as_version=4)
        differences = compare.source_differences(notebooks.read_source(source), committed)
        differences = differences or compare.output_differences(
            committed, _executed(source, options)
        )
    for difference in differences or ["as it was built"]:
        print(f"{target.name}: {difference}", flush=True)
    return 1 if differences else 0


def _text(source, options):
    import nbformat

    target = source.with_suffix(".ipynb")
    committed = nbformat.read(target, as_version=4)
    notebooks.write(notebooks.with_text(committed, notebooks.read_source(source)), target)
    return 0


def _format(source, options):
    from lectures.building.formatting import format_source

    solution = source.parent / "solutions" / source.name
    for path in (source, solution) if solution.exists() else (source,):
        print(f"{path.name}: {format_source(path)} cells changed", flush=True)
    return 0


TASKS = {"check": _check, "text": _text, "format": _format}


def _executed(source, options):
    notebook = notebooks.read_source(source)
    if source not in notebooks.recipes():
        return notebooks.execute(notebook, options.data_dir, options.fast)
    with tempfile.TemporaryDirectory() as folder:  # they write files
        return notebooks.execute(notebook, folder=folder)


def _parser():
    parser = Parser(
        prog="build.py", description="Execute the lectures, check them, render their web site."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="01_convolution, ...; default all")
    parser.add_argument("--data-dir", type=as_path, metavar="DIR", help="as of run_experiments.py")
    parser.add_argument("--fast", action="store_true", help="in seconds, on embedded data")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; compare sources and a rebuild"
    )
    parser.add_argument("--text", action="store_true", help="take over changed prose; execute none")
    parser.add_argument("--format", action="store_true", help="format the sources; execute none")
    parser.add_argument(
        "--site", type=as_path, metavar="DIR", help="render the notebooks as they are; execute none"
    )
    return parser


def _refuse(sentence):
    return refuse("build.py", sentence)


if __name__ == "__main__":
    sys.exit(main())
