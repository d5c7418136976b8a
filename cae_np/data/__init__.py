"""Data sets: three that are read from files, and three drawn on the fly to stand in for them.

=======  ==============================  =======================  ==============
name     what                            images                   stands in for
=======  ==============================  =======================  ==============
mnist    handwritten digits              60,000 + 10,000 1×28×28
cifar10  colour photographs              50,000 + 10,000 3×32×32
norb     toys, in stereo                 24,300 + 24,300 2×32×32
glyphs   digits from fonts, deformed     any number of 1×28×28    mnist
shapes   coloured shapes and textures    any number of 3×32×32    cifar10
solids   shaded solids, in stereo        any number of 2×32×32    norb
=======  ==============================  =======================  ==============

:func:`load_folder` makes one of a folder of images, each subfolder a class.

>>> from cae_np import data
>>> digits = data.load("glyphs", n_train=20, n_test=10)
>>> digits.train.batch([0, 1]).shape, digits.test.labels.shape
((2, 1, 28, 28), (10,))
"""

import os
from dataclasses import replace
from pathlib import Path

from ..errors import ConfigError, DataError
from . import cifar10, glyphs, mnist, norb, shapes, solids
from .dataset import Dataset, Split, subset
from .folder import holds_images, load_folder
from .sources import pooch

__all__ = ["Dataset", "Split", "load", "load_folder", "load_or_stand_in", "subset"]

FILES = {"mnist": mnist, "cifar10": cifar10, "norb": norb}
EMBEDDED = {"glyphs": glyphs, "shapes": shapes, "solids": solids}
STAND_INS = {"mnist": "glyphs", "cifar10": "shapes", "norb": "solids"}
OWN = {
    "mnist": (1, 28),
    "cifar10": (3, 32),
}  # channels and size of a user's own images in their place


def load(name, data_dir=None, download=False, **sizes):
    """Load a data set.

    Parameters
    ----------
    name : {"mnist", "cifar10", "norb", "glyphs", "shapes", "solids"}
    data_dir : path-like, optional
        The folder that holds ``mnist/``, ``cifar-10-batches-bin/`` or ``smallnorb/``, or one of
        these itself.  Default: ``$CAE_DATA``, else the user's cache.
    download : bool
        Fetch into that folder what is missing there.
    **sizes : n_train, n_test, seed
        Of those that are drawn; the others always come whole.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the data are not there or are not what they should be.
    ConfigError
        If the name is unknown.
    """
    if name in EMBEDDED:
        return EMBEDDED[name].load(**sizes)
    if name not in FILES:
        known = ", ".join([*FILES, *EMBEDDED])
        raise ConfigError(
            f"unknown data set {name!r}; choose one of {known}; load_folder reads images of yours"
        )
    module = FILES[name]
    root, source = _root(data_dir)
    if download:
        module.fetch(root)
    place = module.find(root)
    if place is None:
        wrong = _what_is_wrong_with(root, source)
        mistaken = getattr(module, "mistaken", lambda root: "")(root)
        wanted = mistaken or f"expected {module.WANTED}"
        raise DataError(
            f"{name} is not in {root} ({source}){wrong}; {'' if wrong else wanted + '; '}"
            "fetch it with --download, or say with --data-dir or $CAE_DATA where it is"
        )
    return module.read(place, source)


def load_or_stand_in(name, data_dir=None, download=False, **sizes):
    """Load a data set, or the user's own images in its place, or what is embedded.

    A folder that holds no MNIST or CIFAR-10 but ten subfolders with images takes their place (see
    :func:`load_folder`), scaled and cropped to their size; the embedded data do where nobody said
    where the data are.

    Parameters
    ----------
    name, data_dir, download, **sizes
        As for :func:`load`.

    Returns
    -------
    dataset : Dataset
    notice : str or None
        One line for the user where another data set stands in, or the data's own note.

    Raises
    ------
    DataError
        If the user named a folder, or the cache holds something, and the data are not there or
        are not what they should be.
    """
    root, source = _root(data_dir)
    nobody_said = source == CACHE and not download
    if name in STAND_INS and nobody_said and FILES[name].find(root) is None:
        stand_in = STAND_INS[name]
        notice = (
            f"{name}: no --data-dir, no $CAE_DATA and nothing in {root}; using the embedded "
            f"{stand_in} instead (--download fetches {name})"
        )
        return load(stand_in, **sizes), notice
    if name in OWN and not download and FILES[name].find(root) is None and holds_images(root):
        return _own(name, root)
    dataset = load(name, data_dir, download, **sizes)
    return dataset, dataset.note


# --- helpers ----------------------------------------------------------------------------------

CACHE = "the user's cache"


def _own(name, root):
    """The user's images in the place of a data set, and a notice that says so."""
    channels, size = OWN[name]
    dataset = replace(load_folder(root, size, channels), source="--data-dir")
    if len(dataset.classes) != 10:
        raise DataError(
            f"{root} is a folder of images of {len(dataset.classes)} classes; the place of {name} "
            "is taken by ten, one a subfolder; cae_np.data.load_folder reads any number of them"
        )
    return dataset, (
        f"{name}: not in {root}; its images of ten classes take its place, each scaled and cropped "
        f"to {size}×{size}, {'grey' if channels == 1 else 'in colour'}"
    )


def _what_is_wrong_with(root, source):
    """Why nothing can be in a folder, if that is so."""
    if not os.path.exists(root):
        return "" if source == CACHE else ", which does not exist"
    if not os.path.isdir(root):
        return ", which is a file and no folder"
    return "" if os.access(root, os.R_OK | os.X_OK) else ", which may not be read"


def _root(data_dir):
    """The folder to look in, and in whose words it was named."""
    if data_dir is not None:
        return Path(os.path.expanduser(data_dir)), "--data-dir"  # shells leave --data-dir=~/x alone
    if os.environ.get("CAE_DATA"):
        return Path(os.path.expanduser(os.environ["CAE_DATA"])), "$CAE_DATA"
    return Path(pooch().os_cache("cae_np")), CACHE
