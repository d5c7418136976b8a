"""What a user does with a model: fit, transform, reconstruct, predict, save, load, look at it.

The models themselves are mathematics on device batches (``loss_and_gradients``, ``encode``).  Here
stands, once for all of them, how images of any usual kind come in, how long work is cut up, what
is stored beside the parameters, and what is said where learning fails.
"""

import json
import warnings

import numpy

from .. import __version__, storage
from ..backend import get_array_module, to_device, to_numpy
from ..data.batches import Changed
from ..data.images import check_finite, image_shape, read_images
from ..data.patches import image_blocks
from ..data.standardise import Scale
from ..errors import ConfigError, DataError
from ..waiting import Waiting

FORMAT = "cae_np model, version 1"


class LearningWarning(UserWarning):
    """A model has learned, but less than half of what there was to learn; what to change is said.

    Examples
    --------
    >>> import warnings
    >>> from cae_np import LearningWarning
    >>> warnings.simplefilter("error", LearningWarning)  # make it an error
    >>> warnings.simplefilter("default", LearningWarning)
    """


class Saved:
    """A model that can be written into one file and read back."""

    scale = None
    history = ()

    def save(self, path):
        """Write the model into one npz file, whole or not at all; no pickle.

        Parameters
        ----------
        path : path-like
            The name as it is; ``.npz`` is usual.

        Raises
        ------
        ConfigError
            If a parameter is NaN or infinite.
        DataError
            If the file cannot be written.
        """
        arrays, config = self._saved_arrays(), self.state()[1]
        for name, array in arrays.items():
            if not numpy.isfinite(array).all():
                raise ConfigError(f"{name} holds NaN or infinity: such a model is not saved")
        record = {
            "format": FORMAT,
            "package": __version__,
            "model": type(self).__name__,
            "config": config,
            "fitted": self._fitted(),
        }
        text = numpy.frombuffer(json.dumps(record).encode(), numpy.uint8)
        storage.save_arrays(path, {"record": text, **arrays})

    @classmethod
    def load(cls, path):
        """Read a model of this class that :meth:`save` wrote, onto the active backend.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        model

        Raises
        ------
        DataError
            If the file is missing, damaged, or holds something else; the message says what.
        """
        arrays = storage.load_arrays(path)
        try:
            record = json.loads(arrays.pop("record").tobytes())
            kind, form = record["model"], record["format"]
        except Exception as error:
            raise DataError(
                f"{path} is no model of cae_np: expected a file that {cls.__name__}.save wrote"
            ) from error
        if form != FORMAT:
            raise DataError(
                f"{path} is a {form!r}, written by cae_np {record.get('package')}; this one reads "
                f"{FORMAT!r}: use that release, or save the model again"
            )
        if kind != cls.__name__:
            raise DataError(f"{path} holds a {kind}: load it with {kind}.load")
        try:
            model = cls._restored(arrays, record["config"])
            model._load_fitted(record["fitted"])
        except Exception as error:  # whatever a configuration and arrays of the wrong kind lead to
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"{path}: arrays and configuration of the {kind} do not belong together ({reason});"
                " save it again"
            ) from error
        return model

    def history_csv(self, path):
        """Write the history of the last ``fit`` as CSV; see :func:`cae_np.history_csv`."""
        from ..training.history import history_csv

        history_csv(self.history, path)

    def _saved_arrays(self):
        return self.state()[0]

    @classmethod
    def _restored(cls, arrays, config):
        model = cls(**config)
        model.load_state(arrays)
        return model

    def _fitted(self):
        """What fit has found beside the parameters, as JSON."""
        scale = self.scale and [self.scale.mean, self.scale.std]
        return {"scale": scale, "history": list(self.history)}

    def _load_fitted(self, fitted):
        self.scale = fitted["scale"] and Scale(*map(float, fitted["scale"]))
        self.history = list(fitted["history"])


class Estimator(Saved):
    """Reads images as they come, and answers for them a block at a time."""

    def read(self, images, channels=None):
        """Images for this model; see :func:`cae_np.read_images`."""
        return read_images(images, channels, self._channels)

    @property
    def _channels(self):
        """C that the model needs, or None."""
        config = self.config
        return config["image_shape"][0] if "image_shape" in config else config.get("channels")

    @property
    def _dtype(self):
        return self.config.get("dtype", "float32")

    def _batch(self, x):
        """A device batch as the model was trained on it: standardised, if ``fit`` did that."""
        return x if self.scale is None else self.scale.apply(x).astype(self._dtype, copy=False)

    def _non_empty(self, images, channels):
        read = self.read(images, channels)
        if len(read) == 0:
            raise ConfigError("no images: there is nothing to learn from or to look at")
        return read

    def _answers(self, images, channels, function):
        """``function(batch)`` of all images, where the images are: on the device or the host.

        The only thing of the data set's size that is allocated is the answer.
        """
        read, whole = self._non_empty(images, channels), None
        with Waiting(type(self).__name__, len(read)) as waiting:
            for rows in image_blocks(read):
                x = read.batch(rows)
                check_finite(x, rows.start)
                with _fitting(self, x.shape):  # what is standardised keeps its digits till then
                    answer = function(to_device(x, self._dtype if self.scale is None else None))
                if isinstance(x, numpy.ndarray):
                    answer = to_numpy(answer)
                if whole is None and len(answer) == len(read):
                    return answer
                if whole is None:
                    shape = (len(read), *answer.shape[1:])
                    whole = get_array_module(answer).empty(shape, answer.dtype)
                whole[rows] = answer
                waiting.advance(len(x))
        return whole

    def transform(self, images, channels=None):
        """Pooled features, one row an image: what read-outs and other libraries take.

        Parameters
        ----------
        images, channels
            As for :meth:`fit`.

        Returns
        -------
        array, shape (N, D)
            Of NumPy where the images are; the features of :meth:`encode`, row by row.
        """
        return self._answers(images, channels, lambda x: _rows(self.encode(x)))


class FeatureLearner(Estimator):
    """An auto-encoder that is trained on images alone."""

    def fit(self, images, *, plan=None, channels=None, seed=0, checkpoint=None):
        """Train the model on images of any usual kind.

        Parameters
        ----------
        images : array (N, H, W), (N, H, W, C) or (N, C, H, W), or a split of a data set
            uint8 is scaled to [0, 1]; see :func:`cae_np.read_images`.
        plan : Plan, optional
            Default: Adam, at a rate that short runs find on held-out images, for as many epochs
            as make 600 steps.
        channels : {"first", "last", "none"}, optional
            Where the channels are, if the shape does not tell.
        seed : int
            Decides the order of the images, which are held out, and noise.
        checkpoint : path-like, optional
            See :func:`cae_np.train`; with a ``plan`` only, since a search is not checkpointed.

        Returns
        -------
        model
            Itself.  ``history`` has an entry an epoch, with the mean squared error on the
            held-out images (a tenth, 200 at most) as ``held_out``: in units of the images'
            variance, so that 1 is the error of answering with their mean.

        Raises
        ------
        ConfigError
            If these are no images that the model can be trained on.
        DataError
            If an image holds NaN or infinity.
        DivergenceError
            If the loss grows without limit.

        Warns
        -----
        LearningWarning
            If the held-out error does not fall by half; the message says what to change.

        Notes
        -----
        Images are standardised: their mean is subtracted, and they are divided by their standard
        deviation, both stored as ``scale`` and used by ``transform`` and ``reconstruct``.  So
        neither range nor contrast matters.  Training goes on from the parameters as they are.
        """
        if checkpoint is not None and plan is None:
            raise ConfigError(
                "fit with a checkpoint needs a plan, Plan(epochs=10, batch_size=50, rate=0.003, "
                "optimizer='adam') for instance: a search for the rate is not checkpointed"
            )
        return self._learn(self._non_empty(images, channels), plan, seed, checkpoint)

    def _learn(self, read, plan, seed, checkpoint=None, layer=0, label=None):
        """What ``fit`` does, with images that are read; ``layer`` is its place in a stack."""
        from ..training import automatic  # progress bars and more, which computing need not load
        from ..training.loop import train

        label = label or type(self).__name__
        self._note_shape(read)
        self.scale = None  # while it learns, the images come standardised
        scale = Scale.of(read)
        whole = Changed(read, scale.apply)
        trained, held_out = map(whole.take, automatic.divide(len(read), seed))

        def error(images):
            return automatic.mean_squared_error(self._of_standardised, images)

        with _fitting(self, (1, *image_shape(read))):
            before = error(held_out)
            if plan is None:
                self.history, plan = automatic.fit_by_search(
                    self, trained, held_out, error, seed=seed, layer=layer, label=label
                )
            else:
                self.history = train(self, trained, plan, seed, layer, label, checkpoint)
        after = error(held_out)
        if not after <= min(before, 1) / 2:  # 1 is the error of answering with the mean
            on_seen = error(trained.take(slice(0, automatic.HELD_OUT)))
            self._advise(label, plan, trained, before, after, on_seen)
        self.scale = scale
        return self

    def reconstruct(self, images, channels=None):
        """What the model makes of images: encoded and decoded again, in the images' own units.

        Parameters
        ----------
        images, channels
            As for :meth:`fit`.

        Returns
        -------
        x_hat : array, shape (N, C, H, W)
            Of NumPy where the images are.
        """
        return self._answers(images, channels, lambda x: self._unscaled(self._reconstruct(x)))

    def _unscaled(self, x_hat):
        return x_hat if self.scale is None else self.scale.undo(x_hat)

    def filters(self):
        """What the units look for, as small images on the host, (K, C, kh, kw)."""
        name = "w_enc" if "w_enc" in self.params else "w"
        return to_numpy(self.params[name])

    def plot_filters(self, columns=None):
        """Draw the filters as small squares, zero in mid grey.

        Parameters
        ----------
        columns : int, optional
            Filters in a row; default: about as many as there are rows.  Filters of other than 1
            or 3 channels are drawn channel by channel, a row for each.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from ..plotting import filter_grid  # matplotlib, which computing need not wait for

        w = self.filters()
        K, C, kh, kw = w.shape
        if C not in (1, 3):
            w, columns = w.reshape(K * C, 1, kh, kw), C
        return filter_grid(w, columns)

    def _of_standardised(self, x):
        return self._reconstruct(to_device(x, self._dtype))

    def _note_shape(self, read):
        """For models that do not know what images look like."""

    def _advise(self, label, plan, trained, before, after, on_seen):
        """Warn that little was learned, and say what would change that."""
        if on_seen < after / 2:
            why = (
                f"on the {len(trained)} training images it is {on_seen:.0%}, so more images, or "
                "fewer maps or units, would help"
            )
        elif (alike := _likeness(trained)) < 0.1:
            why = (
                f"neighbouring pixels hardly depend on each other (correlation {alike:.2f}), so "
                "there is little to learn: are these images?"
            )
        else:
            why = self._remedy(image_shape(trained)) or (
                f"train longer, fit(images, plan=Plan(epochs={4 * plan.epochs}, batch_size="
                f"{plan.batch_size}, rate={plan.rate:g}, optimizer={plan.optimizer!r}))"
            )
        warnings.warn(
            f"{label}: the error on held-out images is {after:.0%} of their variance, before "
            f"training {before:.0%}; {why}",
            LearningWarning,
            stacklevel=4,
        )

    def _remedy(self, shape):
        """What limits the model itself on images of that shape, or None."""
        return None


class Classifier(Estimator):
    """A network from images to classes; ``scores(x)`` of a device batch is its own."""

    def fit(self, images, labels, *, plan=None, channels=None, seed=0, checkpoint=None):
        """Train the network on images and their classes.

        Parameters
        ----------
        images, plan, channels, seed, checkpoint
            As for :meth:`FeatureLearner.fit`; the rate is judged by the cross-entropy.
        labels : integer array, shape (N,)
            From 0 on.

        Returns
        -------
        model
            Itself; ``held_out`` in ``history`` is the cross-entropy on held-out images.
        """
        if checkpoint is not None and plan is None:
            raise ConfigError("fit with a checkpoint needs a plan: a search is not checkpointed")
        from ..training import automatic
        from ..training.loop import train

        read = self._non_empty(images, channels)
        labels = checked_labels(labels, len(read), self.config["classes"])
        self.scale = None  # while it learns, the images come standardised
        scale = Scale.of(read)
        whole = Changed(read, scale.apply)
        of_trained, of_held_out = automatic.divide(len(read), seed)
        trained, held_out = whole.take(of_trained), whole.take(of_held_out)
        name = type(self).__name__

        def error(images):
            total = 0.0
            for rows in image_blocks(images):
                p = self._probabilities(to_device(images.batch(rows), self._dtype))
                right = to_numpy(p)[numpy.arange(len(p)), labels[of_held_out][rows]]
                total -= float(numpy.log(numpy.maximum(right, 1e-30)).sum())
            return total / len(images)

        with _fitting(self, (1, *image_shape(read))):
            if plan is None:
                self.history, _ = automatic.fit_by_search(
                    self, trained, held_out, error, labels=labels[of_trained], seed=seed, label=name
                )
            else:
                self.history = train(
                    self, trained, plan, seed, 0, name, checkpoint, labels=labels[of_trained]
                )
        self.scale = scale
        return self

    def predict(self, images, channels=None):
        """The most likely class of every image.

        Parameters
        ----------
        images, channels
            As for :meth:`fit`.

        Returns
        -------
        integer array, shape (N,)
            Of NumPy where the images are.

        Raises
        ------
        ValueError
            If a score is NaN: no class is the highest then.
        """
        from .linear import highest

        return highest(self._answers(images, channels, self.scores))

    def predict_proba(self, images, channels=None):
        """How likely every class is.

        Parameters
        ----------
        images, channels
            As for :meth:`fit`.

        Returns
        -------
        array, shape (N, classes)
            Rows sum to 1.
        """
        return self._answers(images, channels, self._probabilities)

    def score(self, images, labels, channels=None):
        """Share of the images that are put into the right class.

        Parameters
        ----------
        images, channels
            As for :meth:`fit`.
        labels : integer array, shape (N,)

        Returns
        -------
        float in [0, 1]
        """
        found = to_numpy(self.predict(images, channels))
        labels = to_numpy(numpy.asarray(labels) if isinstance(labels, list) else labels)
        if labels.shape != found.shape:
            raise ConfigError(f"labels of shape {labels.shape} for {len(found)} images")
        return float((found == labels).mean())

    def _probabilities(self, x):
        from ..ops import softmax

        return softmax(self.scores(x))


class _fitting:
    """Errors that say that images and model do not fit together, in words for the user."""

    def __init__(self, model, shape):
        self._model, self._shape = model, shape

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and issubclass(kind, ValueError):
            size = "×".join(map(str, self._shape[1:]))
            name = type(self._model).__name__
            raise ConfigError(f"{name} does not fit images of {size}: {error}") from error


def checked_labels(labels, n, classes):
    """Labels on the host, if they are ``n`` whole numbers from 0 to ``classes`` - 1.

    Raises
    ------
    ConfigError
        If they are not.
    """
    labels = numpy.asarray(labels) if isinstance(labels, list) else to_numpy(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ConfigError(
            f"labels are {labels.dtype} of shape {labels.shape}: expected {n} whole numbers, "
            "one an image"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ConfigError(
            f"labels from {labels.min()} to {labels.max()}: expected 0 to {classes - 1}; make the "
            "model with as many classes as there are"
        )
    return labels


def _rows(features):
    return features.reshape(len(features), -1)


def _likeness(images):
    """Correlation of pixels with their right neighbours, the larger of it and that downwards."""
    x = to_numpy(images.batch(slice(0, 100))).astype("float64")
    if x.ndim != 4 or min(x.shape[2:]) < 2:
        return 1.0
    pairs = (x[..., 1:], x[..., :-1]), (x[..., 1:, :], x[..., :-1, :])
    return max(float(numpy.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in pairs)
