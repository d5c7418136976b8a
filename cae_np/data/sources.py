"""Where the public data sets lie, how their files are recognised, and how they are fetched.

MNIST: LeCun, Cortes, Burges.  CIFAR-10: Krizhevsky, *Learning Multiple Layers of Features from
Tiny Images*, 2009.
"""

import gzip
import hashlib
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..storage import atomic_file
from .files import GZIP_MAGIC

CHUNK = 1 << 16


@dataclass(frozen=True)
class Source:
    """A file that several mirrors offer.

    Attributes
    ----------
    name : str
        Of the file, on the mirrors and on disk.
    size, md5 : int, str
        Bytes and MD5 of its content.
    unpacked : bool
        Whether size and MD5 are those of what gzip unpacks: mirrors pack the same content
        differently, and some web servers unpack it on the way.
    urls : tuple of str
        Mirrors, the first to be tried first.
    """

    name: str
    size: int
    md5: str
    unpacked: bool
    urls: tuple


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


def download(source, folder):
    """Fetch one file from the first mirror that has the right content.

    The file appears under its name only when it is whole and its MD5 is right.  Whoever is
    interrupted starts again from nothing, and two processes that fetch the same file at the same
    time each write their own copy and leave one.

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


class _MirrorFailed(Exception):
    """Why the next mirror has to be tried."""


def _fetch(url, file, size):
    import pooch
    import requests

    # A little more than the content, for what gzip adds to content that it cannot pack.
    sink = _BoundedSink(file, size + (1 << 20))
    progress = sys.stderr is not None and sys.stderr.isatty()
    downloader = pooch.HTTPDownloader(progressbar=progress, chunk_size=CHUNK)
    try:
        downloader(url, sink, None)
    # requests makes its errors OSErrors; those of our own disk are none of requests' and go on.
    except (requests.RequestException, ValueError) as error:
        raise _MirrorFailed(str(error) or type(error).__name__) from error


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
    digest, size = hashlib.md5(usedforsecurity=False), 0
    stream = gzip.open(file) if packed else file
    try:
        # Never more than one chunk beyond the size that is right.
        while size <= source.size and (chunk := stream.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _MirrorFailed(f"its content is damaged ({error})") from error
    if size != source.size or digest.hexdigest() != source.md5:
        raise _MirrorFailed(
            f"its content is not the file's (MD5 {digest.hexdigest()} of {size:,} bytes; "
            f"expected {source.md5} of {source.size:,})"
        )
