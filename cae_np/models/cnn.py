"""The convolutional neural network of Masci et al. 2011, section 4.1, with its gradient by hand."""

from ..errors import ConfigError
from ..ops import softmax_cross_entropy, softmax_cross_entropy_backward
from ..ops.checks import takes
from ..training.layers import Activation, Conv2d, Dense, MaxPool2d, Sequential
from .estimator import Classifier
from .parameters import host_parameters, load_parameters


class ConvNet(Classifier):
    """Convolutions, each pooled or not, a fully connected layer, and softmax over the classes.

    The defaults are M11's network: 100 maps of 5×5, 2×2 max-pooling, 150 maps of 5×5, 2×2
    max-pooling, 200 maps of 3×3, 300 hidden units; scaled tanh everywhere but in the last layer.

    Parameters
    ----------
    image_shape : triple of int
        (C, H, W).
    maps : sequence of int
        K of every convolution.
    kernels : sequence of int
        Side of every convolution's kernels in pixels.
    pools : sequence of int or None
        Side of the pooling windows after every convolution.
    hidden : int
        Units of the fully connected layer.
    classes : int
    activation : {"scaled_tanh", "relu", "logistic", "linear"}
    scale : float
        Initial weights are N(0, scale² / fan-in), biases zero.
    seed : int
        Decides the initial weights.
    dtype : str
        "float32" to train, "float64" to check gradients.

    Attributes
    ----------
    params : dict
        The layers' arrays, named "0/w", "0/b", ... by the layer's number.
    convolutions : list of cae_np.training.layers.Conv2d
        The first one nearest to the image; :meth:`cae_np.models.stack.CaeStack.initialise` sets
        their parameters.

    Raises
    ------
    ConfigError
        If a value is out of its range, or the image is too small for the kernels.

    Notes
    -----
    A window's largest unit before a growing non-linearity is its largest after it, so that σ may
    follow the pooling: the same function and the same gradient as with σ first, for a quarter of
    the hyperbolic tangents.

    Examples
    --------
    >>> from cae_np import ConvNet, Plan, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> network = ConvNet((1, 28, 28), maps=(8,), kernels=(5,), pools=(2,), hidden=32, classes=10)
    >>> network = network.fit(digits.train, digits.train.labels, plan=plan)
    >>> network.predict_proba(digits.test).shape
    (50, 10)
    >>> network.score(digits.test, digits.test.labels) > 0.3  # ten classes: 0.1 would be chance
    True
    """

    def __init__(
        self,
        image_shape,
        *,
        maps=(100, 150, 200),
        kernels=(5, 5, 3),
        pools=(2, 2, None),
        hidden=300,
        classes=10,
        activation="scaled_tanh",
        scale=1.0,
        seed=0,
        dtype="float32",
    ):
        self.config = {
            "image_shape": list(image_shape),
            "maps": list(maps),
            "kernels": list(kernels),
            "pools": list(pools),
            "hidden": hidden,
            "classes": classes,
            "activation": activation,
            "scale": scale,
            "dtype": dtype,
        }
        if not (0 < len(maps) == len(kernels) == len(pools)):
            raise ConfigError(
                f"{len(maps)} maps, {len(kernels)} kernels, {len(pools)} pools: expected one of "
                "each for every convolution"
            )
        if min(*image_shape, *maps, *kernels, *(p or 1 for p in pools), hidden, classes - 1) < 1:
            raise ConfigError(f"network of {self.config}: sizes must be at least 1, classes 2")
        shared = {"scale": scale, "seed": seed, "dtype": dtype}
        layers, (C, H, W) = [], image_shape
        for i, (K, side, pool) in enumerate(zip(maps, kernels, pools, strict=True)):
            layers.append(Conv2d(C, K, (side, side), layer=i, **shared))
            C, H, W = K, H - side + 1, W - side + 1
            if min(H, W) < (pool or 1):
                raise ConfigError(
                    f"convolution {i + 1} leaves maps of {H}×{W} pixels and pools by {pool}: "
                    f"choose smaller kernels or images larger than {image_shape}"
                )
            if pool:
                layers.append(MaxPool2d(pool))
                H, W = -(-H // pool), -(-W // pool)
            layers.append(Activation(activation))
        layers += [
            Dense(C * H * W, hidden, layer=len(maps), **shared),
            Activation(activation),
            Dense(hidden, classes, layer=len(maps) + 1, **shared),
        ]
        self._network = Sequential(layers)
        self.params = self._network.params
        self.convolutions = [layer for layer in layers if isinstance(layer, Conv2d)]

    @takes(x="N C H W")
    def scores(self, x):
        """Logits of the classes: what softmax is taken of.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        z : array, shape (N, classes)
        """
        return self._network.forward(self._batch(x))[0]

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
        """
        z, saved = self._network.forward(x)
        loss = softmax_cross_entropy(z, labels)
        dz = softmax_cross_entropy_backward(z, labels)
        return loss, self._network.parameter_gradients(dz, saved)

    def state(self):
        """``(host arrays by name, configuration)``."""
        return host_parameters(self.params), dict(self.config)

    def load_state(self, arrays):
        """Take parameters saved by :meth:`state` of a model of the same configuration."""
        load_parameters(self.params, arrays)
