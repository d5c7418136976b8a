"""CIFAR-10's reader: records in files and in the archive, right, wrong and hostile."""

import gzip
import io
import os
import tarfile
import tracemalloc

import numpy as np
import pytest
from corrupt import corrupted
from hypothesis import given, settings

from cae_np.data import cifar10, load, sources
from cae_np.errors import DataError

NAMES = cifar10.TRAIN_FILES + cifar10.TEST_FILES
FEW = 3  # records in a file


@pytest.fixture(autouse=True)
def few_records(monkeypatch):
    monkeypatch.setattr(cifar10, "RECORDS", FEW)


def records():
    """The bytes of the six files."""
    rng = np.random.default_rng([5, 0, 0, 0, 1])
    blocks = rng.integers(0, 256, (len(NAMES), FEW, cifar10.RECORD_BYTES), np.uint8)
    blocks[:, :, 0] %= 10
    return {name: block.tobytes() for name, block in zip(NAMES, blocks, strict=True)}


CONTENTS = records()


def fill(folder, contents=CONTENTS):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def tar_bytes(contents=CONTENTS, prefix="cifar-10-batches-bin/", extra=()):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in [*extra, *((prefix + n, c) for n, c in contents.items())]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write_archive(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sources.CIFAR10.name).write_bytes(content)
    return folder


def by_content(split):
    return sorted(zip(split.labels.tolist(), (i.tobytes() for i in split.images), strict=True))


def test_reads_the_records_of_a_folder(tmp_path):
    fill(tmp_path / "cifar-10-batches-bin")
    for data_dir in (tmp_path, tmp_path / "cifar-10-batches-bin"):
        data = load("cifar10", data_dir)
        assert data.train.images.shape == (5 * FEW, 3, 32, 32)
        assert data.train.images.flags.c_contiguous and data.train.labels.dtype == np.int64
        raw = b"".join(CONTENTS[name] for name in cifar10.TRAIN_FILES)
        expected = [raw[i : i + 3073] for i in range(0, len(raw), 3073)]
        assert by_content(data.train) == sorted((r[0], r[1:]) for r in expected)
        # Channel first, then rows: the second byte after the label is red, row 0, column 1.
        first = CONTENTS["test_batch.bin"][: cifar10.RECORD_BYTES]
        image = next(i for i in data.test.images if i.tobytes() == first[1:])
        assert (image[0, 0, 1], image[1, 0, 0]) == (first[2], first[1 + 1024])


def test_the_archive_gives_the_same_data(tmp_path):
    folder = load("cifar10", fill(tmp_path / "plain"))
    packed = gzip.compress(tar_bytes(extra=[("cifar-10-batches-bin/readme.html", b"<html>")]))
    for data_dir in (tmp_path / "a", tmp_path / "b" / "cifar-10-batches-bin"):
        archive = load("cifar10", write_archive(data_dir, packed))
        assert archive.checksum == folder.checksum
    assert load("cifar10", tmp_path / "b").checksum == folder.checksum
    assert load("cifar10", write_archive(tmp_path / "c", tar_bytes())).checksum == folder.checksum


@pytest.mark.parametrize("name", ["cifar-10-binary.tar.gz", "cifar-10-binary.tar"])
@pytest.mark.parametrize("folder", ["", "cifar-10-batches-bin", "CIFAR-10-batches-bin"])
def test_archives_as_people_have_them(tmp_path, folder, name):
    """Unpacked by a browser, or made again with members that begin with ./."""
    expected = load("cifar10", fill(tmp_path / "plain")).checksum
    path = tmp_path / "x" / folder / name
    path.parent.mkdir(parents=True)
    content = tar_bytes(prefix="./cifar-10-batches-bin/")
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert load("cifar10", tmp_path / "x").checksum == expected
    doubled = fill(tmp_path / "y" / "cifar-10-batches-bin" / "cifar-10-batches-bin")
    assert load("cifar10", tmp_path / "y").checksum == expected
    assert load("cifar10", doubled).checksum == expected


@pytest.mark.parametrize(
    "where",
    ["cifar-10-batches-py/data_batch_1", "cifar-10-python.tar.gz", "data_batch_1", "x.unrelated"],
)
def test_the_pickled_version_is_refused_by_name_and_not_opened(tmp_path, where, monkeypatch):
    path = tmp_path / where
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"cos\nsystem\n(S'touch unpickled'\ntR.")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load("cifar10", tmp_path)
    assert ("nothing is unpickled here" in str(caught.value)) == ("unrelated" not in where)
    assert "cifar-10-binary.tar.gz" in str(caught.value)
    assert not (tmp_path / "unpickled").exists()
    fill(tmp_path / "cifar-10-batches-bin")  # both versions beside each other
    assert len(load("cifar10", tmp_path).train) == 5 * FEW


def test_the_order_of_the_records_does_not_matter(tmp_path):
    train = b"".join(CONTENTS[name] for name in cifar10.TRAIN_FILES)
    rows = np.frombuffer(train, np.uint8).reshape(-1, cifar10.RECORD_BYTES)
    turned = np.split(rows[::-1], 5)
    other = dict(zip(cifar10.TRAIN_FILES, (block.tobytes() for block in turned), strict=True))
    a = load("cifar10", fill(tmp_path / "a"))
    b = load("cifar10", fill(tmp_path / "b", {**CONTENTS, **other}))
    assert a.checksum == b.checksum
    np.testing.assert_array_equal(a.train.images, b.train.images)
    fit, validation = a.held_out()
    assert (len(fit), len(validation)) == (4 * FEW, FEW)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"\0", lambda c: b""])
def test_wrong_sizes(tmp_path, change):
    contents = {**CONTENTS, "data_batch_3.bin": change(CONTENTS["data_batch_3.bin"])}
    message = r"data_batch_3.bin has [\d,]+ bytes; expected 9,219, 3 records of 3,073.*--download"
    with pytest.raises(DataError, match=message):
        load("cifar10", fill(tmp_path / "plain", contents))
    with pytest.raises(DataError, match=message):
        load("cifar10", write_archive(tmp_path / "tar", gzip.compress(tar_bytes(contents))))


def test_wrong_labels_and_missing_files(tmp_path):
    bad = bytearray(CONTENTS["test_batch.bin"])
    bad[cifar10.RECORD_BYTES] = 10
    with pytest.raises(DataError, match="test_batch.bin holds a label 10; expected 0 to 9"):
        load("cifar10", fill(tmp_path / "a", {**CONTENTS, "test_batch.bin": bytes(bad)}))
    few = {name: CONTENTS[name] for name in NAMES[:4]}
    with pytest.raises(DataError, match="data_batch_5.bin is missing"):
        load("cifar10", fill(tmp_path / "b", few))
    with pytest.raises(DataError, match="does not hold .*data_batch_5.bin, .*test_batch.bin"):
        load("cifar10", write_archive(tmp_path / "c", tar_bytes(few)))
    for prefix in ("", "../cifar-10-batches-bin/", "/cifar-10-batches-bin/", "x/"):
        with pytest.raises(DataError, match="does not hold"):  # exact names only
            load("cifar10", write_archive(tmp_path / "d", tar_bytes(prefix=prefix)))


def test_hostile_archives(tmp_path):
    name = "cifar-10-batches-bin/data_batch_1.bin"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    with pytest.raises(DataError, match="data_batch_1.bin has 0 bytes"):
        load("cifar10", write_archive(tmp_path, buffer.getvalue()))
    assert [path.name for path in tmp_path.iterdir()] == [sources.CIFAR10.name]

    packed = gzip.compress(tar_bytes())
    for content in (b"", b"no archive", packed[:1000], packed[:-9], packed[:-8] + bytes(8)):
        with pytest.raises(DataError, match="is damaged|does not hold"):
            load("cifar10", write_archive(tmp_path, content))


def test_bombs_stay_small(tmp_path):
    # A member that nobody asked for, and a header of extended names, of 40 MB each.
    zeros = gzip.compress(tar_bytes(extra=[("other", bytes(40_000_000))]))
    info = tarfile.TarInfo("names")
    info.type, info.size = tarfile.XHDTYPE, 40_000_000
    header = gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(40_000_000))
    tail = gzip.compress(tar_bytes() + bytes(40_000_000))
    for content in (zeros, header, tail):
        write_archive(tmp_path, content)
        tracemalloc.start()
        try:
            with pytest.raises(DataError, match="unpacks to more than the official archive"):
                load("cifar10", tmp_path)
            assert tracemalloc.get_traced_memory()[1] < 64 << 20
        finally:
            tracemalloc.stop()


LENGTHS = [100, pytest.param(10_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("examples", LENGTHS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_corrupted_archives(tmp_path_factory, monkeypatch, examples, pack):
    folder = tmp_path_factory.mktemp("tar")
    monkeypatch.setattr(cifar10, "RECORDS", 1)
    contents = {name: content[: cifar10.RECORD_BYTES] for name, content in CONTENTS.items()}

    @settings(max_examples=examples)
    @given(corrupted(pack(tar_bytes(contents)), head=512))
    def check(content):
        write_archive(folder, content)
        try:
            data = load("cifar10", folder)
        except DataError as error:
            assert str(folder) in str(error)
        else:
            assert data.train.labels.max() < 10

    check()


@pytest.mark.parametrize("examples", LENGTHS)
def test_corrupted_records(tmp_path_factory, examples):
    folder = fill(tmp_path_factory.mktemp("bin"))

    @settings(max_examples=examples)
    @given(corrupted(CONTENTS["data_batch_2.bin"], head=1))
    def check(content):
        (folder / "data_batch_2.bin").write_bytes(content)
        try:
            data = load("cifar10", folder)
        except DataError as error:
            assert "data_batch_2.bin" in str(error)
        else:
            assert data.train.labels.max() < 10

    check()


def test_fetch_only_what_is_missing(tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(sources, "download", lambda *args: fetched.append(args))
    cifar10.fetch(tmp_path)
    assert fetched == [(sources.CIFAR10, tmp_path)]
    cifar10.fetch(fill(tmp_path / "cifar-10-batches-bin"))
    assert len(fetched) == 1


def test_what_is_damaged_can_be_moved_away_and_fetched_again_as_the_messages_say(
    tmp_path, monkeypatch
):
    folder = fill(tmp_path / "cifar-10-batches-bin", {**CONTENTS, "data_batch_2.bin": b"short"})
    with pytest.raises(DataError, match="data_batch_2.bin .*move it away and fetch it again"):
        load("cifar10", tmp_path)
    (folder / "data_batch_2.bin").unlink()
    with pytest.raises(DataError, match="data_batch_2.bin is missing; .*fetch it with --download"):
        load("cifar10", tmp_path)
    monkeypatch.setattr(
        sources, "download", lambda source, to: write_archive(to, gzip.compress(tar_bytes()))
    )
    assert len(load("cifar10", tmp_path, download=True).train) == 5 * FEW


@pytest.mark.skipif("CAE_DATA" not in os.environ, reason="needs CIFAR-10 in $CAE_DATA")
def test_the_real_files(monkeypatch):
    monkeypatch.setattr(cifar10, "RECORDS", 10_000)
    data = load("cifar10")
    assert data.train.images.shape == (50_000, 3, 32, 32)
    assert np.bincount(data.train.labels).tolist() == [5000] * 10
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    fit, validation = data.held_out()
    assert len(fit) == 40_000 and len(validation) == 10_000
    counts = np.bincount(validation.labels)  # as a random choice would have it
    assert abs(counts - 1000).max() < 120
    # Neighbouring pixels of photographs are alike; of misread ones they are not.
    sample = data.train.batch(slice(0, 500))
    assert abs(np.diff(sample, axis=3)).mean() < 0.06
