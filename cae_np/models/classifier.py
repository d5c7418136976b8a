"""An image classifier: preprocessing, layers trained without labels, a linear classifier.

What the papers' tables judge, in one object that can be saved, loaded and asked.
"""

from ..data.preprocess import Preprocessing
from ..errors import ConfigError
from .features import feature_matrix
from .linear import READOUTS
from .wta import WinnerTakeAll

BLOCK = 1000  # images classified at a time: 64 MB of features for stereo pairs and 128 maps


class ImageClassifier:
    """A classifier of images.

    Parameters
    ----------
    layers : list of WinnerTakeAll
        The first one nearest to the image.
    readout : LinearReadout
    preprocessing : Preprocessing, optional
        None leaves intensities as they are.
    """

    def __init__(self, layers, readout, preprocessing=None):
        self.layers, self.readout, self.preprocessing = list(layers), readout, preprocessing

    def prepare(self, images):
        """Learn the whitening, if there is one.

        Parameters
        ----------
        images : cae_np.data.Split
            Training images, those that the layers were trained on.
        """
        if self.preprocessing:
            self.preprocessing.fit(as_views(images, self._channels))

    def count_errors(self, images):
        """How many images are put into a wrong class.

        Parameters
        ----------
        images : cae_np.data.Split

        Returns
        -------
        int
        """
        return count_errors(self.readout, images, self.layers, self.preprocessing, self._channels)

    def state(self):
        """``(host arrays by name, configuration)``.

        The whitening is not among the arrays: it is larger than everything else together, and
        :meth:`prepare` learns it again in seconds.
        """
        arrays = {}
        for part, model in self._parts().items():
            of_model, _ = model.state()
            arrays |= {f"{part}/{name}": a for name, a in of_model.items() if name != "tally"}
        kinds = {cls: kind for kind, cls in READOUTS.items()}
        return arrays, {
            "layers": [dict(layer.config) for layer in self.layers],
            "readout": {"kind": kinds[type(self.readout)], **self.readout.config},
            "preprocessing": self.preprocessing and dict(self.preprocessing.config),
        }

    @classmethod
    def from_state(cls, arrays, config):
        """The classifier that :meth:`state` has saved.

        Parameters
        ----------
        arrays : dict of numpy.ndarray
            In any precision.
        config : dict

        Returns
        -------
        ImageClassifier
            Call :meth:`prepare` before asking it, if it whitens.

        Raises
        ------
        ConfigError
            If arrays and configuration do not belong together.
        """
        readout = dict(config["readout"])
        readout = READOUTS[readout.pop("kind")](**readout)
        layers = [WinnerTakeAll(**layer) for layer in config["layers"]]
        preprocessing = config["preprocessing"]
        network = cls(layers, readout, preprocessing and Preprocessing(**preprocessing))
        for part, model in network._parts().items():
            prefix = f"{part}/"
            model.load_state(
                {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
            )
        return network

    def _parts(self):
        """What has learned something, by the name under which it is saved."""
        layers = {f"layer {i}": layer for i, layer in enumerate(self.layers, start=1)}
        return layers | {"readout": self.readout}

    @property
    def _channels(self):
        return self.layers[0].config["channels"]


def record_features(images, layers, preprocessing=None, channels=1):
    """What a read-out reads: the features of each record, of stereo pairs those of both views.

    Parameters
    ----------
    images : cae_np.data.Split, of N records
    layers : list of models with ``encode``
    preprocessing : Preprocessing, optional
    channels : int
        Of the first layer.  Records that have more are views of one object: each is encoded by
        itself, and their features stand side by side (M14, section 3.3).

    Returns
    -------
    device array, shape (N, D)
    """
    first = [_Prepared(preprocessing)] if preprocessing else []
    features = feature_matrix(as_views(images, channels), [*first, *layers])
    return features.reshape(len(images), -1)


def count_errors(readout, images, layers, preprocessing=None, channels=1):
    """How many images a read-out of their features puts into a wrong class.

    Parameters
    ----------
    readout : LinearReadout
    images, layers, preprocessing, channels
        As for :func:`record_features`.

    Returns
    -------
    int
    """
    wrong = 0
    for start in range(0, len(images), BLOCK):
        some = images.take(slice(start, start + BLOCK))
        features = record_features(some, layers, preprocessing, channels)
        wrong += round(len(some) * readout.error_rate(features, some.labels))
    return wrong


def as_views(images, channels):
    """Images of so many channels: records that have more are taken apart into their views.

    Parameters
    ----------
    images : cae_np.data.Split
    channels : int
        Of the first layer.

    Returns
    -------
    cae_np.data.Split

    Raises
    ------
    ConfigError
        If they do not fit.
    """
    found = images.images.shape[1]
    if found == channels:
        return images
    if channels == 1:
        return images.views()
    raise ConfigError(
        f"images of {found} channels for a layer that takes {channels}; expected {channels}, or "
        "any number where a layer takes 1 and sees one after the other"
    )


class _Prepared:
    """Preprocessing as the first layer of all."""

    def __init__(self, preprocessing):
        self.encode = preprocessing.transform
