"""The lectures: every one runs, says what its source says, and describes its pictures."""

import re
import resource
import subprocess
import sys
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

import cae_np
from cae_np import backend, lecture
from cae_np.coursework.tasks.catalogue import TASKS
from cae_np.plotting import blackboard as diagrams
from lectures import build
from lectures.building import api, compare, notebooks

SOURCES = notebooks.sources()
SOLUTIONS = sorted((notebooks.LECTURES / "solutions").glob("*.md"))
SECONDS = 15  # of processor time that a lecture may take in fast mode
by_name = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
by_recipe = pytest.mark.parametrize("source", notebooks.recipes(), ids=lambda path: path.stem)
by_solution = pytest.mark.parametrize("source", SOLUTIONS, ids=lambda path: path.stem)


def seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def printed(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def committed(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


# --- they run -------------------------------------------------------------------------------------


@by_name
def test_lectures_run(source, tmp_path):
    before = seconds_of_children()
    notebooks.execute(notebooks.read_source(source), fast=True, folder=notebooks.LECTURES)
    assert seconds_of_children() - before < SECONDS


@pytest.mark.slow
@by_name
def test_lectures_run_on_the_stand_in_for_a_gpu(source):
    notebook = notebooks.read_source(source)
    notebooks.execute(notebook, fast=True, backend="strict_cupy:strict")
    assert "stand-in for CuPy" in printed(notebook)


@pytest.mark.slow
@by_recipe
def test_recipes_run(source, tmp_path):
    needed = {"scikit_learn": "sklearn", "pytorch": "torch"}.get(source.stem, "cae_np")
    pytest.importorskip(needed)
    notebook = notebooks.execute(notebooks.read_source(source), folder=tmp_path)
    said = printed(notebook)
    assert {
        "own_images": "test images are right",
        "scikit_learn": "features: ",
        "pytorch": "largest difference: ",
        "own_layer": "x: FAILED",
        "cluster": "the same bits as without interruption: True",
    }[source.stem] in said


@by_recipe
def test_recipes_are_built_from_their_sources(source):
    built = committed(source)
    assert compare.source_differences(notebooks.read_source(source), built) == []
    assert all(cell.get("outputs") or "import" in cell.source for cell in built.cells
               if cell.cell_type == "code")  # fmt: skip
    assert all(alt for _, _, alt in notebooks.pictures(built))


@by_solution
def test_solutions_are_right(source, monkeypatch, capsys):
    """Plain Python, so without a kernel: that saves seconds for each."""
    monkeypatch.setenv("CAE_LECTURES", "fast")
    monkeypatch.delenv("CAE_DATA", raising=False)
    cells = [c.source for c in notebooks.read_source(source).cells if c.cell_type == "code"]
    names = {"__name__": "solutions"}
    before = backend.active().name
    with np.printoptions():  # a lecture changes them
        for number, cell in enumerate(cells):
            exec(compile(cell, f"{source.name}, cell {number}", "exec"), names)
    backend.use(before)
    text = capsys.readouterr().out
    points = re.findall(r"([\d.]+) of ([\d.]+) points", text)
    assert all(earned == possible for earned, possible in points), text
    assert "Not yet" not in text and "Not answered" not in text, text
    checks = sum(len(re.findall(r"^\s*check\(", cell, re.M)) for cell in cells)
    answers = sum(len(re.findall(r"^\s*compare\(", cell, re.M)) for cell in cells)
    assert len(points) >= checks and text.count("Right.") >= answers


# --- what is committed ----------------------------------------------------------------------------


@by_name
def test_notebooks_have_the_cells_of_their_sources(source):
    assert compare.source_differences(notebooks.read_source(source), committed(source)) == []


@by_name
def test_notebooks_are_complete(source):
    notebook = committed(source)
    record = notebook.metadata["cae_np"]
    assert record["source"] == source.name
    assert re.fullmatch(r"[0-9a-f]{7,12}", record["commit"]), "built with changes not committed"
    assert source.with_suffix(".ipynb").stat().st_size < notebooks.LARGEST
    assert not re.search(r"(/work|/home|/root|/tmp|/usr|[A-Z]:\\\\)", printed(notebook))
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@by_name
def test_pictures_are_described(source):
    assert pictures_without_words(committed(source)) == []


def pictures_without_words(notebook):
    return [number for number, _, alt in notebooks.pictures(notebook) if len(alt) < 20]


@by_name
def test_lectures_have_all_their_parts(source):
    text = source.read_text("utf-8")
    for part in ("You will do", "You will learn", "You need", "Time"):
        assert f"**{part}" in text
    if not source.name.startswith("appendix"):
        for heading in ("## Exercises", "## Summary", "## References"):
            assert heading in text
    assert "```{" not in text.replace("```{code-cell}", ""), "plain Markdown only"


def test_every_task_is_an_exercise_of_the_lecture_that_the_map_names():
    rows = (notebooks.LECTURES / "exercises" / "README.md").read_text("utf-8").splitlines()
    rows = [row for row in rows if row.startswith("| [")]
    mapped = {}
    for row in rows:
        lectures, functions = row.strip("| ").split(" | ")
        texts = [
            (notebooks.LECTURES / f"{name}.md").read_text("utf-8")
            for name in re.findall(r"\.\./(\w+)\.md", lectures)
        ]
        for name in re.findall(r"`(\w+)`", functions):
            mapped[name] = any(f'check("{name}", {name})' in text for text in texts)
    assert mapped == {task.name: True for task in TASKS}


@by_name
def test_five_questions_have_folded_answers_one_a_misconception(source):
    text = source.read_text("utf-8").partition("## Five questions")[2].partition("## Summary")[0]
    questions = re.findall(
        r"\*\*(\d)\.\*\* [^<]+\n\n<details><summary>Answer</summary>\n\n([^<]+)\n\n</details>", text
    )
    assert [number for number, _ in questions] == list("12345")
    assert sum("common mistake" in answer for _, answer in questions) == 1


@by_name
def test_predictions_stand_before_their_outcome(source):
    """Each is made once, told once, and told after it was made."""
    steps = re.findall(r"guess = predict\(\"…\"\)|guess\.came_out\(", source.read_text("utf-8"))
    assert steps and steps[::2] == ['guess = predict("…")'] * (len(steps) // 2)
    assert set(steps[1::2]) == {"guess.came_out("}


@pytest.mark.parametrize(("guess", "shown"), [("9 times", "9 times"), (..., "…"), (9, "9")])
def test_a_prediction_stands_beside_the_outcome(guess, shown, capsys):
    lecture.predict(guess).came_out("36.2 times")
    said = capsys.readouterr().out.splitlines()
    assert said == [f"You predicted:  {shown}", "It came out:    36.2 times"]


def test_every_lecture_leads_to_the_symbols():
    for source in notebooks.sources():
        assert "[notation](NOTATION.md)" in source.read_text("utf-8"), source.name


@by_name
def test_lectures_are_on_the_front_page(source):
    front = (notebooks.LECTURES / "README.md").read_text("utf-8")
    assert f"]({source.stem}.ipynb)" in front


# --- the tools themselves -------------------------------------------------------------------------


def notebook_of(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def test_a_picture_without_words_is_found(tmp_path):
    draw = (
        "from matplotlib.figure import Figure\nfrom cae_np.lecture import show\n"
        "figure = Figure((1, 1))\nshow(figure, alt='A white square with nothing on it.')"
    )
    notebook = notebook_of(draw, "from IPython.display import Image, display\n"
                                 "from cae_np import plotting\n"
                                 "display(Image(plotting.png(figure)))")  # fmt: skip
    notebook.metadata["cae_np"] = {}
    notebooks.execute(notebook, fast=True, folder=tmp_path)
    assert pictures_without_words(notebook) == [1]
    with pytest.raises(ValueError, match="kB|bytes"):
        notebook.cells[0].outputs[0].data["image/png"] = "A" * 700_001
        notebooks.write(notebook, tmp_path / "large.ipynb")


def test_a_formula_is_separated_from_its_number():
    pytest.importorskip("latex2mathml")
    from lectures.building.mathml import mathml, split_tag

    assert split_tag(r"E = x^2 \tag{3}") == ("E = x^2 ", "3")
    assert split_tag("E = x^2") == ("E = x^2", "")
    assert "msup" not in mathml("W' h") and "msup" in mathml("W^2")


def test_formulas_of_several_lines_become_tables():
    pytest.importorskip("latex2mathml")
    from lectures.building.mathml import mathml

    formula = mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", display="block")
    assert formula.count("<mtr>") == 2 and "&<" not in formula
    with pytest.raises(ValueError, match="would show its LaTeX"):
        mathml("a & b")


def test_the_citation_names_this_version():
    text = (notebooks.ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.*)$", text, re.M)[1] == cae_np.__version__


@pytest.mark.parametrize(
    ("mine", "right", "answer"),
    [
        (..., 3, "Not answered"),
        (None, 3, "Not answered"),
        (3, np.int64(3), "Right"),
        ([[1, 2]], np.array([[1.0, 2.0]]), "Right"),
        ("full", "full", "Right"),
        (4, 3, "Not yet"),
        ([1, 2], np.array([[1.0, 2.0]]), "Not yet"),
        ([1, [2]], np.array([1.0, 2.0]), "Not yet"),
        ("three", 3, "Not yet"),
    ],
)
def test_answers_are_compared(mine, right, answer, capsys):
    lecture.compare(mine, right)
    assert capsys.readouterr().out.startswith(answer)


def test_pictures_want_words():
    with pytest.raises(ValueError, match="describes no picture"):
        lecture.show(diagrams.blackboard(diagrams.Grid([[1]])), alt="a picture")


def test_a_blackboard_shows_its_numbers_and_signs():
    grid = diagrams.Grid([[1, -2.5]], "x", tints=[[0, 1]], boxes=((0, 0, 1, 2, 1),))
    drawn = {text.get_text() for text in diagrams.blackboard(grid, "=", grid).axes[0].texts}
    assert drawn == {"1", "−2.5", "x", "="}


def test_patches_are_tinted_by_their_number():
    tints = diagrams.patch_tints((2, 3), 2, 2, [(0, 0), (0, 1)])
    assert tints.tolist() == [[1, 2, 2], [1, 2, 2]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["12_nothing"], "no lecture '12_nothing'; there are 00_tour"),
        (["--data-dir", "nowhere"], "--data-dir nowhere: there is no such folder"),
        (["--site", __file__], f"--site {__file__}: File exists; choose another folder"),
    ],
)
def test_mistakes_in_the_call_get_one_line(arguments, sentence, capsys):
    assert build.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_a_cell_that_fails_is_reported_and_nothing_written(tmp_path, monkeypatch, capsys):
    source = tmp_path / "00_broken.md"
    source.write_text("# Broken\n\n```{code-cell} ipython3\n1 / 0\n```\n", encoding="utf-8")
    monkeypatch.setattr(notebooks, "sources", lambda: [source])
    monkeypatch.setattr(notebooks, "LECTURES", tmp_path)
    assert build.main(["00_broken", "--fast"]) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError" in error and "\x1b" not in error
    assert not source.with_suffix(".ipynb").exists()
    assert build.main(["00_broken", "--fast", "--check"]) == 1
    assert "has not been built" in capsys.readouterr().out


def test_a_notebook_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    source = tmp_path / "00_fine.md"
    source.write_text("# Fine\n\n```{code-cell} ipython3\n1\n```\n", encoding="utf-8")
    source.with_suffix(".ipynb").mkdir()
    monkeypatch.setattr(notebooks, "sources", lambda: [source])
    monkeypatch.setattr(notebooks, "LECTURES", tmp_path)
    assert build.main(["00_fine", "--fast"]) == 1
    error = capsys.readouterr().err
    assert "00_fine.md: cannot be written (" in error and error.count("\n") == 1


def test_warnings_end_a_build(tmp_path):
    notebook = notebook_of("import warnings\nwarnings.warn('no good')")
    notebook.metadata["cae_np"] = {}
    with pytest.raises(RuntimeError, match="no good"):
        notebooks.execute(notebook, fast=True, folder=tmp_path)


def test_prose_is_taken_over_without_running_anything():
    def lecture(prose, code):
        source = notebook_of(code)
        source.cells.insert(0, nbformat.v4.new_markdown_cell(prose))
        return source

    built = lecture("Old.", "a = 1")
    built.cells[1].outputs = [nbformat.v4.new_output("stream", text="kept")]
    changed = notebooks.with_text(built, lecture("New.", "a = 1"))
    assert changed.cells[0].source == "New." and changed.cells[1].outputs[0].text == "kept"
    with pytest.raises(ValueError, match="built anew"):
        notebooks.with_text(built, lecture("New.", "a = 2"))


def test_changed_cells_are_found():
    source = notebook_of("a = 1", "b = 2")
    assert compare.source_differences(source, notebook_of("a = 1", "b = 2\n")) == []
    assert "cell 1" in compare.source_differences(source, notebook_of("a = 1", "b = 3"))[0]
    assert "2 cells" in compare.source_differences(source, notebook_of("a = 1"))[0]


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("plain: 0.50 % of it", "plain: 0.50 % of it", False),
        ("plain: 0.50 % of it", "plain: 0.51 % of it", False),  # one unit of the last digit
        ("plain: 0.50 % of it", "plain: 0.53 % of it", True),
        ("loss 1,234.5", "loss 1,240.1", False),  # half a per cent
        ("loss 1,234.5", "loss 1,334.5", True),
        ("4 maps", "5 maps", True),
        ("error 2.1e-10", "error -2.1e-10", True),
        ("the pooled one", "the plain one", True),
        ("conv2d: 3", "conv3d: 3", True),
    ],
)
def test_other_numbers_are_found(before, after, differs):
    assert bool(compare.text_difference(before, after)) is differs


def test_tables_are_compared():
    def shown(table):
        notebook = notebook_of("display(Markdown(table))")
        data = {"text/plain": "<Markdown object>", "text/markdown": table}
        notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]
        return notebook

    before = shown("| claim | holds |\n| a − b | +0.410 |")
    assert compare.output_differences(before, shown("| claim | holds |\n| a − b | +0.411 |")) == []
    assert compare.output_differences(before, shown("| claim | holds |\n| a − b | +0.510 |")) != []


def test_what_the_build_says_of_itself_is_not_compared():
    def built(text, **metadata):
        notebook = notebook_of("begin()")
        output = nbformat.v4.new_output("display_data", {"text/plain": text}, metadata=metadata)
        notebook.cells[0].outputs = [output]
        return notebook

    say = {"cae_np": {"commit": "1234567"}}
    assert compare.output_differences(built("commit 1", **say), built("commit 2", **say)) == []
    assert compare.output_differences(built("loss 1"), built("loss 2")) != []


# --- the web site ---------------------------------------------------------------------------------


def test_every_public_name_is_in_the_reference():
    described = {name for names in api.PARTS.values() for name in names}
    rooms = {name for name in described if name.partition(".")[0] in cae_np._MODULES}
    assert set(cae_np._HOME) <= described
    assert set(cae_np._MODULES) <= {name.partition(".")[0] for name in rooms}


@pytest.mark.slow
def test_the_site_needs_no_network_and_has_no_dead_links(tmp_path):
    """What a page loads and links to lies beside it; formulas are MathML, pictures described."""
    pytest.importorskip("furo")
    command = [sys.executable, notebooks.LECTURES / "build.py", "--site", tmp_path]
    subprocess.run(command, check=True)
    pages = sorted(tmp_path.rglob("*.html"))
    assert {"index.html", "search.html", *(f"{s.stem}.html" for s in SOURCES)} <= {
        str(page.relative_to(tmp_path)) for page in pages
    }
    reference = (tmp_path / "REFERENCE.html").read_text("utf-8")
    for names in api.PARTS.values():
        assert all(f'id="cae_np.{name}"' in reference for name in names)
    for page in pages:
        text = page.read_text("utf-8")
        loaded = re.findall(r"<(?:link|script|img)\b[^>]*?\s(?:href|src)=\"([^\"#?]+)", text)
        linked = re.findall(r"<a\b[^>]*?\shref=\"([^\"#?]+)", text)
        assert not [address for address in loaded if "//" in address], page
        for address in loaded + [a for a in linked if ":" not in a]:
            assert (page.parent / unquote(address)).exists(), f"{page.name}: {address}"
        for address, anchor in re.findall(r"<a\b[^>]*?\shref=\"([^\"#?:]*)#([^\"]+)\"", text):
            target = page.parent / unquote(address) if address else page
            assert f'id="{unquote(anchor)}"' in target.read_text("utf-8"), f"{page}: #{anchor}"
        assert not re.search(r"<m[a-z]+>(&|&amp;)</m", text), f"{page}: raw LaTeX in a formula"
        prose = re.sub(r"<(pre|code|script)\b.*?</\1>", "", text, flags=re.S)
        assert not re.search(r"\\(frac|sum|tilde|sigma|partial|tag)\b|\\_|\$\$", prose), page
        assert all(re.findall(r"<img\b[^>]*?\salt=\"([^\"]*)\"", text)), page
