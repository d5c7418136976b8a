"""Experiments that are made up, and faults that cells have on demand."""

import numpy as np
import pytest

from cae_np import data, experiments
from cae_np.data import Dataset, Split
from cae_np.experiments.frame import cells


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    """The made-up experiments, registered."""
    for name in ("numbers", "sums", "trained"):
        monkeypatch.setitem(experiments.MODULES, name, f"fake_experiments.{name}")


@pytest.fixture
def faults(monkeypatch, tmp_path):
    """A folder whose files make cells fail, and whose log names the cells that ran."""
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("FAKE_FAULTS", str(folder))
    return folder


@pytest.fixture
def digits(monkeypatch):
    """A data set of three images that stands in for mnist."""
    split = Split(np.zeros((3, 1, 2, 2), np.uint8), np.arange(3))
    dataset = Dataset("glyphs", "embedded", split, split, tuple("012"), 1)

    def load_or_stand_in(name, data_dir=None, download=False, **sizes):
        assert name == "mnist"
        return dataset, "mnist: using glyphs"

    monkeypatch.setattr(data, "load_or_stand_in", load_or_stand_in)
    cells.load_data.cache_clear()
    yield dataset
    cells.load_data.cache_clear()
