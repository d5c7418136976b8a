"""Layers of feed-forward networks: objects that hold parameters and call the operations.

A layer's ``forward(x)`` returns ``(y, saved)`` and its ``backward(dy, saved)`` returns
``(dx, gradients)``; nothing is remembered between the two calls but in ``saved``.  A network's
first layer is asked for ``parameter_gradients(dy, saved)`` alone where nobody wants dx.
"""

from math import prod

from ..backend import active, to_device
from ..errors import ConfigError
from ..ops import (
    ACTIVATIONS,
    add_bias,
    add_bias_backward,
    affine,
    affine_backward,
    correlate_valid,
    correlate_valid_backward,
    kernel_gradient,
    max_pool,
    max_pool_backward,
)
from ..rng import Purpose, generator


class Layer:
    """The base class of all layers."""

    def parameter_gradients(self, dy, saved):
        """Gradients with respect to the parameters alone.

        Parameters
        ----------
        dy, saved : as for ``backward``

        Returns
        -------
        gradients : dict of arrays
            As ``params``.
        """
        return self.backward(dy, saved)[1]


class Conv2d(Layer):
    """Valid correlation with K kernels, and one bias per map.

    Parameters
    ----------
    channels, maps : int
    kernel : pair of int
        (kh, kw) in pixels.
    scale : float
        Initial kernels are N(0, scale² / (C·kh·kw)): scale² is the variance of a map's unit for
        inputs of unit variance.
    seed, layer : int
        Decide the initial weights; ``layer`` counts those of a network from 0.
    dtype : str

    Attributes
    ----------
    params : dict
        "w" (K, C, kh, kw), "b" (K,).
    """

    def __init__(self, channels, maps, kernel, *, scale=1.0, seed=0, layer=0, dtype="float32"):
        shape = (maps, channels, *kernel)
        self.params = _random_parameters(shape, scale, seed, layer, dtype)

    def forward(self, x):
        """Maps of images.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        y : array, shape (N, K, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1
        saved : x
        """
        y = correlate_valid(x, self.params["w"])
        return add_bias(y, self.params["b"], out=y), x

    def backward(self, dy, x):
        """Gradients of :meth:`forward`.

        Parameters
        ----------
        dy : array, shape (N, K, OH, OW)
        x : array, shape (N, C, H, W), saved by the forward

        Returns
        -------
        dx : array, shape (N, C, H, W)
        gradients : dict
            "w" (K, C, kh, kw), "b" (K,).
        """
        dx, dw = correlate_valid_backward(dy, x, self.params["w"])
        return dx, {"w": dw, "b": add_bias_backward(dy)[1]}

    def parameter_gradients(self, dy, x):
        """As in :class:`Layer`, without the product that dx costs."""
        return {"w": kernel_gradient(x, dy), "b": add_bias_backward(dy)[1]}


class Dense(Layer):
    """A fully connected layer, y = x Wᵀ + b, over inputs of any shape.

    Parameters
    ----------
    inputs, units : int
    scale : float
        Initial weights are N(0, scale² / inputs).
    seed, layer : int
    dtype : str

    Attributes
    ----------
    params : dict
        "w" (units, inputs), "b" (units,).
    """

    def __init__(self, inputs, units, *, scale=1.0, seed=0, layer=0, dtype="float32"):
        self.params = _random_parameters((units, inputs), scale, seed, layer, dtype)

    def forward(self, x):
        """Units of inputs.

        Parameters
        ----------
        x : array, shape (N, ...), with D values an input

        Returns
        -------
        y : array, shape (N, units)
        saved : x
        """
        return affine(x.reshape(len(x), prod(x.shape[1:])), self.params["w"], self.params["b"]), x

    def backward(self, dy, x):
        """Gradients of :meth:`forward`.

        Parameters
        ----------
        dy : array, shape (N, units)
        x : array, shape (N, ...), saved by the forward

        Returns
        -------
        dx : array, shape (N, ...)
        gradients : dict
            "w" (units, D), "b" (units,).
        """
        w, b = self.params["w"], self.params["b"]
        dx, dw, db = affine_backward(dy, x.reshape(len(x), prod(x.shape[1:])), w, b)
        return dx.reshape(x.shape), {"w": dw, "b": db}


class MaxPool2d(Layer):
    """Non-overlapping max-pooling; see :func:`cae_np.ops.max_pool`.

    Parameters
    ----------
    size : int, or pair (ph, pw)
    """

    def __init__(self, size):
        self.size = size
        self.params = {}

    def forward(self, x):
        """The largest value of every window.

        Parameters
        ----------
        x : array, shape (N, C, H, W)

        Returns
        -------
        y : array, shape (N, C, ceil(H / ph), ceil(W / pw))
        saved : boolean array, shape (N, C, H, W), True where the values were taken from
        """
        return max_pool(x, self.size)

    def backward(self, dy, mask):
        """Gradient of :meth:`forward`.

        Parameters
        ----------
        dy : array, shape (N, C, ceil(H / ph), ceil(W / pw))
        mask : boolean array, shape (N, C, H, W), saved by the forward

        Returns
        -------
        dx : array, shape (N, C, H, W)
        gradients : dict, empty
        """
        return max_pool_backward(dy, mask, self.size), {}


class Activation(Layer):
    """An element-wise non-linearity by its name.

    Parameters
    ----------
    name : {"scaled_tanh", "relu", "logistic", "linear"}
    """

    def __init__(self, name):
        if name not in ACTIVATIONS:
            raise ConfigError(f"activation {name!r}: choose one of {', '.join(ACTIVATIONS)}")
        self._forward, self._backward = ACTIVATIONS[name]
        self.params = {}

    def forward(self, x):
        """The non-linearity of every element.

        Parameters
        ----------
        x : array of any shape

        Returns
        -------
        y : array of the same shape
        saved : y
        """
        y = self._forward(x)
        return y, y

    def backward(self, dy, y):
        """Gradient of :meth:`forward`.

        Parameters
        ----------
        dy : array of any shape
        y : array of the same shape, saved by the forward

        Returns
        -------
        dx : array of the same shape
        gradients : dict, empty
        """
        return self._backward(dy, y), {}


class Sequential(Layer):
    """Layers one after the other, together a layer again.

    Parameters
    ----------
    layers : sequence of layers

    Attributes
    ----------
    params : dict
        The layers' own arrays, named "0/w", "0/b", ... by the layer's number.
    """

    def __init__(self, layers):
        self.layers = list(layers)
        self.params = {}
        for i, layer in enumerate(self.layers):
            self.params |= _named(i, layer.params)

    def forward(self, x):
        """The output of the last layer.

        Parameters
        ----------
        x : array, as the first layer takes it

        Returns
        -------
        y : array, as the last layer returns it
        saved : list
            What each layer saved.
        """
        saved = []
        for layer in self.layers:
            x, kept = layer.forward(x)
            saved.append(kept)
        return x, saved

    def backward(self, dy, saved):
        """Gradients of :meth:`forward`.

        Parameters
        ----------
        dy : array, like y
        saved : list, from the forward

        Returns
        -------
        dx : array, like x
        gradients : dict of arrays
            As ``params``.
        """
        dy, gradients = self._backward_to_first(dy, saved)
        dx, own = self.layers[0].backward(dy, saved[0])
        return dx, gradients | _named(0, own)

    def parameter_gradients(self, dy, saved):
        """As in :class:`Layer`: training has no use for the gradient with respect to images."""
        dy, gradients = self._backward_to_first(dy, saved)
        return gradients | _named(0, self.layers[0].parameter_gradients(dy, saved[0]))

    def _backward_to_first(self, dy, saved):
        """The gradient of the first layer's output, and those of all parameters behind it."""
        gradients = {}
        for i, layer in reversed(list(enumerate(self.layers))[1:]):
            dy, own = layer.backward(dy, saved[i])
            gradients |= _named(i, own)
        return dy, gradients


def _named(i, own):
    return {f"{i}/{name}": array for name, array in own.items()}


def _random_parameters(shape, scale, seed, layer, dtype):
    inputs = 1
    for side in shape[1:]:
        inputs *= side
    w = generator(Purpose.WEIGHTS, seed, layer).standard_normal(shape) * (scale / inputs**0.5)
    return {"w": to_device(w, dtype), "b": active().module.zeros(shape[0], dtype)}
