"""MNIST: handwritten digits, 60,000 + 10,000 images of 28×28, in IDX files.

LeCun, Cortes, Burges.  An IDX file is a magic number (two zero bytes, the type of the numbers,
how many dimensions), the dimensions as big-endian 32-bit numbers, and the numbers.
"""

import hashlib
import math
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import sources
from .dataset import Dataset, Split
from .files import REMEDY, open_content, read_into

CLASSES = tuple("0123456789")
MAGIC = (b"\x00\x00\x08\x01", b"\x00\x00\x08\x03")  # unsigned bytes in 1 or 3 dimensions
SIZE_LIMIT = 1 << 26  # bytes of numbers; the largest official file has 47,040,000

WANTED = f"mnist/ with {', '.join(one.name for one in sources.MNIST.values())}"


def find(root):
    """The folder with MNIST's files in or at ``root``, or None.

    Parameters
    ----------
    root : path-like
        ``mnist/``, or the folder that it lies in.

    Returns
    -------
    pathlib.Path or None
        A folder with at least one of the four files.
    """
    return sources.find_folder(root, "mnist", sources.MNIST)


def fetch(root):
    """Download what is missing of the four files, to where :func:`find` will look.

    Raises
    ------
    DataError
        If no mirror has a file.
    """
    sources.fetch_missing(root, "mnist", sources.MNIST)


def read(folder, source):
    """Read the four files, gzipped or not, and verify their content.

    Parameters
    ----------
    folder : path-like
        From :func:`find`.
    source : str
        How it was found.

    Returns
    -------
    Dataset
        Images (N, 1, 28, 28); the first 50,000 training images are for fitting, the last 10,000
        for choosing.

    Raises
    ------
    DataError
        If a file is missing, damaged, or not the official one.
    """
    train, test = (_read_split(Path(folder), part) for part in ("train", "test"))
    return Dataset("mnist", source, train, test, CLASSES, validation=len(train) // 6)


def read_split(images_path, labels_path, images_md5=None, labels_md5=None):
    """Read images and their labels from two IDX files.

    Parameters
    ----------
    images_path, labels_path : path-like
    images_md5, labels_md5 : str, optional
        MD5 of the unpacked files, to be verified.

    Returns
    -------
    Split

    Raises
    ------
    DataError
        If :func:`read_idx` raises it, or the two files do not belong together.
    """
    images = read_idx(images_path, images_md5)
    labels = read_idx(labels_path, labels_md5)
    if images.ndim != 3:
        raise DataError(
            f"{images_path} holds an array of shape {images.shape}; expected images of shape "
            f"(N, height, width); {REMEDY}"
        )
    if labels.shape != images.shape[:1]:
        raise DataError(
            f"{labels_path} holds an array of shape {labels.shape}; expected one label for each "
            f"of the {len(images)} images in {images_path}; {REMEDY}"
        )
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"{labels_path} holds a label {labels.max()}; expected 0 to {len(CLASSES) - 1}; "
            f"{REMEDY}"
        )
    return Split(images[:, None], labels.astype(np.int64))


def read_idx(path, md5=None):
    """Read one IDX file of unsigned bytes, gzipped or not.

    Parameters
    ----------
    path : path-like
    md5 : str, optional
        MD5 of the unpacked file, to be verified.

    Returns
    -------
    numpy.ndarray of uint8, shape (N, height, width) or (N,)

    Raises
    ------
    DataError
        If the file is missing or damaged, if its header is not that of an IDX file of images or
        labels, if it has fewer or more bytes than its header says, or if the MD5 is another.

    Notes
    -----
    Nothing is allocated before the header agrees with what the file can hold.
    """
    with open_content(path) as (stream, capacity):
        magic = stream.read(4)
        if magic not in MAGIC:
            raise DataError(
                f"{path} begins with bytes {magic.hex(' ') or '(none)'}; expected an IDX file's "
                f"00 00 08 03 (images) or 00 00 08 01 (labels); {REMEDY}"
            )
        dimensions = stream.read(4 * magic[3])
        if len(dimensions) < 4 * magic[3]:
            raise DataError(f"{path} ends within its IDX header; {REMEDY}")
        shape = tuple(int(n) for n in np.frombuffer(dimensions, ">u4"))
        header = magic + dimensions
        size = len(header) + math.prod(shape)
        limit = min(capacity, SIZE_LIMIT)
        if size > limit or 0 in shape:
            raise DataError(
                f"{path} is damaged: its header describes an array of shape {shape}, "
                f"{size:,} bytes; expected something in it, and {limit:,} bytes at most; {REMEDY}"
            )
        array = np.empty(shape, np.uint8)
        content = len(header) + read_into(stream, array)
        if content < size or stream.read(1):
            found = f"only {content:,}" if content < size else "more"
            raise DataError(
                f"{path} is damaged: its header describes an array of shape {shape}, "
                f"{size:,} bytes, but it holds {found}; {REMEDY}"
            )
    if md5 is not None:
        digest = hashlib.md5(header, usedforsecurity=False)
        digest.update(array)
        if digest.hexdigest() != md5:
            raise DataError(
                f"{path} is not the official file: the MD5 of its content is "
                f"{digest.hexdigest()}; expected {md5}; {REMEDY}"
            )
    return array


# --- helpers ----------------------------------------------------------------------------------


def _read_split(folder, part):
    images, labels = (sources.MNIST[part, what] for what in ("images", "labels"))
    # Where a file is missing, the reader will say so under the name that the mirrors give it.
    paths = (sources.find_file(folder, file) or folder / file.name for file in (images, labels))
    return read_split(*paths, images.digest, labels.digest)
