"""What the cells of tables 1 and 2 of Masci et al. 2011 do; see :mod:`.pretraining`."""

import numpy as np

from ...backend import to_numpy
from ...data import subset
from ...data.translate import random_translations
from ...models.cnn import ConvNet
from ...models.features import Encoded, feature_matrix
from ...models.linear import LinearSVM
from ...models.stack import CaeStack
from ...training import Plan, train
from ..engine.scaled import Scaled
from . import kmeans_baseline

LOOKED_AT = 500  # held-out images for learning curves and reconstruction errors
CURVE_POINTS = 10  # at most, in a learning curve


def run(cell, context):
    """Compute a cell of either table."""
    stages = {
        "layer": _layer,
        "fine-tune": _fine_tune,
        "svm": _svm,
        kmeans_baseline.STAGE: kmeans_baseline.run,
    }
    return stages[cell.config["stage"]](cell, context)


def _layer(cell, context):
    """Train one auto-encoder on the code of those below."""
    config, layer = cell.config, cell.config["layer"]
    stack = _stack(cell, context)
    if not config["erasing"]:  # while it is trained; the code that it hands on is pooled
        stack.layers[layer].pool = None
    images = _drawn(cell, context, config["images"])
    history = stack.train_layer(
        layer, images, Plan(**config["plan"]), cell.seed, context.label, context.checkpoint
    )
    held_out = _scaled(cell, context.dataset.held_out()[1])
    x = Encoded(held_out, stack.layers[:layer]).batch(slice(LOOKED_AT))
    model = stack.layers[layer]
    error = ((model.reconstruct(x) - x) ** 2).sum() / ((x - x.mean()) ** 2).sum()
    h = model.encode(x)
    arrays, _ = model.state()
    w = arrays["w"]
    return {
        "history": history,
        "error": 100 * float(to_numpy(error)),
        "size": float(w.std() * w[0].size ** 0.5),
        "saturated": 100 * float(to_numpy((abs(h) > 1.5).mean())),
    }, arrays


def _fine_tune(cell, context):
    """Train the network on labelled images and test it."""
    config, dataset = cell.config, context.dataset
    network = _network(cell, context)
    if config["start"] == "pre-trained":
        _initialise(network, _stack(cell, context), config["rescaled"])
    labelled = _drawn(cell, context, config["samples"])
    plan = Plan(**config["plan"])
    # The last records are in the training set where that is all there is.
    fit, held_out = dataset.held_out()
    held_out = held_out if config["samples"] <= len(fit) else None
    every = -(-plan.epochs // CURVE_POINTS)

    def watch(epoch):
        if held_out is None or epoch % every:
            return {}
        return {"validation_error": error(held_out.take(slice(LOOKED_AT)))}

    def error(split):
        return 100 * float((network.predict(_scaled(cell, split)) != split.labels).mean())

    history = train(
        network,
        labelled,
        plan,
        cell.seed,
        label=context.label,
        checkpoint=context.checkpoint,
        labels=labelled.labels,
        augment=random_translations(config["translation"]) if config["translation"] else None,
        watch=watch,
    )
    test = dataset.test
    predicted = network.predict(_scaled(cell, test))
    arrays, _ = network.state()
    return {
        "test_error": 100 * float((predicted != test.labels).mean()),
        "validation_error": error(held_out) if held_out else None,
        "confusion": confusion(test.labels, predicted).tolist(),
        "history": history,
    }, arrays


def _svm(cell, context):
    """Read the top activations out; the penalty is the best one on validation images."""
    config = cell.config
    stack = _stack(cell, context)
    if config["start"] == "random":  # the network's own initial weights, not an auto-encoder's
        for layer, conv in zip(stack.layers, _network(cell, context).convolutions, strict=True):
            for name in ("w", "b"):
                layer.params[name][...] = conv.params[name]
    fit, held_out = context.dataset.held_out()
    n = min(config["samples"], len(fit))
    readouts = {}
    labelled = _scaled(cell, subset(fit, n, cell.seed))
    features, others = (
        feature_matrix(i, stack.layers) for i in (labelled, _scaled(cell, held_out))
    )
    errors = {}
    for penalty in config["penalties"]:
        readouts[penalty] = _fitted(config, features, labelled.labels, penalty)
        errors[penalty] = 100 * readouts[penalty].error_rate(others, held_out.labels)
    best = min(errors, key=errors.get)
    readout = readouts[best]
    if n < config["samples"]:
        labelled = _drawn(cell, context, config["samples"])
        features = feature_matrix(labelled, stack.layers)
        readout = _fitted(config, features, labelled.labels, best)
    del features  # may be hundreds of megabytes
    test = context.dataset.test
    tested = feature_matrix(_scaled(cell, test), stack.layers)
    return {
        "test_error": 100 * readout.error_rate(tested, test.labels),
        "validation_error": errors[best],
        "penalty": best,
        "validation_errors": {str(penalty): error for penalty, error in errors.items()},
    }, {}


def _fitted(config, features, labels, penalty):
    readout = LinearSVM(features.shape[1], 10, penalty=penalty)
    readout.fit(features, labels, max_iterations=config["iterations"])
    return readout


def confusion(labels, predicted, classes=10):
    """How often images of a class (row) were taken for another (column).

    Parameters
    ----------
    labels, predicted : numpy integer arrays, shape (n,)
    classes : int

    Returns
    -------
    numpy integer array, shape (classes, classes)
    """
    counts = np.bincount(classes * labels.astype(int) + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def _network(cell, context):
    network = ConvNet(context.dataset.image_shape, **cell.config["network"], seed=cell.seed)
    if spread := cell.config.get("spread"):
        for w in network.params.values():
            if w.ndim > 1:
                w *= spread * w[0].size ** 0.5
    return network


def _stack(cell, context):
    """The stack as far as the needed cells have trained it."""
    of_layers = cell if cell.config["stage"] == "layer" else next(iter(cell.needs), None)
    options = of_layers.config["auto_encoder"] if of_layers else {}
    stack = CaeStack.like(_network(cell, context), seed=cell.seed, **options)
    for layer, result in zip(stack.layers, context.needed, strict=False):
        layer.load_state(result.arrays)
    return stack


def _initialise(network, stack, rescaled):
    """Hand the stack's weights over, if asked with the spread that random ones have."""
    spreads = [conv.params["w"].std() for conv in network.convolutions]
    stack.initialise(network)
    if rescaled:
        for conv, spread in zip(network.convolutions, spreads, strict=True):
            conv.params["w"] *= spread / conv.params["w"].std()


def _drawn(cell, context, n):
    return _scaled(cell, context.dataset.labelled(n, cell.seed))


def _scaled(cell, split):
    return Scaled(split, *cell.config["intensities"])
