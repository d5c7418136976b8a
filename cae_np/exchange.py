"""Models as dictionaries of arrays with the names and orders that PyTorch's layers expect.

PyTorch's ``Conv2d`` correlates with a weight (out, in, kh, kw); its ``ConvTranspose2d`` is the
adjoint of that, with a weight (in, out, kh, kw).  So the kernels here, (K, C, kh, kw), are the
weight of both as they are: of the encoder, and of the decoder that goes back from K maps to C
channels.  Encoding *full* exchanges the two, and the first two axes.  Nothing here imports torch.

>>> import numpy as np
>>> from cae_np import ConvAutoEncoder, exchange
>>> model = ConvAutoEncoder(channels=1, maps=8, kernel=5, activation="relu")
>>> {name: array.shape for name, array in exchange.to_torch(model).items()}
{'encoder.weight': (8, 1, 5, 5), 'encoder.bias': (8,), 'decoder.weight': (8, 1, 5, 5), \
'decoder.bias': (1,)}
"""

import numpy

from .backend import to_device, to_numpy
from .errors import ConfigError


def to_torch(model):
    """Parameters of a model under the names of PyTorch's layers.

    Parameters
    ----------
    model : WinnerTakeAll, ConvAutoEncoder, AutoEncoder, CaeStack, ConvNet or a read-out

    Returns
    -------
    dict of str to numpy.ndarray
        ``encoder.weight``, ``encoder.bias``, ``decoder.weight`` and ``decoder.bias`` of
        ``Conv2d``/``ConvTranspose2d`` or, for an ``AutoEncoder``, of two ``Linear``; of a stack
        the same with ``layers.0.`` before them; of a ``ConvNet`` ``conv.0.weight``, ...,
        ``hidden.weight``, ``classes.weight``; of a read-out ``weight`` and ``bias``.

        What ``fit`` has standardised by is part of the first layer only where that is the same
        (no padding); else the dictionary has ``scale.mean`` and ``scale.std``, 0-d arrays:
        PyTorch's model has to be given ``(x - mean) / std``, and its reconstructions are
        ``x_hat * std + mean``.

    Raises
    ------
    ConfigError
        If the model is of another kind.

    Notes
    -----
    Which layers these are for:

    ====================================  =====================================================
    model                                 in PyTorch
    ====================================  =====================================================
    ``ConvAutoEncoder``                   ``Conv2d(C, K, k)``, σ, ``ConvTranspose2d(K, C, k)``
    the same, ``mode="full"``             ``ConvTranspose2d(C, K, k)``, σ, ``Conv2d(K, C, k)``
    ``WinnerTakeAll``                     ``Conv2d(C, K, k, padding="same")``, the winners,
                                          ``ConvTranspose2d(K, C, k)`` cropped to the image
    ====================================  =====================================================

    ``padding="same"`` of an even kernel puts (k - 1)//2 pixels before the image, as here.

    Examples
    --------
    >>> from cae_np import WinnerTakeAll, exchange
    >>> sorted(exchange.to_torch(WinnerTakeAll(3, 16, 7)))
    ['decoder.bias', 'decoder.weight', 'encoder.bias', 'encoder.weight']
    """
    tensors = {theirs: to_numpy(_array(model, ours)) for theirs, ours in _names(model)}
    for prefix, layer in _layers(model):
        if getattr(layer, "scale", None) is not None:
            tensors[f"{prefix}scale.mean"] = numpy.asarray(layer.scale.mean, "float32")
            tensors[f"{prefix}scale.std"] = numpy.asarray(layer.scale.std, "float32")
    return {name: numpy.array(array, order="C") for name, array in tensors.items()}


def from_torch(model, tensors):
    """Give a model parameters that come from PyTorch.

    Parameters
    ----------
    model
        As for :func:`to_torch`; its parameters are replaced.
    tensors : dict of str to array
        As :func:`to_torch` returns them: NumPy arrays, or what ``numpy.asarray`` makes one of (a
        tensor on the CPU that needs no gradient).

    Returns
    -------
    model
        Itself.

    Raises
    ------
    ConfigError
        If a name is missing or too many, or a shape is another one.  With tied weights the two
        weights have to be equal.

    Examples
    --------
    >>> from cae_np import ConvAutoEncoder, exchange
    >>> one, other = (ConvAutoEncoder(1, 8, 5, seed=seed) for seed in (0, 1))
    >>> other = exchange.from_torch(other, exchange.to_torch(one))
    >>> bool((other.params["w"] == one.params["w"]).all())
    True
    """
    tensors = {name: numpy.asarray(tensor) for name, tensor in tensors.items()}
    names, current = _names(model), to_torch(model)
    scales = {name: tensors.pop(name) for name in list(tensors) if "scale." in name}
    expected = {theirs: current[theirs].shape for theirs, _ in names}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()))
        name = wrong[0][0]
        raise ConfigError(
            f"tensor {name!r}: found shape {found.get(name, 'nothing')}, expected "
            f"{expected.get(name, 'none of that name')}; there must be {', '.join(expected)}"
        )
    given = {}
    for theirs, ours in names:
        tensor = tensors[theirs].swapaxes(0, 1) if ours.endswith("ᵀ") else tensors[theirs]
        ours = ours.rstrip("ᵀ")
        if ours in given and not numpy.array_equal(given[ours], tensor):
            raise ConfigError(
                f"{theirs!r} is not the encoder's weight, but this model is tied: make it with "
                "tied=False"
            )
        given[ours] = tensor
    for ours, tensor in given.items():
        model.params[ours][...] = to_device(tensor, model.params[ours].dtype)
    for prefix, layer in _layers(model):
        if hasattr(type(layer), "scale"):
            layer.scale = _scale(scales, prefix)
    return model


def _array(model, name):
    """A parameter of a model by its name in :func:`_names`; ᵀ exchanges its first two axes."""
    array = model.params[name.rstrip("ᵀ")]
    return array.swapaxes(0, 1) if name.endswith("ᵀ") else array


def _scale(scales, prefix):
    from .data.standardise import Scale

    if f"{prefix}scale.mean" not in scales:
        return None
    return Scale(float(scales[f"{prefix}scale.mean"]), float(scales[f"{prefix}scale.std"]))


def _layers(model):
    """``(prefix, model)`` of every part that may have been standardised."""
    layers = getattr(model, "layers", None)
    return [("", model)] if layers is None else [(f"layers.{i}.", m) for i, m in enumerate(layers)]


def _names(model):
    """``[(PyTorch's name, the parameter's here), ...]``."""
    if hasattr(model, "layers"):
        return [
            (f"layers.{i}.{theirs}", f"{i}/{ours}")
            for i, layer in enumerate(model.layers)
            for theirs, ours in _names(layer)
        ]
    params = set(model.params)
    if {"w_enc", "b", "c"} <= params:  # winner-take-all
        kinds = "w_enc", "w_dec" if "w_dec" in params else "w_enc"
    elif {"w", "b", "c"} <= params:
        kinds = "w", "w_dec" if "w_dec" in params else "w"
        if model.config.get("mode") == "full":
            kinds = tuple(f"{name}ᵀ" for name in kinds)
        elif model.params["w"].ndim == 2 and "w_dec" not in params:
            kinds = "w", "wᵀ"
    elif params == {"w", "b"}:
        return [("weight", "w"), ("bias", "b")]
    elif getattr(model, "convolutions", None):
        places = sorted({int(name.split("/")[0]) for name in params})
        n = len(model.convolutions)
        titles = [f"conv.{i}" for i in range(n)] + ["hidden", "classes"]
        return [
            (f"{title}.{theirs}", f"{place}/{ours}")
            for place, title in zip(places, titles, strict=True)
            for theirs, ours in (("weight", "w"), ("bias", "b"))
        ]
    else:
        raise ConfigError(f"{type(model).__name__}: there are no layers of PyTorch for this model")
    encoder, decoder = kinds
    return [
        ("encoder.weight", encoder),
        ("encoder.bias", "b"),
        ("decoder.weight", decoder),
        ("decoder.bias", "c"),
    ]
