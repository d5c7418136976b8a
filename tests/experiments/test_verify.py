"""Networks that come trained: written from cells, loaded, verified, and refused where wrong."""

import json
import os
import shutil
import tomllib
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from data.norb_files import arrays, fill

from cae_np import backend, data, pretrained, storage
from cae_np.data import solids
from cae_np.data.preprocess import Preprocessing
from cae_np.errors import ConfigError, DataError
from cae_np.experiments import make_pretrained as make
from cae_np.experiments.frame import results
from cae_np.experiments.frame.experiment import Cell
from cae_np.experiments.verify import ALLOWED, verify
from cae_np.models.classifier import ImageClassifier, record_features
from cae_np.models.linear import LinearSVM
from cae_np.models.wta import WinnerTakeAll

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def norb_dir(tmp_path_factory):
    """Files of small NORB that hold solids, so that there is something to learn."""
    made = arrays(150, 32, 32)
    for i, part in enumerate(("train", "test")):
        split = solids.draw(150, 0, i)
        made[part, "dat"] = split.images
        made[part, "cat"] = split.labels.astype(np.int32)
        made[part, "info"][:, 0] = split.instances
    return fill(tmp_path_factory.mktemp("data") / "smallnorb", made)


@lru_cache
def trained_network(norb_dir, seed):
    """Weights, configuration, the number of wrong test images, and the data's checksum."""
    norb = data.load("norb", norb_dir)
    layer = WinnerTakeAll(1, 6, (7, 7), pool_width=6, pool_stride=4, seed=seed)
    preprocessing = Preprocessing().fit(norb.train.views())
    features = record_features(norb.train, [layer], preprocessing)
    readout = LinearSVM(features.shape[1], 5, penalty=0.3, scaling="feature")
    readout.fit(features, norb.train.labels, max_iterations=20)
    network = ImageClassifier([layer], readout, preprocessing)
    return *network.state(), network.count_errors(norb.test), norb.checksum


def write_cell(out, norb_dir, seed=0, preset="paper", off=0, experiment="makhzani2014-table3"):
    """A finished cell as table 3 leaves it; ``off`` falsifies its figure.  Returns its path."""
    weights, config, wrong, checksum = trained_network(norb_dir, seed)
    inputs = {"experiment": experiment, "preset": preset, "seed": seed, "data": checksum}
    path = out / experiment / "cells" / f"{seed}{preset}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"wrong": wrong + off, "network": config}
    results.save(path, Cell(experiment, 1, {}, seed), inputs, values, weights, 1.0)
    return path


def made(tmp_path, norb_dir, **cell):
    folder = tmp_path / "weights"
    write_cell(tmp_path / "out", norb_dir, **cell)
    assert (
        make.main([str(tmp_path / "out"), "--data-dir", str(norb_dir), "--into", str(folder)]) == 0
    )
    return folder


def test_from_a_cell_to_a_verified_figure(xp, tmp_path, norb_dir, capsys):
    (tmp_path / "out" / "makhzani2014-table3").mkdir(parents=True)
    storage.save_json(tmp_path / "out" / "makhzani2014-table3" / "results.json", {"rows": []})
    folder = made(tmp_path, norb_dir)
    assert "norb-6: float16" in capsys.readouterr().out
    assert pretrained.names(folder) == ["norb-6"]
    assert (folder / "makhzani2014-table3.results.json").exists()
    packed = storage.load_arrays(folder / "norb-6.npz")
    assert {array.dtype for array in packed.values()} == {np.dtype("float16")}

    trained = pretrained.load("norb-6", folder)
    assert (trained.data, trained.record["inputs"]["seed"]) == ("norb", 0)
    assert isinstance(trained.network.layers[0].params["w_enc"], xp.ndarray)
    norb = data.load("norb", norb_dir)
    assert trained.checksum == norb.checksum
    trained.network.prepare(norb.train)
    wrong = trained.network.count_errors(norb.test)
    assert abs(wrong - trained.wrong) <= ALLOWED and 0 < wrong < 100  # of 150: better than chance

    said = []
    assert verify(norb_dir, say=said.append, folder=folder)
    assert (
        f"{wrong:,} of 150 test images wrong" in said[0] and said[-1] == "1 of 1 figures verified"
    )


@pytest.mark.parametrize("off", [ALLOWED + 2, -ALLOWED - 2])
def test_a_false_figure_is_refused(tmp_path, norb_dir, off, capsys):
    path = write_cell(tmp_path / "out", norb_dir, off=off)
    arguments = [str(tmp_path / "out"), "--data-dir", str(norb_dir), "--into", str(tmp_path / "w")]
    assert make.main(arguments) == 2
    assert "wrong test images instead of" in capsys.readouterr().err and path.exists()
    assert not list(tmp_path.glob("w/*.npz"))

    folder = made(tmp_path / "right", norb_dir)  # and falsified afterwards
    whole = storage.load_json(folder / "norb-6.json")
    whole["cell"]["values"]["wrong"] += off
    storage.save_json(folder / "norb-6.json", whole)
    said = []
    assert not verify(norb_dir, say=said.append, folder=folder)
    assert "DOES NOT AGREE" in said[0] and said[-1] == "0 of 1 figures verified"


@pytest.mark.parametrize("part", ["layer 1/w_enc", "readout/w", "layer 1/b"])
def test_other_weights_are_noticed(tmp_path, norb_dir, part):
    folder = made(tmp_path, norb_dir)
    packed = storage.load_arrays(folder / "norb-6.npz")
    packed[part] = packed[part][::-1] if part != "layer 1/b" else packed[part] - 1
    storage.save_arrays(folder / "norb-6.npz", packed)
    assert not verify(norb_dir, say=lambda line: None, folder=folder)


def test_weights_that_are_no_numbers_are_not_taken(tmp_path, norb_dir):
    folder = made(tmp_path, norb_dir)
    whole = storage.load_arrays(folder / "norb-6.npz")
    for part, value in (("layer 1/w_enc", np.nan), ("readout/w", np.inf)):
        packed = {name: array.copy() for name, array in whole.items()}
        packed[part].flat[0] = value
        storage.save_arrays(folder / "norb-6.npz", packed)
        with pytest.raises(DataError, match=rf"norb-6.npz: .*'{part}'.* NaN or infinity"):
            pretrained.load("norb-6", folder)
    storage.save_arrays(folder / "norb-6.npz", whole)
    record = storage.load_json(folder / "norb-6.json")
    for value in (np.nan, np.inf):  # what every number of an array is multiplied by
        record["largest"]["layer 1/b"] = value
        (folder / "norb-6.json").write_text(json.dumps(record))
        with pytest.raises(DataError, match="norb-6.json"):
            pretrained.load("norb-6", folder)


def test_what_is_taken(tmp_path, norb_dir):
    out = tmp_path / "out"
    write_cell(out, norb_dir, preset="quick")
    write_cell(out, norb_dir, experiment="makhzani2014-fig1")
    with pytest.raises(ConfigError, match="no finished cell below .*table3 --preset paper"):
        make.shallow_networks(out)
    for seed in (3, 1, 2):
        first = write_cell(out, norb_dir, seed=seed)
        if seed == 1:
            expected = first
    [(path, record)] = make.shallow_networks(out)
    assert path == expected and record["inputs"]["seed"] == 1


def test_numbers_stay_in_single_precision_where_half_changes_the_figure(
    tmp_path, norb_dir, monkeypatch, capsys
):
    def pack(arrays, dtype):
        packed, largest = pretrained.pack(arrays, dtype)
        if dtype == "float16":
            packed["readout/w"] = packed["readout/w"][::-1]
        return packed, largest

    monkeypatch.setattr(make, "pack", pack)
    folder = made(tmp_path, norb_dir)
    assert "norb-6: float32" in capsys.readouterr().out
    assert verify(norb_dir, say=lambda line: None, folder=folder)


def test_other_data_than_the_cells(tmp_path, norb_dir, capsys):
    folder = made(tmp_path, norb_dir)
    other = fill(tmp_path / "other" / "smallnorb", arrays(150, 32, 32))
    out = str(tmp_path / "out")
    assert make.main([out, "--data-dir", str(other), "--into", str(tmp_path / "w")]) == 2
    assert "was computed on other data than those at hand" in capsys.readouterr().err
    said = []
    assert not verify(other, say=said.append, folder=folder)
    assert "has other records or pixels" in said[0]


def test_data_that_are_missing(tmp_path, norb_dir):
    folder = made(tmp_path, norb_dir)
    with pytest.raises(DataError, match="norb is not in .*--download"):
        verify(tmp_path / "nowhere", folder=folder)
    for kind in ("npz", "json"):  # one more, whose data are not there
        shutil.copy(folder / f"norb-6.{kind}", folder / f"mnist-6.{kind}")
    whole = storage.load_json(folder / "mnist-6.json")
    storage.save_json(folder / "mnist-6.json", whole | {"data": "mnist"})
    said = []
    assert not verify(norb_dir, say=said.append, folder=folder)  # not verified is not well
    assert said[0].startswith("mnist-6: not verified: mnist is not in")
    assert said[-1] == "1 of 2 figures verified"
    with pytest.raises(DataError, match="no trained network in"):
        verify(norb_dir, folder=tmp_path / "empty")


def test_damaged_and_unknown_networks(tmp_path, norb_dir):
    folder = made(tmp_path, norb_dir)
    with pytest.raises(ConfigError, match="trained network is called None; there are"):
        pretrained.load(None)
    with pytest.raises(ConfigError, match="'nobr-6'; did you mean norb-6?"):
        pretrained.load("nobr-6", folder)
    with pytest.raises(ConfigError, match="there are none"):
        pretrained.load("norb-6", tmp_path / "empty")
    whole = storage.load_json(folder / "norb-6.json")
    cell = whole["cell"]
    network = cell["values"]["network"]
    layer = network["layers"][0] | {"kernel": [7]}  # where two sides are expected
    values = cell["values"] | {"network": network | {"layers": [layer]}}
    one_sided, listed = {"cell": cell | {"values": values}}, {"largest": []}
    for change in ({"cell": {}}, {"largest": {}}, {"data": None, "cell": None}, one_sided, listed):
        storage.save_json(folder / "norb-6.json", whole | change)
        with pytest.raises(DataError, match="norb-6.npz and its JSON file do not belong together"):
            pretrained.load("norb-6", folder)
    (folder / "norb-6.npz").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="norb-6.npz cannot be read"):
        pretrained.load("norb-6", folder)


def test_packing_keeps_small_numbers():
    rng = np.random.default_rng(0)
    arrays = {"small": 1e-9 * rng.standard_normal((50, 50), np.float32), "zero": np.zeros(3)}
    again = pretrained.unpack(*pretrained.pack(arrays))
    np.testing.assert_allclose(again["small"], arrays["small"], atol=1e-12)
    assert again["zero"].tolist() == [0, 0, 0] and again["small"].dtype == np.float32


# --- on the command line ------------------------------------------------------------------------


def run(capsys, *arguments):
    from cae_np.experiments.main import main

    before = backend.active().name
    code = main(list(arguments))
    backend.use(before)
    return code, *capsys.readouterr()


def test_verify_on_the_command_line(tmp_path, norb_dir, monkeypatch, capsys):
    from cae_np.experiments import verify as module

    folder = made(tmp_path, norb_dir)
    monkeypatch.setattr(module.verify, "__defaults__", (None, False, print, folder))
    capsys.readouterr()
    code, out, _ = run(capsys, "verify", "--data-dir", str(norb_dir))
    assert code == 0 and "1 of 1 figures verified" in out
    whole = storage.load_json(folder / "norb-6.json")
    whole["cell"]["values"]["wrong"] += 20
    storage.save_json(folder / "norb-6.json", whole)
    code, out, err = run(capsys, "verify", "--data-dir", str(norb_dir))
    assert code == 1 and "DOES NOT AGREE" in out and err.count("\n") == 1
    code, _, err = run(capsys, "verify", "bench")
    assert code == 2 and "name it alone" in err
    code, _, err = run(capsys, "verify", "--data-dir", str(tmp_path / "nowhere"))
    assert code == 2 and "norb is not in" in err
    code, _, err = run(capsys, "verfiy")
    assert code == 2 and "did you mean verify?" in err
    code, out, _ = run(capsys, "--list")
    assert code == 0 and "verify" in out


# --- those of the package -----------------------------------------------------------------------


def test_the_packages_own_networks_are_whole_and_small():
    files = [p for p in pretrained.FOLDER.iterdir() if p.suffix in (".npz", ".json")]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = patterns["package-data"]["cae_np.pretrained"]
    for path in files:
        assert any(fnmatch(path.name, pattern) for pattern in patterns), path
    for name in pretrained.names():
        trained = pretrained.load(name)
        values, inputs = trained.record["values"], trained.record["inputs"]
        assert name == f"{trained.data}-{trained.network.layers[0].config['maps']}"
        assert inputs["preset"] == "paper" and len(trained.checksum) == 64
        assert trained.wrong == values["wrong"] > 0
        json.dumps(trained.record)


@pytest.mark.slow
@pytest.mark.skipif("CAE_DATA" not in os.environ, reason="needs the data sets in $CAE_DATA")
def test_the_packages_own_figures():
    if not pretrained.names():
        pytest.skip("no network is committed yet")
    assert verify()
