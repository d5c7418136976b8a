"""The course as a web site: the notebooks as they are, rendered by Sphinx."""

import re
import shutil
import tempfile
from pathlib import Path

from .notebooks import LECTURES, sources

WEB = Path(__file__).parent / "web"
INDEX = """# Convolutional auto-encoders by hand

A reader who knows Python and a little calculus goes from nine pixels worked with a pencil to
reproducing two papers. Every convolution, every pooling mask and every gradient is derived, written
out and checked.

```{{toctree}}
:maxdepth: 1
:caption: Lectures

{lectures}
```

```{{toctree}}
:maxdepth: 1
:caption: Around them

{others}
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
    print(f"{target / 'index.html'}")
    return status


def _collect(folder):
    """Copy what makes up the site into one folder."""
    lectures = [path.with_suffix(".ipynb") for path in sources()]
    others = [LECTURES / "TEACHING.md", LECTURES / "AUTHORING.md"]
    solutions = sorted((LECTURES / "solutions").glob("*.md"))
    lectures, others = ([p for p in paths if p.exists()] for paths in (lectures, others))
    (folder / "solutions").mkdir()
    for path in lectures:
        shutil.copy(path, folder / path.name)
    for path in others + solutions:
        copy = folder / path.relative_to(LECTURES)
        copy.write_text(_links_within(path.read_text("utf-8")), encoding="utf-8")
    listed = [path.stem for path in others] + [f"solutions/{path.stem}" for path in solutions]
    index = INDEX.format(
        lectures="\n".join(path.stem for path in lectures), others="\n".join(listed)
    )
    (folder / "index.md").write_text(index, encoding="utf-8")
    (folder / "_static").mkdir()
    shutil.copy(WEB / "course.css", folder / "_static")
    shutil.copy(WEB / "conf.py", folder)
    shutil.copy(Path(__file__).parent / "mathml.py", folder)


def _links_within(text):
    """The text, with links to sources of lectures leading to their pages."""
    return re.sub(r"\]\((\.\./)?(\d\d_\w+)\.md\)", r"](\1\2.ipynb)", text)
