"""What the cells of table 1 of Makhzani & Frey 2014 do; see :mod:`.table1`."""

from ...errors import DivergenceError
from ...models.features import Encoded, feature_matrix
from ...models.linear import SoftmaxRegression
from ...models.network import Network
from ...models.wta import WinnerTakeAll
from ...training import Plan, train


def run(cell, context):
    """Compute a cell."""
    return {
        "search": _search,
        "final": _final,
        "deep search": _deep_search,
        "deep final": _deep_final,
    }[cell.config["stage"]](cell, context)


def _search(cell, context):
    """Train on part of the training digits, and read out with each penalty on the rest."""
    config = cell.config
    images, validation = _fit_and_validation(context.dataset, config["images"])
    layer = WinnerTakeAll(images.images.shape[1], seed=cell.seed, **config["layer"])
    try:
        history = _trained(cell, context, layer, images, config["plan"])
    except DivergenceError as error:
        return {"diverged": str(error), "validation_error": {}}, {}
    errors = _validation_errors(config, _some(images, config["fitted"]), validation, [layer])
    return {"validation_error": errors, "history": history}, layer.weights()


def _final(cell, context):
    """Take the plan and the penalty that search chose, train on all, test once."""
    chosen = _best(context.needed)
    images = _some(context.dataset.train, cell.config["images"])
    layer = WinnerTakeAll(images.images.shape[1], seed=cell.seed, **chosen["layer"])
    history = _trained(cell, context, layer, images, chosen["plan"])
    return _tested(chosen, images, context.dataset.test, [layer], history)


def _deep_search(cell, context):
    """A plan of the second layer, on the best first layer of the search."""
    config, best = cell.config, _best(context.needed)
    below = _restored(best["layer"], context.needed[best["cell"]])
    images, validation = _fit_and_validation(context.dataset, config["images"])
    layer, history = _second_layer(cell, context, below, images, config["layer"], config["plan"])
    errors = _validation_errors(config, images, validation, [below, layer])
    return {"validation_error": errors, "history": history}, {}


def _deep_final(cell, context):
    first, *searched = context.needed
    chosen = _best(searched)
    below = _restored(first.values["chosen"]["layer"], first)
    images = _some(context.dataset.train, cell.config["images"])
    layer, history = _second_layer(cell, context, below, images, chosen["layer"], chosen["plan"])
    return _tested(chosen, images, context.dataset.test, [below, layer], history)


def _second_layer(cell, context, below, images, options, plan):
    layer = WinnerTakeAll(maps=cell.config["maps"], seed=cell.seed, stage=1, **options)
    return layer, _trained(cell, context, layer, Encoded(images, [below]), plan, stage=1)


def _trained(cell, context, layer, images, plan, stage=0):
    """The history of training, which is empty where there is no plan."""
    if plan is None:
        return []
    plan = Plan(**plan)
    return train(
        layer, images, plan, cell.seed, stage, context.label, checkpoint=context.checkpoint
    )


def _validation_errors(config, fit, validation, layers):
    """Per cent of wrong validation digits, by penalty."""
    features, labels = feature_matrix(fit, layers), fit.labels
    others = feature_matrix(validation, layers)
    errors = {}
    for penalty in config["penalties"]:
        readout = SoftmaxRegression(features.shape[1], 10, penalty=penalty)
        readout.fit(features, labels, max_iterations=config["iterations"])
        errors[str(penalty)] = 100 * float(readout.error_rate(others, validation.labels))
    return errors


def _tested(chosen, train_images, test, layers, history):
    """Values and arrays of a final cell: its error on test digits, and the network itself."""
    features = feature_matrix(train_images, layers)
    readout = SoftmaxRegression(features.shape[1], 10, penalty=chosen["penalty"])
    report = readout.fit(features, train_images.labels, max_iterations=chosen["iterations"])
    training_error = float(readout.error_rate(features, train_images.labels))
    del features  # gigabytes
    network = Network(layers, readout)
    wrong = network.count_errors(test)
    arrays, config = network.state() if history else ({}, None)  # random filters are not kept
    return {
        "test_error": 100 * wrong / len(test),
        "wrong": wrong,
        "training_error": 100 * training_error,
        "readout": report,
        "chosen": chosen,
        "history": history,
        "network": config,
    }, arrays


def _best(searched):
    """What the cell of the lowest validation error did, with which penalty; of equals the first."""
    tried = [
        (error, i, float(penalty))
        for i, result in enumerate(searched)
        for penalty, error in result.values["validation_error"].items()
    ]
    error, i, penalty = min(tried, key=lambda one: one[0])
    config = searched[i].config
    return {
        "cell": i,
        "layer": config["layer"],
        "plan": config["plan"],
        "penalty": penalty,
        "iterations": config["iterations"],
        "validation_error": error,
    }


def _fit_and_validation(dataset, n):
    """The first n training digits without the last 10,000 of them all, and validation digits."""
    fit, validation = dataset.held_out()
    return _some(fit, n), _some(validation, n)


def _some(split, n):
    return split.take(slice(min(n, len(split))))


def _restored(options, result):
    """The first layer that a search or a final cell trained."""
    arrays = {name.removeprefix("layer 1/"): a for name, a in result.arrays.items()}
    layer = WinnerTakeAll(arrays["w_enc"].shape[1], **options)
    layer.load_state({name: arrays[name] for name in ("w_enc", "b", "w_dec", "c")})
    return layer
