"""CIFAR-10: colour photographs, 50,000 + 10,000 images of 3×32×32, in the binary format.

Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.  A record is one label
byte and 3,072 pixel bytes, channel first; five files hold the training records and one the test
records, plain or inside the official archive.
"""

import os
import zlib
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import sources
from .dataset import Dataset, Split, hash_order
from .files import REMEDY, open_content, read_into

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST_FILES = ("test_batch.bin",)
ARCHIVES = (sources.CIFAR10.name, sources.CIFAR10.name.removesuffix(".gz"))
WANTED = f"{FOLDER}/ with {', '.join(TRAIN_FILES + TEST_FILES)}, or {' or '.join(ARCHIVES)}"
PICKLES = ("cifar-10-batches-py", "cifar-10-python.tar.gz", "cifar-10-python.tar", "data_batch_1")
RECORDS = 10_000  # in each file
IMAGE_SHAPE = (3, 32, 32)
RECORD_BYTES = 1 + 3072


def find(root):
    """The folder or the archive with CIFAR-10 in or at ``root``, or None.

    Parameters
    ----------
    root : path-like
        ``cifar-10-batches-bin/``, or the folder that it or the archive lies in.

    Returns
    -------
    pathlib.Path or None
        A folder with all of the six files, else the archive (also without its compression), else
        a folder with some of them.
    """
    folders = list(sources.folders(root, FOLDER))
    archives = [folder / name for folder in folders for name in ARCHIVES]
    places = [
        *(folder for folder in folders if _is_there(folder, all)),
        *(archive for archive in archives if os.path.exists(archive)),
        *(folder for folder in folders if _is_there(folder, any)),
    ]
    return next(iter(places), None)


def mistaken(root):
    """What lies there in place of the binary files, if it is their Python version.

    Parameters
    ----------
    root : path-like

    Returns
    -------
    str
        Why that is not read, and what to do; empty if there is none.
    """
    for folder in sources.folders(root, FOLDER):
        for name in PICKLES:
            if os.path.exists(folder / name):
                return (
                    f"{folder / name} is CIFAR-10 in its Python version, made of pickles; reading "
                    "a pickle can run any program, so that nothing is unpickled here; the same "
                    f"images are in the binary version, {sources.CIFAR10.name} from "
                    "https://www.cs.toronto.edu/~kriz/cifar.html"
                )
    return ""


def fetch(root):
    """Download the archive to where :func:`find` will look, unless all of the data are there.

    Raises
    ------
    DataError
        If no mirror has it.
    """
    found = find(root)
    if found is None or (found.is_dir() and not _is_there(found, all)):
        sources.download(sources.CIFAR10, root)


def read(path, source):
    """Read the six files from a folder, or from the archive without unpacking it.

    Parameters
    ----------
    path : path-like
        From :func:`find`.
    source : str
        How it was found.

    Returns
    -------
    Dataset
        Images (N, 3, 32, 32).  Copies of these files exist whose records stand in another order,
        so each split is put into an order that follows from what its records hold; the last
        10,000 training records of that order are for choosing.

    Raises
    ------
    DataError
        If a file is missing, has another size than its records take, or holds a label above 9.
    """
    path = Path(path)
    train, test = (
        np.empty((RECORDS * len(names), RECORD_BYTES), np.uint8)
        for names in (TRAIN_FILES, TEST_FILES)
    )
    records = {
        name: block
        for names, part in ((TRAIN_FILES, train), (TEST_FILES, test))
        for name, block in zip(names, np.split(part, len(names)), strict=True)
    }
    if path.is_dir():
        _read_folder(path, records)
    else:
        _read_archive(path, records)
    for name, block in records.items():
        if block[:, 0].max() >= len(CLASSES):
            raise DataError(
                f"{path}: {name} holds a label {block[:, 0].max()}; "
                f"expected 0 to {len(CLASSES) - 1}; {REMEDY}"
            )
    return Dataset(
        "cifar10", source, _in_hash_order(train), _in_hash_order(test), CLASSES, len(train) // 5
    )


# --- helpers ----------------------------------------------------------------------------------


def _is_there(folder, how_many):
    """Whether ``how_many``, all or any, of the six files are in the folder."""
    return how_many(os.path.exists(folder / name) for name in TRAIN_FILES + TEST_FILES)


def _in_hash_order(records):
    labels, images = records[:, 0], records[:, 1:]
    order = hash_order(images, labels, "cifar10")
    return Split(images[order].reshape(-1, *IMAGE_SHAPE), labels[order].astype(np.int64))


def _read_folder(folder, records):
    """Fill each array of ``records`` from the file of its name."""
    for name, block in records.items():
        with open_content(folder / name) as (stream, size):
            if size != block.size or read_into(stream, block) != block.size:
                raise _wrong_size(folder / name, size, block)


def _read_archive(path, records):
    """Fill each array of ``records`` from the archive's member of its name.

    Everything else in the archive is passed over, and no more is unpacked than the official
    archive holds, with a little room for its other files.
    """
    import tarfile  # nobody waits for it who reads no archive

    missing = {f"{FOLDER}/{name}": block for name, block in records.items()}
    limit = sum(block.size for block in records.values()) + (1 << 24)
    with open_content(path) as (stream, _):
        bounded = _Bounded(stream, limit, path)
        try:
            with tarfile.open(fileobj=bounded, mode="r|", bufsize=1 << 20) as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if name not in missing:
                        continue
                    block = missing.pop(name)
                    if not member.isreg() or member.size != block.size:
                        raise _wrong_size(f"{path}: {member.name}", member.size, block)
                    if read_into(archive.extractfile(member), block) != block.size:
                        raise EOFError(f"it ends within {member.name}")
            while bounded.read(1 << 20):
                pass  # gzip compares its checksum when it meets the end
        except (DataError, OSError, EOFError, zlib.error):
            raise  # these have their messages already, or get them from open_content
        # tarfile lets several types out when it is fed arbitrary bytes.
        except Exception as error:
            raise DataError(f"{path} is damaged (tar: {error}); {REMEDY}") from error
    if missing:
        raise DataError(
            f"{path} does not hold {', '.join(missing)}; expected the official archive, "
            f"{sources.CIFAR10.name}; {REMEDY}"
        )


class _Bounded:
    """A stream that ends in an error where it goes on for longer than it should."""

    def __init__(self, stream, left, path):
        self.stream, self.left, self.path = stream, left, path

    def read(self, size):
        chunk = self.stream.read(size)  # never more than tarfile's bufsize
        self.left -= len(chunk)
        if self.left < 0:
            raise DataError(f"{self.path} unpacks to more than the official archive does; {REMEDY}")
        return chunk


def _wrong_size(where, size, block):
    return DataError(
        f"{where} has {size:,} bytes; expected {block.size:,}, {len(block):,} records of "
        f"{RECORD_BYTES:,} bytes; {REMEDY}"
    )
