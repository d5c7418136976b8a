"""A notebook without the clone: it installs the package from where it is told, or says how."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from lectures.building import notebooks, setup_cell

# The clone, or an installed package, is on the path of the tests: not of the notebook.
HIDING = """
import sys
from importlib.machinery import PathFinder

class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name == "cae_np":
            found = PathFinder.find_spec(name, [{site!r}])
            if found is None:
                raise ModuleNotFoundError("No module named 'cae_np'", name=name)
            return found

sys.meta_path.insert(0, Hiding())
"""


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """An empty folder; notebooks there see the package only where pip has put it."""
    site, folder = tmp_path / "site", tmp_path / "empty"
    site.mkdir(), folder.mkdir()
    (site / "sitecustomize.py").write_text(HIDING.format(site=str(site)))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PIP_TARGET", str(site))
    monkeypatch.setenv("PIP_NO_DEPS", "1")  # what it requires is there for the tests
    monkeypatch.setenv("CAE_LECTURES", "fast")
    for name in ("CAE_SOURCE", "CAE_DATA", "CAE_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    return folder


def run(notebook, folder):
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return [o.get("text", "") for cell in notebook.cells for o in cell.get("outputs", [])]


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_lectures_begin_with_the_folded_cell(source):
    cells = nbformat.read(source.with_suffix(".ipynb"), 4).cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert first.source == setup_cell.CELL and first.metadata == setup_cell.METADATA


def test_it_says_in_a_sentence_what_to_type(alone):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(setup_cell.CELL)])
    with pytest.raises(CellExecutionError, match="cae_np is not installed: type  %pip install"):
        run(notebook, alone)


@pytest.mark.slow
def test_it_installs_a_wheel_and_runs_without_warnings(alone, tmp_path, monkeypatch):
    """The tour, from top to bottom, in an empty folder."""
    pytest.importorskip("setuptools", minversion="77")
    ours = shutil.ignore_patterns("__pycache__", ".*", "build", "dist", "*.egg-info", "out")
    shutil.copytree(notebooks.ROOT, tmp_path / "clone", ignore=ours)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path]
    pip = [sys.executable, "-m", "pip", "wheel", *options, tmp_path / "clone"]
    subprocess.run(pip, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    monkeypatch.setenv("CAE_SOURCE", str(wheel))
    notebook = nbformat.read(notebooks.LECTURES / "00_tour.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell("import cae_np; print(cae_np.__file__)"))
    said = run(notebook, alone)
    assert str(tmp_path / "site" / "cae_np") in said[-1]
    assert not [text for text in said if "Warning" in text or "IProgress" in text]


def test_looking_for_data_warns_of_no_widgets():
    """tqdm's bars for notebooks, which pooch would use, warn where no widgets are installed."""
    cell = nbformat.v4.new_code_cell(
        "import sys; sys.modules['ipywidgets'] = None\n"
        "from cae_np.data import sources\n"
        "print(sources.pooch().__name__, 'tqdm.auto' in sys.modules)"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata = nbformat.from_dict({"cae_np": {}})
    notebooks.execute(notebook)  # raises where a cell warns
    assert "pooch True" in notebook.cells[0].outputs[0]["text"]
