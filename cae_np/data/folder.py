"""A folder of images as a data set: each subfolder is a class.

``FOLDER/CLASS/*.png`` is divided by what the images hold; ``FOLDER/train/CLASS/*.png`` with
``FOLDER/test/CLASS/*.png`` comes as it is divided.  Images that lie in the folder itself are all of
one class.  What an image is, is left to Pillow.
"""

import os
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy

from ..errors import CaeError, ConfigError, DataError
from ..waiting import Waiting
from .dataset import Dataset, Split, hash_order

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".pgm", ".ppm", ".pnm"),
)
TRAIN, TEST = ("train", "training"), ("test", "testing")
GREY = ("1", "L", "LA")  # Pillow's modes of 8 bits or fewer
COLOUR = ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")


def load_folder(folder, size=None, channels=None, test=0.2):
    """Read a folder of images, one class a subfolder.

    Parameters
    ----------
    folder : path-like
        ``FOLDER/CLASS/...``, or ``FOLDER/train/CLASS/...`` and ``FOLDER/test/CLASS/...``; or images
        without subfolders, which are one class.  Subfolders of a class belong to it.  Files whose
        names begin with a dot, and those that are no images by their ending, are left out.
    size : int or (int, int), optional
        Height and width that every image gets: it is scaled until it covers them, and its middle is
        cut out.  Default: as they are, if all are equal.
    channels : {1, 3}, optional
        Grey or colour.  Default: grey if all images are.
    test : float in [0, 1)
        Share of each class that is kept for testing, if the folder is not divided itself.

    Returns
    -------
    Dataset
        Of the folder's name; labels 0, 1, ... are the subfolders in the order of their names.

    Raises
    ------
    DataError
        If there are no images, one cannot be read, or they differ in size; the message says how to
        make them equal.
    ConfigError
        If an argument is none of those above, or Pillow is missing.

    Notes
    -----
    Which images are for testing depends on what they hold, not on their names or order: in every
    class those whose hash comes first (:func:`~cae_np.data.dataset.hash_order`).  The training
    images come in the order of their hashes too, and their last fifth is what choices are made on.
    A picture is turned as its camera says; transparent parts become white; of several frames the
    first is taken.

    Examples
    --------
    >>> import numpy, os, tempfile
    >>> from PIL import Image
    >>> from cae_np.data import load_folder
    >>> folder = tempfile.TemporaryDirectory()
    >>> for name, grey in (("dark", 10), ("light", 200)):
    ...     os.mkdir(f"{folder.name}/{name}")
    ...     for i in range(5):
    ...         Image.new("L", (8, 6), grey + i).save(f"{folder.name}/{name}/{i}.png")
    >>> data = load_folder(folder.name)
    >>> data.classes, data.image_shape, len(data.train), len(data.test)
    (('dark', 'light'), (1, 6, 8), 8, 2)
    >>> folder.cleanup()
    """
    folder = Path(os.path.expanduser(folder))
    size = _checked_size(size)
    if channels not in (None, 1, 3):
        raise ConfigError(f"channels={channels!r}: choose 1 for grey or 3 for colour")
    if not 0 <= test < 1:
        raise ConfigError(f"test={test}: expected a share from 0 to below 1, 0.2 for instance")
    classes, divided = _classes(folder)
    everything = [path for part in divided for one in part for path in one]
    shape = _common_shape(folder, everything, size, channels)
    splits = []
    with Waiting(f"reading {folder.name}", len(everything)) as waiting:
        for part in divided:
            images = numpy.empty((sum(map(len, part)), *shape), numpy.uint8)
            labels = numpy.repeat(numpy.arange(len(part)), [len(one) for one in part])
            for n, path in enumerate(path for one in part for path in one):
                images[n] = _pixels(path, shape)
                waiting.advance(1)
            order = hash_order(images, labels, "folder")
            splits.append(Split(images[order], labels[order]))
    if len(splits) == 1:
        splits = _divided(splits[0], test)
    train, held_back = splits
    note = f"{folder.name}: every image scaled and cropped to {size[0]}×{size[1]}" if size else None
    name = folder.resolve().name
    return Dataset(name, str(folder), train, held_back, classes, len(train) // 5, note)


def holds_images(folder):
    """Whether a folder is one that :func:`load_folder` reads, as far as names tell."""
    try:
        return bool(_classes(Path(folder))[0])
    except DataError:
        return False


# --- helpers ----------------------------------------------------------------------------------


def _checked_size(size):
    if size is None:
        return None
    both = (size, size) if isinstance(size, int) else size
    try:
        height, width = (int(side) for side in both)
        if min(height, width) < 1 or (height, width) != tuple(both):
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"size={size!r}: expected a number of pixels or (height, width), 64 for instance"
        ) from error
    return height, width


def _classes(folder):
    """Names of the classes; and of each part (one, or training and test) the files by class."""
    inside = _folders(folder)
    by_name = {path.name.lower(): path for path in inside}
    parts = [next((by_name[n] for n in names if n in by_name), None) for names in (TRAIN, TEST)]
    if all(parts):
        names = tuple(path.name for path in _folders(parts[0])) or (folder.name,)
        strange = {path.name for path in _folders(parts[1])} - set(names)
        if strange:
            raise DataError(
                f"{parts[1]} has the class {min(strange)!r}, {parts[0]} has not; expected the same "
                "subfolders in both"
            )
        flat = not _folders(parts[0])
        divided = [[_images(p if flat else p / name) for name in names] for p in parts]
    else:
        names = tuple(path.name for path in inside) or (folder.name,)
        divided = [[_images(path) for path in inside] or [_images(folder)]]
    for part in divided:
        if not any(part):
            raise DataError(
                f"{folder} holds no images; expected subfolders, one a class, with files that end "
                f"in {', '.join(SUFFIXES[:3])} or the like"
            )
    empty = [name for name, files in zip(names, divided[0], strict=True) if not files]
    if empty:
        raise DataError(f"{folder}: no images of the class {empty[0]!r}; remove that folder")
    return names, divided


def _folders(folder):
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror or error})") from error
    return [path for path in found if path.is_dir() and not path.name.startswith(".")]


def _images(folder):
    """All images in a folder and below it, in the order of their names."""
    if not folder.is_dir():  # a class that is trained on and not tested
        return []
    found = []
    for place, inside, names in os.walk(folder):
        inside[:] = [name for name in inside if not name.startswith(".")]
        found += [Path(place) / n for n in names if not n.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES)


def _common_shape(folder, paths, size, channels):
    """(C, H, W) of every image once it is read; looks at the beginnings of the files only."""
    sizes, colour = Counter(), False
    example = {}
    for path in paths:
        with _opened(path) as image:
            if image.mode not in GREY + COLOUR:
                raise DataError(
                    f"{path} has more than 8 bits a channel (Pillow's mode {image.mode}); make it "
                    f"an ordinary image: magick mogrify -depth 8 {path}"
                )
            colour |= image.mode in COLOUR
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # the camera lay on its side
                width, height = height, width
        sizes[height, width] += 1
        example.setdefault((height, width), path)
    if size is None and len(sizes) > 1:
        (one, n), (other, m) = sizes.most_common(2)
        (h, w), (i, j) = one, other
        raise DataError(
            f"images in {folder} differ in size: {n} are {h}×{w}, as {example[one]}, {m} are "
            f"{i}×{j}, as {example[other]}; size=({h}, {w}) scales and crops them all, or make "
            f"copies with: magick mogrify -resize {w}x{h}^ -gravity center -extent {w}x{h} FILES"
        )
    return channels or (3 if colour else 1), *(size or next(iter(sizes)))


def _pixels(path, shape):
    """One image, uint8 (C, H, W)."""
    from PIL import Image, ImageOps

    C, H, W = shape
    with _opened(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if C == 1 else "RGB")
        if image.size != (W, H):
            image = ImageOps.fit(image, (W, H), Image.Resampling.LANCZOS)
    return numpy.asarray(image).reshape(H, W, C).transpose(2, 0, 1)


@contextmanager
def _opened(path):
    """An image of Pillow's; whatever goes wrong with it is an error of ours that names the file."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ConfigError(
            "reading folders of images needs Pillow: pip install 'cae_np[images]'"
        ) from error
    try:
        with Image.open(path) as image:
            yield image
    except CaeError:
        raise
    except Exception as error:  # decoders have errors of many kinds
        raise DataError(
            f"{path} cannot be read as an image ({error}); repair it, or take it out of the folder"
        ) from error


def _divided(whole, test):
    """Training and test split: of each class the first ones are for testing."""
    for_test = numpy.zeros(len(whole), bool)
    for label in numpy.unique(whole.labels):
        of_class = (whole.labels == label).nonzero()[0]
        for_test[of_class[: round(test * len(of_class))]] = True
    return whole.take((~for_test).nonzero()[0]), whole.take(for_test.nonzero()[0])
