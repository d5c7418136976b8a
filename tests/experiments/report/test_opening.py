"""The report opens with pictures and sentences, and has the kept results beside the quick ones."""

import shutil
from html import escape

import pytest

from cae_np.experiments.report import build, opening, tables

KEPT = build.KEPT


@pytest.fixture
def runs(tmp_path):
    """What the repository keeps, as if it came out of quick runs."""
    for name in ("masci2011-fig1", "makhzani2014-fig5", "makhzani2014-table1"):
        shutil.copytree(KEPT / name, tmp_path / name, ignore=shutil.ignore_patterns("cells.json"))
        path = tmp_path / name / "results.json"
        path.write_text(path.read_text("utf-8").replace('"preset": "paper"', '"preset": "quick"'))
    found, unreadable = build.collect(tmp_path)
    assert len(found) == 3 and not unreadable
    return found


def test_every_sentence_of_the_opening_is_a_claim_of_its_experiment():
    kept, _ = build.collect(KEPT)
    said = opening.sentences(kept)
    assert [run["experiment"] for run, _ in said] == [name for name, _ in opening.SENTENCES]
    assert [run["experiment"] for run, _ in opening.pictures(kept)] == [
        names[0] for names in opening.PICTURES
    ]


def test_a_report_of_some_experiments_opens_with_what_there_is(runs):
    assert len(opening.pictures(runs)) == 2 and len(opening.sentences(runs)) == 2


def test_kept_results_stand_beside_quick_ones_and_not_beside_themselves(runs):
    for run in runs:
        table, alone = (tables.numbers(run["rows"], kept) for kept in (run.kept, []))
        assert tables.KEPT in table.columns and tables.KEPT not in alone.columns
        theirs, ours = (table.columns.index(name) for name in (tables.KEPT, "ours"))
        for _, lines in table.sections:
            assert all(line[theirs] == line[ours] for line in lines)
        for claim in tables.claims(run["rows"], run.kept):
            assert claim["kept"] == "" or claim["verdict"] in claim["kept"]
    (kept, *_), _ = build.collect(KEPT)
    assert kept.kept == []


def test_without_a_clone_nothing_stands_beside(runs, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "KEPT", tmp_path / "nowhere")
    build._kept_rows.cache_clear()
    try:
        assert all(run.kept == [] for run in runs)
    finally:
        build._kept_rows.cache_clear()


def test_the_page_opens_with_them(runs, tmp_path):
    page = build.write(tmp_path).read_text("utf-8")
    first = page[: page.index("<h2>")]
    assert first.count("<figure>") == 2 and first.count('class="mark') == 2
    assert page.count("<nav") == 1 and page.count(escape(tables.KEPT)) > 10
