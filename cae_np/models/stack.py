"""Auto-encoders on top of each other, trained greedily, one by one.

A layer is trained on what the layers below make of the images.  Those features are computed when
a batch is asked for and forgotten after it, so that memory holds one batch's features of each
layer, however many images there are.
"""

from ..backend import to_numpy
from ..data.batches import Encoded
from ..errors import ConfigError
from ..ops import convolve_full, max_pool, unpool
from ..ops.checks import takes
from ..training import train
from .cae import ConvAutoEncoder
from .estimator import FeatureLearner
from .wta import WinnerTakeAll


class Stack(FeatureLearner):
    """Layers of one kind, the first one nearest to the image.

    Parameters
    ----------
    layers : list of models with ``encode`` and a configuration of ``channels`` and ``maps``
        Each has as many channels as the one before it has maps.

    Raises
    ------
    ValueError
        If they do not fit on each other.

    Examples
    --------
    >>> from cae_np import Stack, WinnerTakeAll
    >>> first = WinnerTakeAll(channels=1, maps=8, kernel=5, pool_width=3, pool_stride=2)
    >>> stack = Stack([first, WinnerTakeAll(channels=8, maps=12, kernel=3)])
    >>> len(stack.layers)
    2
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

    kind = WinnerTakeAll  # the class of the layers that ``load`` makes

    @property
    def config(self):
        """The layers' configurations."""
        return {"layers": [layer.config for layer in self.layers]}

    @property
    def params(self):
        """The layers' arrays, named "0/w", ... from the image on."""
        return {
            f"{i}/{name}": p
            for i, layer in enumerate(self.layers)
            for name, p in layer.params.items()
        }

    @property
    def _channels(self):
        return self.layers[0].config["channels"]

    @property
    def _dtype(self):
        return self.layers[0].config["dtype"]

    def fit(self, images, *, plan=None, channels=None, seed=0):
        """Train layer after layer, each on the features of those below it.

        Parameters
        ----------
        images, channels, seed
            As for :meth:`cae_np.models.estimator.FeatureLearner.fit`.
        plan : Plan or list of Plan, optional
            One for all layers, or one for each.  Default: each layer finds its own rate.

        Returns
        -------
        Stack
            Itself; ``history`` tells of each epoch which ``layer`` (from 1) it trained.
        """
        plans = list(plan) if isinstance(plan, (list, tuple)) else [plan] * len(self.layers)
        self._check_plans(plans)
        read, self.history = self.read(images, channels), []
        for i, (layer, plan) in enumerate(zip(self.layers, plans, strict=True)):
            label = f"{type(self).__name__} layer {i + 1}"
            layer._learn(Encoded(read, self.layers[:i]), plan, seed, layer=i, label=label)
            self.history += [{"layer": i + 1, **entry} for entry in layer.history]
        return self

    @takes(x="N C H W")
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
        self._check_plans(plans)
        return [
            self.train_layer(i, images, plan, seed, f"{label} layer {i + 1}".lstrip())
            for i, plan in enumerate(plans)
        ]

    def train_layer(self, layer, images, plan, seed, label="", checkpoint=None):
        """Train one layer on the features of those below it, which stay as they are.

        Parameters
        ----------
        layer : int
            0 for the layer nearest to the image.
        images, plan, seed, label, checkpoint
            As for :func:`cae_np.training.train`.

        Returns
        -------
        history : list of dict
            What :func:`cae_np.training.train` returns.
        """
        below = Encoded(images, self.layers[:layer])
        return train(self.layers[layer], below, plan, seed, layer, label, checkpoint)

    def _reconstruct(self, x):
        """Refused: a layer above the first is trained to give back pooled maps, not pixels."""
        raise ConfigError(
            "a stack of winner-take-all layers has no way back to pixels, since overlapping pools "
            "of all units cannot be undone; stack.layers[0].reconstruct(images) has one"
        )

    def filters(self):
        """Those of the first layer, on the host, (K, C, kh, kw)."""
        return self.layers[0].filters()

    def state(self):
        """``(host arrays by name, configuration)``; layer i's arrays are named "i/w", ..."""
        arrays, configs = {}, []
        for i, layer in enumerate(self.layers):
            of_layer, config = layer.state()
            arrays |= {f"{i}/{name}": array for name, array in of_layer.items()}
            configs.append(config)
        return arrays, {"layers": configs}

    @classmethod
    def from_state(cls, arrays, config):
        """The stack that :meth:`state` has saved.

        Parameters
        ----------
        arrays : dict of numpy arrays
        config : dict

        Returns
        -------
        Stack

        Raises
        ------
        ConfigError
            If the arrays are not of that configuration.
        """
        stack = cls([cls.kind(**of_layer) for of_layer in config["layers"]])
        for i, layer in enumerate(stack.layers):
            layer.load_state(
                {k.removeprefix(f"{i}/"): a for k, a in arrays.items() if k.startswith(f"{i}/")}
            )
        return stack

    @classmethod
    def _restored(cls, arrays, config):
        return cls.from_state(arrays, config)

    def _fitted(self):
        return super()._fitted() | {"layers": [layer._fitted() for layer in self.layers]}

    def _load_fitted(self, fitted):
        super()._load_fitted(fitted)
        for layer, of_layer in zip(self.layers, fitted["layers"], strict=True):
            layer._load_fitted(of_layer)

    def _check_plans(self, plans):
        if len(plans) != len(self.layers):
            raise ValueError(f"{len(plans)} plans for {len(self.layers)} layers: expected one each")


class CaeStack(Stack):
    """M11's CAES: convolutional auto-encoders, each on the pooled code of the one below.

    M11, section 3.2: "Each layer receives its input from the latent representation of the layer
    below."  The trained stack initialises a network of the same topology, or its top activations
    go to a classifier: ``encode``.

    Parameters
    ----------
    layers : list of ConvAutoEncoder
        Those that pool hand on the pooled code.

    Raises
    ------
    ValueError
        If they do not fit on each other.

    Examples
    --------
    >>> from cae_np import CaeStack, ConvAutoEncoder, Plan, data
    >>> digits = data.load("glyphs", n_train=300, n_test=50)
    >>> plan = Plan(epochs=4, batch_size=20, rate=0.003, optimizer="adam")
    >>> layers = [ConvAutoEncoder(1, 8, 5, pool=2), ConvAutoEncoder(8, 12, 3, pool=2)]
    >>> stack = CaeStack(layers).fit(digits.train, plan=plan)  # one layer after the other
    >>> stack.transform(digits.test).shape  # 12 maps of 5×5
    (50, 300)
    """

    kind = ConvAutoEncoder

    @classmethod
    def like(cls, network, *, pools=None, seed=0, **options):
        """An untrained stack of a network's topology.

        Parameters
        ----------
        network : cae_np.models.cnn.ConvNet
        pools : sequence of int or None, optional
            Where the auto-encoders shall pool otherwise than the network.
        seed : int
        **options
            As :class:`~cae_np.models.cae.ConvAutoEncoder` takes them, for all layers: ``scale``,
            ``output``, ...

        Returns
        -------
        CaeStack
        """
        config = network.config
        channels = [config["image_shape"][0], *config["maps"]]
        shared = {name: config[name] for name in ("activation", "dtype")} | options
        sizes = zip(config["maps"], config["kernels"], pools or config["pools"], strict=True)
        return cls(
            [
                ConvAutoEncoder(
                    channels[i], maps, (side, side), pool=pool, seed=seed, layer=i, **shared
                )
                for i, (maps, side, pool) in enumerate(sizes)
            ]
        )

    def initialise(self, network):
        """Initialise the convolutions of a network with kernels and biases of the encoders.

        Parameters
        ----------
        network : cae_np.models.cnn.ConvNet, modified
            Its fully connected layers keep their weights.

        Raises
        ------
        ConfigError
            If the topologies differ.
        """
        own = [layer.params["w"].shape for layer in self.layers]
        others = [conv.params["w"].shape for conv in network.convolutions]
        modes = {layer.mode for layer in self.layers}
        if own != others or modes != {"valid"}:
            raise ConfigError(
                f"encoders of kernels {own}, {'/'.join(sorted(modes))}, cannot initialise "
                f"convolutions of kernels {others}, valid: build the stack with CaeStack.like"
            )
        for layer, conv in zip(self.layers, network.convolutions, strict=True):
            for name in ("w", "b"):
                conv.params[name][...] = layer.params[name]

    def project(self, layer):
        """Project a layer's kernels back to pixels: what a unit of each map adds when decoded.

        Parameters
        ----------
        layer : int
            0 for the layer nearest to the image.

        Returns
        -------
        array, shape (K, C, side, side)
            With non-linearities left out, and a pooled unit spread evenly over its window.  For
            M11's network 5, 14 and 24 pixels a side.

        Raises
        ------
        ConfigError
            If a layer encodes full: its kernels are not those that decode.
        """
        modes = [layer.mode for layer in self.layers]
        if set(modes) != {"valid"}:
            raise ConfigError(
                f"a stack that encodes {', '.join(modes)} cannot be projected back to pixels; "
                "build its layers with mode='valid'"
            )
        w = self.layers[layer].params["w"]
        for below in reversed(self.layers[:layer]):
            pool = below.pool or 1
            spread = w.repeat(pool, axis=2).repeat(pool, axis=3) / pool**2
            w = convolve_full(spread, below.params["w"])
        return w

    def filters(self):
        """The last layer's kernels as pixels on the host, see :meth:`project`."""
        return to_numpy(self.project(len(self.layers) - 1))

    def _reconstruct(self, x):
        """The last layer's reconstruction, decoded layer by layer down to the image.

        A pooled unit goes back to the place that its window's largest unit had on the way up.
        """
        masks = []
        for layer in self.layers[:-1]:
            h = layer._code(layer._batch(x))
            x, mask = max_pool(h, layer.pool) if layer.pool else (h, None)
            masks.append(mask)
        top = self.layers[-1]
        x_hat = top._unscaled(top._reconstruct(x))
        for layer, mask in zip(reversed(self.layers[:-1]), reversed(masks), strict=True):
            h = x_hat if mask is None else unpool(x_hat, mask, layer.pool)
            x_hat = layer._unscaled(layer._decode(h))
        return x_hat
