"""Small NORB: toys seen by two cameras, 24,300 + 24,300 stereo pairs, as M14 takes them: 2×32×32.

LeCun, Huang, Bottou, *Learning Methods for Generic Object Recognition with Invariance to Pose and
Lighting*, CVPR 2004.  Each of five categories has ten toys (*instances*); five of them are for
training, the others for testing, so a classifier is asked about toys that it has never seen.

The files are binary matrices, all numbers little-endian: a magic number that names the type, the
number of dimensions, the dimensions (never fewer than three numbers), and the content.
"""

import math
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import sources
from .dataset import Dataset, Split
from .files import REMEDY, open_content, read_into

CLASSES = ("animal", "human", "airplane", "truck", "car")
SIZE = 32  # pixels of a side, after M14's cutting and averaging
INNER = 2 / 3  # of a side is kept: 64 of 96 pixels
BYTES, INTEGERS = 0x1E3D4C55, 0x1E3D4C54  # magic numbers
TYPES = {BYTES: np.dtype(np.uint8), INTEGERS: np.dtype("<i4")}
PAIR_LIMIT = 1 << 17  # five times as many as there are
SIDE_LIMIT = 1 << 10  # pixels
BLOCK = 1 << 22  # bytes of pixels that are averaged at a time

WANTED = f"smallnorb/ with {', '.join(one.name for one in sources.NORB.values())}"


def find(root):
    """The folder with small NORB's files in or at ``root``, or None.

    Parameters
    ----------
    root : path-like
        ``smallnorb/``, or the folder that it lies in.

    Returns
    -------
    pathlib.Path or None
        A folder with at least one of the six files.
    """
    return sources.find_folder(root, "smallnorb", sources.NORB)


def fetch(root):
    """Download what is missing of the six files, to where :func:`find` will look.

    Raises
    ------
    DataError
        If no mirror has a file.
    """
    sources.fetch_missing(root, "smallnorb", sources.NORB)


def read(folder, source):
    """Read the six files, gzipped or not.

    Parameters
    ----------
    folder : path-like
        From :func:`find`.
    source : str
        How it was found.

    Returns
    -------
    Dataset
        Images (N, 2, 32, 32), the two views of a pair as two channels, and the instance of each
        pair, by which parts are held out.  Views of another size than 32×32 are reduced as
        :func:`reduce_views` says; the note says where the files hold 32×32 already.

    Raises
    ------
    DataError
        If a file is missing or damaged, if the three files of a part do not belong together, or
        if a category is not 0 to 4.
    """
    (train, sides), (test, _) = (_read_split(Path(folder), part) for part in ("train", "test"))
    note = None
    if sides == (SIZE, SIZE):
        note = (
            f"norb: the files hold {SIZE}×{SIZE} pixels a view instead of the official 96×96; they "
            "are taken as they are (copies of this kind were averaged from JPEGs)"
        )
    validation = int(np.unique_counts(train.instances).counts.max())
    return Dataset("norb", source, train, test, CLASSES, validation, note)


def reduce_views(x):
    """M14's 32×32 pixels of larger views: the inner two thirds of each side, averaged.

    Parameters
    ----------
    x : numpy.ndarray of uint8, shape (N, V, H, W)

    Returns
    -------
    numpy.ndarray of uint8, shape (N, V, 32, 32)
        Of 96×96 pixels the means over 2×2 of the inner 64×64, rounded.  The paper says "resize"
        and not how.  Where 32 does not divide the inner part, a pixel counts by its overlap.
    """
    rows, columns = (_averaging(side).astype(np.float32) for side in x.shape[2:])
    return np.round(rows @ x.astype(np.float32) @ columns.T).astype(np.uint8)


def read_matrix(path, magic, expected):
    """Read one binary matrix, gzipped or not.

    Parameters
    ----------
    path : path-like
    magic : int
        BYTES or INTEGERS: the type that it has to have.
    expected : tuple
        The shape that it has to have, None where any number will do.

    Returns
    -------
    numpy.ndarray of uint8 or int32

    Raises
    ------
    DataError
        If the file is missing or damaged, is a matrix of another kind, or has fewer or more bytes
        than its header says.
    """
    with _open_matrix(path, magic, expected) as (stream, shape):
        content = np.empty(math.prod(shape) * TYPES[magic].itemsize, np.uint8)
        _read_whole(path, stream, content)
    return content.view(TYPES[magic]).reshape(shape)


# --- helpers ----------------------------------------------------------------------------------


def _averaging(side):
    """Weights (32, side): which pixels, and how much of them, go into each of the 32."""
    edges = side / 2 + side * INNER * (np.arange(SIZE + 1) / SIZE - 0.5)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    overlap = np.maximum(overlap, 0)
    return overlap / overlap.sum(axis=1, keepdims=True)


def _read_split(folder, part):
    """The part, and height and width of its views in the file."""
    # Where a file is missing, the reader will say so under the name that the mirrors give it.
    dat, cat, info = (
        sources.find_file(folder, source) or folder / source.name
        for source in (sources.NORB[part, kind] for kind in ("dat", "cat", "info"))
    )
    labels = read_matrix(cat, INTEGERS, (None,))
    if not 0 <= labels.min() <= labels.max() < len(CLASSES):
        raise DataError(
            f"{cat} holds categories {labels.min()} to {labels.max()}; expected 0 to "
            f"{len(CLASSES) - 1}; {REMEDY}"
        )
    # Instance, elevation, azimuth, lighting.
    instances = read_matrix(info, INTEGERS, (len(labels), 4))[:, 0]
    if instances.min() < 0:
        raise DataError(f"{info} holds an instance {instances.min()}; expected 0 or more; {REMEDY}")
    images, sides = _read_views(dat, len(labels))
    return Split(images, labels.astype(np.int64), instances.astype(np.int64)), sides


def _read_views(path, n):
    """Views of n pairs (n, 2, 32, 32), read and reduced a block at a time, and their sides."""
    with _open_matrix(path, BYTES, (n, 2, None, None)) as (stream, shape):
        sides = shape[2:]
        images = np.empty((n, 2, SIZE, SIZE), np.uint8)
        if sides == (SIZE, SIZE):
            _read_whole(path, stream, images)
            return images, sides
        pairs = max(1, BLOCK // (2 * math.prod(sides)))
        for start in range(0, n, pairs):
            block = np.empty((min(pairs, n - start), *shape[1:]), np.uint8)
            _read_whole(path, stream, block, last=start + len(block) == n)
            images[start : start + pairs] = reduce_views(block)
    return images, sides


@contextmanager
def _open_matrix(path, magic, expected):
    """The stream behind the header, and the shape: as expected, and no more than the file can hold
    or anybody's views need."""
    with open_content(path) as (stream, capacity):
        head = stream.read(8)
        known = b"".join(n.to_bytes(4, "little") for n in (magic, len(expected)))
        if head != known:
            raise DataError(
                f"{path} begins with bytes {head.hex(' ') or '(none)'}; expected "
                f"{known.hex(' ')}, a binary matrix of {TYPES[magic]} in {len(expected)} "
                f"dimensions; {REMEDY}"
            )
        numbers = stream.read(4 * max(3, len(expected)))
        if len(numbers) < 4 * max(3, len(expected)):
            raise DataError(f"{path} ends within its header; {REMEDY}")
        shape = tuple(int(n) for n in np.frombuffer(numbers, "<u4")[: len(expected)])
        if any(want not in (None, n) for want, n in zip(expected, shape, strict=True)):
            wanted = ", ".join("any" if n is None else f"{n:,}" for n in expected)
            raise DataError(
                f"{path} holds an array of shape {shape}; expected ({wanted}), as many lines as "
                f"the part has categories; {REMEDY}"
            )
        size = len(head) + len(numbers) + math.prod(shape) * TYPES[magic].itemsize
        too_large = shape[0] > PAIR_LIMIT or max(shape[1:], default=0) > SIDE_LIMIT
        if 0 in shape or too_large or size > capacity:
            raise DataError(
                f"{path} is damaged: its header describes an array of shape {shape}, {size:,} "
                f"bytes; expected something in it, at most {PAIR_LIMIT:,} lines, {SIDE_LIMIT:,} "
                f"pixels a side and {capacity:,} bytes; {REMEDY}"
            )
        yield stream, shape


def _read_whole(path, stream, array, last=True):
    """Fill the array; at the last one the stream must end with it."""
    short = read_into(stream, array.view(np.uint8)) < array.nbytes
    if short or (last and stream.read(1)):
        raise DataError(
            f"{path} is damaged: it holds {'fewer' if short else 'more'} bytes than its header "
            f"describes; {REMEDY}"
        )
