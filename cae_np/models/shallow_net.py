"""The supervised network of M14's figure 1(c): one layer of maps, pooled, and softmax on top.

It has the architecture of a shallow winner-take-all auto-encoder with its read-out, but labels
train all of it.  So it shows what the same features could be if they knew what they were for.
"""

from ..backend import active, to_device, to_numpy
from ..errors import ConfigError
from ..ops import (
    add_bias,
    add_bias_backward,
    affine,
    affine_backward,
    correlate_same,
    encode_pooled,
    kernel_gradient,
    overlapping_max_pool,
    overlapping_max_pool_backward,
    pad_same,
    relu,
    relu_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from ..ops.checks import takes
from ..rng import Purpose, generator
from .estimator import Classifier
from .parameters import host_parameters, load_parameters
from .sizes import kernel_sides


class ShallowConvNet(Classifier):
    """z = V pool(ReLU(P_i ∗ x + b_i)) + d, softmax of z.

    Parameters
    ----------
    image_shape : triple of int
        (C, H, W).
    maps : int
        K, feature maps.
    kernel : int or pair of int
        Side, or (kh, kw), in pixels.
    classes : int
    pool_width, pool_stride : int
        Of the overlapping max-pooling, in pixels.
    scale : float
        Initial kernels are N(0, scale²); the weights of the classes and all biases are zero.
    seed : int
    dtype : str
        "float32" to train, "float64" to check gradients.

    Attributes
    ----------
    params : dict
        "w" (K, C, kh, kw), "b" (K,), "v" (classes, K·OH·OW), "d" (classes,).

    Raises
    ------
    ConfigError
        If a size is out of its range.

    Examples
    --------
    >>> from cae_np import Plan, ShallowConvNet, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> network = ShallowConvNet((1, 28, 28), maps=8, kernel=5, classes=10)
    >>> network = network.fit(digits.train, digits.train.labels, plan=plan)
    >>> network.score(digits.test, digits.test.labels) > 0.3  # ten classes: 0.1 would be chance
    True
    """

    def __init__(
        self,
        image_shape,
        maps,
        kernel,
        *,
        classes=10,
        pool_width=5,
        pool_stride=4,
        scale=0.05,
        seed=0,
        dtype="float32",
    ):
        C, H, W = image_shape
        kh, kw = kernel_sides(kernel)
        if min(C, H, W, maps, kh, kw, classes - 1) < 1 or scale < 0:
            raise ConfigError(
                f"images {image_shape}, {maps} maps, kernel {kernel}, {classes} classes, scale "
                f"{scale}: sizes must be at least 1, classes 2 and the scale not negative"
            )
        if not 1 <= pool_stride <= pool_width <= min(H, W):
            raise ConfigError(
                f"pool_width {pool_width} and pool_stride {pool_stride} on {H}×{W} maps: expected "
                f"1 <= stride <= width <= {min(H, W)}"
            )
        self.config = {
            "image_shape": [C, H, W],
            "maps": maps,
            "kernel": [kh, kw],
            "classes": classes,
            "pool_width": pool_width,
            "pool_stride": pool_stride,
            "scale": scale,
            "dtype": dtype,
        }
        self.pool_width, self.pool_stride = pool_width, pool_stride
        features = maps * -(-H // pool_stride) * -(-W // pool_stride)
        w = generator(Purpose.WEIGHTS, seed).standard_normal((maps, C, kh, kw)) * scale
        xp = active().module
        self.params = {
            "w": to_device(w, dtype),
            "b": xp.zeros(maps, dtype),
            "v": xp.zeros((classes, features), dtype),
            "d": xp.zeros(classes, dtype),
        }

    @takes(x="N+ C H W", labels="N, kept")
    def loss_and_gradients(self, x, labels):
        """The cross-entropy of softmax, and its gradient.

        Parameters
        ----------
        x : array, shape (N, C, H, W)
        labels : integer array, shape (N,), each in [0, classes)

        Returns
        -------
        loss : 0-d array
            -log of the right class's probability, averaged over the batch.
        gradients : dict of arrays
            As ``params``.

        Notes
        -----
        A window's largest unit before ReLU is its largest after it, so ReLU follows the pooling:
        the same function and the same gradient for a sixteenth of the work.
        """
        w, b, v, d = (self.params[name] for name in "wbvd")
        h = add_bias(correlate_same(x, w), b)
        pooled, winner = overlapping_max_pool(h, self.pool_width, self.pool_stride)
        y = relu(pooled).reshape(len(x), -1)
        z = affine(y, v, d)
        loss = softmax_cross_entropy(z, labels)

        dy, dv, dd = affine_backward(softmax_cross_entropy_backward(z, labels), y, v, d)
        dpooled = relu_backward(dy, y).reshape(pooled.shape)
        dh, db = add_bias_backward(overlapping_max_pool_backward(dpooled, winner, h.shape))
        dw = kernel_gradient(pad_same(x, *w.shape[2:]), dh)
        return loss, {"w": dw, "b": db, "v": dv, "d": dd}

    @takes(x="N C H W")
    def encode(self, x):
        """The pooled features, as :meth:`cae_np.models.wta.WinnerTakeAll.encode` has them.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        array, shape (N, K, ceil(H / pool_stride), ceil(W / pool_stride))
        """
        w, b = self.params["w"], self.params["b"]
        return encode_pooled(self._batch(x), w, b, self.pool_width, self.pool_stride)

    def scores(self, x):
        """What softmax is taken of: as high as a class is likely.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        z : array, shape (N, classes)
        """
        return affine(self.encode(x).reshape(len(x), -1), self.params["v"], self.params["d"])

    def error_rate(self, images, labels):
        """Share of the images that are assigned to a wrong class.

        Parameters
        ----------
        images : object with ``len()`` and ``batch(indices)``
        labels : numpy integer array, shape (n,)

        Returns
        -------
        float in [0, 1]

        Raises
        ------
        ValueError
            If a score is NaN: no class is the highest then.
        """
        return int((to_numpy(self.predict(images)) != labels).sum()) / len(images)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return host_parameters(self.params), dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a model of the same configuration."""
        load_parameters(self.params, arrays)
