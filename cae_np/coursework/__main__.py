"""``python -m cae_np.coursework``: for students (grade) and for teachers (the rest)."""

import argparse
import math
import sys
from pathlib import Path

from .. import plotting
from ..command_line import Parser, as_path, drop_output, given, plain_warnings, refuse, what_failed
from ..data import load_or_stand_in
from ..errors import CaeError
from .grading import bughunt, forms, scores
from .grading.finding import submission_in, submissions_in
from .grading.gate import plain_text
from .grading.grade import grade
from .grading.isolation import SECONDS
from .grading.submission import Submission
from .tasks import stubs
from .tasks.catalogue import TASKS, find_task
from .thread import PROJECTS, put_together

PASSED, FAILED = 0, 1


def main(arguments=None):
    """Run one command.

    Returns
    -------
    int
        0; 1 if a task of a submission did not pass; 2 for a mistake in the call.
    """
    options = _parser().parse_args(arguments)
    plain_warnings()
    try:
        return options.command(options)
    except BrokenPipeError:  # whoever read our lines has gone
        drop_output()
        return FAILED
    except OSError as error:
        what = plain_text(what_failed(error))
        return refuse("cae_np.coursework", f"{what}; choose another place")
    except (ValueError, CaeError) as error:
        return refuse("cae_np.coursework", plain_text(error))


def _parser():
    parser = Parser(prog="python -m cae_np.coursework", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, about):
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(command=function)
        return one

    one = command("grade", _grade, "check a submission, or a folder of them")
    one.add_argument("submission", type=as_path, help="a .py or .ipynb file, or a folder")
    one.add_argument("--task", action="append", metavar="NAME", help="only this task; repeatable")
    one.add_argument("--closed-book", action="store_true", help="refuse imported solutions")
    one.add_argument("--seconds", type=_seconds, default=SECONDS, help="processor time of a task")
    one.add_argument("--score-json", type=as_path, metavar="FILE", help="Gradescope's results")
    one.add_argument("--csv", type=as_path, metavar="FILE", help="a folder of submissions: one CSV")
    one.add_argument("--reports", type=as_path, metavar="FOLDER", help="with --csv: the reports")
    one.add_argument("--key", type=as_path, metavar="FILE", help="grade a bug hunt with its key")

    one = command("train", _train, "put a submission's functions together, and train with them")
    one.add_argument("submission", type=as_path, help="a .py or .ipynb file, or a folder")
    one.add_argument("--project", action="append", choices=PROJECTS, help="default: all of them")
    one.add_argument("--data-dir", type=as_path, metavar="DIR", help="where MNIST lies")
    one.add_argument("--out", type=as_path, default=Path("trained"), help="folder for the pictures")

    one = command("stubs", _stubs, "write exercises.py and exercises.ipynb")
    one.add_argument("folder", type=as_path, nargs="?", default=Path("lectures/exercises"))

    one = command("make_assignment", _make_assignment, "write a bug hunt and its key")
    one.add_argument("folder", type=as_path)
    one.add_argument("--seed", required=True, type=given, help="any text, as 'autumn 2026'")
    one.add_argument("--mistakes", type=int, default=6, help="how many are planted")

    for name, about in forms.FORMS.items():
        one = command(name, _form, about)
        one.add_argument("folder", type=as_path)
        one.add_argument("--task", action="append", metavar="NAME")
        one.add_argument("--closed-book", action="store_true")
        one.set_defaults(form=name)
    return parser


def _tasks(options):
    return tuple(find_task(name) for name in options.task) if options.task else TASKS


def _seconds(text):
    """A time that a task may be given: above nothing, below a day."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 12 for instance")
    return value


def _require_that_it_fits(options):
    """Refuse options that would have no effect together."""
    if options.reports and not options.csv:
        raise ValueError("--reports goes with --csv, for a folder of submissions")
    if options.csv and (options.key or options.score_json):
        raise ValueError("--csv grades a folder; --key and --score-json are for one submission")
    if options.key and (options.task or options.closed_book):
        raise ValueError(
            "--key says itself which functions count; leave --task and --closed-book out"
        )
    if options.csv and not options.submission.is_dir():
        what = "is a file" if options.submission.exists() else "is not there"
        raise ValueError(f"--csv takes a folder of submissions; {options.submission} {what}")


def _grade(options):
    _require_that_it_fits(options)
    tasks = _tasks(options)
    if options.key:
        return _grade_hunt(options)
    if options.csv:
        return _grade_class(options, tasks)
    results, save = [], options.score_json
    how = {"closed_book": options.closed_book, "seconds": options.seconds}

    def ready(result):
        results.append(result)
        print(result.report, end="\n\n", flush=True)
        if save:
            scores.save_gradescope(save, results, tasks)

    if save:
        scores.save_gradescope(save, [], tasks)
    try:
        grade(submission_in(options.submission), tasks, ready=ready, **how)
    except ValueError as error:
        if save:
            scores.save_gradescope(save, [], tasks, note=plain_text(error))
        raise
    print(scores.table(results))
    return PASSED if all(result.passed for result in results) else FAILED


def _grade_class(options, tasks):
    graded = []
    how = {"closed_book": options.closed_book, "seconds": options.seconds}
    for name, path in submissions_in(options.submission):
        try:
            results, problem = grade(path, tasks, **how), ""
        except ValueError as error:
            results, problem = [], plain_text(error)
        shown = plain_text(name)
        graded.append((shown, results, problem))
        scores.save_class(options.csv, graded, tasks)
        points, most = scores.totals(results)
        print(f"{shown}: {points:g} of {most:g}" if results else f"{shown}: {problem}", flush=True)
        if options.reports and results:
            text = "\n\n".join([*(r.report for r in results), scores.table(results)])
            report = options.reports / f"{name}.txt"
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(text + "\n", encoding="utf-8")
    if not graded:
        raise ValueError(f"no .py or .ipynb files in {options.submission}")
    return PASSED


def _grade_hunt(options):
    submission = submission_in(options.submission)
    results, report = bughunt.grade_hunt(submission, options.key, options.seconds)
    print(report)
    if options.score_json:
        tasks = tuple(find_task(result.task) for result in results)
        scores.save_gradescope(options.score_json, results, tasks, note=report)
    return PASSED if all(result.passed for result in results) else FAILED


def _train(options):
    """The student's own code in this process: it is the student who calls."""
    submission = Submission(submission_in(options.submission)).run()
    for problem in submission.problems:
        print(problem)
    projects = [PROJECTS[name] for name in options.project or PROJECTS]
    names = {name for project in projects for name in project.uses}
    found = {name: submission.function(name) for name in names}
    digits, notice = load_or_stand_in("mnist", options.data_dir)
    if notice:
        print(notice)
    options.out.mkdir(parents=True, exist_ok=True)
    for project in projects:
        outcome = put_together(project, found, digits.train)
        print(outcome)
        path = options.out / f"{project.name}.png"
        path.write_bytes(plotting.png(outcome.figure()))
        print(f"  {path}\n", flush=True)
    return PASSED


def _stubs(options):
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("exercises.py", stubs.module()), ("exercises.ipynb", stubs.notebook())):
        (options.folder / name).write_text(text, encoding="utf-8")
        print(options.folder / name)
    return PASSED


def _make_assignment(options):
    for path in bughunt.make_assignment(options.folder, options.seed, options.mistakes):
        print(path)
    return PASSED


def _form(options):
    for path in forms.write(options.form, options.folder, _tasks(options), options.closed_book):
        print(path)
    return PASSED


if __name__ == "__main__":
    sys.exit(main())
