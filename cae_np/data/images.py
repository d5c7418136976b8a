"""Images as callers have them, brought into the one form that everything here computes on.

That form is (N, C, H, W), floats.  Outside, images are (N, H, W), (N, H, W, C) or (N, C, H, W),
bytes or floats, of NumPy or CuPy.  What is clear is taken; what could be meant in two ways is
refused, with the keyword that settles it: ``channels="first"``, ``"last"`` or ``"none"``.
"""

import numpy

from ..backend import active, get_array_module, to_numpy
from ..errors import ConfigError, DataError
from .batches import ImageArray

LAYOUTS = {"first": "(N, C, H, W)", "last": "(N, H, W, C)", "none": "(N, H, W)"}
FEW = 4  # grey, two views, colour, colour with transparency: what is taken for channels unasked


def read_images(images, channels=None, expected=None):
    """Images of any usual layout and type as something that has batches.

    Parameters
    ----------
    images : array, or object with ``len()`` and ``batch(indices)``
        NumPy or CuPy, shape (N, H, W), (N, H, W, C) or (N, C, H, W).  uint8 is scaled to [0, 1],
        floats (and True and False) keep their values.  Objects with batches, as every split of a
        data set is one, come back as they are.
    channels : {"first", "last", "none"}, optional
        Where the channels are, where the shape does not tell: 1 to 4 of them, or as many as
        ``expected``, are recognised.
    expected : int, optional
        C, which a model needs.

    Returns
    -------
    ImageArray, or ``images``
        A view of the same memory.

    Raises
    ------
    ConfigError
        If these are no images, or could be read in two ways; the message says which keyword
        settles it.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import read_images
    >>> read_images(np.zeros((10, 32, 24, 3), np.uint8)).batch().shape
    (10, 3, 32, 24)
    """
    if channels is not None and channels not in LAYOUTS:
        raise ConfigError(f"channels={channels!r}: choose one of {', '.join(map(repr, LAYOUTS))}")
    if hasattr(images, "batch"):
        _check_split(images, expected)
        return images
    try:
        xp = get_array_module(images)
    except TypeError:
        xp = None
    if xp is None or not hasattr(images, "ndim"):
        raise ConfigError(
            f"images of type {type(images).__name__}: expected an array of NumPy or CuPy, shape "
            "(N, C, H, W), (N, H, W, C) or (N, H, W), or a split of a data set; numpy.asarray "
            "makes an array of lists and tensors"
        )
    _check_kind(images.dtype)
    layout = channels or _layout(images.shape, expected)
    wanted_dimensions = 3 if layout == "none" else 4
    if images.ndim != wanted_dimensions:
        raise ConfigError(
            f"images of shape {images.shape} with channels={channels!r}: expected {LAYOUTS[layout]}"
        )
    if layout == "none":
        images = images[:, None]
    elif layout == "last":
        images = images.transpose(0, 3, 1, 2)
    if 0 in images.shape:
        raise ConfigError(f"images of shape {images.shape}: there are none, or they have no pixels")
    if expected not in (None, images.shape[1]):
        raise ConfigError(
            f"images of {images.shape[1]} channels, (N, C, H, W) = {images.shape}, where "
            f"{expected} are expected; make the model with channels={images.shape[1]}"
        )
    if xp is not numpy and xp is not active().module:
        images = to_numpy(images)  # device arrays while something else computes
    return ImageArray(images)


def image_shape(images):
    """(C, H, W) of something that has batches."""
    return tuple(images.batch(slice(0, 1)).shape[1:])


def check_finite(x, first=0):
    """Refuse NaN and infinity in a batch of images.

    Parameters
    ----------
    x : array, shape (n, ...)
    first : int
        Number of the first of them, for the message.

    Raises
    ------
    DataError
        The message says which image.
    """
    xp = get_array_module(x)
    finite = xp.isfinite(x).reshape(len(x), -1).all(axis=1)
    if not bool(finite.all()):
        n = first + int(to_numpy(finite).argmin())
        raise DataError(
            f"image {n} holds NaN or infinity; expected finite numbers; repair that image or "
            "leave it out"
        )


def _check_kind(dtype):
    if dtype.kind in "fb" or dtype == "uint8":
        return
    remedy = "images.astype('float32') keeps their values"
    if dtype.kind in "iu":
        remedy = "images.astype('uint8') if they lie from 0 to 255, or " + remedy
    raise ConfigError(f"images of dtype {dtype}: expected uint8 or floats; {remedy}")


def _check_split(images, expected):
    shape = getattr(getattr(images, "images", None), "shape", None)
    if expected is not None and shape is not None and len(shape) == 4 and shape[1] != expected:
        raise ConfigError(
            f"images of {shape[1]} channels where {expected} are expected; make the model with "
            f"channels={shape[1]}"
        )


def _layout(shape, expected):
    """Which layout a shape is, or an error that names what would settle it."""
    if len(shape) == 4:
        fits = [name for name, axis in (("first", 1), ("last", 3)) if shape[axis] == expected]
        if expected is None:
            fits = [name for name, axis in (("first", 1), ("last", 3)) if shape[axis] <= FEW]
        if len(fits) == 1:
            return fits[0]
        if expected is not None and not fits:
            raise ConfigError(
                f"images of shape {shape} for a model of {expected} channels: expected (N, "
                f"{expected}, H, W) or (N, H, W, {expected})"
            )
        raise ConfigError(
            f"images of shape {shape} can be (N, C, H, W) or (N, H, W, C): say which with "
            "channels='first' or channels='last'"
        )
    if len(shape) == 3:
        _check_three(shape, expected)
        return "none"
    hint = "expected (N, C, H, W), (N, H, W, C) or, grey, (N, H, W)"
    if len(shape) == 2:
        hint += "; images[None] makes one image a batch, and rows of pixels need reshape"
    raise ConfigError(f"images of shape {shape}: {hint}")


def _check_three(shape, expected):
    """Refuse three axes that are more likely one image in colour than many in grey."""
    first, last = shape[0], shape[2]
    if expected not in (None, 1):
        one = expected in (first, last)
        hint = "images[None] makes one image a batch" if one else "grey images have 1 channel"
        raise ConfigError(
            f"images of shape {shape} for a model of {expected} channels: expected (N, {expected},"
            f" H, W) or (N, H, W, {expected}); {hint}"
        )
    if last <= FEW or (expected is None and first <= FEW):
        one = f"({'H, W, C' if last <= FEW else 'C, H, W'})"
        raise ConfigError(
            f"images of shape {shape} can be one image {one} or {first} grey ones (N, H, W): "
            "write images[None] for one, or channels='none' for grey ones"
        )
