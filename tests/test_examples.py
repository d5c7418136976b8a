"""The examples in the docstrings run, and print what stands there."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import cae_np
from cae_np import backend

PUBLIC = [name for name in cae_np.__all__ if name != "__version__"]
PACKAGE = Path(cae_np.__file__).parent
WITH_EXAMPLES = sorted(
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py" and ">>> " in path.read_text("utf-8")
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder that they may write into; the array module comes back that was there."""
    monkeypatch.chdir(tmp_path)
    before = backend.active().name
    yield
    backend.use(before)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    assert ">>> " in (inspect.getdoc(getattr(cae_np, name)) or "")


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.ismodule(getattr(cae_np, n))])
def test_examples_of_rooms_run(name):
    run(getattr(cae_np, name))


# Those of scikit-learn feed rows of noise, of which little can be learned.
@pytest.mark.filterwarnings("ignore:.*the error on held-out images:UserWarning")
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_modules_run(name):
    if name == "cae_np.sklearn":
        pytest.importorskip("sklearn")
    run(importlib.import_module(name))


def run(module):
    said = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(module):
        runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)
    assert runner.tries > 0
