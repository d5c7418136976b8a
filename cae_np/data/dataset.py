"""What every data set is once it has been read: two splits of images and labels.

Held-out sets and subsets are chosen by what the records hold, not by where they stand, so that
two copies of a data set in different orders give the same experiment.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

BLOCK = 4096  # records hashed at a time: a few megabytes


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Attributes
    ----------
    images : numpy.ndarray of uint8, shape (N, C, H, W)
    labels : numpy.ndarray of integers, shape (N,)
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)

    def __post_init__(self):
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ValueError(
                f"images are {self.images.dtype} of shape {self.images.shape}; "
                "expected uint8 of shape (N, C, H, W)"
            )
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"labels have shape {self.labels.shape}; expected one for each of "
                f"{len(self.images)} images"
            )

    def __len__(self):
        return len(self.images)

    def batch(self, indices=slice(None), dtype=np.float32):
        """Intensities of some images.

        Parameters
        ----------
        indices : slice or array of int, shape (B,)
        dtype : floating dtype

        Returns
        -------
        x : numpy.ndarray, shape (B, C, H, W)
            A fresh host array with values in [0, 1].
        """
        dtype = np.dtype(dtype)
        return np.divide(self.images[indices], dtype.type(255), dtype=dtype)

    def take(self, indices):
        """The records at ``indices`` (a slice makes a view, an array of int a copy)."""
        return Split(self.images[indices], self.labels[indices])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split, and where they come from.

    Attributes
    ----------
    name : str
        What :func:`cae_np.data.load` calls it.
    source : str
        How it was found, for reports: ``"embedded"``, ``"--data-dir"``, ...
    train, test : Split
    classes : tuple of str
        The names of the labels 0, 1, ...
    validation : int
        How many records at the end of ``train`` choices are made on.
    """

    name: str
    source: str
    train: Split
    test: Split
    classes: tuple
    validation: int

    @cached_property
    def checksum(self):
        """SHA-256 over name, shapes, images and labels, in hexadecimal.

        Results carry it, so that figures from different data never pass for the same.
        """
        digest = hashlib.sha256(f"{self.name} {self.validation}".encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images))
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8"))
        return digest.hexdigest()

    @property
    def image_shape(self):
        """(C, H, W) of one image."""
        return self.train.images.shape[1:]

    def held_out(self):
        """Divide the training split into a part to fit and a part to choose on.

        Returns
        -------
        fit, validation : Split
            Views: all but the last ``self.validation`` records, and those.
        """
        boundary = len(self.train) - self.validation
        return self.train.take(slice(boundary)), self.train.take(slice(boundary, None))


def subset(split, n, seed):
    """Draw ``n`` records at random, by their content.

    Parameters
    ----------
    split : Split, of N records
    n : int, 1 <= n <= N
    seed : int, >= 0
        Another seed draws another subset; for one seed a smaller subset is the beginning of a
        larger one.

    Returns
    -------
    Split
        A copy, in an order that depends on content and seed alone.  Classes come as often as
        chance has it.

    Raises
    ------
    ValueError
        If ``n`` is out of range.
    """
    if not 1 <= n <= len(split):
        raise ValueError(f"a subset of {n} records was asked for; expected 1 to {len(split)}")
    return split.take(hash_order(split.images, split.labels, f"subset {seed}")[:n])


def hash_order(images, labels, key):
    """A random-looking order of records that depends only on what each of them holds.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (N, ...)
    labels : numpy.ndarray of integers, shape (N,)
    key : str
        Another key, another order.

    Returns
    -------
    order : numpy.ndarray of int64, shape (N,)
        Positions by growing hash; equal records keep their order among themselves.

    Notes
    -----
    Multilinear hashing: a record's hash is the sum of its 64-bit words, each times a random odd
    number of its own, modulo 2^64.  The numbers come from SHAKE-128, which no release of NumPy
    can change.  That sum alone would keep the order of images that grow evenly brighter, so it
    is scrambled at the end as in SplitMix64 (Steele, Lea, Flood 2014).
    """
    flat = images.reshape(len(images), -1)
    words = -(-flat.shape[1] // 8)
    factors = np.frombuffer(hashlib.shake_128(key.encode()).digest(8 * (words + 1)), "<u8") | 1
    hashes = labels.astype(np.uint64) * factors[words]
    padded = np.zeros((min(BLOCK, len(flat)), 8 * words), np.uint8)
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        padded[: len(block), : flat.shape[1]] = block
        hashes[start : start + BLOCK] += padded[: len(block)].view("<u8") @ factors[:words]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return np.argsort(hashes, kind="stable")
