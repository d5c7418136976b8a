"""The tables of the report, as text that both of its forms share."""

import math
from dataclasses import dataclass

from ..frame.rows import SEEDS_FOR_A_VERDICT

ABSENT = "–"
KEPT = "ours at the paper's scale"  # what lectures/results has
NOT_RUN = "not run"  # what the report says of a claim that there are no numbers for
# By the beginning of what is said of a claim.
MARKS = {
    "holds": "✓",
    "points the paper's way": "↗",
    "not decided": "?",
    "points the other way": "↘",
    "does not hold": "✗",
    NOT_RUN: ABSENT,
}


@dataclass(frozen=True)
class Table:
    """Cells of text under headings.

    Attributes
    ----------
    columns : list of str
    sections : list of (str, list of list of str)
        A heading, which may be empty, and the lines below it.
    """

    columns: list
    sections: list


def numbers(rows, kept=()):
    """The rows that are no claims, grouped by what they measure; None where there are none.

    Parameters
    ----------
    rows : list of dict
        As ``results.json`` has them.
    kept : list of dict
        Rows of the same experiment at the paper's scale, to stand beside them.
    """
    at_scale = {_name(row): row for row in kept if is_row(row)}
    rows = [row for row in rows if is_row(row) and row["kind"] != "claim"]
    timed = set()

    def time(row):
        """Once for every label and number of images, however many things were measured of it."""
        of = row["label"], row["samples"]
        if of in timed:
            return ""
        timed.add(of)
        return duration(row["seconds"])

    columns = {
        "": _label,
        "paper": lambda row: number(row["paper"]),
        KEPT: lambda row: _number_of(at_scale.get(_name(row))),
        "ours": lambda row: number(row["ours"], row["spread"]),
        "seeds": lambda row: str(len(row["seeds"]) or ""),
        "images": lambda row: count(row["samples"]),
        "time": time,
        "note": lambda row: "; ".join(filter(None, (row["source"], row["note"]))),
    }
    sections = {}
    for row in rows:
        heading = ", ".join(filter(None, (row["metric"], row["unit"])))
        sections.setdefault(heading, []).append([text(row) for text in columns.values()])
    return without_empty_columns(list(columns), list(sections.items())) if rows else None


def claims(rows, kept=()):
    """The claims.

    Parameters
    ----------
    rows, kept
        As of :func:`numbers`.

    Returns
    -------
    list of dict
        "mark", "verdict" (in words), "statement", "difference" (mean and spread with what they
        measure), "seeds" (a filled dot for every seed that agrees, an empty one for every
        other) and "kept" (what was found at the paper's scale, or nothing).
    """
    at_scale = {row["statement"]: row for row in kept if is_row(row)}
    found = []
    for row in rows:
        if is_row(row) and row["kind"] == "claim":
            there = at_scale.get(row["statement"])
            dots = "".join("●" if value > 0 else "○" for value in row["values"])
            unit = f" {row['unit']}" if row["unit"] else ""
            found.append(
                {
                    "mark": MARKS[_verdict(row)],
                    "verdict": _in_words(row),
                    "statement": row["statement"],
                    "difference": f"{row['metric']}: "
                    f"{number(row['ours'], row['spread'], signed=True)}{unit}",
                    "seeds": " ".join(filter(None, (dots, row["note"]))),
                    "kept": f"{KEPT}: {_in_words(there)}, {_number_of(there)}{unit}"
                    if there and there["values"]
                    else "",
                }
            )
    return found


def own_columns(rows):
    """The rows of an experiment whose table has columns of its own; None where there are none."""
    rows = [row for row in rows if not is_row(row)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[_any(row.get(name)) for name in columns] for row in rows]
    return without_empty_columns(columns, [("", lines)]) if rows else None


def ledger(choices):
    """The ledger of choices; None where it is empty."""
    lines = [
        [choice["question"], choice["chosen"], choice["why"], choice["effect"] or "not measured"]
        for choice in choices
    ]
    return Table(["open in the paper", "chosen", "why", "effect"], [("", lines)]) if lines else None


def tally(rows):
    """The verdicts of an experiment in one phrase: "✓ 3  ✗ 1"."""
    verdicts = [_verdict(row) for row in rows if is_row(row) and row["kind"] == "claim"]
    counts = {mark: verdicts.count(verdict) for verdict, mark in MARKS.items()}
    return "  ".join(f"{mark}\N{NO-BREAK SPACE}{n}" for mark, n in counts.items() if n)


def has_paper_numbers(rows):
    """Whether a number of the paper's stands in the table."""
    return any(is_row(row) and row["paper"] is not None for row in rows)


def is_row(row):
    """Whether a line of ``rows`` is one of ours, rather than of a table of its own kind."""
    return "kind" in row and "metric" in row


def number(value, spread=None, signed=False):
    """A number as it is printed: two digits of the spread, or four of the number itself.

    >>> number(1.15342, 0.0831), number(0.123456), number(60000.0), number(None)
    ('1.153 ± 0.083', '0.1235', '60000', '–')
    """
    if value is None:
        return ABSENT
    sign = "+" if signed else ""
    if spread:
        decimals = max(0, 1 - math.floor(math.log10(abs(spread))))
        if decimals > 6:
            text = f"{value:{sign}.3g} ± {spread:.1g}"
        else:
            text = f"{value:{sign}.{decimals}f} ± {spread:.{decimals}f}"
    elif float(value).is_integer() and abs(value) < 1e9:
        text = f"{value:{sign}.0f}"
    else:
        text = f"{value:{sign}.4g}"
    return text.replace("-", "−")


def count(value):
    """A whole number with its thousands apart."""
    return "" if value is None else f"{value:,}"


def duration(seconds):
    """A time as people say it."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def without_empty_columns(columns, sections):
    """A :class:`Table` of the columns in which anything stands."""
    lines = [line for _, section in sections for line in section]
    kept = [i for i in range(len(columns)) if any(line[i] not in ("", ABSENT) for line in lines)]

    def keep(line):
        return [line[i] for i in kept]

    return Table(keep(columns), [(heading, list(map(keep, lines))) for heading, lines in sections])


def _verdict(row):
    """What is said of a claim, one of :data:`MARKS`; too few seeds may still agree."""
    differences = row["values"]
    if not differences:
        return NOT_RUN
    if row["verdict"] == "not decided" and len(differences) < SEEDS_FOR_A_VERDICT:
        if all(d > 0 for d in differences):
            return "points the paper's way"
        if all(d < 0 for d in differences):
            return "points the other way"
    return row["verdict"]


def _in_words(row):
    """The same, with how many of the seeds it is that point there."""
    verdict, n = _verdict(row), len(row["values"])
    return f"{verdict} ({n} of {n})" if verdict.startswith("points") else verdict


def _name(row):
    return row["label"], row["metric"], row["unit"], row["kind"]


def _number_of(row):
    return number(row["ours"], row["spread"]) if row else ""


def _label(row):
    return f"{row['label']} (control)" if row["kind"] == "control" else row["label"]


def _any(value):
    if value is None:
        return ABSENT
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return number(value)
