"""What trainings and features are given: images that come in batches.

Whatever has these two methods will do, here and for callers' own classes:

``len(images)``
    N, how many there are.
``images.batch(indices)``
    Those at ``indices`` (a slice, or an array of int) as floats of shape (B, C, H, W), on the host
    or on the device; default all.

Those of this file have ``images.take(indices)`` as well: a part of them that comes in batches
itself.  :class:`~.dataset.Split` is one of the family, with labels and bytes.
"""

import numpy

from ..backend import to_device
from ..ops.checks import takes


class ImageArray:
    """Images in memory, to be trained on like any split of a data set.

    Parameters
    ----------
    images : array, shape (N, C, H, W)
        Floats, which are taken as they are, or uint8, which is divided by 255; of NumPy or of the
        active backend.  :func:`~.images.read_images` makes them of other layouts.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import ImageArray
    >>> images = ImageArray(np.full((5, 1, 8, 8), 255, np.uint8))
    >>> len(images), images.batch([0, 2]).shape, float(images.batch().max())
    (5, (2, 1, 8, 8), 1.0)
    """

    @takes(images="N C H W, kept")
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def batch(self, indices=slice(None)):
        """Some of the images as floats: a view for a slice of floats, else a copy."""
        chosen = self._at(indices)
        if chosen.dtype.kind == "f" and chosen.dtype.itemsize > 2:
            return chosen
        floats = chosen.astype("float32")
        return floats / 255 if chosen.dtype == "uint8" else floats

    def take(self, indices):
        """Those at ``indices`` (a slice makes a view, an array of int a copy)."""
        return type(self)(self._at(indices))

    def views(self):
        """Every channel as an image of its own; see :meth:`cae_np.data.Split.views`."""
        N, C, H, W = self.images.shape
        return ImageArray(self.images.reshape(N * C, 1, H, W))

    def _at(self, indices):
        if not isinstance(indices, slice) and not isinstance(self.images, numpy.ndarray):
            indices = to_device(indices)
        return self.images[indices]


class Rows(ImageArray):
    """Images of which nothing is known but their values, one image a row.

    Parameters
    ----------
    rows : array, shape (N, D)
    """

    @takes(rows="N D, kept")
    def __init__(self, rows):
        self.images = rows


class Changed:
    """Images that are computed from others whenever a batch is asked for.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    change : callable
        From a batch to a batch of as many.
    chosen : array of int, optional
        Which of the images; default all.
    """

    def __init__(self, images, change, chosen=None):
        self._images, self._change, self._chosen = images, change, chosen

    def __len__(self):
        return len(self._images if self._chosen is None else self._chosen)

    def batch(self, indices=slice(None)):
        """Some of them, changed."""
        if self._chosen is not None:
            indices = self._chosen[indices]
        return self._change(self._images.batch(indices))

    def take(self, indices):
        """Those at ``indices``, changed in the same way."""
        chosen = numpy.arange(len(self._images)) if self._chosen is None else self._chosen
        return Changed(self._images, self._change, chosen[indices])


class Encoded(Changed):
    """Features of images: what the next layer of a stack is trained on.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    layers : sequence of models with ``encode``
        Applied one after the other.
    """

    def __init__(self, images, layers):
        layers = list(layers)

        def encode(x):
            x = to_device(x)
            for layer in layers:
                x = layer.encode(x)
            return x

        super().__init__(images, encode)


class Centred(Changed):
    """Images less a mean, of all pixels or of each channel.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    mean : float, or array of shape (C, 1, 1)
    """

    def __init__(self, images, mean):
        super().__init__(images, lambda x: x - mean)


class Scaled(Changed):
    """Images with other intensities than from 0 to 1.

    Parameters
    ----------
    split : cae_np.data.Split
    black, white : float
    """

    def __init__(self, split, black, white):
        super().__init__(split, lambda x: x * (white - black) + black)
        self.labels, self._black, self._white = split.labels, black, white

    def take(self, indices):
        """Those at ``indices``, with their labels, scaled alike."""
        return Scaled(self._images.take(indices), self._black, self._white)

    def unscaled(self, x):
        """What ``batch`` or a model makes of them, back between 0 and 1."""
        return (x - self._black) / (self._white - self._black)
