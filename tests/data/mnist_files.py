"""Files of MNIST that are made up."""

import gzip

import numpy as np

from cae_np.data import sources


def idx(array, magic=None, shape=None):
    """The bytes of an IDX file, with another magic number or shape in its header if asked."""
    magic = bytes([0, 0, 8, array.ndim]) if magic is None else magic
    shape = array.shape if shape is None else shape
    return magic + b"".join(n.to_bytes(4, "big") for n in shape) + array.tobytes()


IMAGES = np.random.default_rng([5, 0, 0, 0, 0]).integers(0, 256, (12, 28, 28), np.uint8)


LABELS = (np.arange(12) % 10).astype(np.uint8)


CONTENTS = {"images": idx(IMAGES), "labels": idx(LABELS)}


def fill(folder, pack=gzip.compress, suffix=".gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for (_, what), source in sources.MNIST.items():
        name = source.name.removesuffix(".gz") + suffix
        (folder / name).write_bytes(pack(CONTENTS[what]))
    return folder
