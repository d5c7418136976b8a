"""Winner-take-all auto-encoders on top of each other (M14, section 2.2), trained one by one.

A layer is trained on what the layers below make of the images: ReLU maps, pooled, constraint off.
Those features are computed when a batch is asked for and forgotten after it.  Beside images and
models, memory holds one batch's features of each layer, and the maps of the few images that
:func:`cae_np.ops.encode.encode_pooled` works on: for M14's largest network (128 and 2048 maps on
MNIST, batches of 100) 5 + 20 MB and at most 20 MB, however many images there are.
"""

from .stack import Stack


class WtaStack(Stack):
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
