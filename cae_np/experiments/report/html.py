"""The report as one HTML page: no scripts, fonts or pictures from outside."""

import base64
from html import escape
from itertools import groupby

from . import opening, tables
from .page import PAGE

LONG = 20  # lines of a table
STYLES = {"✓": "yes", "↗": "yes", "✗": "no", "↘": "no"}  # by a claim's mark; others are open


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
    body.append(_table(overview, "overview", anchors=[run.anchor for run in runs]))
    for name, same in groupby(runs, key=lambda run: run["experiment"]):
        same = list(same)
        body.append(f"<h2>{escape(same[0]['title'])}</h2>")
        body.append(f'<p class="soft">{escape(same[0]["paper"])} · <code>{escape(name)}</code></p>')
        body += map(_run, same)
    links = dict.fromkeys((run["experiment"], run.anchor) for run in runs)
    first = {name: anchor for name, anchor in reversed(links)}
    contents = "".join(
        f'<li><a href="#{escape(first[name])}">{escape(name)}</a></li>'
        for name in dict.fromkeys(run["experiment"] for run in runs)
    )
    return PAGE.substitute(
        opening="\n".join(_opening(runs)),
        introduction=escape(introduction),
        contents=contents,
        body="\n".join(body),
    )


def _opening(runs):
    """A picture of each paper, and the sentences that a person wants to read first."""
    shown = []
    for run, figure in opening.pictures(runs):
        path, link = run.folder / figure["file"], f"#{escape(run.anchor)}"
        if path.is_file():
            caption = f'<a href="{link}">{escape(run["paper"])}: {escape(run["title"])}</a>'
            shown.append(_image(path, figure["alt"], caption))
    said = [_claim(claim, f"#{escape(run.anchor)}") for run, claim in opening.sentences(runs)]
    parts = [f'<div class="opening">{"".join(shown)}</div>'] if shown else []
    return parts + ([f'<ul class="claims">{"".join(said)}</ul>'] if said else [])


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
    findings = [
        _claims(tables.claims(rows, run.kept)),
        _numbers(tables.numbers(rows, run.kept)),
    ]
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
    return _image(path, figure["alt"], escape(figure["caption"]))


def _image(path, alt, caption):
    content = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img src="data:image/png;base64,{content}" alt="{escape(alt)}">'
        f"<figcaption>{caption}</figcaption></figure>"
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
    return f'<ul class="claims">{"".join(map(_claim, claims))}</ul>' if claims else ""


def _claim(claim, link=""):
    """One claim; with a link it stands in the opening, without what explains it."""
    style = STYLES.get(claim["mark"], "open")
    statement = escape(claim["statement"])
    below = [claim["difference"], *([] if link else [claim["seeds"]]), claim["kept"]]
    return (
        f'<li><span class="mark {style}" aria-hidden="true">{claim["mark"]}</span><div>'
        + (f'<a href="{link}">{statement}</a> ' if link else f"{statement} ")
        + f'<span class="verdict {style}">{_capital(claim["verdict"])}.</span>'
        f'<p class="soft">{"<br>".join(escape(line) for line in below if line)}</p></div></li>'
    )


def _capital(text):
    return text[:1].upper() + text[1:]


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
