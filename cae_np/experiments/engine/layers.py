"""Layers that cells train, leave behind and take up again."""

from ...models.wta import WinnerTakeAll
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
