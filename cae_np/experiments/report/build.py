"""The report: every ``results.json`` below a folder, as Markdown and as one HTML page."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from ... import command_line, storage
from ...errors import DataError
from .. import MODULES
from ..frame import document
from . import html as report_html
from . import tables

KEPT = Path(__file__).parents[3] / "lectures" / "results"
INTRODUCTION = (
    "What our implementation measured, beside what two papers report: M11 is Masci, Meier, "
    "Cireşan, Schmidhuber, Stacked Convolutional Auto-Encoders for Hierarchical Feature "
    "Extraction (ICANN 2011); M14 is Makhzani, Frey, A Winner-Take-All Method for Training Sparse "
    "Convolutional Autoencoders (2014).  A number and its spread are the mean and the sample "
    "standard deviation over seeds.  A claim holds (✓) where five or more paired seeds all agree "
    "with it, and does not hold (✗) where all disagree; fewer that all agree or disagree point the "
    "paper's way (↗) or the other (↘); everything else is not decided (?), or was not run (–)."
).replace("  ", " ")


@dataclass(frozen=True)
class Run:
    """One experiment under one set of circumstances.

    Attributes
    ----------
    content : dict
        Of its ``results.json``.
    folder : pathlib.Path
        Where its figures are.
    """

    content: dict
    folder: Path

    def __getitem__(self, name):
        return self.content[name]

    @property
    def identity(self):
        """Two runs of one identity are an older and a newer one of the same thing."""
        data = self["data"]
        return (
            self["experiment"],
            self["preset"],
            data and (data["name"], data["checksum"]),
            self["backend"]["name"],
        )

    @property
    def rank(self):
        """Where it stands in the report."""
        name, order = self["experiment"], list(MODULES)
        return (
            order.index(name) if name in order else len(order),
            name,
            ("paper", "quick", "smoke").index(self["preset"]),
            self.warning is not None,
            self["backend"]["name"],
        )

    @property
    def anchor(self):
        """By which the page's table of contents finds it."""
        data = self["data"]["name"] if self["data"] else "no-data"
        return "-".join((self["experiment"], self["preset"], data, self["backend"]["name"]))

    @property
    def circumstances(self):
        """Preset, data, backend, seeds, time and date, as phrases."""
        data, seeds = self["data"], self["seeds"]
        several = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
        return [
            f"preset {self['preset']}",
            f"{data['name']}, {data['n_train']:,} + {data['n_test']:,} images"
            if data
            else "no data set",
            f"{self['backend']['description']}, threads: {self['threads']}",
            several,
            tables.duration(self["seconds"]),
            self["date"].replace("T", " ").replace("+00:00", " UTC"),
        ]

    @property
    def warning(self):
        """What has to be said before any number is read, or None."""
        data = self["data"]
        if data and data["name"] != self["paper_data"]:
            return (
                f"These numbers are from {data['name']}, not from {self['paper_data']}, on which "
                "the paper's were measured; the two cannot be compared."
            )
        return None

    @property
    def command(self):
        """The command that repeats it."""
        seeds, data = self["seeds"], self["data"]
        data_dir = " --data-dir DIR" if data and data["source"] == "--data-dir" else ""
        return (
            f"{command_line.called()} {self['experiment']} --preset {self['preset']} "
            f"--backend {self['backend']['name']} --seed {seeds[0]} --seeds {len(seeds)} "
            f"--threads {self['threads']}{data_dir}"
        )

    @property
    def kept(self):
        """Rows of the same experiment at the paper's scale, as the repository keeps them."""
        return [] if self["preset"] == "paper" else _kept_rows(self["experiment"])

    @property
    def provenance(self):
        """Everything else that the numbers depend on, by name."""
        versions = ", ".join(f"{name} {v}" for name, v in self["versions"].items() if v)
        data = self["data"]
        return {
            "repeat with": self.command,
            "versions": versions,
            "machine": self["machine"],
            "data": f"{data['name']} ({data['source']}), SHA-256 {data['checksum']}"
            if data
            else "none",
            "cells": f"{len(self['cells'])}, version {self['version']} of the experiment",
        }


@lru_cache
def _kept_rows(name):
    """Without a clone there are none: they are no part of the package."""
    try:
        return storage.load_json(KEPT / name / "results.json")["rows"]
    except (DataError, KeyError, TypeError):
        return []


def write(out):
    """Rebuild ``report.md`` and ``report.html`` from every ``results.json`` below ``out``.

    Parameters
    ----------
    out : pathlib.Path

    Returns
    -------
    pathlib.Path
        Of the HTML page, which needs no other file.

    Raises
    ------
    DataError
        If a file cannot be written.
    """
    runs, unreadable = collect(out)
    pages = {
        "report.md": markdown(runs, unreadable, out),
        "report.html": report_html.page(runs, overview(runs), unreadable, INTRODUCTION),
    }
    for name, text in pages.items():
        with storage.atomic_file(out / name) as file:
            file.write(text.encode())
    return out / "report.html"


def collect(out):
    """Find all runs.

    Parameters
    ----------
    out : pathlib.Path

    Returns
    -------
    runs : list of Run
        Experiment by experiment; of one experiment the paper's preset and data first.
    unreadable : list of str
        One line for every file that is no ``results.json`` of ours.
    """
    latest, unreadable = {}, []
    for path in sorted([*out.glob("*/runs/*/results.json"), *out.glob("*/results.json")]):
        try:
            content = storage.load_json(path)
        except DataError as error:
            unreadable.append(str(error))
            continue
        if not isinstance(content, dict) or content.get("schema") != document.SCHEMA:
            unreadable.append(
                f"{path} is not what this version writes; run the experiment again, or delete it"
            )
            continue
        run = Run(content, path.parent)
        try:  # whatever is missing or of the wrong kind shows when it is written out
            markdown([run], [], out)
            report_html.page([run], overview([run]), [], INTRODUCTION)
            run.rank, hash(run.identity)  # noqa: B018
        except Exception as error:
            reason = document.one_line(error)
            unreadable.append(f"{path} is damaged ({reason}); run the experiment again")
            continue
        older = latest.get(run.identity)
        if older is None or older["date"] <= run["date"]:
            latest[run.identity] = run
    return sorted(latest.values(), key=lambda run: run.rank), unreadable


def markdown(runs, unreadable, out):
    """The report as Markdown, its pictures linked.

    Returns
    -------
    str
    """
    lines = ["# Results", "", INTRODUCTION, ""]
    lines += [f"**{line}**\n" for line in unreadable]
    lines += _table(overview(runs))
    previous = None
    for run in runs:
        if run["experiment"] != previous:
            lines += [f"## {run['title']}", "", f"{run['paper']} · `{run['experiment']}`", ""]
            previous = run["experiment"]
        lines += [f"### {' · '.join(run.circumstances[:2])}", ""]
        lines += [" · ".join(run.circumstances[2:]), ""]
        lines += [f"> {line}\n" for line in (run["notice"], run.warning) if line]
        for failure in run["failed"]:
            lines += [f"> **Failed:** {failure['label']}: {failure['error']}", ""]
        for figure in run["figures"]:
            link = quote((run.folder / figure["file"]).relative_to(out).as_posix())
            lines += [f"![{figure['alt']}]({link})", "", f"*{figure['caption']}*", ""]
        rows = run["rows"]
        findings = [
            _claims(tables.claims(rows, run.kept)),
            _table(tables.numbers(rows, run.kept)),
        ]
        # Where there are numbers of the paper's to compare with, they come first.
        for part in findings[::-1] if tables.has_paper_numbers(rows) else findings:
            lines += part
        lines += _table(tables.own_columns(rows))
        choices = tables.ledger(run["choices"])
        if choices:
            lines += ["What the paper leaves open:", "", *_table(choices)]
        lines += [f"- {name}: {text}" for name, text in run.provenance.items()] + [""]
    return "\n".join(lines)


def overview(runs):
    """One line for every run, with the count of its verdicts."""
    lines = [
        [
            run["experiment"],
            run["preset"],
            run["data"]["name"] if run["data"] else tables.ABSENT,
            run["backend"]["name"],
            str(len(run["seeds"])),
            tables.tally(run["rows"]) or tables.ABSENT,
            tables.duration(run["seconds"]),
        ]
        for run in runs
    ]
    columns = ["experiment", "preset", "data", "backend", "seeds", "claims", "time"]
    return tables.Table(columns, [("", lines)])


def _claims(claims):
    lines = []
    for claim in claims:
        lines += [
            f"- {claim['mark']} **{claim['verdict']}**: {claim['statement']}  ",
            "; ".join(filter(None, (f"  {claim['difference']}", claim["seeds"], claim["kept"]))),
        ]
    return [*lines, ""]


def _table(table):
    if table is None:
        return []

    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [line(table.columns), line(["---"] * len(table.columns))]
    for heading, section in table.sections:
        if heading:
            lines.append(line([f"**{heading}**", *[""] * (len(table.columns) - 1)]))
        lines += map(line, section)
    return [*lines, ""]
