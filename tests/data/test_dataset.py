"""Data sets as the experiments see them: where they are looked for, and how they are divided."""

import gzip
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from data.mnist_files import fill

from cae_np.data import Dataset, Split, load, load_or_stand_in, subset
from cae_np.data.dataset import hash_order
from cae_np.errors import ConfigError, DataError


def split(n=40, seed=0):
    rng = np.random.default_rng([5, seed, 0, 0, 2])
    return Split(rng.integers(0, 256, (n, 2, 3, 5), np.uint8), rng.integers(0, 10, n))


# --- splits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_are_intensities(dtype):
    records = split()
    records.images[3, 0, 0, :2] = 0, 255
    x = records.batch([3, 1, 3], dtype)
    assert x.dtype == dtype and x.shape == (3, 2, 3, 5)
    assert x[0, 0, 0, 0] == 0 and x[0, 0, 0, 1] == 1 and x.max() <= 1
    np.testing.assert_allclose(x, records.images[[3, 1, 3]] / 255, rtol=1e-6)
    x[:] = 7  # a copy
    assert records.images.max() <= 255 and records.batch(slice(2, 5)).shape[0] == 3
    assert len(records.batch()) == len(records) == 40


def test_splits_check_what_they_are_made_of():
    records = split()
    with pytest.raises(ValueError, match="expected uint8"):
        Split(records.images / 255, records.labels)
    with pytest.raises(ValueError, match=r"shape \(39,\); expected one for each of 40"):
        Split(records.images, records.labels[1:])
    with pytest.raises(ValueError, match="labels are float64; expected integers"):
        Split(records.images, records.labels + 0.0)  # whose hash would forget the fraction


def test_subsets_follow_content_and_seed():
    records = split(300)
    turned = records.take(np.random.default_rng([5, 0, 0, 0, 3]).permutation(300))
    a, b = subset(records, 50, seed=1), subset(turned, 50, seed=1)
    np.testing.assert_array_equal(a.images, b.images)
    np.testing.assert_array_equal(a.labels, b.labels)
    smaller, other = subset(records, 20, seed=1), subset(records, 50, seed=2)
    np.testing.assert_array_equal(smaller.images, a.images[:20])
    assert not np.array_equal(other.images, a.images)
    assert len({image.tobytes() for image in a.images}) == 50  # without replacement
    for n in (0, 301):
        with pytest.raises(ValueError, match="expected 1 to 300"):
            subset(records, n, seed=0)


def test_the_hash_sees_every_byte_and_the_label_and_spreads_them():
    # Images that differ in one pixel, or in the label alone, still fall anywhere.
    images = np.zeros((256, 1, 3, 3), np.uint8)
    for pixel in range(9):
        images[:] = 0
        images.reshape(256, 9)[:, pixel] = np.arange(256)
        order = hash_order(images, np.zeros(256, np.int64), "key")
        assert abs(np.corrcoef(order, np.arange(256))[0, 1]) < 0.25
    images[:] = 0
    order = hash_order(images, np.arange(256), "key")
    assert abs(np.corrcoef(order, np.arange(256))[0, 1]) < 0.25
    # Whether a record is chosen tells nothing about how bright it is.
    records = split(5000)
    chosen = subset(records, 1000, seed=0).images.mean((1, 2, 3))
    everything = records.images.mean((1, 2, 3))
    assert abs(chosen.mean() - everything.mean()) < 4 * everything.std() / np.sqrt(1000)
    # The order is part of every result: it must never change.
    images = np.arange(60, dtype=np.uint8).reshape(10, 1, 2, 3)
    assert hash_order(images, np.arange(10), "key").tolist() == EXPECTED_ORDER


EXPECTED_ORDER = [7, 6, 0, 4, 8, 2, 3, 1, 5, 9]


def test_views_are_images_of_their_own():
    pairs = split(4)
    pairs = Split(pairs.images, pairs.labels, np.arange(4) + 5)
    views = pairs.views()
    assert views.images.shape == (8, 1, 3, 5) and views.images.base is not None
    np.testing.assert_array_equal(views.images[5, 0], pairs.images[2, 1])
    assert views.labels.tolist() == pairs.labels.repeat(2).tolist()
    assert views.instances.tolist() == [5, 5, 6, 6, 7, 7, 8, 8]
    assert pairs.take([3, 0]).instances.tolist() == [8, 5]
    assert split(4).views().instances is None
    with pytest.raises(
        ValueError, match=r"instances have shape \(3,\); expected one for each of 4"
    ):
        Split(pairs.images, pairs.labels, np.arange(3))


def test_instances_are_held_out_in_turn():
    records = split(30)
    records = Split(records.images, records.labels, np.arange(30) % 3 * 4)
    data = Dataset("a", "embedded", records, split(), ("zero",), 10)
    assert data.folds == 3 and data.held_out()[1].instances.tolist() == [0] * 10
    for fold, instance in enumerate((0, 4, 8)):
        fit, validation = data.held_out(fold)
        np.testing.assert_array_equal(validation.images, records.images[fold::3])
        assert len(fit) == 20 and instance not in fit.instances
    for fold in (-1, 3):
        with pytest.raises(ValueError, match="expected 0 to 2"):
            data.held_out(fold)
    without = Dataset("a", "embedded", split(30), split(), ("zero",), 10)
    assert without.folds == 1 and without.checksum != data.checksum


def test_checksums_tell_data_apart():
    def data(name="a", train=None, test=None, validation=4):
        train, test = train or split(), test or split(seed=1)
        return Dataset(name, "embedded", train, test, ("zero",), validation)

    same = data().checksum
    assert same == data().checksum and len(same) == 64
    pixel = split()
    pixel.images[0, 0, 0, 0] ^= 1
    label = split(seed=1)
    label.labels[5] += 1
    others = [data("b"), data(train=pixel), data(test=label), data(validation=5)]
    assert len({same, *(other.checksum for other in others)}) == 5
    assert data().image_shape == (2, 3, 5)


def test_held_out_records_are_the_last():
    data = Dataset("a", "embedded", split(), split(), ("zero",), 7)
    fit, validation = data.held_out()
    np.testing.assert_array_equal(fit.labels, data.train.labels[:33])
    np.testing.assert_array_equal(validation.images, data.train.images[33:])
    assert validation.images.base is not None  # no copy


def test_labelled_records_are_validation_records_only_where_they_must():
    data = Dataset("a", "embedded", split(40), split(10), ("zero",), 10)
    validation = {image.tobytes() for image in data.held_out()[1].images}

    def drawn(n):
        return {image.tobytes() for image in data.labelled(n, seed=0).images}

    assert len(drawn(30)) == 30 and not drawn(30) & validation
    assert drawn(40) > validation
    np.testing.assert_array_equal(
        data.labelled(5, seed=1).images, subset(data.held_out()[0], 5, seed=1).images
    )


# --- where data are looked for ----------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and nobody has said where the data are."""
    import pooch

    monkeypatch.delenv("CAE_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "cae_np"


@pytest.mark.parametrize(
    "name, stand_in", [("mnist", "glyphs"), ("cifar10", "shapes"), ("norb", "solids")]
)
def test_embedded_data_stand_in(cache, name, stand_in):
    data, notice = load_or_stand_in(name, n_train=60, n_test=20)
    assert data.name == stand_in and data.source == "embedded" and len(data.train) == 60
    assert stand_in in notice and "--download" in notice and "\n" not in notice
    with pytest.raises(DataError, match=f"{name} is not in .*--download.*--data-dir"):
        load(name)
    again, notice = load_or_stand_in(stand_in, n_train=60, n_test=20)
    assert notice is None and again.checksum == data.checksum


def test_nothing_stands_in_where_the_user_said_where(cache, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"mnist is not in .*elsewhere \(--data-dir\)"):
        load_or_stand_in("mnist", tmp_path / "elsewhere")
    monkeypatch.setenv("CAE_DATA", str(tmp_path / "empty"))
    with pytest.raises(DataError, match=r"mnist is not in .*empty \(\$CAE_DATA\)"):
        load_or_stand_in("mnist")


def test_nothing_stands_in_for_bad_data(cache, official):
    fill(cache / "mnist")
    data, notice = load_or_stand_in("mnist", n_train=1)
    assert (data.name, data.source, notice) == ("mnist", "the user's cache", None)
    (cache / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"nonsense"))
    with pytest.raises(DataError, match="t10k-labels"):
        load_or_stand_in("mnist")


def test_the_order_of_the_search(cache, official, tmp_path, monkeypatch):
    fill(cache / "mnist")
    fill(tmp_path / "there" / "mnist")
    monkeypatch.setenv("CAE_DATA", str(tmp_path / "there"))
    assert load("mnist").source == "$CAE_DATA"
    assert load("mnist", tmp_path / "there").source == "--data-dir"
    monkeypatch.setenv("CAE_DATA", "")
    assert load("mnist").source == "the user's cache"


def test_download_goes_where_it_will_be_looked_for(cache, official, tmp_path, monkeypatch):
    from cae_np.data import sources

    def download(source, folder):
        fill(folder)

    monkeypatch.setattr(sources, "download", download)
    data, notice = load_or_stand_in("mnist", download=True)
    assert data.source == "the user's cache" and notice is None
    assert load("mnist", tmp_path / "there", download=True).source == "--data-dir"
    assert (tmp_path / "there" / "mnist").is_dir()


def test_unknown_names():
    with pytest.raises(ConfigError, match="unknown data set 'mnits'; choose one of mnist"):
        load("mnits")


def test_importing_costs_little():
    code = (
        "import sys, cae_np.data, cae_np.storage\n"
        "heavy = {'matplotlib', 'pooch', 'requests', 'scipy', 'cupy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_that_may_not_be_read_is_called_that(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read everything
    with pytest.raises(
        DataError, match=r"mnist is not in .* \(--data-dir\), which may not be read"
    ):
        load("mnist", tmp_path)
    with pytest.raises(DataError, match=r"\(--data-dir\), which does not exist; fetch it"):
        load("mnist", tmp_path / "nowhere")


def test_a_tilde_is_the_user_s_own_folder(tmp_path, monkeypatch):
    """Shells do not see it in ``--data-dir=~/x`` or in ``CAE_DATA="~/x"``."""
    from cae_np.experiments.frame.arguments import parse

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for missing in (lambda: load("mnist", "~/here"), lambda: load("mnist")):
        monkeypatch.setenv("CAE_DATA", "~/here")
        with pytest.raises(DataError, match=re.escape(str(tmp_path / "here"))):
            missing()
    options = parse(["--data-dir=~/here", "--out=~/out"])
    assert options.data_dir == str(tmp_path / "here") and options.out == str(tmp_path / "out")
