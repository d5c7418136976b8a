"""The winner-take-all auto-encoder of Makhzani & Frey 2014, written twice: to read, and to run.

The *dense* path is the paper's algorithm box, line by line, over whole feature maps.  The *sparse*
path computes the same numbers from the winners alone and is many times faster.  One is the test of
the other.
"""

import numpy

from ..backend import active, get_array_module, to_device, to_numpy
from ..ops import (
    ACTIVATIONS,
    add_bias,
    add_bias_backward,
    convolve_same,
    convolve_same_backward,
    correlate_same,
    encode_pooled,
    encode_winners,
    kernel_gradient,
    pad_same,
    place,
    sparse_decode,
    sparse_decode_backward,
    sparse_kernel_gradient,
    squared_error,
    squared_error_backward,
    winner_take_all,
)
from ..ops.checks import takes
from ..rng import Purpose, generator
from .estimator import FeatureLearner
from .parameters import host_parameters, load_parameters
from .sizes import kernel_sides
from .tally import Tally
from .wta_variants import check_options, kept_units, strongest_of_batch


class WinnerTakeAll(FeatureLearner):
    """z_i = f(P_i ∗ x + b_i), all of each map but its largest unit erased, x̂ = Σ_i W_i ∗ z_i + c.

    Parameters
    ----------
    channels : int
        C, channels of the images.
    maps : int
        K, feature maps.
    kernel : int or pair of int
        Side, or (kh, kw), in pixels.
    path : {"sparse", "dense"}
        How the same numbers are computed.  The sparse path knows the sparsities "winner" and
        "lifetime" only.
    activation : {"relu", "linear", "logistic"}
        The function f.  All are monotone, so the largest unit is found before f is applied.
    tied : bool
        Whether W = P; M14: it "hurt the generalization performance".
    sparsity : {"winner", "top_n", "global_top_k", "none", "lifetime"}
        What stays of the maps in training.  "winner": the largest unit of each map (the method).
        "top_n": the ``amount`` largest of each map.  "global_top_k": the ``amount`` largest of
        all maps of an image together.  "none": everything.  "lifetime": of each map's winners
        in a batch only the strongest, a share of ``amount``; this is from the later version of
        the paper, *Winner-Take-All Autoencoders* (NIPS 2015), not from M14.
    amount : number, optional
        n, k, or a share in (0, 1], for the three sparsities that need one.
    pool_width, pool_stride : int
        Of the overlapping max-pooling that makes features, in pixels.
    scale : float
        Initial kernels are N(0, scale²), biases zero.
    seed, layer : int
        Decide the initial weights; ``layer`` counts those of a stack from 0.
    dtype : str
        "float32" to train, "float64" to check gradients.

    Attributes
    ----------
    params : dict
        "w_enc" (K, C, kh, kw), M14's P; "b" (K,); "w_dec" (K, C, kh, kw), M14's W, unless tied;
        "c" (C,), M14's b'.

    Raises
    ------
    ConfigError
        If a value is out of its range.

    Examples
    --------
    >>> from cae_np import Plan, WinnerTakeAll, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> model = WinnerTakeAll(channels=1, maps=64, kernel=7).fit(digits.train, plan=plan)
    >>> model.transform(digits.test).shape  # 64 maps, each pooled to 10×10
    (50, 6400)
    >>> model.reconstruct(digits.test).shape, model.filters().shape
    ((50, 1, 28, 28), (64, 1, 7, 7))
    """

    def __init__(
        self,
        channels,
        maps,
        kernel,
        *,
        path="sparse",
        activation="relu",
        tied=False,
        sparsity="winner",
        amount=None,
        pool_width=5,
        pool_stride=3,
        scale=0.1,
        seed=0,
        layer=0,
        dtype="float32",
    ):
        kh, kw = kernel_sides(kernel)
        self.config = {
            "channels": channels,
            "maps": maps,
            "kernel": [kh, kw],
            "path": path,
            "activation": activation,
            "tied": tied,
            "sparsity": sparsity,
            "amount": amount,
            "pool_width": pool_width,
            "pool_stride": pool_stride,
            "scale": scale,
            "dtype": dtype,
        }
        check_options(self.config)
        self.path, self.sparsity, self.amount = path, sparsity, amount
        self.pool_width, self.pool_stride = pool_width, pool_stride
        self._f, self._f_backward = ACTIVATIONS[activation]

        rng, xp = generator(Purpose.WEIGHTS, seed, layer), active().module
        self.params = {
            "w_enc": _draw_kernels(rng, (maps, channels, kh, kw), scale, dtype),
            "b": xp.zeros(maps, dtype),
            "c": xp.zeros(channels, dtype),
        }
        if not tied:
            self.params["w_dec"] = _draw_kernels(rng, (maps, channels, kh, kw), scale, dtype)
        self._kernel_gradients = xp.empty_like(self.w_dec), xp.empty_like(self.w_dec)
        self._tally = Tally(maps)

    @property
    def w_dec(self):
        """The decoder's kernels, with tied weights the encoder's."""
        return self.params.get("w_dec", self.params["w_enc"])

    def loss_and_gradients(self, x, target=None):
        """M14's error, averaged over the batch, and its gradient.

        Parameters
        ----------
        x : array, shape (N, C, H, W)
        target : array, shape (N, C, H, W), optional
            What is to be reconstructed; default x.

        Returns
        -------
        loss : 0-d array
            ``1/N Σ_n ‖x_hat[n] - target[n]‖²``
        gradients : dict of arrays
            As ``params``; the kernels' are overwritten by the next call.
        """
        target = x if target is None else target
        step = self._sparse_step if self.path == "sparse" else self._dense_step
        loss, (dw_enc, db, dw_dec, dc) = step(x, target)
        if "w_dec" in self.params:
            return loss, {"w_enc": dw_enc, "b": db, "w_dec": dw_dec, "c": dc}
        return loss, {"w_enc": dw_enc + dw_dec, "b": db, "c": dc}

    # --- the algorithm box of M14, section 2.1, over whole maps ---

    def _dense_hidden(self, x):
        """The maps with all units but the winners zero, and 1 where a winner is: (N, K, H, W)."""
        # 1) Feedforward: z_i = P_i ∗ x + b_i.  f moves no maximum and is taken of what is kept.
        z = add_bias(correlate_same(x, self.params["w_enc"]), self.params["b"])
        # 2) Γ_i = arg max z_i; every other unit of the map is set to zero.
        if self.sparsity == "winner":
            a, winner = winner_take_all(z)
            mask = place(get_array_module(a).ones_like(a), winner, z.shape[2:])
        else:
            mask = kept_units(z, self._f, self.sparsity, self.amount)
        return self._f(z) * mask, mask

    def _dense_step(self, x, target):
        w_enc, c = self.params["w_enc"], self.params["c"]
        h, mask = self._dense_hidden(x)
        # 3) Output x̂ = Σ_i W_i ∗ h_i + c, and its error.
        x_hat = add_bias(convolve_same(h, self.w_dec), c)
        loss = squared_error(x_hat, target)
        # 4) Backpropagate the error, only through the winners.
        dx_hat, dc = add_bias_backward(squared_error_backward(x_hat, target))
        dh, dw_dec = convolve_same_backward(dx_hat, h, self.w_dec)
        dz, db = add_bias_backward(self._f_backward(dh, h) * mask)
        dw_enc = kernel_gradient(pad_same(x, *w_enc.shape[2:]), dz)
        self._tally.count(x, w_enc, (h != 0).sum(axis=(2, 3)))
        return loss, (dw_enc, db, dw_dec, dc)

    # --- the same from the winners alone ---

    def _sparse_hidden(self, x):
        """The winners' values, which of them are kept, and their positions: (N, K) each."""
        z, winner = encode_winners(x, self.params["w_enc"])  # 1) and 2)
        a = self._f(z + self.params["b"])
        kept = get_array_module(a).ones_like(a)
        if self.sparsity == "lifetime":
            kept = strongest_of_batch(a, self.amount)
        return a * kept, kept, winner

    def _sparse_step(self, x, target):
        w_enc, c = self.params["w_enc"], self.params["c"]
        a, kept, winner = self._sparse_hidden(x)
        x_hat = add_bias(sparse_decode(a, winner, self.w_dec, x.shape[2:]), c)  # 3)
        loss = squared_error(x_hat, target)
        dx_hat, dc = add_bias_backward(squared_error_backward(x_hat, target))  # 4)
        dw_dec, dw_enc = self._kernel_gradients
        da, dw_dec = sparse_decode_backward(dx_hat, a, winner, self.w_dec, out=dw_dec)
        dz = self._f_backward(da, a) * kept
        dw_enc = sparse_kernel_gradient(dz, winner, x, *w_enc.shape[2:], out=dw_enc)
        self._tally.count(x, w_enc, a != 0)
        return loss, (dw_enc, dz.sum(axis=0), dw_dec, dc)

    # --- what a trained model is for ---

    @takes(x="N C H W")
    def hidden(self, x):
        """The maps as in training, constraint on.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        h : array, shape (N, K, H, W)
        """
        x = self._batch(x)
        if self.path == "dense":
            return self._dense_hidden(x)[0]
        a, _, winner = self._sparse_hidden(x)
        return place(a, winner, x.shape[2:])

    def _reconstruct(self, x):
        """x̂ from the maps as in training."""
        x = self._batch(x)
        if self.path == "dense":
            x_hat = convolve_same(self._dense_hidden(x)[0], self.w_dec)
        else:
            a, _, winner = self._sparse_hidden(x)
            x_hat = sparse_decode(a, winner, self.w_dec, x.shape[2:])
        return add_bias(x_hat, self.params["c"])

    def _remedy(self, shape):
        if self.sparsity not in ("winner", "lifetime"):
            return None
        K, _, kh, kw = self.params["w_enc"].shape
        cover = K * kh * kw / (shape[1] * shape[2])
        if cover >= 4:
            return None
        return (
            f"its {K} winners of {kh}×{kw} pixels cover an image {cover:.1f} times over: take "
            f"maps={K * max(2, round(4 / cover))}, larger kernels, or smaller images"
        )

    @takes(x="N C H W")
    def encode(self, x):
        """Features for a classifier or the next layer: constraint off, ReLU, max-pooled.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        array, shape (N, K, ceil(H / pool_stride), ceil(W / pool_stride))

        Notes
        -----
        M14, "Sparse Encoding": ReLU whatever f was in training.  Only a few images' maps are in
        memory at a time.
        """
        w_enc, b = self.params["w_enc"], self.params["b"]
        return encode_pooled(self._batch(x), w_enc, b, self.pool_width, self.pool_stride)

    def telemetry(self):
        """Statistics of the steps since the last call; reading them waits for the device.

        Returns
        -------
        dict
            ``active_share``: share of images on which a map is active (not zero), least, median
            and most over the maps; ``dead_maps``: number of maps active on none;
            ``hidden_sparsity``: share of all units that were active (M14: 0.1 %); ``ties``: share
            of maps with more than one largest unit, of the first batch since the last call.
        """
        return self._tally.read()

    def weights(self):
        """Host copies of the parameters, by name: all that features and reconstructions need."""
        return host_parameters(self.params)

    def state(self):
        """``(host arrays by name, configuration)``; "tally" is what telemetry has counted."""
        return self.weights() | {"tally": to_numpy(self._tally.counts).copy()}, dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a model of the same configuration."""
        arrays = dict(arrays)
        self._tally.load(arrays.pop("tally", None))
        load_parameters(self.params, arrays)


def _draw_kernels(rng, shape, scale, dtype):
    """Kernels of shape (K, C, kh, kw) whose memory has the channels last, as the passes like it."""
    w = (rng.standard_normal(shape) * scale).transpose(0, 2, 3, 1)
    return to_device(numpy.ascontiguousarray(w), dtype).transpose(0, 3, 1, 2)
