"""Locks between processes; that they exclude and survive kills is shown where they are used."""

import filelock
import pytest

from cae_np.errors import DataError
from cae_np.storage import load_json, save_json
from cae_np.storage.locks import only_one


def test_what_a_dead_process_left_half_written_is_removed(tmp_path):
    mine = [".a.json.0123.tmp", ".a.checkpoint.npz.0123.tmp"]
    others = [".ab.json.0123.tmp", ".b.json.0123.tmp", "a.json"]
    for name in mine + others:
        (tmp_path / name).write_text("1")
    with only_one(tmp_path / "a"):
        assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == sorted(others)
        save_json(tmp_path / "a.json", 2)
    assert load_json(tmp_path / "a.json") == 2


def test_the_lock_is_given_back_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), only_one(tmp_path / "a", pytest.fail):
            raise ZeroDivisionError


def test_a_folder_that_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write .*file/a .*choose another folder"):
        with only_one(tmp_path / "file" / "a"):
            pass


def test_a_file_system_without_locks_does_without(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    (tmp_path / ".a.json.0123.tmp").write_text("somebody else may be writing it")
    with only_one(tmp_path / "a", pytest.fail):
        save_json(tmp_path / "a.json", 1)
    assert load_json(tmp_path / "a.json") == 1 and (tmp_path / ".a.json.0123.tmp").exists()
