"""What the cells of :mod:`.fig1` do."""

import numpy as np

from ...data.patches import sample_patches
from ...data.preprocess import ImageArray
from ...models.autoencoder import AutoEncoder
from ...models.shallow_net import ShallowConvNet
from ...training import Plan, train
from ..engine import colour_features
from ..engine.colour_features import prepared_like


def run(cell, context):
    """Learn filters, or say how good they are."""
    if cell.config["stage"] == "patch filters":
        return _learn_patch_filters(cell, context)
    if cell.config.get("method") == "supervised":
        return _train_supervised(cell, context)
    return colour_features.run(cell, context)


def _learn_patch_filters(cell, context):
    config = cell.config
    images, _ = prepared_like(context.dataset, config)
    patches = sample_patches(images, config["patches"], config["side"], cell.seed)
    model = AutoEncoder(
        patches[0].size,
        config["units"],
        activation="linear",
        k=config["k"],
        scale=0.1,
        seed=cell.seed,
    )
    history = train(
        model,
        ImageArray(patches),
        Plan(**config["plan"]),
        cell.seed,
        0,
        context.label,
        context.checkpoint,
    )
    w = model.state()[0]["w"].reshape(config["units"], *patches.shape[1:])
    energy = float((patches.astype(np.float64) ** 2).sum() / len(patches))
    return {"history": history, "energy": energy}, {"w_dec": w}


def _train_supervised(cell, context):
    """Train on all images and test once, or leave out a fifth of them and judge on that."""
    config = cell.config
    train_images, test_images = prepared_like(context.dataset, config)
    labels, test_labels = context.dataset.train.labels, context.dataset.test.labels
    fit = slice(len(train_images))
    if not config["tested"]:
        fit, rest = slice(len(train_images) * 4 // 5), slice(len(train_images) * 4 // 5, fit.stop)
        test_images, test_labels = train_images.take(rest), labels[rest]
    fitted = train_images.take(fit)
    model = ShallowConvNet(
        train_images.images.shape[1:], config["maps"], seed=cell.seed, **config["model"]
    )
    history = train(
        model,
        fitted,
        Plan(**config["plan"]),
        cell.seed,
        0,
        context.label,
        context.checkpoint,
        labels=labels[fit],
    )
    name = "test_accuracy" if config["tested"] else "validation_accuracy"
    return {
        name: 100 - 100 * model.error_rate(test_images, test_labels),
        "training_accuracy": 100 - 100 * model.error_rate(fitted, labels[fit]),
        "history": history,
    }, {"w": model.state()[0]["w"]}
