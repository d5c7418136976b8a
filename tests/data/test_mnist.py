"""MNIST's reader: IDX files right, wrong and hostile."""

import gzip
import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from corrupt import corrupted
from data.mnist_files import CONTENTS, IMAGES, LABELS, fill, idx
from hypothesis import given, settings

from cae_np.data import load, mnist, sources
from cae_np.data.mnist import read_idx, read_split
from cae_np.errors import DataError


@pytest.mark.parametrize("pack, suffix", [(gzip.compress, ".gz"), (bytes, ""), (bytes, ".gz")])
def test_reads_packed_and_unpacked(official, tmp_path, pack, suffix):
    fill(tmp_path / "mnist", pack, suffix)
    for data_dir in (tmp_path, tmp_path / "mnist"):
        data = load("mnist", data_dir)
        assert (data.name, data.source) == ("mnist", "--data-dir")
        np.testing.assert_array_equal(data.train.images, IMAGES[:, None])
        np.testing.assert_array_equal(data.test.labels, LABELS)
        fit, validation = data.held_out()
        assert len(fit) == 10 and len(validation) == 2
        np.testing.assert_array_equal(validation.images, IMAGES[10:, None])


def test_other_content_than_the_official_is_refused(official, tmp_path):
    folder = fill(tmp_path / "mnist")
    changed = IMAGES.copy()
    changed[3, 4, 5] ^= 1
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(changed)))
    with pytest.raises(DataError, match="t10k-images.* not the official file.*--download"):
        load("mnist", tmp_path)


def dotted(name):
    return name.replace("-idx", ".idx")


# What the files are called, and where they lie, where people have got them from elsewhere.
LAYOUTS = {
    "torchvision": ("MNIST/raw", str),
    "torchvision, given itself": ("raw", str),
    "a doubled folder": ("mnist/mnist", str),
    "capitals": ("Mnist", str),
    "dots": ("mnist", dotted),
    "a folder around each file": ("mnist", lambda name: f"{name}/{name}"),
    "a folder of another spelling": ("", lambda name: f"{name}/{dotted(name)}"),
}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("folder", "called"), LAYOUTS.values(), ids=LAYOUTS)
def test_names_that_the_files_have_in_the_wild(official, tmp_path, folder, called, suffix):
    for (_, what), source in sources.MNIST.items():
        path = tmp_path / folder / called(source.name.removesuffix(".gz") + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((gzip.compress if suffix else bytes)(CONTENTS[what]))
    np.testing.assert_array_equal(load("mnist", tmp_path).train.images, IMAGES[:, None])
    mnist.fetch(tmp_path)  # nothing is missing


def test_where_nothing_is_found_the_names_that_are_wanted_are_listed(tmp_path):
    for name in ("mnist", "norb", "cifar10"):
        with pytest.raises(DataError) as caught:
            load(name, tmp_path)
        table = {"mnist": sources.MNIST, "norb": sources.NORB}.get(name, {})
        wanted = [source.name for source in table.values()] or ["data_batch_5.bin", "binary.tar.gz"]
        for file in wanted:
            assert file in str(caught.value)


def test_no_message_advises_to_delete_what_may_be_good():
    """Fashion-MNIST has MNIST's names, and is somebody's good data."""
    for path in Path(sources.__file__).parent.glob("*.py"):
        assert not re.search(r"(?<!to )\bdelete (it|them)", path.read_text("utf-8")), path


def test_a_missing_file_is_named(official, tmp_path):
    folder = fill(tmp_path / "mnist")
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="train-labels-idx1-ubyte.gz is missing.*--download"):
        load("mnist", tmp_path)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "begins with bytes"),
        (b"\x00\x00\x08", "begins with bytes"),
        (b"PK\x03\x04 some other file", "begins with bytes 50 4b 03 04; expected an IDX"),
        (idx(IMAGES, magic=bytes([0, 0, 13, 3])), "begins with bytes 00 00 0d 03"),  # floats
        (idx(IMAGES, magic=bytes([0, 0, 8, 0])), "begins with bytes"),
        (idx(IMAGES)[:14], "ends within its IDX header"),
        (idx(IMAGES)[:-1], "9,423 bytes at most|holds only"),
        (idx(IMAGES) + b"\0", "but it holds more"),
        (idx(IMAGES, shape=(13, 28, 28)), "describes an array of shape"),
        (idx(IMAGES, shape=(11, 28, 28)), "but it holds more"),
        (idx(IMAGES, shape=(0xFFFFFFFF,) * 3), "describes an array of shape"),
        (idx(IMAGES, magic=bytes([0, 0, 8, 255])), "begins with bytes 00 00 08 ff"),
        (idx(IMAGES, shape=(0, 2**32 - 1, 2**32 - 1)), "expected something in it"),
        (idx(IMAGES, shape=(2**26, 1, 1)), "describes an array of shape"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_damaged_idx(tmp_path, content, message, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value) and "--download" in str(caught.value)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "images.gz"
    packed = gzip.compress(idx(IMAGES))
    for content in (packed[:-9], packed[:5], packed + b"trailing", packed[:-8] + bytes(8)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="images.gz is damaged .*gzip"):
            read_idx(path)
    path.write_bytes(packed + gzip.compress(b"more"))
    with pytest.raises(DataError, match="holds more"):
        read_idx(path)


def test_bombs_stay_small(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx(IMAGES) + bytes(40_000_000)))  # more than it says
    plain = tmp_path / "plain"
    plain.write_bytes(idx(IMAGES, shape=(60_000, 28, 28)))  # less than it says
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(idx(IMAGES, shape=(60_000, 28, 28))))
    huge = tmp_path / "huge.gz"
    huge.write_bytes(gzip.compress(idx(IMAGES, shape=(2**31, 28, 28)) + bytes(40_000_000)))
    tracemalloc.start()
    try:
        for hostile in (path, plain, packed, huge):
            with pytest.raises(DataError):
                read_idx(hostile)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (IMAGES, LABELS[:-1], r"shape \(11,\); expected one label for each of the 12"),
        (IMAGES, IMAGES, "expected one label for each"),
        (LABELS, LABELS, r"expected images of shape \(N, height, width\)"),
        (IMAGES, LABELS + 1, "holds a label 10; expected 0 to 9"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path, images, labels, message):
    (tmp_path / "images").write_bytes(idx(images))
    (tmp_path / "labels").write_bytes(idx(labels))
    with pytest.raises(DataError, match=message):
        read_split(tmp_path / "images", tmp_path / "labels")


def test_what_is_no_file(tmp_path):
    with pytest.raises(DataError, match="nowhere is missing"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is not a file"):
        read_idx(tmp_path)
    os.symlink(tmp_path / "loop", tmp_path / "loop")
    with pytest.raises(DataError, match="loop cannot be read"):
        read_idx(tmp_path / "loop")
    if hasattr(os, "geteuid") and os.geteuid() != 0:  # root may read everything
        (tmp_path / "closed").write_bytes(idx(LABELS))
        (tmp_path / "closed").chmod(0)
        with pytest.raises(DataError, match="check its permissions"):
            read_idx(tmp_path / "closed")


@pytest.mark.parametrize("examples", [100, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_corrupted_idx(tmp_path_factory, examples, pack):
    folder = tmp_path_factory.mktemp("idx")
    images, labels = folder / "images", folder / "labels"
    labels.write_bytes(idx(LABELS[:3]))

    @settings(max_examples=examples)
    @given(corrupted(pack(idx(IMAGES[:3])), head=16))
    def check(content):
        images.write_bytes(content)
        try:
            split = read_split(images, labels)
        except DataError as error:
            assert str(folder) in str(error)
        else:
            assert len(split) == 3

    check()


def test_fetch_adds_what_is_missing(official, tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(sources, "download", lambda source, to: fetched.append((source.name, to)))
    mnist.fetch(tmp_path)
    assert [to for _, to in fetched] == [tmp_path / "mnist"] * 4
    fetched.clear()
    mnist.fetch(tmp_path / "mnist")
    assert [to for _, to in fetched] == [tmp_path / "mnist"] * 4
    fetched.clear()
    folder = fill(tmp_path / "mnist", bytes, "")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    mnist.fetch(tmp_path)
    assert fetched == [("t10k-labels-idx1-ubyte.gz", folder)]


@pytest.mark.skipif("CAE_DATA" not in os.environ, reason="needs MNIST in $CAE_DATA")
def test_the_real_files():
    data = load("mnist")  # verifies the MD5 of each
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.test.images.shape == (10_000, 1, 28, 28)
    fit, validation = data.held_out()
    assert len(fit) == 50_000 and len(validation) == 10_000
    assert np.bincount(data.test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
