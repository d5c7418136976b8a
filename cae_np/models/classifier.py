"""An image classifier: preprocessing, layers trained without labels, a linear classifier.

What the papers' tables judge, in one object that can be saved, loaded and asked.
"""

from ..data.batches import Encoded, ImageArray
from ..data.images import read_images
from ..data.preprocess import Preprocessing
from ..errors import ConfigError
from .estimator import Classifier, checked_labels
from .features import feature_matrix
from .linear import READOUTS
from .wta import WinnerTakeAll

BLOCK = 1000  # images classified at a time: 64 MB of features for stereo pairs and 128 maps


class ImageClassifier(Classifier):
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
            Or an array.  Training images, those that the layers were trained on.

        Returns
        -------
        Network
            Itself.
        """
        if self.preprocessing:
            self.preprocessing.fit(as_views(self.read(images), self._depth))
        return self

    def read(self, images, channels=None):
        """Images for this network; see :func:`cae_np.read_images`.

        Where the first layer takes one channel, images may have several: they are views of one
        object, seen one after the other.
        """
        several = self._depth == 1 and getattr(images, "ndim", 4) != 3
        return read_images(images, channels, None if several else self._depth)

    def fit(self, images, labels, *, plan=None, channels=None, seed=0, iterations=100):
        """Learn everything anew: the whitening, layer after layer without labels, the read-out.

        Parameters
        ----------
        images, plan, channels, seed
            As for :meth:`cae_np.models.estimator.FeatureLearner.fit`, for every layer.
        labels : integer array, shape (N,)
        iterations : int
            Of L-BFGS, at most, for the read-out.

        Returns
        -------
        Network
            Itself.
        """
        read = self.read(images, channels)
        labels = checked_labels(labels, len(read), self.readout.classes)
        views, below = as_views(read, self._depth), []
        if self.preprocessing:
            below.append(_Prepared(self.preprocessing.fit(views)))
        for i, layer in enumerate(self.layers):
            layer._learn(Encoded(views, below), plan, seed, layer=i, label=f"layer {i + 1}")
            below.append(layer)
        features = record_features(read, self.layers, self.preprocessing, self._depth)
        self.readout.fit(features, labels, max_iterations=iterations)
        return self

    def encode(self, x):
        """What the read-out reads, (N, D), of a batch (N, C, H, W)."""
        if self.preprocessing and self.preprocessing.zca and not self.preprocessing.zca.params:
            raise ConfigError(
                "this network whitens images, and what it learned for that is not stored: call "
                "network.prepare(training_images) first, with those that it was trained on"
            )
        return record_features(ImageArray(x), self.layers, self.preprocessing, self._depth)

    def scores(self, x):
        """What the read-out makes of a batch (N, C, H, W): (N, classes)."""
        return self.readout.scores(self.encode(x))

    def _probabilities(self, x):
        if not hasattr(self.readout, "predict_proba"):
            raise ConfigError(
                "the read-out of this network is a support vector machine, which has scores and no "
                "probabilities: use predict or score, or a network with softmax regression"
            )
        return self.readout.predict_proba(self.encode(x))

    @property
    def config(self):
        """The parts' configurations."""
        kinds = {cls: kind for kind, cls in READOUTS.items()}
        return {
            "layers": [dict(layer.config) for layer in self.layers],
            "readout": {"kind": kinds[type(self.readout)], **self.readout.config},
            "preprocessing": self.preprocessing and dict(self.preprocessing.config),
        }

    @property
    def _dtype(self):
        return self.layers[0].config["dtype"]

    def count_errors(self, images):
        """How many images are put into a wrong class.

        Parameters
        ----------
        images : cae_np.data.Split

        Returns
        -------
        int
        """
        return count_errors(self.readout, images, self.layers, self.preprocessing, self._depth)

    def state(self):
        """``(host arrays by name, configuration)``.

        The whitening is not among the arrays: it is larger than everything else together, and
        :meth:`prepare` learns it again in seconds.
        """
        arrays = {}
        for part, model in self._parts().items():
            of_model, _ = model.state()
            arrays |= {f"{part}/{name}": a for name, a in of_model.items() if name != "tally"}
        return arrays, self.config

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
        arrays = dict(arrays)
        names = [name for name in arrays if name.startswith("zca/")]
        whitening = {name.removeprefix("zca/"): arrays.pop(name) for name in names}
        if network.preprocessing and whitening:
            network.preprocessing.zca.load_state(whitening)
        for part, model in network._parts().items():
            prefix = f"{part}/"
            model.load_state(
                {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
            )
        return network

    def save(self, path):
        """Write the network into one npz file, the whitening included; see :meth:`load`.

        Parameters
        ----------
        path : path-like
            For images of D values, 8·D² bytes of it are the whitening: 75 MB for CIFAR-10; fewer
            with ``Preprocessing(components=...)``.
        """
        super().save(path)

    def _saved_arrays(self):
        zca = self.preprocessing and self.preprocessing.zca
        whitening = zca.state()[0] if zca else {}
        return self.state()[0] | {f"zca/{name}": array for name, array in whitening.items()}

    @classmethod
    def _restored(cls, arrays, config):
        return cls.from_state(arrays, config)

    def _fitted(self):
        return super()._fitted() | {"layers": [layer._fitted() for layer in self.layers]}

    def _load_fitted(self, fitted):
        super()._load_fitted(fitted)
        for layer, of_layer in zip(self.layers, fitted["layers"], strict=True):
            layer._load_fitted(of_layer)

    def _parts(self):
        """What has learned something, by the name under which it is saved."""
        layers = {f"layer {i}": layer for i, layer in enumerate(self.layers, start=1)}
        return layers | {"readout": self.readout}

    @property
    def _depth(self):
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
