"""The convolutional auto-encoder of Masci et al. 2011, section 3, with its gradient by hand."""

from ..backend import active, to_device
from ..errors import ConfigError
from ..ops import (
    ACTIVATIONS,
    add_bias,
    add_bias_backward,
    convolve_full,
    convolve_full_backward,
    correlate_valid,
    correlate_valid_backward,
    erase_non_maximal,
    erase_non_maximal_backward,
    kernel_gradient,
    max_pool,
    squared_error,
    squared_error_backward,
)
from ..ops.checks import takes
from ..rng import Purpose, generator
from .estimator import FeatureLearner
from .parameters import host_parameters, load_parameters
from .sizes import kernel_sides


class ConvAutoEncoder(FeatureLearner):
    """Encoder h = σ(x ∗ W + b), decoder y = σ(Σ_k h_k ∗ W̃_k + c), optionally max-pooled between.

    Parameters
    ----------
    channels : int
        C, channels of the images.
    maps : int
        K, feature maps of the code.
    kernel : int or pair of int
        Side, or (kh, kw), in pixels.
    mode : {"valid", "full"}
        "valid": encode with valid correlation (the code is smaller than the image), decode with
        full convolution.  "full": encode full, decode valid.  M11: "determined by context".
    tied : bool
        Whether the decoder uses the encoder's kernels, flipped (M11); else it has its own.
    activation : {"scaled_tanh", "relu", "logistic", "linear"}
        σ of the code; M11 used the scaled tanh "in all our experiments".
    output : {"linear", "scaled_tanh", "logistic", "relu"}
        σ of the reconstruction.
    pool : int, optional
        Side of M11's pooling windows: all but the largest unit of each are erased.
    scale : float
        Initial kernels are N(0, scale² / (K·kh·kw)): a pixel of the reconstruction sums over
        K·kh·kw weights.
    seed, layer : int
        Decide the initial weights; ``layer`` counts those of a stack from 0.
    dtype : str
        "float32" to train, "float64" to check gradients.

    Attributes
    ----------
    params : dict
        "w" (K, C, kh, kw), "b" (K,), "c" (C,), and untied "w_dec" (K, C, kh, kw).

    Raises
    ------
    ConfigError
        If a value is out of its range.

    Examples
    --------
    >>> from cae_np import ConvAutoEncoder, Plan, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> model = ConvAutoEncoder(channels=1, maps=8, kernel=5, pool=2).fit(digits.train, plan=plan)
    >>> model.transform(digits.test).shape  # 8 maps of 24×24, pooled to 12×12
    (50, 1152)
    >>> model.reconstruct(digits.test).shape
    (50, 1, 28, 28)
    """

    def __init__(
        self,
        channels,
        maps,
        kernel,
        *,
        mode="valid",
        tied=True,
        activation="scaled_tanh",
        output="linear",
        pool=None,
        scale=0.5,
        seed=0,
        layer=0,
        dtype="float32",
    ):
        kh, kw = kernel_sides(kernel)
        if mode not in ("valid", "full"):
            raise ConfigError(f"mode {mode!r}: expected 'valid' or 'full'")
        for name in (activation, output):
            if name not in ACTIVATIONS:
                raise ConfigError(f"activation {name!r}: choose one of {', '.join(ACTIVATIONS)}")
        if min(channels, maps, kh, kw) < 1 or (pool is not None and pool < 1) or scale < 0:
            raise ConfigError(
                f"{channels} channels, {maps} maps, {kh}×{kw} kernels, pool {pool}, scale {scale}: "
                "sizes must be at least 1 and the scale not negative"
            )
        self.config = {
            "channels": channels,
            "maps": maps,
            "kernel": [kh, kw],
            "mode": mode,
            "tied": tied,
            "activation": activation,
            "output": output,
            "pool": pool,
            "scale": scale,
            "dtype": dtype,
        }
        self.mode, self.tied, self.pool = mode, tied, pool
        self._sigma, self._sigma_backward = ACTIVATIONS[activation]
        self._output, self._output_backward = ACTIVATIONS[output]
        rng = generator(Purpose.WEIGHTS, seed, layer)
        shape = (maps, channels, kh, kw)
        spread = scale / (maps * kh * kw) ** 0.5
        xp = active().module
        self.params = {
            "w": to_device(rng.standard_normal(shape) * spread, dtype),
            "b": xp.zeros(maps, dtype),
            "c": xp.zeros(channels, dtype),
        }
        if not tied:
            self.params["w_dec"] = to_device(rng.standard_normal(shape) * spread, dtype)

    @takes(x="N C H W")
    def hidden(self, x):
        """The code at its full resolution; with pooling, all but the windows' maxima erased.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        h : array, shape (N, K, OH, OW)
            OH = H - kh + 1 ("valid") or H + kh - 1 ("full").
        """
        return self._hidden(self._batch(x))[0]

    @takes(x="N C H W")
    def encode(self, x):
        """The code as the next layer of a stack receives it: pooled, if the model pools.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        array, shape (N, K, OH, OW) or (N, K, ceil(OH / pool), ceil(OW / pool))
        """
        h = self._code(self._batch(x))
        return max_pool(h, self.pool)[0] if self.pool else h

    def _reconstruct(self, x):
        """y, the decoder's answer to the code of x."""
        return self._decode(self.hidden(x))

    def _remedy(self, shape):
        pool, K = self.pool, self.config["maps"]
        if not pool or K * 2 > 4 * shape[0] * pool**2:
            return None
        return (
            f"of {K} maps pooling keeps 1 unit in {pool**2}: take maps={2 * shape[0] * pool**2} or "
            "a smaller pool"
        )

    @takes(x="N+ C H W", target="N C H W")
    def loss_and_gradients(self, x, target=None):
        """M11's cost and its gradient ∂E/∂W = x ∗ δh + h̃ ∗ δy.

        Parameters
        ----------
        x : array, shape (N, C, H, W)
            Images, possibly corrupted.
        target : array, shape (N, C, H, W), optional
            What is to be reconstructed; default x.

        Returns
        -------
        loss : 0-d array
            ``1/(2N) Σ_n ‖x_hat[n] - target[n]‖²``, M11, equation (3).
        gradients : dict of arrays
            As ``params``.

        Notes
        -----
        W is used twice, once to encode and once to decode, so its gradient is a sum of two terms
        (M11, section 3).  With δ for the gradient *before* a non-linearity:

        * decoder: δy correlated with the code at every kernel offset, h̃ ∗ δy;
        * encoder: δh correlated with the image at every kernel offset, x ∗ δh, where δh is δy
          brought back through the kernels, the erasing and σ.
        """
        target = x if target is None else target
        h, mask = self._hidden(x)
        x_hat = self._decode(h)
        loss = squared_error(x_hat, target) / 2

        delta_y = self._output_backward(squared_error_backward(x_hat, target) / 2, x_hat)
        dh, dw_decoder = self._decode_backward(delta_y, h)
        if self.pool:
            dh = erase_non_maximal_backward(dh, mask)
        # Where h was erased its gradient is zero already, so σ' may be taken of the erased h.
        delta_h = self._sigma_backward(dh, h)
        dw_encoder = self._encoder_kernel_gradient(x, delta_h)

        gradients = {"b": add_bias_backward(delta_h)[1], "c": add_bias_backward(delta_y)[1]}
        if self.tied:
            gradients["w"] = dw_encoder + dw_decoder
        else:
            gradients["w"], gradients["w_dec"] = dw_encoder, dw_decoder
        return loss, gradients

    def _code(self, x):
        w, b = self.params["w"], self.params["b"]
        if self.mode == "valid":
            z = correlate_valid(x, w)
        else:
            z = convolve_full(x, w.swapaxes(0, 1))
        return self._sigma(add_bias(z, b, out=z), out=z)

    def _hidden(self, x):
        h = self._code(x)
        return erase_non_maximal(h, self.pool) if self.pool else (h, None)

    def _encoder_kernel_gradient(self, x, delta_h):
        """x ∗ δh: the encoder's term of ∂E/∂W, shape (K, C, kh, kw)."""
        if self.mode == "valid":
            return kernel_gradient(x, delta_h)
        return kernel_gradient(delta_h, x).swapaxes(0, 1)

    def _decode(self, h):
        w = self.params["w" if self.tied else "w_dec"]
        if self.mode == "valid":
            x_hat = convolve_full(h, w)
        else:
            x_hat = correlate_valid(h, w.swapaxes(0, 1))
        return self._output(add_bias(x_hat, self.params["c"], out=x_hat), out=x_hat)

    def _decode_backward(self, delta_y, h):
        """dh, and h̃ ∗ δy: the decoder's term of ∂E/∂W, shape (K, C, kh, kw)."""
        w = self.params["w" if self.tied else "w_dec"]
        if self.mode == "valid":
            return convolve_full_backward(delta_y, h, w)
        dh, dw = correlate_valid_backward(delta_y, h, w.swapaxes(0, 1))
        return dh, dw.swapaxes(0, 1)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return host_parameters(self.params), dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a model of the same configuration."""
        load_parameters(self.params, arrays)
