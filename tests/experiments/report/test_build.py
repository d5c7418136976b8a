"""The report: tables as text, Markdown, and the page that needs nothing from outside."""

import html.parser
import re

import pytest
from corrupt import corrupted
from fake_experiments import numbers, sums
from hypothesis import given, settings

from cae_np import experiments, storage
from cae_np.errors import DataError
from cae_np.experiments.frame import results, runner
from cae_np.experiments.frame.experiment import Settings
from cae_np.experiments.frame.rows import claim
from cae_np.experiments.report import build as report
from cae_np.experiments.report import tables


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder with the results of two presets of one experiment, and of another."""
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(experiments.MODULES, "numbers", "fake_experiments.numbers")
        for preset in ("quick", "smoke"):
            options = runner.Options(preset=preset, out=folder)
            session = runner.Session(options, say=lambda line: None)
            for experiment in (numbers.EXPERIMENT, sums.EXPERIMENT):
                assert session.run(runner.prepare(experiment, options))
    return folder


class Page(html.parser.HTMLParser):
    """Collects what a browser would fetch, and complains about tags that do not match."""

    VOID = {"meta", "img", "br", "link", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.texts = [], []
        self.sources, self.alts, self.links, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        assert tag not in ("script", "link", "iframe", "object")
        fetched = ("src", "srcset", "data", "poster")
        self.sources += [attributes[name] for name in fetched if name in attributes]
        self.alts += [attributes["alt"]] if tag == "img" else []
        self.links += [attributes["href"]] if tag == "a" else []
        self.ids += [attributes["id"]] if "id" in attributes else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


def test_the_page_is_whole_and_needs_nothing_from_outside(out):
    text = report.write(out).read_text("utf-8")
    page = Page(text)
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert len(page.sources) == 2
    assert "http:" not in text and "https:" not in text and "@import" not in text
    assert "url(" not in text
    assert page.alts == ['Dots near "zero" & ten.'] * 2
    assert "Means of <fifty> draws." in page.texts
    assert all(link[0] == "#" and link[1:] in page.ids for link in page.links)
    assert len(page.links) == 2 + 4 and len(set(page.ids)) == len(page.ids)


def test_the_page_has_the_papers_numbers_beside_ours_and_verdicts_in_words(out):
    page = Page(report.write(out).read_text("utf-8"))
    seen = " ".join(" ".join(page.texts).split())
    assert "10.25 10.14 ± 0.14 5" in seen  # paper, ours, seeds
    assert "9.5 –" in seen and "M11, table 9" in seen
    assert "zero (control)" in seen
    assert "✓ Ten is more than zero. Holds." in seen
    assert "✗ Ten is below 5. Does not hold." in seen
    assert "? Ten is above 10. Not decided." in seen
    assert "●●●●○ 4 of 5 seeds agree" in seen
    assert "How many draws : 50 enough | for anybody Effect: not measured" in seen
    assert "sum_ms" in seen and "torch_ms" not in seen  # own columns, but no empty ones
    assert "python run_experiments.py numbers --preset quick --backend numpy" in seen


def test_the_command_repeats_everything_that_decides_the_bits(out):
    runs, _ = report.collect(out)
    command = runs[0].command
    assert command.endswith(f"--seed 0 --seeds 5 --threads {runs[0]['threads']}")
    content = runs[0].content | {"data": {"source": "--data-dir"}}
    assert report.Run(content, out).command == f"{command} --data-dir DIR"


def test_a_claim_without_numbers_was_not_run():
    row = {"metric": "m", "unit": "", "kind": "claim", "statement": "It is.", "ours": None,
           "spread": None, "values": [], "note": None, "verdict": "not decided"}  # fmt: skip
    rows = [row, row | {"values": [1.0, -1.0], "ours": 0.0}]
    assert [claim["verdict"] for claim in tables.claims(rows)] == ["not run", "not decided"]
    assert tables.tally(rows).split() == ["?", "1", "–", "1"]


@pytest.mark.parametrize(
    ("differences", "mark", "words"),
    [
        ([1.0], "↗", "points the paper's way (1 of 1)"),
        ([1.0, 2.0, 0.5], "↗", "points the paper's way (3 of 3)"),
        ([-1.0, -2.0], "↘", "points the other way (2 of 2)"),
        ([1.0, 2.0, -0.5], "?", "not decided"),
        ([0.0], "?", "not decided"),
        ([1.0] * 4 + [-1.0], "?", "not decided"),
        ([1.0] * 5, "✓", "holds"),
        ([-1.0] * 5, "✗", "does not hold"),
    ],
)
def test_few_seeds_point_somewhere_where_they_agree(differences, mark, words):
    at = Settings("e", "quick", tuple(range(5)), None, None, "numpy", 1, "float32")
    row = claim(at, "It is.", "m", dict(enumerate(differences)), 0.0)
    (found,) = tables.claims([row.as_dict()])
    assert (found["mark"], found["verdict"]) == (mark, words)


def test_every_number_of_images_has_its_time():
    row = {"label": "CNN", "metric": "test error", "unit": "%", "kind": "measured", "paper": None,
           "ours": 1.0, "spread": None, "seeds": [0], "source": None, "note": None}  # fmt: skip
    rows = [
        row | {"samples": 1_000, "seconds": 60},
        row | {"samples": 10_000, "seconds": 600},
        row | {"samples": 1_000, "seconds": 60, "metric": "something else"},
    ]
    table = tables.numbers(rows)
    times = [line[table.columns.index("time")] for _, lines in table.sections for line in lines]
    assert times == ["1 min 00 s", "10 min 00 s", ""]


def test_presets_stand_apart_with_the_longer_one_first(out):
    runs, unreadable = report.collect(out)
    assert unreadable == []
    assert [(run["experiment"], run["preset"]) for run in runs] == [
        ("numbers", "quick"), ("numbers", "smoke"), ("sums", "quick"), ("sums", "smoke"),
    ]  # fmt: skip


def test_markdown_links_the_pictures_and_keeps_its_tables(out):
    report.write(out)
    text = (out / "report.md").read_text("utf-8")
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    assert len(pictures) == 2 and all((out / link).is_file() for _, link in pictures)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(columns) == 1
    assert "- ✓ **holds**: Ten is more than zero." in text
    assert r"enough \| for anybody" in text


def test_numbers_on_a_stand_in_carry_a_warning(out, tmp_path):
    content = storage.load_json(out / "numbers" / "results.json")
    content["data"] = {"name": "glyphs", "source": "embedded", "checksum": "0", "n_train": 600,
                       "n_test": 200}  # fmt: skip
    content["paper_data"], content["notice"] = "mnist", "mnist: using glyphs"
    storage.save_json(tmp_path / "numbers" / "results.json", content)
    page = report.write(tmp_path).read_text("utf-8")
    assert "These numbers are from glyphs, not from mnist" in page
    assert "mnist: using glyphs" in page
    assert "means.png is missing" in page  # its picture was not copied along
    assert "not from mnist" in (tmp_path / "report.md").read_text("utf-8")


def test_failures_are_shown_with_their_traceback(out, tmp_path):
    content = storage.load_json(out / "numbers" / "results.json")
    content["failed"] = [
        {"label": "a, seed 1", "cell": "0", "error": "KeyError: <b>", "traceback": "File <stdin>"},
        {"label": "b, seed 1", "cell": "1", "error": "the loss is nan", "traceback": None},
    ]
    storage.save_json(tmp_path / "numbers" / "results.json", content)
    texts = Page(report.write(tmp_path).read_text("utf-8")).texts
    assert "a, seed 1 failed: KeyError: <b>" in texts and "File <stdin>" in texts
    assert "b, seed 1 failed: the loss is nan" in texts


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 0}', "null"])
def test_a_damaged_results_json_does_not_hide_the_others(out, tmp_path, content):
    whole = storage.load_json(out / "numbers" / "results.json")
    storage.save_json(tmp_path / "numbers" / "results.json", whole)
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums" / "results.json").write_text(content)
    page = report.write(tmp_path).read_text("utf-8")
    assert "Means of random numbers" in page and "sums/results.json" in page


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("examples", [25, pytest.param(10_000, marks=pytest.mark.slow)])
def test_corrupted_results_and_cells(out, tmp_path_factory, examples):
    """Whatever is in a JSON file of ours: no error but the one that names it, nothing hidden."""
    folder = tmp_path_factory.mktemp("report")
    content = (out / "numbers" / "results.json").read_bytes()
    (folder / "numbers").mkdir()
    (folder / "numbers" / "results.json").write_bytes(content)
    (folder / "sums").mkdir()
    path = next((out / "numbers" / "cells").glob("*.json"))
    cell = path.read_bytes()

    @settings(max_examples=examples)
    @given(corrupted(content, head=len(content)))
    def reports(damaged):
        (folder / "sums" / "results.json").write_bytes(damaged)
        runs, unreadable = report.collect(folder)
        assert any(run.folder.name == "numbers" for run in runs) or len(runs) == 1
        assert all("sums/results.json" in line and "\n" not in line for line in unreadable)
        if examples < 1000:
            report.write(folder)

    @settings(max_examples=examples)
    @given(corrupted(cell))
    def cells(damaged):
        (folder / "cell.json").write_bytes(damaged)
        try:
            result = results.load(folder / "cell.json", None)
        except DataError as error:
            assert "cell.json" in str(error) and "\n" not in str(error)
        else:
            assert isinstance(result.values, dict) and result.seconds >= 0

    reports()
    cells()


def test_the_newer_of_two_equal_runs_counts(out, tmp_path):
    content = storage.load_json(out / "numbers" / "results.json")
    places = [".", "runs/smoke-no-data-numpy"]
    for newer, older in (places, places[::-1]):
        for place, date in ((newer, "2026-01-02"), (older, "2026-01-01")):
            dated = content | {"date": date}
            storage.save_json(tmp_path / "numbers" / place / "results.json", dated)
        (run,) = report.collect(tmp_path)[0]
        assert run["date"] == "2026-01-02"


def test_an_empty_folder_makes_an_empty_report(tmp_path):
    Page(report.write(tmp_path).read_text("utf-8"))


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (None, None, "–"),
        (1.15342, 0.0831, "1.153 ± 0.083"),
        (98.765, 1.5, "98.8 ± 1.5"),
        (1234.5, 56.0, "1234 ± 56"),
        (0.123456, None, "0.1235"),
        (0.5, 0.0, "0.5"),
        (60000.0, None, "60000"),
        (-0.25, None, "−0.25"),
        (1e-7, None, "1e−07"),
        (2.0, 3e-9, "2 ± 3e−09"),
    ],
)
def test_numbers_are_printed_with_the_digits_that_count(value, spread, text):
    assert tables.number(value, spread) == text


def test_signs_are_printed_where_they_matter():
    assert tables.number(0.25, 0.1, signed=True) == "+0.25 ± 0.10"
    assert tables.number(3.0, signed=True) == "+3"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.04, "0.0 s"), (9.96, "10.0 s"), (59.7, "1 min 00 s"), (3599, "59 min 59 s"),
     (3660, "1 h 01 min")],
)  # fmt: skip
def test_durations(seconds, text):
    assert tables.duration(seconds) == text


def test_long_tables_are_folded_after_their_first_measure():
    from cae_np.experiments.report import html as report_html

    sections = [(f"measure {i}", [[f"line {j}", "1"] for j in range(6)]) for i in range(4)]
    text = report_html._numbers(tables.Table(["", "ours"], sections))
    shown, folded = text.split("<details>")
    assert "measure 0" in shown and "measure 1" not in shown and "measure 3" in folded
    assert "<details>" not in report_html._numbers(tables.Table(["", "ours"], sections[:3]))
