"""Storage: whole files or none, and a DataError for everything that is not one of ours."""

import contextlib
import io
import json
import os
import pickle
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from corrupt import corrupted
from hypothesis import given, settings

from cae_np.errors import DataError
from cae_np.storage import (
    LEFT_OVER,
    atomic_file,
    load_arrays,
    load_json,
    save_arrays,
    save_json,
)

ARRAYS = {
    "w": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "layer1/b": np.array([1.5, -2.0]),
    "epoch": np.array(7),
    "mask": np.array([[True, False]]),
    "nothing": np.zeros((0, 3), np.int16),
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "complex": np.array([1j], np.complex64),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("storage")


def npz_bytes(**members):
    """An npz file whose members hold the given bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def npy_bytes(header, content=b""):
    """An npy member with the given header text."""
    header = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


# --- round trips ------------------------------------------------------------------------------


def test_arrays_come_back(tmp_path):
    path = tmp_path / "new" / "folder" / "weights.npz"
    save_arrays(path, ARRAYS)
    loaded = load_arrays(path)
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == array.dtype and loaded[name].shape == array.shape
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].flags.writeable
    with np.load(path, allow_pickle=False) as plain:  # everybody else can read it too
        np.testing.assert_array_equal(plain["layer1/b"], ARRAYS["layer1/b"])
    assert [p.name for p in path.parent.iterdir()] == ["weights.npz"]


def test_equal_arrays_give_equal_bytes(tmp_path):
    for name in "ab":
        save_arrays(tmp_path / name, ARRAYS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_json_comes_back_with_numpy_inside(tmp_path):
    value = {
        "loss": np.float32(0.5),
        "n": np.int64(3),
        "ok": np.bool_(True),
        "rows": np.arange(3),
        "where": Path("a") / "b",
        "name": "Cireşan",
        "none": None,
    }
    save_json(tmp_path / "r.json", value)
    assert load_json(tmp_path / "r.json") == {
        "loss": 0.5, "n": 3, "ok": True, "rows": [0, 1, 2],
        "where": os.path.join("a", "b"), "name": "Cireşan", "none": None,
    }  # fmt: skip


@pytest.mark.parametrize("bad", [float("nan"), np.float32("inf"), np.array([1, np.nan])])
def test_json_refuses_what_json_does_not_know(tmp_path, bad):
    save_json(tmp_path / "r.json", {"x": 1})
    with pytest.raises(ValueError, match="NaN nor Infinity, store None"):
        save_json(tmp_path / "r.json", {"x": bad})
    with pytest.raises(TypeError, match="does not know set"):
        save_json(tmp_path / "r.json", {"x": {1}})
    assert load_json(tmp_path / "r.json") == {"x": 1}


@pytest.mark.parametrize("bad", [np.array([None]), np.zeros(2, "f4,i4"), np.array(["text"])])
def test_arrays_refuse_what_is_no_number(tmp_path, bad):
    with pytest.raises(ValueError, match="expected a text as name and numbers"):
        save_arrays(tmp_path / "a.npz", {"x": bad})
    assert not list(tmp_path.iterdir())


# --- writing that fails -----------------------------------------------------------------------


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond 4 KiB: the system's own refusal, in the middle of a write.

    No fixture, since pytest itself writes between the phases of a test, maybe to a file.
    """
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("n", [2_000, 1_000_000])
def test_full_disk_keeps_the_previous_file(tmp_path, n):
    path = tmp_path / "weights.npz"
    save_arrays(path, {"w": np.ones(3)})
    with full_disk():
        with pytest.raises(DataError, match=r"cannot write .*weights\.npz \(.*make room"):
            save_arrays(path, {"w": np.zeros(n)})
        np.testing.assert_array_equal(load_arrays(path)["w"], np.ones(3))
        with pytest.raises(DataError, match="cannot write"):
            save_json(tmp_path / "r.json", list(range(n)))
    assert [p.name for p in tmp_path.iterdir()] == ["weights.npz"]


def test_failing_sync_keeps_the_previous_file(tmp_path, monkeypatch):
    save_json(tmp_path / "r.json", 1)

    def fsync(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DataError, match="No space left"):
        save_json(tmp_path / "r.json", 2)
    assert load_json(tmp_path / "r.json") == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (28, "make room there, or "),
        (13, "change its permissions, or "),
        (30, "change its permissions, or "),
        (20, ""),  # a file stands where a folder should be: only another place will do
    ],
)
def test_the_remedy_fits_the_reason(tmp_path, monkeypatch, code, remedy):
    def refuse(*args):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DataError, match=rf"{os.strerror(code)}\); {remedy}choose another"):
        save_json(tmp_path / "r.json", 2)


def test_interruption_keeps_the_previous_file(tmp_path):
    save_json(tmp_path / "r.json", 1)
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "r.json") as file:
        file.write(b"half of ")
        raise KeyboardInterrupt
    assert load_json(tmp_path / "r.json") == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_the_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (steps.append("rename"), replace(a, b)))
    save_json(tmp_path / "r.json", 1)
    assert steps[:2] == ["sync", "rename"]


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="cannot write"):
        save_json(tmp_path / "out" / "r.json", 1)
    (tmp_path / "r.json").mkdir()
    with pytest.raises(DataError, match="cannot write"):
        save_json(tmp_path / "r.json", 1)
    assert len(list(tmp_path.iterdir())) == 2


# --- reading what is not ours -----------------------------------------------------------------


@pytest.mark.parametrize("load", [load_arrays, load_json])
def test_every_failure_names_the_file_and_the_remedy(tmp_path, load):
    with pytest.raises(DataError, match="nowhere is missing; expected an? .*; run again"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a regular file"):
        load(tmp_path)
    os.symlink(tmp_path / "loop", tmp_path / "loop")
    with pytest.raises(DataError, match="loop cannot be read"):
        load(tmp_path / "loop")
    if hasattr(os, "mkfifo"):  # opening a pipe would wait for ever
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="not a regular file"):
            load(tmp_path / "pipe")
    for content in (b"", b"\x00", b"PK\x03\x04", b"\xff\xfe", b"{"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(DataError, match="bad cannot be read .*; expected .*; delete it"):
            load(tmp_path / "bad")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read(tmp_path):
    save_json(tmp_path / "r.json", 1)
    (tmp_path / "r.json").chmod(0)
    with pytest.raises(DataError, match="may not be read; .* change its permissions"):
        load_json(tmp_path / "r.json")


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "1e999", "[" * 100_000, '{"a": 1', "1" * 10_000, '"\ud800'[:1]]
)
def test_hostile_json(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(DataError):
        load_json(tmp_path / "r.json")


HEADER = "{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    "descr, shape",
    [
        ("'<f8'", "(1000000000000,)"),
        ("'<f8'", "(-1, -1)"),
        ("'<f8'", "(2,)"),
        ("'<f4'", "(1,)"),
        ("'<f8'", "(0, 1000000000000000000000)"),
        ("'|O'", "(1,)"),
        ("'|S999999999999'", "(1,)"),
        ("'|V8'", "(1,)"),
        ("[('a', '<f8')]", "(1,)"),
        ("'<f8'", "(1,) * 999999999"),
        ("'<f8'", "(" * 200 + "1" + ")" * 200),
        ("'<f8'", "(" + "1," * 100 + ")"),
        ("'nonsense'", "(1,)"),
    ],
)
def test_hostile_npy_headers(tmp_path, descr, shape):
    header = HEADER.format(descr=descr, shape=shape)
    (tmp_path / "a.npz").write_bytes(npz_bytes(x=npy_bytes(header, bytes(8))))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"a\.npz cannot be read"):
            load_arrays(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_hostile_archives(tmp_path):
    path = tmp_path / "a.npz"
    good = npy_bytes(HEADER.format(descr="'<f8'", shape="(1,)"), bytes(8))

    np.savez_compressed(path, x=np.zeros(1 << 20))  # could unfold into anything
    with pytest.raises(DataError, match="are compressed"):
        load_arrays(path)
    np.savez(path, x=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="no number"):
        load_arrays(path)
    path.write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(DataError, match="not a zip file"):
        load_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match="not an npy file"):
        load_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", good)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", good)
    with pytest.raises(DataError, match="share a name"):
        load_arrays(path)

    # The directory says more than there is, for the one member and for their sum.
    content = bytearray(npz_bytes(x=good))
    entry = content.index(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = (1 << 30).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(DataError, match="claim more than the file's"):
        load_arrays(path)

    # One flipped bit in the numbers, few or many.
    for n in (1, 300_000):
        save_arrays(path, {"x": np.full(n, 0.1)})
        content = bytearray(path.read_bytes())
        content[content.rindex(np.full(1, 0.1).tobytes())] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match="CRC"):
            load_arrays(path)


LENGTHS = [100, pytest.param(10_000, marks=pytest.mark.slow)]


@pytest.mark.filterwarnings("ignore")  # the literal parser warns about strange texts
@pytest.mark.parametrize("examples", LENGTHS)
def test_corrupted_arrays(folder, examples):
    path = folder / "corrupted.npz"
    save_arrays(path, ARRAYS)

    @settings(max_examples=examples)
    @given(corrupted(path.read_bytes(), head=200))
    def check(content):
        path.write_bytes(content)
        try:
            arrays = load_arrays(path)
        except DataError as error:
            assert str(path) in str(error)
        else:
            assert sum(array.nbytes for array in arrays.values()) <= len(content)

    check()


@pytest.mark.parametrize("examples", LENGTHS)
def test_corrupted_json(folder, examples):
    value = {"rows": [{"label": "a", "ours": 0.25, "values": [1e-3, -7, None]}], "name": "é"}
    path = folder / "corrupted.json"
    save_json(path, value)

    @settings(max_examples=examples)
    @given(corrupted(path.read_bytes()))
    def check(content):
        path.write_bytes(content)
        try:
            json.dumps(load_json(path), allow_nan=False)
        except DataError as error:
            assert str(path) in str(error)

    check()


def test_what_killed_writers_left_is_swept_up_and_nothing_else(tmp_path):
    path = tmp_path / "results.json"
    old, new = (tmp_path / f".results.json.{n}.tmp" for n in (1, 2))
    other, [hour, ago] = tmp_path / ".rows.json.1.tmp", [LEFT_OVER, time.time()]
    for leftover in (old, new, other):
        leftover.write_text("half of it")
    for leftover in (old, other):
        os.utime(leftover, (ago - hour - 60, ago - hour - 60))
    save_json(path, {})
    assert not old.exists()
    assert new.exists() and other.exists()  # somebody may be writing; another file's
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [new.name, other.name, "results.json"])  # fmt: skip
