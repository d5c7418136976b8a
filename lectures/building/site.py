"""The course as a web site: the notebooks as they are, rendered by Sphinx."""

import re
import shutil
import tempfile
from pathlib import Path

import nbformat

from . import api, play
from .notebooks import LECTURES, read_source, recipes, sources

WEB = Path(__file__).parent / "web"
OTHERS = ("NOTATION", "TEACHING", "AUTHORING", "LICENSE-TEXT")
HOME = """

<div class='play'>
<a href='play/index.html'><img src='play/picture.png' width='1080' height='300' alt='{alt}'></a>

Draw a digit, and in the same second see which units win, what is rebuilt from them, and what a
classifier says.

<a class='choice first' href='play/index.html'>Play</a>
<a class='choice' href='00_tour.html'>Read</a>
</div>

"""
FIGURE = re.compile(r"<!-- moving figure: ([a-z]\w*) -->")
LIVE = re.compile(r"\[([^\[\]\n]+)\]\((?:\.\./)?README\.md#the-live-page\)")
CONTENTS = """
```{{toctree}}
:hidden:
:maxdepth: 1
:caption: {caption}

{pages}
```
"""


def render(target):
    """Render the site.

    Parameters
    ----------
    target : Path
        A folder that takes the pages.

    Returns
    -------
    int
        0 where Sphinx had nothing to complain about.
    """
    from sphinx.cmd.build import main as sphinx

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        _collect(folder)
        options = ["--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
        status = sphinx([*options, str(folder), str(target)])
    for left_over in (".doctrees", ".buildinfo", "objects.inv"):
        path = Path(target) / left_over
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if status == 0:
        play.write(Path(target) / "play")
        # Hosts that run Jekyll would leave out folders named _static.
        (Path(target) / ".nojekyll").touch()
        print(Path(target) / "index.html")
    return status


def _collect(folder):
    """Copy what makes up the site into one folder."""
    lectures = [path.with_suffix(".ipynb") for path in sources()]
    others = [
        LECTURES / f"{name}.md" for name in ("NOTATION", "TEACHING", "AUTHORING", "LICENSE-TEXT")
    ]
    solutions = sorted((LECTURES / "solutions").glob("*.md"))
    lectures, others = ([p for p in paths if p.exists()] for paths in (lectures, others))
    (folder / "recipes").mkdir()
    for path in recipes():
        shutil.copy(path.with_suffix(".ipynb"), folder / "recipes")
    (folder / "solutions").mkdir()
    for path in lectures + others:
        text = _links_within(path.read_text("utf-8"))
        (folder / path.name).write_text(text, encoding="utf-8")
    for path in solutions:
        text = nbformat.writes(read_source(path))
        (folder / "solutions" / path.with_suffix(".ipynb").name).write_text(text, encoding="utf-8")
    (folder / "REFERENCE.md").write_text(api.page(), encoding="utf-8")
    index = _links_within((LECTURES / "README.md").read_text("utf-8"))
    index = index.replace("[solutions](solutions/)", "the last pages")
    reference = "a reference of every public name"
    index = index.replace(reference, f"[{reference}](REFERENCE.md)")
    index = index.replace("\n", HOME.format(alt=play.ALT), 1)
    for caption, pages in (
        ("Lectures", [path.stem for path in lectures]),
        ("The library", ["REFERENCE", *(f"recipes/{path.stem}" for path in recipes())]),
        ("Around them", [path.stem for path in others]),
        ("Solutions", [f"solutions/{path.stem}" for path in solutions]),
    ):
        index += CONTENTS.format(caption=caption, pages="\n".join(pages))
    (folder / "index.md").write_text(index, encoding="utf-8")
    (folder / "_static").mkdir()
    for name in ("course.css", "figures.js", "noto-sans-math.woff2", "noto-sans-math.LICENSE"):
        shutil.copy(WEB / name, folder / "_static")
    shutil.copy(WEB / "conf.py", folder)
    shutil.copy(Path(__file__).parent / "mathml.py", folder)


def _links_within(text):
    """The text as the site has it.

    Links to sources of lectures and solutions lead to their pages, those to the live page to it,
    and figures that move stand where their comments stood.  Single quotes: notebooks are JSON.
    """
    text = re.sub(r"\]\(((?:\.\./|solutions/)?(?:\d\d|appendix)_\w+)\.md\)", r"](\1.ipynb)", text)
    text = LIVE.sub(r"<a href='play/index.html'>\1</a>", text)
    text = FIGURE.sub(r"<script>movingFigure('\1')</script>", text)
    # The theme loads scripts at the end of a page, too late for a figure in the middle of it.
    load = "<script src='_static/figures.js'></script><script>movingFigure"
    return text.replace("<script>movingFigure", load, 1)
