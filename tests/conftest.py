"""What every test shares: the array modules, implementations, and hypothesis's settings."""

import sys
from pathlib import Path

import hypothesis
import pytest

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from cae_np import backend  # noqa: E402
from cae_np.errors import BackendError  # noqa: E402

# The same cases on every machine with the same hypothesis; no time limit on shared machines.
# Fixtures may be per function: the array module is the same for all examples of a test.
hypothesis.settings.register_profile(
    "cae_np",
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("cae_np")


def pytest_addoption(parser):
    group = parser.getgroup("coursework", "checking a submission (tests/coursework)")
    group.addoption("--submission", metavar="FILE", help="a .py or .ipynb file; default: cae_np")
    group.addoption("--task", metavar="NAME", action="append", help="only this task; repeatable")
    group.addoption("--closed-book", action="store_true", help="refuse imported solutions")
    group.addoption(
        "--score-json", metavar="FILE", help="write the scores as Gradescope reads them"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Gradient checks on the stand-in are long runs: they ask for numbers, and its are NumPy's.

    What it is for, names and copies, other tests ask of the same functions.
    """
    for item in items:
        chosen = getattr(getattr(item, "callspec", None), "params", {})
        checks = "gradients" in item.name or "difference quotients" in str(chosen.get("prop"))
        if chosen.get("xp") == "strict" and checks:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["numpy", "strict", "cupy"])
def xp(request):
    """The array module that computes, active during the test: NumPy, the strict stand-in for
    CuPy, and CuPy itself where a device works."""
    if request.param == "strict":
        import strict_cupy

        strict_cupy.register_stand_in()
    before = backend.active().name
    try:
        module = backend.use(request.param)
    except BackendError as error:
        pytest.skip(str(error))
    yield module
    backend.use(before)


@pytest.fixture
def fresh(monkeypatch):
    """The registry with NumPy and the stand-in, nothing chosen yet, whatever ran before."""
    known = {name: backend._registered[name] for name in ("numpy", "strict")}
    monkeypatch.setattr(backend, "_registered", known)
    monkeypatch.setattr(backend, "_active", None)
    monkeypatch.delenv("CAE_BACKEND", raising=False)
    return monkeypatch


@pytest.fixture
def impl():
    """The functions under test, as attributes: the operations and models of this package."""
    from cae_np.coursework.mistakes import implementation

    return implementation()


@pytest.fixture(scope="module")
def embedded_data(tmp_path_factory):
    """Nobody has said where data are, so the embedded ones stand in, drawn once for a module."""
    import pooch

    from cae_np.experiments.frame import cells

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CAE_DATA", raising=False)
        empty = tmp_path_factory.mktemp("cache")
        patch.setattr(pooch, "os_cache", lambda project: empty / project)
        cells.load_data.cache_clear()
        yield
    cells.load_data.cache_clear()
