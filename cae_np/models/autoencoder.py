"""The fully connected auto-encoder of Masci et al. 2011, sections 2.1 and 2.2, and k-sparse."""

import math

from ..backend import active, get_array_module, to_device, to_numpy
from ..data.batches import Rows
from ..data.images import image_shape
from ..errors import ConfigError
from ..ops import (
    ACTIVATIONS,
    affine,
    affine_backward,
    global_top_k,
    squared_error,
    squared_error_backward,
)
from ..ops.checks import takes
from ..rng import Purpose, generator
from .estimator import FeatureLearner
from .parameters import host_parameters, load_parameters


class AutoEncoder(FeatureLearner):
    """Encoder h = σ(Wx + b), decoder y = σ(W'h + b') with W' = Wᵀ or its own.

    It is a *denoising* auto-encoder where ``loss_and_gradients`` is given a corrupted x and the
    clean image as target (section 2.2); a training plan with noise does that.  It is *k-sparse*
    where only the k largest hidden units of an input stay, the others being set to zero: Makhzani
    and Frey, *k-Sparse Autoencoders* (ICLR 2014), which is what M14's figure 1(a) shows.

    Parameters
    ----------
    inputs : int
        D, values of an input.
    units : int
        E, hidden units.
    tied : bool
        Whether W' = Wᵀ, "usually constrained" so in M11.
    activation, output : {"scaled_tanh", "relu", "logistic", "linear"}
        σ of the code and of the reconstruction.
    k : int, optional
        Hidden units of an input that stay while training; default all.
    scale : float
        Initial weights are N(0, scale² / (D + E)).
    seed, layer : int
        Decide the initial weights; ``layer`` counts those of a stack from 0.
    dtype : str
        "float32" to train, "float64" to check gradients.

    Attributes
    ----------
    params : dict
        "w" (E, D), "b" (E,), "c" (D,), which is the paper's b', and untied "w_dec" (D, E).

    Raises
    ------
    ConfigError
        If a value is out of its range.

    Examples
    --------
    >>> from cae_np import AutoEncoder, Plan, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> model = AutoEncoder(28 * 28, 256).fit(digits.train, plan=plan)
    >>> model.transform(digits.test).shape
    (50, 256)
    """

    def __init__(
        self,
        inputs,
        units,
        *,
        tied=True,
        activation="scaled_tanh",
        output="linear",
        k=None,
        scale=1.0,
        seed=0,
        layer=0,
        dtype="float32",
    ):
        for name in (activation, output):
            if name not in ACTIVATIONS:
                raise ConfigError(f"activation {name!r}: choose one of {', '.join(ACTIVATIONS)}")
        if min(inputs, units) < 1 or scale < 0:
            raise ConfigError(
                f"{inputs} inputs, {units} units, scale {scale}: sizes must be at least 1 and the "
                "scale not negative"
            )
        if k is not None and not 1 <= k <= units:
            raise ConfigError(f"k = {k} of {units} hidden units: expected 1 to {units}")
        self.config = {
            "inputs": inputs,
            "units": units,
            "tied": tied,
            "activation": activation,
            "output": output,
            "k": k,
            "scale": scale,
            "dtype": dtype,
        }
        self.tied, self.k = tied, k
        self._sigma, self._sigma_backward = ACTIVATIONS[activation]
        self._output, self._output_backward = ACTIVATIONS[output]
        rng = generator(Purpose.WEIGHTS, seed, layer)
        spread = scale / (inputs + units) ** 0.5
        xp = active().module
        self.params = {
            "w": to_device(rng.standard_normal((units, inputs)) * spread, dtype),
            "b": xp.zeros(units, dtype),
            "c": xp.zeros(inputs, dtype),
        }
        if not tied:
            self.params["w_dec"] = to_device(rng.standard_normal((inputs, units)) * spread, dtype)

    image_shape = None  # (C, H, W) of what it was fitted on, where these were images

    def read(self, images, channels=None):
        """Images with as many values as the model has inputs, or rows of so many."""
        if getattr(images, "shape", ())[1:] == (self.config["inputs"],):
            return Rows(images)
        return super().read(images, channels)

    def filters(self):
        """The weights of the code as images on the host, (E, C, H, W), after a fit on images."""
        if self.image_shape is None:
            raise ConfigError("filters are images only after fit(images); params['w'] has them")
        return to_numpy(self.params["w"]).reshape(-1, *self.image_shape)

    def _note_shape(self, read):
        shape = image_shape(read)
        self.image_shape = shape if len(shape) == 3 else None

    def _fitted(self):
        return super()._fitted() | {"image_shape": self.image_shape}

    def _load_fitted(self, fitted):
        super()._load_fitted(fitted)
        self.image_shape = fitted["image_shape"] and tuple(map(int, fitted["image_shape"]))

    def _remedy(self, shape):
        units = self.config["k"] or self.config["units"]
        return f"{units} units are few for {math.prod(shape)} values: take {4 * units} or more"

    @takes(x="N+ ...")
    def encode(self, x):
        """h = σ(Wx + b), all of it: the constraint is for training.

        Parameters
        ----------
        x : array, shape (N, D) or (N, ...) with D values an image

        Returns
        -------
        h : array, shape (N, E)
        """
        return self._encode(self._batch(x))

    @takes(x="N+ ...")
    def hidden(self, x):
        """The code as in training, with at most k units that are not zero.

        Parameters
        ----------
        x : array, shape (N, D) or (N, ...)

        Returns
        -------
        h : array, shape (N, E)
        """
        return self._constrained(self._encode(self._batch(x)))[0]

    def _reconstruct(self, x):
        """y = σ(W'h + b') from the code as in training."""
        return self._decode(self.hidden(x)).reshape(x.shape)

    @takes(x="N+ ...", target="N ...")
    def loss_and_gradients(self, x, target=None):
        """M11's squared error, and the gradient of every parameter.

        Parameters
        ----------
        x : array, shape (N, D) or (N, ...)
            Inputs, possibly corrupted.
        target : array, shape of x, optional
            What is to be reconstructed; default x.

        Returns
        -------
        loss : 0-d array
            ``1/(2N) Σ_n ‖x_hat[n] - target[n]‖²``.
        gradients : dict of arrays
            As ``params``.
        """
        get_array_module(x, self.params["w"])
        target = (x if target is None else target).reshape(len(x), -1)
        x = x.reshape(len(x), -1)
        h, kept = self._constrained(self._encode(x))
        x_hat = self._decode(h)
        loss = squared_error(x_hat, target) / 2

        delta_y = self._output_backward(squared_error_backward(x_hat, target) / 2, x_hat)
        dh, dw_decoder, dc = affine_backward(delta_y, h, self._decoder_weights(), self.params["c"])
        delta_h = self._sigma_backward(dh, h) * kept
        _, dw_encoder, db = affine_backward(delta_h, x, self.params["w"], self.params["b"])

        gradients = {"b": db, "c": dc}
        if self.tied:  # W works in both directions, so its gradient has a term from each
            gradients["w"] = dw_encoder + dw_decoder.T
        else:
            gradients["w"], gradients["w_dec"] = dw_encoder, dw_decoder
        return loss, gradients

    def _encode(self, x):
        z = affine(x.reshape(len(x), -1), self.params["w"], self.params["b"])
        return self._sigma(z, out=z)

    def _constrained(self, h):
        """The code with all but its k largest units set to zero, and which stayed: a mask, or 1."""
        if self.k is None:
            return h, 1
        kept = global_top_k(h[:, :, None, None], self.k)[:, :, 0, 0]
        return h * kept, kept

    def _decoder_weights(self):
        """W', shape (D, E)."""
        return self.params["w"].T if self.tied else self.params["w_dec"]

    def _decode(self, h):
        z = affine(h, self._decoder_weights(), self.params["c"])
        return self._output(z, out=z)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return host_parameters(self.params), dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a model of the same configuration."""
        load_parameters(self.params, arrays)
