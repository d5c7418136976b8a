"""Small NORB's reader: binary matrices, right, wrong and hostile, and its pixels reduced."""

import gzip
import os
import tracemalloc

import numpy as np
import pytest
from corrupt import corrupted
from data.norb_files import MAGIC, NAMES, SMALL, arrays, contents, fill, matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from cae_np.data import load, load_or_stand_in, norb, sources
from cae_np.errors import DataError


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reads_pairs_labels_and_instances(tmp_path, pack):
    made = arrays(10, 32, 32)
    fill(tmp_path / "smallnorb", made, pack)
    for data_dir in (tmp_path, tmp_path / "smallnorb"):
        data, note = load_or_stand_in("norb", data_dir)
        np.testing.assert_array_equal(data.train.images, made["train", "dat"])
        np.testing.assert_array_equal(data.test.images, made["test", "dat"])
        assert data.train.labels.tolist() == [0, 1, 2, 3, 4] * 2
        assert data.train.labels.dtype == np.int64
        assert data.test.instances.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 5, 5]
        assert (data.validation, data.folds, data.image_shape) == (2, 5, (2, 32, 32))
        # Whoever gets images that somebody else made smaller is told so.
        assert note == data.note and "32×32" in note and "JPEG" in note and "\n" not in note


def test_views_of_96_pixels_are_cut_and_averaged_by_two(tmp_path):
    made = arrays(3, 96, 96)
    data = load("norb", fill(tmp_path, made))
    inner = made["train", "dat"][:, :, 16:80, 16:80].astype(float)
    means = inner.reshape(3, 2, 32, 2, 32, 2).mean(axis=(3, 5))
    np.testing.assert_array_equal(data.train.images, np.round(means).astype(np.uint8))
    assert data.note is None


@pytest.mark.parametrize("blocks", [1, 3])
def test_views_are_reduced_in_blocks(tmp_path, monkeypatch, blocks):
    expected = load("norb", fill(tmp_path)).train.images
    monkeypatch.setattr(norb, "BLOCK", blocks * 2 * 12 * 12)
    np.testing.assert_array_equal(load("norb", tmp_path).train.images, expected)


@given(st.integers(1, 150), st.integers(1, 150), st.integers(0, 255))
def test_any_size_is_reduced_to_32(height, width, value):
    flat = np.full((1, 2, height, width), value, np.uint8)
    reduced = norb.reduce_views(flat)
    assert reduced.shape == (1, 2, 32, 32) and np.ptp(reduced) == 0 and reduced.flat[0] == value
    # A ramp stays one, with the middle where it was.
    ramp = np.linspace(0, 255, width)[None, None, None].repeat(height, axis=2).round()
    middle = norb.reduce_views(ramp.astype(np.uint8))[0, 0, 0].astype(float)
    assert (np.diff(middle) >= 0).all() and abs(middle.mean() - ramp.mean()) < 2


def test_the_inner_two_thirds_are_kept():
    weights = norb._averaging(48)
    assert (weights.sum(axis=0) > 0).nonzero()[0].tolist() == list(range(8, 40))
    np.testing.assert_allclose(weights[:, 8:40], np.eye(32), atol=1e-12)


WRONG = {
    "magic": (lambda c: b"\x51" + c[1:], "begins with bytes 51 4c 3d 1e"),
    "dimensions": (lambda c: c[:4] + b"\x05" + c[5:], "begins with bytes .* 05 00 00 00"),
    "nothing": (lambda c: b"", r"begins with bytes \(none\)"),
    "header": (lambda c: c[:15], "ends within its header"),
    "short": (lambda c: c[:-1], r"is damaged: its header describes|holds fewer bytes"),
    "long": (lambda c: c + b"\0", "is damaged: it holds more bytes than its header"),
}


@pytest.mark.parametrize("key", SMALL, ids="_".join)
@pytest.mark.parametrize("change, message", WRONG.values(), ids=WRONG)
def test_wrong_files(tmp_path, key, change, message):
    wrong = change(contents(SMALL)[key])
    for pack in (bytes, gzip.compress):
        folder = fill(tmp_path / pack.__name__, pack=pack, **{"_".join(key): wrong})
        with pytest.raises(DataError, match=f"{NAMES[key]}.*({message}).*--download"):
            load("norb", folder)


def test_files_that_do_not_belong_together(tmp_path):
    other = contents(arrays(9))
    for kind, message in (("dat", r"shape \(9, 2, 12, 12\); expected \(10, 2, any, any\)"),
                          ("info", r"shape \(9, 4\); expected \(10, 4\)")):  # fmt: skip
        folder = fill(tmp_path / kind, **{f"train_{kind}": other["train", kind]})
        with pytest.raises(DataError, match=message):
            load("norb", folder)
    one_view = matrix(SMALL["train", "dat"][:, :1], MAGIC["dat"])
    with pytest.raises(DataError, match=r"shape \(10, 1, 12, 12\)"):
        load("norb", fill(tmp_path / "mono", train_dat=one_view))


def test_wrong_numbers_and_missing_files(tmp_path):
    bad = np.array([0, 1, 5] + [0] * 7, np.int32)
    with pytest.raises(
        DataError, match="training-cat.mat holds categories 0 to 5; expected 0 to 4"
    ):
        load("norb", fill(tmp_path / "a", train_cat=matrix(bad, MAGIC["cat"])))
    unknown = np.full((10, 4), -1, np.int32)
    with pytest.raises(DataError, match="training-info.mat holds an instance -1; expected 0"):
        load("norb", fill(tmp_path / "b", train_info=matrix(unknown, MAGIC["info"])))
    for part, kind in SMALL:
        folder = fill(tmp_path / f"{part} {kind}", **{f"{part}_{kind}": None})
        with pytest.raises(DataError, match=f"{NAMES[part, kind]}.gz is missing.*--download"):
            load("norb", folder)


def test_nothing_is_allocated_for_a_false_header(tmp_path):
    def header(magic, *shape):
        return np.array([magic, len(shape), *shape], "<u4").tobytes()

    claims = {
        "train_cat": header(MAGIC["cat"], 2**31, 1, 1)[:4] + b"\1\0\0\0" + b"\xff\xff\xff\x7f" * 3,
        "train_info": header(MAGIC["info"], 10, 2**31),
        "train_dat": header(MAGIC["dat"], 10, 2, 2**15, 2**15),
        "test_dat": header(MAGIC["dat"], 10, 2, 2**32 - 1, 2**32 - 1),
    }
    for key, content in claims.items():
        for pack in (bytes, gzip.compress):
            folder = fill(tmp_path / f"{key} {pack.__name__}", pack=pack, **{key: content})
            tracemalloc.start()
            try:
                with pytest.raises(DataError):
                    load("norb", folder)
                assert tracemalloc.get_traced_memory()[1] < 16 << 20
            finally:
                tracemalloc.stop()


LENGTHS = [50, pytest.param(5_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("examples", LENGTHS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("kind", ["dat", "cat", "info"])
def test_corrupted_files(tmp_path_factory, examples, pack, kind):
    folder = fill(tmp_path_factory.mktemp("norb"), pack=pack)
    name = NAMES["train", kind] + (".gz" if pack is gzip.compress else "")

    @settings(max_examples=examples)
    @given(corrupted(pack(contents(SMALL)["train", kind]), head=24))
    def check(content):
        (folder / name).write_bytes(content)
        try:
            data = load("norb", folder)
        except DataError as error:
            assert str(folder) in str(error)
        else:
            assert len(data.train) == 10 and data.train.labels.max() < 5
            assert data.train.instances.min() >= 0

    check()


def test_fetch_only_what_is_missing(tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(sources, "download", lambda *args: fetched.append(args))
    norb.fetch(tmp_path)
    assert {folder for _, folder in fetched} == {tmp_path / "smallnorb"} and len(fetched) == 6
    norb.fetch(fill(tmp_path / "smallnorb"))
    assert len(fetched) == 6
    norb.fetch(fill(tmp_path / "other", train_dat=None))
    assert fetched[6:] == [(sources.NORB["train", "dat"], tmp_path / "other")]


@pytest.mark.skipif("CAE_DATA" not in os.environ, reason="needs small NORB in $CAE_DATA")
def test_the_real_files():
    data = load("norb")
    assert data.train.images.shape == data.test.images.shape == (24_300, 2, 32, 32)
    assert np.bincount(data.train.labels).tolist() == [4860] * 5
    assert np.unique(data.train.instances).tolist() == [4, 6, 7, 8, 9]
    assert np.unique(data.test.instances).tolist() == [0, 1, 2, 3, 5]
    # Two views of one toy are more alike than views of different toys.
    x = data.train.batch(slice(0, 500))
    same, other = np.abs(x[:, 0] - x[:, 1]).mean(), np.abs(x[:-1, 0] - x[1:, 0]).mean()
    assert same < 0.5 * other
