"""The source archive and the wheel: built, and each tried in an empty folder far from the clone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KIB = 1024

pytestmark = pytest.mark.slow


def run(*command, cwd, **environment):
    """What it printed; the test fails with what it said where it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The two files, built from a copy of what the clone holds: the wheel from the archive."""
    pytest.importorskip("build", reason="pip install build 'setuptools>=77'")
    folder = tmp_path_factory.mktemp("built")
    ours = shutil.ignore_patterns("__pycache__", ".*", "build", "dist", "*.egg-info", "out")
    shutil.copytree(ROOT, folder / "clone", ignore=ours)
    module = (sys.executable, "-m", "build", "--no-isolation", "--outdir", "../dist")
    run(*module, cwd=folder / "clone")
    (wheel,), (archive,) = (folder.glob(f"dist/*{end}") for end in (".whl", ".tar.gz"))
    return {"wheel": wheel, "archive": archive}


def test_they_hold_the_package_and_nothing_else(built):
    names = zipfile.ZipFile(built["wheel"]).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert all(top.startswith("cae_np") for top in tops)
    expected = [p.relative_to(ROOT).as_posix() for p in (ROOT / "cae_np").rglob("*.py")]
    expected += [p.relative_to(ROOT).as_posix() for p in (ROOT / "cae_np/pretrained").glob("*.npz")]
    assert set(expected) <= set(names)
    archived = tarfile.open(built["archive"]).getnames()
    inside = {name.partition("/")[2] for name in archived}
    assert set(expected) <= inside and {"LICENSE", "README.md", "pyproject.toml"} <= inside
    assert not any(name.startswith(("tests/", "lectures/")) for name in inside)
    assert all(built[kind].stat().st_size < 3000 * KIB for kind in built)


@pytest.fixture(scope="module", params=["wheel", "archive"])
def installed(request, built, tmp_path_factory):
    """The package installed into a folder of its own; its requirements are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--target", "site")
    run(sys.executable, "-m", "pip", "install", *options, built[request.param], cwd=folder)
    return folder / "site"


@pytest.fixture
def elsewhere(installed, tmp_path):
    """Runs Python, or a program of the package, in an empty folder."""

    def call(*arguments, program=sys.executable):
        return run(program, *arguments, cwd=tmp_path, PYTHONPATH=str(installed), CAE_DATA="")

    return call


def test_the_library(elsewhere, installed):
    code = (
        "import cae_np; print(cae_np.__file__); "
        "network = cae_np.pretrained.load('mnist-16').network; "
        "digits = cae_np.data.load('glyphs', n_train=2, n_test=5).test; "
        "print(network.predict(digits).shape)"
    )
    where, shape = elsewhere("-c", code).splitlines()
    assert Path(where).parent == installed / "cae_np" and shape == "(5,)"


def test_the_program(elsewhere, installed, tmp_path):
    script = installed / "bin" / "cae-np"
    assert "masci2011-fig1" in elsewhere("--list", program=script)
    assert elsewhere("-m", "cae_np", "--list") == elsewhere("--list", program=script)
    out = elsewhere("masci2011-fig1", "--preset", "smoke", program=script)
    assert "report.html" in out and (tmp_path / "out" / "masci2011-fig1" / "results.json").exists()
    assert "cae-np masci2011-fig1 --preset smoke" in (tmp_path / "out/report.md").read_text()


def test_the_coursework(elsewhere, tmp_path):
    elsewhere("-m", "cae_np.coursework", "stubs", "exercises")
    solution = "from cae_np.ops import correlate_valid\n"
    (tmp_path / "solution.py").write_text(solution)
    out = elsewhere("-m", "cae_np.coursework", "grade", "solution.py", "--task", "correlate_valid")
    assert "correlate_valid" in out
