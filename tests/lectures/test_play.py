"""How the site leads to its live page, and the live page back to the lectures' exercises."""

import re

import pytest

from lectures.building import notebooks, play, site

PAGE = (play.PAGE / "index.html").read_text("utf-8")
SENTENCES = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", PAGE, flags=re.S)
EXERCISE = re.compile(r'href="\.\./(\w+)\.html#exercises">lecture (\d+), exercise ([\d.]+)</a>')
# What a reader can operate, and the heads of the sentences about it.
CONTROLS = {
    "draw rubber clear": "Drawing and rubber",
    "digits": "Take a digit",
    "pictures": "A picture",
    "network": "Network",
    "filters": "Filters",
    "n": "Winners a map",
    "copying reset": "Copying machine",
    "noise": "Noise",
    "maps free allOn": "Clicking maps",
    "features": "Pooled features",
    "classes": "Why does it say that?",
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What Sphinx is given."""
    folder = tmp_path_factory.mktemp("pages")
    site._collect(folder)
    return folder


def test_the_home_page_opens_with_the_picture_one_sentence_and_two_buttons(pages):
    before, table, _ = (pages / "index.md").read_text("utf-8").partition("\n| lecture |")
    opening = re.search(r"# .*?<div class='play'>(.*?)</div>(.*)", before, flags=re.S)
    picture, sentence, *buttons = opening[1].strip().split("\n\n")
    assert table and "play/picture.png" in picture and "href='play/index.html'" in picture
    assert sentence.count(".") == 1 and sentence.endswith(".")
    assert re.findall(r">(\w+)</a>", " ".join(buttons)) == ["Play", "Read"]


@pytest.mark.parametrize("lecture", [0, 1, 4, 5, 7, 9, 10])
def test_lectures_lead_to_the_live_page(pages, lecture):
    (path,) = pages.glob(f"{lecture:02d}_*.ipynb")
    assert "<a href='play/index.html'>" in path.read_text("utf-8")


def test_each_control_has_its_sentence_and_each_sentence_its_exercise():
    """The exercise is in that lecture, and sends the reader to the live page."""
    operated = {one for ids in CONTROLS for one in ids.split()}
    made = set(re.findall(r'<(?:select|input|button|canvas tabindex)[^>]*? id="(\w+)"', PAGE))
    made |= set(re.findall(r'<canvas id="(\w+)"[^>]*? tabindex="0"', PAGE))
    made |= set(re.findall(r'<(?:span|ol) id="(\w+)"[^>]*>\s*(?:<li>)?<button', PAGE))
    assert made == operated
    assert set(CONTROLS.values()) <= {head for head, _ in SENTENCES}
    for head, sentence in SENTENCES:
        for stem, lecture, number in EXERCISE.findall(sentence):
            text = (notebooks.LECTURES / f"{stem}.md").read_text("utf-8")
            exercise = re.search(
                rf"^\*\*{re.escape(number)} \(.*?(?=^\*\*|^## )", text, re.S | re.M
            )
            assert int(stem[:2]) == int(lecture) == int(number.split(".")[0]), head
            assert exercise and "live page](" in exercise[0], f"{head}: exercise {number}"
        assert EXERCISE.search(sentence), head


def test_figures_that_move_stand_where_their_comments_stood(pages):
    """And what makes them is loaded once, before the first of them, for they are made at once."""
    found = []
    for path in [*pages.glob("*.ipynb"), *pages.glob("*.md")]:
        text = path.read_text("utf-8")
        figures = re.findall(r"movingFigure\('(\w+)'\)", text)
        loaded = "<script src='_static/figures.js'></script>"
        assert text.count(loaded) == bool(figures), path
        assert not figures or text.index(loaded) < text.index("movingFigure")
        found += figures
    assert sorted(found) == ["flip", "im2col", "kink", "pooling"]
    assert (pages / "_static" / "figures.js").exists()
