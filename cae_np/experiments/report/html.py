"""The report as one HTML page: no scripts, fonts or pictures from outside."""

import base64
from html import escape
from itertools import groupby

from . import tables
from .page import PAGE

LONG = 20  # lines of a table
CLASSES = {"holds": "yes", "does not hold": "no", "not decided": "open", tables.NOT_RUN: "open"}


def page(runs, overview, unreadable, introduction):
    """The whole page.

    Parameters
    ----------
    runs : list of Run
        Of one experiment next to each other.
    overview : Table
        One line for each of them.
    unreadable : list of str
    introduction : str

    Returns
    -------
    str
    """
    body = [_say(line, "bad") for line in unreadable]
    body.append(_table(overview, anchors=[run.anchor for run in runs]))
    for name, same in groupby(runs, key=lambda run: run["experiment"]):
        same = list(same)
        body.append(f"<h2>{escape(same[0]['title'])}</h2>")
        body.append(f'<p class="soft">{escape(same[0]["paper"])} · <code>{escape(name)}</code></p>')
        body += map(_run, same)
    return PAGE.substitute(introduction=escape(introduction), body="\n".join(body))


def _run(run):
    parts = [
        f'<h3 id="{escape(run.anchor)}">{escape(" · ".join(run.circumstances[:2]))}</h3>',
        f'<p class="soft">{escape(" · ".join(run.circumstances[2:]))}</p>',
    ]
    parts += [_say(line) for line in (run["notice"], run.warning) if line]
    for failure in run["failed"]:
        trace = failure["traceback"]
        more = _details("Traceback", f"<pre>{escape(trace)}</pre>") if trace else ""
        parts.append(_say(f"{failure['label']} failed: {failure['error']}", "bad", more))
    parts += [_figure(run.folder / figure["file"], figure) for figure in run["figures"]]
    rows = run["rows"]
    findings = [_claims(tables.claims(rows)), _numbers(tables.numbers(rows))]
    # Where there are numbers of the paper's to compare with, they come first.
    parts += findings[::-1] if tables.has_paper_numbers(rows) else findings
    parts.append(_table(tables.own_columns(rows), "own"))
    if run["choices"]:
        title = "What the paper leaves open, and what we chose"
        parts.append(_details(title, _ledger(run["choices"])))
    provenance = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in run.provenance.items()
    )
    parts.append(_details("Where these numbers come from", f"<dl>{provenance}</dl>"))
    return "\n".join(filter(None, parts))


def _figure(path, figure):
    if not path.is_file():
        return _say(f"The picture {path.name} is missing; run the experiment again.", "bad")
    content = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img src="data:image/png;base64,{content}" alt="{escape(figure["alt"])}">'
        f"<figcaption>{escape(figure['caption'])}</figcaption></figure>"
    )


def _numbers(table):
    """The table, with all measures but the first folded away where it is long."""
    if table is None or sum(len(lines) for _, lines in table.sections) <= LONG:
        return _table(table)
    first, *others = table.sections
    shown, folded = (
        _table(tables.without_empty_columns(table.columns, part)) for part in ([first], others)
    )
    return shown + _details(f"{len(others)} more measures", folded)


def _table(table, style="", anchors=()):
    """With ``anchors`` the first column's texts are links to them, line by line."""
    if table is None:
        return ""
    numeric = [
        all(_is_number(line[i]) for _, lines in table.sections for line in lines)
        for i in range(len(table.columns))
    ]

    targets = iter(anchors)

    def cell(i, text):
        content = escape(text)
        if anchors and i == 0:
            content = f'<a href="#{escape(next(targets))}">{content}</a>'
        return f"<td{' class=n' if numeric[i] else ''}>{content}</td>"

    head = "".join(
        f'<th scope="col"{" class=n" if numeric[i] else ""}>{escape(name)}</th>'
        for i, name in enumerate(table.columns)
    )
    bodies = []
    for heading, lines in table.sections:
        rows = "".join(
            f"<tr>{''.join(cell(i, text) for i, text in enumerate(line))}</tr>\n" for line in lines
        )
        if heading:
            columns = len(table.columns)
            rows = f'<tr><th colspan="{columns}" scope="rowgroup">{escape(heading)}</th></tr>{rows}'
        bodies.append(f"<tbody>{rows}</tbody>")
    whole = f"<thead><tr>{head}</tr></thead>{''.join(bodies)}"
    return f'<div class="scroll"><table class="{style}">{whole}</table></div>'


def _claims(claims):
    if not claims:
        return ""
    items = []
    for claim in claims:
        style = CLASSES[claim["verdict"]]
        items.append(
            f'<li><span class="mark {style}" aria-hidden="true">{claim["mark"]}</span><div>'
            f"{escape(claim['statement'])} "
            f'<span class="verdict {style}">{claim["verdict"].capitalize()}.</span>'
            f'<p class="soft">{escape(claim["difference"])}<br>{escape(claim["seeds"])}</p>'
            "</div></li>"
        )
    return f'<ul class="claims">{"".join(items)}</ul>'


def _ledger(choices):
    items = []
    for choice in choices:
        effect = choice["effect"] or "not measured"
        items.append(
            f"<li><strong>{escape(choice['question'])}</strong>: {escape(choice['chosen'])}"
            f'<p class="soft">{escape(choice["why"])}<br>Effect: {escape(effect)}</p></li>'
        )
    return f'<ul class="ledger">{"".join(items)}</ul>'


def _say(text, style="", more=""):
    return f'<div class="say {style}"><p>{escape(text)}</p>{more}</div>'


def _details(title, content):
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _is_number(text):
    """Whether a column of such texts is set flush right."""
    return not text or text == tables.ABSENT or text[0] in "0123456789−+"
