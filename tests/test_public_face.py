"""What ``import cae_np`` offers: each public name, loaded when it is first asked for."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import cae_np


@pytest.mark.parametrize("name", cae_np.__all__)
def test_every_public_name_is_there_under_its_own_name(name):
    value = getattr(cae_np, name)
    if name != "__version__":
        assert value.__name__.rpartition(".")[2] == name
        assert value.__doc__


def test_names_that_are_not_public_are_refused_and_the_public_ones_listed():
    assert set(cae_np.__all__) == set(dir(cae_np))
    with pytest.raises(AttributeError, match="'cae_np' has no attribute 'WinnerTakesAll'"):
        cae_np.WinnerTakesAll  # noqa: B018


def test_the_import_stays_light():
    code = "import sys, cae_np; print({'numpy', 'scipy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize("submodule_first", [False, True])
def test_a_name_stays_itself_whichever_is_loaded_first(submodule_first):
    """``cae_np.train`` is a function, though its module is called ``training``."""
    first = "import cae_np.training, cae_np.gradcheck, cae_np.backend; " if submodule_first else ""
    code = f"{first}import cae_np; print(all(callable(getattr(cae_np, n)) for n in cae_np._HOME))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize("kernel", [7, np.int64(7), (7, 7), [7, 7]])
def test_one_number_is_a_square_kernel(kernel):
    for model, name in ((cae_np.WinnerTakeAll, "w_enc"), (cae_np.ConvAutoEncoder, "w")):
        made = model(1, 3, kernel)
        assert made.config["kernel"] == [7, 7]
        assert made.params[name].shape == (3, 1, 7, 7)


@pytest.mark.parametrize("kernel", ["7", 7.5, (7,), (7, 5, 3), (0, 3), None, True, (3, 2.5)])
def test_what_is_no_kernel_is_refused_in_words(kernel):
    from cae_np.errors import ConfigError

    for model in (cae_np.WinnerTakeAll, cae_np.ConvAutoEncoder):
        with pytest.raises(ConfigError, match="kernel"):
            model(1, 3, kernel)


def test_an_array_of_images_trains_as_a_data_set_of_them_does():
    images = np.random.default_rng(0).random((20, 1, 8, 8), dtype=np.float32)
    plan = cae_np.Plan(epochs=2, batch_size=5, rate=0.01, optimizer="adam")
    losses = []
    for given in (images, cae_np.ImageArray(images)):
        history = cae_np.train(cae_np.WinnerTakeAll(1, 3, 3), given, plan, seed=0)
        losses.append([epoch["loss"] for epoch in history])
    assert losses[0] == losses[1] and losses[0][1] < losses[0][0]


def test_the_snippet_of_the_readme_runs_as_it_stands_and_learns():
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (snippet,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", readme, re.S)
        if "from cae_np import Plan" in block
    )
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)
    assert names["history"][-1]["loss"] < names["history"][0]["loss"] / 2
    assert names["features"].shape == (500, 16, 10, 10)


def test_what_the_package_declares_is_what_requirements_txt_brings():
    """One place to change a bound is another place to forget: both files agree, line by line."""
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["tests"]]
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    assert declared == [line for line in lines if line and not line.startswith("#")]
