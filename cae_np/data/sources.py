"""Where the public data sets lie, how their files are recognised, and how they are fetched.

MNIST: LeCun, Cortes, Burges.  CIFAR-10: Krizhevsky, *Learning Multiple Layers of Features from
Tiny Images*, 2009.  Small NORB: LeCun, Huang, Bottou, *Learning Methods for Generic Object
Recognition with Invariance to Pose and Lighting*, CVPR 2004.
"""

import gzip
import hashlib
import importlib
import os
import sys
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..storage import atomic_file
from ..storage.locks import only_one
from .files import GZIP_MAGIC

CHUNK = 1 << 16


@dataclass(frozen=True)
class Source:
    """A file that several mirrors offer.

    Attributes
    ----------
    name : str
        Of the file, on the mirrors and on disk.
    size : int
        Bytes of its content.
    digest : str
        Of its content, in hexadecimal.
    unpacked : bool
        Whether size and digest are those of what gzip unpacks: mirrors pack the same content
        differently, and some web servers unpack it on the way.
    urls : tuple of str
        Mirrors, the first to be tried first.
    algorithm : str
        Of the digest, as :mod:`hashlib` calls it: the one that was published.
    """

    name: str
    size: int
    digest: str
    unpacked: bool
    urls: tuple
    algorithm: str = "md5"


def _mnist(name, size, md5):
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    return Source(name, size, md5, True, tuple(mirror + name for mirror in mirrors))


MNIST = {
    ("train", "images"): _mnist(
        "train-images-idx3-ubyte.gz", 47_040_016, "6bbc9ace898e44ae57da46a324031adb"
    ),
    ("train", "labels"): _mnist(
        "train-labels-idx1-ubyte.gz", 60_008, "a25bea736e30d166cdddb491f175f624"
    ),
    ("test", "images"): _mnist(
        "t10k-images-idx3-ubyte.gz", 7_840_016, "2646ac647ad5339dbf082846283269ea"
    ),
    ("test", "labels"): _mnist(
        "t10k-labels-idx1-ubyte.gz", 10_008, "27ae3e4e09519cfbb04c329615203637"
    ),
}

CIFAR10 = Source(
    "cifar-10-binary.tar.gz",
    170_052_171,
    "c32a1d4ab5d03f1284b67883e8d87530",
    False,
    (
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
        "cifar-10-binary.tar.gz",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"
        "cifar-10-binary.tar.gz",
        # The origin comes last: it has been giving 50-80 kB/s, most of an hour for this file.
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    ),
)


def _norb(name, size, sha256):
    mirrors = (
        "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/",
        # The Internet Archive's copy of the origin, byte for byte ("id_").
        "https://web.archive.org/web/2020id_/https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/",
    )
    return Source(name, size, sha256, False, tuple(m + name for m in mirrors), "sha256")


# Sizes and SHA-256 as TensorFlow Datasets publishes them.
NORB = {
    ("train", "dat"): _norb(
        "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat.gz",
        131_896_188,
        "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873",
    ),
    ("train", "cat"): _norb(
        "smallnorb-5x46789x9x18x6x2x96x96-training-cat.mat.gz",
        348,
        "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa",
    ),
    ("train", "info"): _norb(
        "smallnorb-5x46789x9x18x6x2x96x96-training-info.mat.gz",
        71_052,
        "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32",
    ),
    ("test", "dat"): _norb(
        "smallnorb-5x01235x9x18x6x2x96x96-testing-dat.mat.gz",
        130_799_817,
        "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474",
    ),
    ("test", "cat"): _norb(
        "smallnorb-5x01235x9x18x6x2x96x96-testing-cat.mat.gz",
        347,
        "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff",
    ),
    ("test", "info"): _norb(
        "smallnorb-5x01235x9x18x6x2x96x96-testing-info.mat.gz",
        10_428,
        "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2",
    ),
}


def find_file(folder, source):
    """One file of a source in a folder, by any of the names that it goes by.

    Parameters
    ----------
    folder : path-like
    source : Source

    Returns
    -------
    pathlib.Path or None
        As the mirrors call it, or as ``gunzip`` leaves it; with a dot for the last hyphen but one
        (``train-images.idx3-ubyte``), as other archives have it; or one of these in a folder of
        its own name.
    """
    plain = source.name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    names = dict.fromkeys(n for one in (plain, dotted) for n in (one + ".gz", one))
    if source.name == plain:
        names = dict.fromkeys((plain, dotted))
    for name in names:
        path = Path(folder) / name
        if os.path.isdir(path):
            inside = [path / n for n in names if os.path.isfile(path / n)]
            if inside:
                return inside[0]
        if os.path.exists(path):
            return path
    return None


def find_folder(root, name, table):
    """The folder in or at ``root`` that holds any file of the table.

    Parameters
    ----------
    root : path-like
    name : str
        What the folder is called, in small or capital letters.
    table : dict of Source

    Returns
    -------
    pathlib.Path or None
        See :func:`folders`.
    """
    for folder in folders(root, name):
        if any(find_file(folder, source) for source in table.values()):
            return folder
    return None


def folders(root, name):
    """Where a data set may lie.

    Parameters
    ----------
    root : path-like
    name : str
        What its folder is called, in small or capital letters.

    Yields
    ------
    pathlib.Path
        The folder of that name in ``root``, then ``root`` itself; after each its ``raw/``, as
        torchvision leaves it, and the folder of that name in it once more, as some archives do.
    """
    for outer in (*_called(root, name), Path(root)):
        for folder in (outer, *_called(outer, name)):
            yield folder
            yield from _called(folder, "raw")


def _called(folder, name):
    """The folders in a folder that have a name, in small or capital letters."""
    try:
        found = sorted(os.listdir(folder))
    except OSError:  # not there, no folder, or not to be read, as whoever reads it will say
        return []
    return [Path(folder) / one for one in found if one.lower() == name.lower()]


def fetch_missing(root, name, table):
    """Download the files of a table that are not there, to where they will be looked for.

    Parameters
    ----------
    root, name, table
        As for :func:`find_folder`.

    Raises
    ------
    DataError
        If no mirror has a file.
    """
    root = Path(root)
    folder = find_folder(root, name, table) or (root if root.name == name else root / name)
    for source in table.values():
        if not find_file(folder, source):
            download(source, folder)


def download(source, folder):
    """Fetch one file from the first mirror that has the right content.

    The file appears under its name only when it is whole and its digest is right.  Whoever is
    interrupted starts again from nothing.  Of several processes that want the same file at the
    same time one fetches it and the others wait.

    Parameters
    ----------
    source : Source
    folder : path-like

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If every mirror fails (the message names each with its reason) or the disk refuses.
    """
    path = Path(folder) / source.name
    reasons = []
    with only_one(path, lambda line: print(line, file=sys.stderr, flush=True)):
        if path.exists():  # somebody else has fetched it meanwhile
            return path
        for url in source.urls:
            try:
                with atomic_file(path) as file:
                    _fetch(url, file, source.size)
                    _verify(file, source)
                return path
            except _MirrorFailed as failure:
                reasons.append(f"{url}: {failure}")
    raise DataError(
        f"no mirror gave {source.name} ({'; '.join(reasons)}); "
        f"check the network, or put the file into {folder} by hand"
    )


def pooch():
    """The module of that name; in a notebook it warns of widgets that its bars could have."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        return importlib.import_module("pooch")


class _MirrorFailed(Exception):
    """Why the next mirror has to be tried."""


def _fetch(url, file, size):
    import requests

    # A little more than the content, for what gzip adds to content that it cannot pack.
    sink = _BoundedSink(file, size + (1 << 20))
    progress = sys.stderr is not None and sys.stderr.isatty()
    downloader = pooch().HTTPDownloader(progressbar=progress, chunk_size=CHUNK)
    try:
        downloader(url, sink, None)
    # requests makes its errors OSErrors; those of our own disk are none of requests' and go on.
    except (requests.RequestException, ValueError) as error:
        raise _MirrorFailed(_in_few_words(error)) from error


def _in_few_words(error):
    """What is at the bottom of an error of requests, which repeats host, port and URL above it."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason}"
    while True:
        below = [e for e in (getattr(error, "reason", None), *error.args) if _is_error(e)]
        if not below:
            break
        error = below[0]
    text = str(error) or type(error).__name__
    return text.rpartition(": ")[2] if text.startswith(("HTTP", "<urllib3")) else text


def _is_error(value):
    return isinstance(value, Exception)


class _BoundedSink:
    """What a download is written into; it refuses more bytes than the file can have."""

    def __init__(self, file, limit):
        self.file, self.left = file, limit

    def write(self, chunk):
        self.left -= len(chunk)
        if self.left < 0:
            raise _MirrorFailed("it sends more than the file can have")
        return self.file.write(chunk)

    def flush(self):
        """Nothing to do: pooch asks after every chunk, :func:`atomic_file` once at the end."""


def _verify(file, source):
    file.seek(0)
    packed = source.unpacked and file.read(2) == GZIP_MAGIC
    file.seek(0)
    digest, size = hashlib.new(source.algorithm, usedforsecurity=False), 0
    stream = gzip.open(file) if packed else file
    try:
        # Never more than one chunk beyond the size that is right.
        while size <= source.size and (chunk := stream.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _MirrorFailed(f"its content is damaged ({error})") from error
    if size != source.size or digest.hexdigest() != source.digest:
        raise _MirrorFailed(
            f"its content is not the file's ({source.algorithm} {digest.hexdigest()} of "
            f"{size:,} bytes; expected {source.digest} of {source.size:,})"
        )
