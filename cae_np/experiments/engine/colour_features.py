"""What the cells of M14's table 2 and figures 1 and 4 do: learn filters, and read them out.

The cells are made by :mod:`.colour_cells`, which says what they are.
"""

from functools import lru_cache

from ...data import Split
from ...data.preprocess import Preprocessing
from ...models.features import Encoded
from ...models.kmeans import PatchKMeans
from ...models.network import Network
from ...models.wta import WinnerTakeAll
from ...training import Plan, train
from .readout import chosen_and_tested

PATCH = 6  # side of the patches of k-means, Coates et al. 2011


def run(cell, context):
    """The ``run`` of all these cells."""
    return STAGES[cell.config["stage"]](cell, context)


def _learn_filters(cell, context):
    config = cell.config
    if config["method"] == "k-means":
        model = PatchKMeans(
            config["maps"],
            size=PATCH,
            whiten=config["whiten"],
            epsilon=config["epsilon"],
            seed=cell.seed,
        )
        history = model.fit(_intensities(context.dataset, config)[0], **config["clustering"])
        return {"history": history}, model.state()[0]
    train_images, _ = prepared_like(context.dataset, config)
    layer = WinnerTakeAll(
        train_images.images.shape[1], config["maps"], seed=cell.seed, **config["model"]
    )
    history = []
    if config["method"] == "winner-take-all":
        plan = Plan(**config["plan"])
        history = train(layer, train_images, plan, cell.seed, 0, context.label, context.checkpoint)
    return {"history": history}, layer.weights()


def _learn_second_filters(cell, context):
    first = context.needed[0]
    train_images, _ = prepared_like(context.dataset, first.config)
    below, config = restored(first), cell.config
    layer = WinnerTakeAll(
        config["below"], config["maps"], seed=cell.seed, stage=1, **config["model"]
    )
    history = train(
        layer,
        Encoded(train_images, [below]),
        Plan(**config["plan"]),
        cell.seed,
        1,
        context.label,
        context.checkpoint,
    )
    return {"history": history}, layer.weights()


def _judge(cell, context):
    layers = [restored(result) for result in context.needed]
    config, learned = cell.config, context.needed[0].config
    images = _intensities if learned["method"] == "k-means" else prepared_like
    train_images, test_images = images(context.dataset, learned)
    labels = context.dataset.train.labels[: len(train_images)], context.dataset.test.labels
    values, readout = chosen_and_tested(
        config["readout"],
        layers,
        train_images,
        test_images if config["tested"] else None,
        labels,
        held_out=len(train_images) // 5,
    )
    for name in [name for name in values if name.endswith("error")]:
        kind, error = name.removesuffix("error"), values[name]
        values[kind + "accuracy"] = (
            {penalty: 100 - e for penalty, e in error.items()}
            if isinstance(error, dict)
            else 100 - error
        )
    if not (readout and learned["method"] == "winner-take-all"):  # nothing that is worth keeping
        return values, {}
    preprocessing = Preprocessing(learned["whiten"], epsilon=learned["epsilon"])
    arrays, network = Network(layers, readout, preprocessing).state()
    return values | {"network": network}, arrays


STAGES = {
    "filters": _learn_filters,
    "second filters": _learn_second_filters,
    "accuracy": _judge,
}


def restored(result):
    """The model that a cell of filters left behind.

    Parameters
    ----------
    result : Result

    Returns
    -------
    WinnerTakeAll or PatchKMeans
    """
    config, arrays = result.config, result.arrays
    if config.get("method") == "k-means":
        model = PatchKMeans(
            config["maps"], size=PATCH, whiten=config["whiten"], epsilon=config["epsilon"]
        )
    else:
        channels = arrays["w_enc"].shape[1]
        model = WinnerTakeAll(channels, config["maps"], **config["model"])
    model.load_state(arrays)
    return model


def _intensities(dataset, config):
    """Training and test images of a configuration, the middle of each."""
    size, n = config["size"], config["images"]
    return tuple(
        Split(_middle(split.images, size), split.labels)
        for split in (dataset.train.take(slice(n)), dataset.test)
    )


def _middle(images, size):
    top, left = ((side - size) // 2 for side in images.shape[2:])
    return images[:, :, top : top + size, left : left + size]


def prepared_like(dataset, config):
    """Training and test images as a cell's configuration wants them, prepared.

    Parameters
    ----------
    dataset : cae_np.data.Dataset
    config : dict
        With ``images`` (how many to train on), ``size``, ``whiten`` and ``epsilon``.

    Returns
    -------
    train, test : ImageArray
        The labels are the first ones of the dataset's splits.
    """
    names = ("images", "size", "whiten", "epsilon")
    return _prepared(dataset, *(config[name] for name in names))


@lru_cache(maxsize=2)
def _prepared(dataset, n, size, whiten, epsilon):
    """Prepared training and test images; whitening is learned from the former.

    The last two are kept, 0.7 GB each for CIFAR-10: many cells want the same, raw or whitened.
    """
    train_images, test_images = _intensities(dataset, {"images": n, "size": size})
    preparing = Preprocessing(whiten, epsilon=epsilon).fit(train_images)
    return preparing.apply(train_images), preparing.apply(test_images)
