"""Whoever looks for the test of a module finds a file of its name, in the folder of its name."""

from pathlib import Path

import pytest

import cae_np

PACKAGE, TESTS = Path(cae_np.__file__).parent, Path(__file__).parent
ROOMS = ("storage", "ops", "ops/kernels", "gradcheck", "data", "training", "models", "plotting")
ELSEWHERE = {  # what is tried through that which uses it
    "data/fields": "data/test_drawn",
    "data/files": "data/test_dataset",
    "data/standardise": "data/test_preprocess",
    "gradcheck/probe": "gradcheck/test_check",
    "gradcheck/report": "gradcheck/test_check",
    "models/lbfgs": "models/test_linear",
    "models/sizes": "test_public_face",
    "ops/kernels/maps": "ops/test_encode",
    "ops/kernels/patches": "ops/test_sparse",
    "ops/reference": "spec/test_properties",
    "plotting/blackboard": "lectures/test_lectures",
    "plotting/style": "plotting/test_charts",
    "training/history": "models/test_estimator",
}


def modules(room):
    return [path for path in (PACKAGE / room).glob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_has_its_file_of_tests(room):
    for path in modules(room):
        name = f"{room}/{path.stem}"
        expected = f"{ELSEWHERE.get(name, f'{room}/test_{path.stem}')}.py"
        assert (TESTS / expected).exists(), f"cae_np/{name}.py has no tests/{expected}"


def test_exceptions_are_needed():
    for name in ELSEWHERE:
        room, _, stem = name.rpartition("/")
        assert (PACKAGE / f"{name}.py").exists() and not (TESTS / room / f"test_{stem}.py").exists()
