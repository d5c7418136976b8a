"""Winner-take-all auto-encoders on top of each other (M14, section 2.2), trained one by one.

A layer is trained on what the layers below make of the images: ReLU maps, pooled, constraint off.
Those features are computed when a batch is asked for and forgotten after it.  Beside images and
models, memory holds one batch's features of each layer, and the maps of the few images that
:func:`cae_np.ops.encode.encode_pooled` works on: for M14's largest network (128 and 2048 maps on
MNIST, batches of 100) 5 + 20 MB and at most 20 MB, however many images there are.
"""

import numpy

from ..backend import to_device, to_numpy
from ..training import train


class WtaStack:
    """Layers of :class:`~cae_np.models.wta.WinnerTakeAll`, the first one nearest to the image.

    Parameters
    ----------
    layers : list of WinnerTakeAll
        Each has as many channels as the one before it has maps.

    Raises
    ------
    ValueError
        If they do not fit on each other.
    """

    def __init__(self, layers):
        for below, above in zip(layers, layers[1:], strict=False):
            maps, channels = below.config["maps"], above.config["channels"]
            if maps != channels:
                raise ValueError(
                    f"a layer of {maps} maps under one of {channels} channels: give the upper "
                    f"one channels={maps}"
                )
        self.layers = list(layers)

    def encode(self, x):
        """Features of the last layer.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        array, shape (N, K, OH, OW)
        """
        for layer in self.layers:
            x = layer.encode(x)
        return x

    def train(self, images, plans, seed, label=""):
        """Train layer after layer, each on the features of those below it.

        Parameters
        ----------
        images : object with ``len()`` and ``batch(indices)``, see :func:`cae_np.training.train`
        plans : list of cae_np.training.Plan
            One for each layer.
        seed : int
        label : str

        Returns
        -------
        histories : list
            What :func:`cae_np.training.train` returns, for each layer.
        """
        histories = []
        for stage, (layer, plan) in enumerate(zip(self.layers, plans, strict=True)):
            below = WtaStack(self.layers[:stage])
            name = f"{label} layer {stage + 1}".lstrip()
            histories.append(train(layer, EncodedImages(images, below), plan, seed, stage, name))
        return histories


class EncodedImages:
    """Images as trained layers see them, encoded when a batch is asked for.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
        ``batch`` returns floats of shape (n, C, H, W).
    encoder : object with ``encode(x)``
        A model or a stack of them.
    """

    def __init__(self, images, encoder):
        self._images, self._encoder = images, encoder

    def __len__(self):
        return len(self._images)

    def batch(self, indices):
        """Features of some images.

        Parameters
        ----------
        indices : slice or array of int, shape (n,)

        Returns
        -------
        array on the device, shape (n, K, OH, OW)
        """
        return self._encoder.encode(to_device(self._images.batch(indices)))


def feature_matrix(images, encoder, batch_size=500):
    """The features of all images, for a read-out: the one large array, filled batch by batch.

    Parameters
    ----------
    images : object with ``len()`` and ``batch(indices)``
    encoder : object with ``encode(x)``
    batch_size : int

    Returns
    -------
    features : numpy array, shape (N, K·OH·OW)
    """
    encoded, features = EncodedImages(images, encoder), None
    for start in range(0, len(images), batch_size):
        batch = to_numpy(encoded.batch(slice(start, start + batch_size)))
        if features is None:
            features = numpy.empty((len(images), batch[0].size), batch.dtype)
        features[start : start + batch_size] = batch.reshape(len(batch), -1)
    return features
