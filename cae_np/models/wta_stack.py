"""Winner-take-all auto-encoders on top of each other (M14, section 2.2), trained one by one.

A layer is trained on what the layers below make of the images: ReLU maps, pooled, constraint off.
Those features are computed when a batch is asked for and forgotten after it.  Beside images and
models, memory holds one batch's features of each layer, and the maps of the few images that
:func:`cae_np.ops.encode.encode_pooled` works on: for M14's largest network (128 and 2048 maps on
MNIST, batches of 100) 5 + 20 MB and at most 20 MB, however many images there are.
"""

from ..training import train
from .features import Encoded


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
            below = Encoded(images, self.layers[:stage])
            name = f"{label} layer {stage + 1}".lstrip()
            histories.append(train(layer, below, plan, seed, stage, name))
        return histories
