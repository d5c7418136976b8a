"""The program: ``run_experiments.py`` in a clone, ``cae-np`` or ``python -m cae_np`` elsewhere.

What it imports before it has looked at the Python that runs it is the standard library's.
"""

import contextlib
import difflib
import os
import shlex
import sys
from pathlib import Path

from .. import command_line
from .frame.arguments import parse

FAILED, INTERRUPTED, TERMINATED = 1, 130, 143
OLDEST_PYTHON = (3, 11)
VERIFY = "verify"  # a name that is no experiment
KNOWN_TO_VERIFY = {"names", "backend", "data_dir", "download", "list"}


def main(arguments=None):
    """Run the program; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return refuse(f"Python {sys.version.split()[0]} is too old; use {oldest} or a newer one")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the shell has closed it: >&-
            setattr(sys, name, open(os.devnull, "w"))
        # No terminal is too old, no pipe waits for lines.
        getattr(sys, name).reconfigure(errors="replace", line_buffering=True)
    command_line.plain_warnings()
    try:
        with command_line.sigterm_as_an_exception():
            return run(parse(arguments))
    except ModuleNotFoundError as error:
        if (error.name or "cae_np").startswith("cae_np"):
            raise
        in_clone = command_line.called().startswith("python run_")
        what = "-r requirements.txt" if in_clone else error.name
        return refuse(f"{error.name} is not installed; pip install {what}")
    except command_line.Terminated:
        why, code = "terminated", TERMINATED
    except KeyboardInterrupt:
        why, code = "interrupted", INTERRUPTED
    except BrokenPipeError:  # whoever read our lines has gone
        why, code = "interrupted", INTERRUPTED
        command_line.drop_output()
    except OSError as error:  # our lines go into a file whose disk is full, for instance
        why, code = f"cannot go on ({command_line.what_failed(error)})", FAILED
        command_line.drop_output()
    keeps = any(a == "--resume" or a.startswith("--cells") for a in arguments)
    again = arguments if keeps else [*arguments, "--resume"]
    command = f"{command_line.called()} {shlex.join(again)}"
    kept = "finished cells and the trainings' last states are kept"
    return refuse(f"{why}; {kept}, go on with: {command}", code)


def run(options):
    """Do what the options ask for; returns the exit code."""
    from .. import backend, experiments
    from ..errors import CaeError

    with contextlib.ExitStack() as stack:
        try:
            if options.list:
                return list_experiments(experiments)
            if VERIFY in options.names:
                return verify(options)
            chosen = choose(options.names, experiments)
            require_untimed(chosen, options)
            require_writable(options.out)
            backend.use(options.backend)
            from .frame import executors, runner

            what = runner_options(options)
            executor, width = stack.enter_context(
                executors.opened(options.jobs, options.dask, what.out)
            )
            session = runner.Session(what, executor, width)
            prepared = [runner.prepare(experiment, what) for experiment in chosen]
        except CaeError as error:
            return refuse(error)
        announce(backend.active(), prepared, options)
        return run_all(session, prepared)


def run_all(session, prepared):
    """Run experiments and write the report; returns the exit code."""
    from ..errors import CaeError
    from .frame.expected import Expected
    from .report import build as report

    page, everything_worked, n = None, True, len(prepared)
    expected = Expected([one.experiment.name for one in prepared], session.options)
    print("".join([counted(n), *expected.in_all()]))
    if not session.options.part:
        print(f"report: {session.options.out / 'report.html'}, written anew after each of them")
    for i, one in enumerate(prepared):
        print(
            "".join(
                [
                    f"[{i + 1}/{n}] {one.experiment.name}: {one.experiment.title} ",
                    f"({one.experiment.paper})",
                    *expected.left(i),
                ]
            )
        )
        try:
            everything_worked &= session.run(one)
            if not session.options.part:
                page = report.write(session.options.out)
        except CaeError as error:  # the disk refuses; the next experiment may fit
            everything_worked = False
            print(f"  failed: {error}")
    if page:
        print(f"report: {page} and {page.with_suffix('.md')}")
    if session.options.part:
        print("when every part is done, the same call with --resume instead of --cells reports")
    if everything_worked:
        return 0
    return refuse(f"something failed; {'the report says what' if page else 'see above'}", FAILED)


def counted(n):
    return f"{n} experiment{'s' if n > 1 else ''}"


def runner_options(options):
    """What the experiments have to know of the options; places are absolute for other machines."""
    from .frame import cells, runner

    out, data_dir, threads = Path(options.out), options.data_dir, options.threads
    if options.dask:
        out, data_dir = out.absolute(), data_dir or os.environ.get("CAE_DATA")
        data_dir = data_dir and os.path.abspath(os.path.expanduser(data_dir))
        threads = threads or 1
    return runner.Options(
        preset=options.preset,
        out=out,
        first_seed=options.seed,
        n_seeds=options.seeds,
        data_dir=data_dir,
        download=options.download,
        resume=options.resume,
        threads=threads or max(1, cells.blas_threads() // options.jobs),
        part=options.cells,
    )


def list_experiments(experiments):
    """Print the name, the figure or table, and the title of every experiment."""
    found = [experiments.find(name) for name in experiments.MODULES]
    names, papers = (max(len(getattr(e, of)) for e in found) for of in ("name", "paper"))
    for e in found:
        only = " (only when named)" if e.named_only else ""
        print(f"{e.name:{names}}  {e.paper:{papers}}  {e.title}{only}")
    own, title = "cae_np's own", "Test figures again, from trained networks (only when named)"
    print(f"{VERIFY:{names}}  {own:{papers}}  {title}")
    return 0


def verify(options):
    """Recompute the figures of the networks that come trained; returns the exit code.

    Raises
    ------
    CaeError
        If it cannot begin.
    """
    from .. import backend
    from ..errors import ConfigError
    from .verify import verify

    if options.names != [VERIFY]:
        raise ConfigError(f"{VERIFY} is no experiment; name it alone")
    unasked = vars(parse([VERIFY]))
    for name, value in vars(options).items():
        if value != unasked[name] and name not in KNOWN_TO_VERIFY:
            raise ConfigError(
                f"{VERIFY} has no use for --{name}; it takes --backend, --data-dir and --download"
            )
    backend.use(options.backend)
    print(f"backend: {backend.active().description}")
    if not verify(options.data_dir, options.download):
        return refuse("not every figure could be verified; the lines above say why", FAILED)
    return 0


def choose(names, experiments):
    """The experiments of these names, or all that run unnamed, in the order in which they run.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    from ..errors import ConfigError

    for name in names:
        if name not in experiments.MODULES:
            close = similar(name, [*experiments.MODULES, VERIFY])
            hint = f"did you mean {' or '.join(close)}?" if close else "--list shows what there is"
            raise ConfigError(f"unknown experiment {name!r}; {hint}")
    found = map(experiments.find, names or experiments.MODULES)
    by_name = {one.name: one for one in found if names or not one.named_only}
    ordered = {}  # those whose rows another one reads come before it

    def add(one):
        for name in one.beside:
            if name in by_name:
                add(by_name[name])
        ordered[one.name] = one

    for one in by_name.values():
        add(one)
    return list(ordered.values())


def similar(name, known):
    """What somebody who typed ``name`` may have meant: names that contain it, or one like it."""
    containing = [one for one in known if name and name.lower() in one]
    if containing:
        return containing if len(containing) <= 3 else []
    return difflib.get_close_matches(name, known, n=1, cutoff=0.5)


def require_untimed(chosen, options):
    """Refuse to measure times while other cells run.

    Raises
    ------
    ConfigError
        If that was asked for.
    """
    from ..errors import ConfigError

    timed = [experiment.name for experiment in chosen if experiment.timed]
    if timed and (options.jobs > 1 or options.dask):
        raise ConfigError(
            f"{timed[0]} measures times, which cells beside it would spoil; "
            "run it without --jobs and --dask"
        )


def require_writable(out):
    """Make the folder and write into it once.

    Raises
    ------
    ConfigError
        If that cannot be done.
    """
    import tempfile

    from ..errors import ConfigError

    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise ConfigError(
            f"--out {out} cannot be written ({error.strerror or error}); choose another folder"
        ) from error


def announce(backend, prepared, options):
    """Say which backend computes, on which data, and where."""
    where = f"Dask: {options.dask}" if options.dask else f"jobs: {options.jobs}"
    print(f"backend: {backend.description}, threads: {prepared[0].settings.threads}, {where}")
    for data in dict.fromkeys(one.settings.data for one in prepared):
        if data:
            print(f"data: {data.name} ({data.source}), {data.n_train:,} + {data.n_test:,} images")
    for notice in dict.fromkeys(one.notice for one in prepared):
        if notice:
            print(f"data: {notice}")
    for one in prepared:
        if one.hint:
            print(f"hint: {one.hint}")


def refuse(message, code=command_line.REFUSED):
    """Say in one line why it ends here; returns the exit code."""
    return command_line.refuse(command_line.program(), message, code)
