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
        Of stereo pairs the channels are the two views.
    labels : numpy.ndarray of integers, shape (N,)
    instances : numpy.ndarray of integers, shape (N,), optional
        Which object of its class an image shows, where several show the same one.
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    instances: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ValueError(
                f"images are {self.images.dtype} of shape {self.images.shape}; "
                "expected uint8 of shape (N, C, H, W)"
            )
        for name in ("labels", "instances"):
            numbers = getattr(self, name)
            if numbers is None:
                continue
            if numbers.shape != self.images.shape[:1]:
                raise ValueError(
                    f"{name} have shape {numbers.shape}; expected one for each of "
                    f"{len(self.images)} images"
                )
            if numbers.dtype.kind not in "iu":
                raise ValueError(f"{name} are {numbers.dtype}; expected integers")

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
        instances = None if self.instances is None else self.instances[indices]
        return Split(self.images[indices], self.labels[indices], instances)

    def views(self):
        """Every channel as an image of its own: the views of stereo pairs, one after the other.

        Returns
        -------
        Split
            N·C images (N·C, 1, H, W), a view of the same memory; of record n those from n·C on.
        """
        N, C, H, W = self.images.shape
        instances = None if self.instances is None else self.instances.repeat(C)
        images = self.images.reshape(N * C, 1, H, W)
        return Split(images, self.labels.repeat(C), instances)


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
        How many records choices are made on: those at the end of ``train``, or, where these have
        instances, as many as the largest group of them.
    note : str, optional
        What must be known of where the images come from, in one line.
    """

    name: str
    source: str
    train: Split
    test: Split
    classes: tuple
    validation: int
    note: str | None = None

    @cached_property
    def checksum(self):
        """SHA-256 over name, shapes, images, labels and instances, in hexadecimal.

        Results carry it, so that figures from different data never pass for the same.
        """
        digest = hashlib.sha256(f"{self.name} {self.validation}".encode())
        for split in (self.train, self.test):
            digest.update(repr(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images))
            for numbers in (split.labels, split.instances):
                if numbers is not None:
                    digest.update(np.ascontiguousarray(numbers, dtype="<i8"))
        return digest.hexdigest()

    @property
    def image_shape(self):
        """(C, H, W) of one image."""
        return self.train.images.shape[1:]

    @cached_property
    def folds(self):
        """In how many ways a part can be held out: one, or as many as instances are trained on."""
        return len(self._instances) or 1

    def labelled(self, n, seed):
        """Draw ``n`` training records, see :func:`subset`; validation ones only if it takes them.

        Parameters
        ----------
        n : int, 1 <= n <= number of training records
        seed : int, >= 0

        Returns
        -------
        Split

        Raises
        ------
        ValueError
            If ``n`` is out of range.
        """
        fit, _ = self.held_out()
        return subset(fit if n <= len(fit) else self.train, n, seed)

    def held_out(self, fold=0):
        """Divide the training split into a part to fit and a part to choose on.

        Parameters
        ----------
        fold : int, 0 <= fold < self.folds
            Which of the instances (in growing order) is left out, of every class.  A classifier
            that knows an object from other angles has an easy task, so choices are made on
            objects that it has not seen.

        Returns
        -------
        fit, validation : Split
            Without instances views: all but the last ``self.validation`` records, and those.  With
            instances copies.

        Raises
        ------
        ValueError
            If there is no such fold.
        """
        if not 0 <= fold < self.folds:
            raise ValueError(f"fold {fold}: expected 0 to {self.folds - 1}")
        if self.folds == 1:
            boundary = len(self.train) - self.validation
            return self.train.take(slice(boundary)), self.train.take(slice(boundary, None))
        left_out = self.train.instances == self._instances[fold]
        return self.train.take((~left_out).nonzero()[0]), self.train.take(left_out.nonzero()[0])

    @cached_property
    def _instances(self):
        """Those that occur among the training records."""
        instances = self.train.instances
        return np.unique(instances) if instances is not None else np.empty(0, np.int64)


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
