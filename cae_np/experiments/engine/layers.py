"""Training, stacking and restoring winner-take-all layers in the cells of experiments."""

from ...data.batches import Encoded
from ...models.wta import WinnerTakeAll
from ...ops import encode_pooled
from ...training import Plan, train


def trained(layer, images, plan, cell, context, index=0, labels=None):
    """Train a layer or a network, if there is a plan, with the cell's seed, label and checkpoint.

    Parameters
    ----------
    layer : model
        One that :func:`cae_np.training.train` takes.
    images : object with ``len()`` and ``batch(indices)``
    plan : dict or None
        As of :meth:`cae_np.training.Plan.as_dict`.
    cell, context : as ``run`` gets them
    index : int
        Of the layer in its stack, from 0.
    labels : integer array, optional
        For a network that learns with them.

    Returns
    -------
    history : list of dict
        Empty without a plan: the layer stays as it was drawn.
    """
    if plan is None:
        return []
    plan = Plan(**plan)
    return train(
        layer, images, plan, cell.seed, index, context.label, context.checkpoint, labels=labels
    )


def second_layer(cell, context, images, below, plan, **options):
    """A winner-take-all layer with ``cell.config["maps"]`` maps on the pooled maps of another one.

    Parameters
    ----------
    cell, context : as ``run`` gets them
        The configuration has ``maps``.
    images : object with ``len()`` and ``batch(indices)``
        What the first layer takes.
    below : WinnerTakeAll
    plan : dict or None
        As for :func:`trained`.
    **options
        Of :class:`~cae_np.models.wta.WinnerTakeAll`.

    Returns
    -------
    layer : WinnerTakeAll
    history : list of dict
    """
    maps = {"channels": below.config["maps"], "maps": cell.config["maps"]}
    layer = WinnerTakeAll(seed=cell.seed, layer=1, **options | maps)
    return layer, trained(layer, Encoded(images, [below]), plan, cell, context, index=1)


def restored(result, **options):
    """The winner-take-all layer that a cell has left behind, alone or as the first of a network.

    Parameters
    ----------
    result : Result
        With arrays "w_enc", "b", "w_dec" and "c", or "layer 1/w_enc" and so on.
    **options
        Of :class:`~cae_np.models.wta.WinnerTakeAll`; its sizes are those of the arrays.

    Returns
    -------
    WinnerTakeAll
    """
    arrays = {name.removeprefix("layer 1/"): array for name, array in result.arrays.items()}
    maps, channels, *kernel = arrays["w_enc"].shape
    layer = WinnerTakeAll(**options | {"channels": channels, "maps": maps, "kernel": kernel})
    layer.load_state({name: arrays[name] for name in ("w_enc", "b", "w_dec", "c")})
    return layer


def relu_maps(layer, x):
    """Maps as the features are made of, here not pooled: the constraint is off, f is the ReLU.

    Parameters
    ----------
    layer : WinnerTakeAll
    x : device array, shape (N, C, H, W)

    Returns
    -------
    device array, shape (N, K, H, W)
    """
    return encode_pooled(x, layer.params["w_enc"], layer.params["b"], 1, 1)
