"""Files of small NORB that are made up."""

import gzip

import numpy as np

from cae_np.data import sources

MAGIC = {"dat": 0x1E3D4C55, "cat": 0x1E3D4C54, "info": 0x1E3D4C54}


NAMES = {key: source.name.removesuffix(".gz") for key, source in sources.NORB.items()}


def matrix(array, magic):
    """A binary matrix by the format's description, not by our reader's constants."""
    dimensions = [*array.shape, 1, 1][: max(3, array.ndim)]
    head = np.array([magic, array.ndim, *dimensions], "<u4").tobytes()
    return head + array.astype(array.dtype.newbyteorder("<")).tobytes()


def contents(made):
    return {key: matrix(array, MAGIC[key[1]]) for key, array in made.items()}


def arrays(n=10, height=12, width=12):
    """The arrays of the six files; instances as small NORB divides them."""
    rng = np.random.default_rng([5, 0, 0, 0, 7])
    made = {}
    for part, instances in (("train", (4, 6, 7, 8, 9)), ("test", (0, 1, 2, 3, 5))):
        made[part, "dat"] = rng.integers(0, 256, (n, 2, height, width), np.uint8)
        made[part, "cat"] = np.arange(n, dtype=np.int32) % 5
        info = np.full((n, 4), -1, np.int32)
        info[:, 0] = np.array(instances)[np.arange(n) // 2 % 5]
        made[part, "info"] = info
    return made


SMALL = arrays()


def fill(folder, made=SMALL, pack=bytes, **changes):
    """Write the six files; ``train_dat=...`` replaces the bytes of one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, content in contents(made).items():
        content = changes.get("_".join(key), content)
        if content is not None:
            name = NAMES[key] + (".gz" if pack is gzip.compress else "")
            (folder / name).write_bytes(pack(content))
    return folder
