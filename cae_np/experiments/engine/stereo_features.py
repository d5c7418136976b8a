"""Features of stereo pairs, learned without labels: what the cells of M14's table 3 do.

Four kinds of cells, named by their configuration's ``stage``:

search
    learns features without one instance (``fold``) and reads them out on it, with each classifier;
final
    needs search cells: takes what did best on average over the instances, learns on all training
    pairs, and looks at the test pairs once;
deep search, deep final
    the same for a second layer, on first layers that search and final cells learned.

How features are made is a configuration's ``method`` ("winner-take-all", "random", "k-means",
"pixels") and ``way``: the whitening's ε, the scale of initial filters, the plan of their training.
"""

import statistics

from ...data import subset
from ...data.preprocess import Preprocessing
from ...models.features import Encoded
from ...models.kmeans import PatchKMeans
from ...models.linear import READOUTS
from ...models.network import Network, as_views, count_errors, record_features
from ...models.wta import WinnerTakeAll
from ...training import Plan, train

# M14, section 3.3; the second layer's pooling is that of section 3.2.
FIRST = {"kernel": [9, 9], "pool_width": 6, "pool_stride": 4}
SECOND = {"pool_width": 3, "pool_stride": 2, "scale": 0.03}


def run(cell, context):
    return STAGES[cell.config["stage"]](cell, context)


def _search(cell, context):
    """Learn features without one instance, and read them out on it with each classifier."""
    fit, validation = _without_one_instance(context.dataset, cell.config)
    layers, preprocessing, history = _learn(cell, context, fit, cell.config["way"])
    errors = _validation_errors(cell.config, fit, validation, layers, preprocessing)
    weights = layers[0].weights() if cell.config["method"] == "winner-take-all" else {}
    return {"validation_error": errors, "history": history}, weights


def _final(cell, context):
    """Take the way and the classifier that did best, learn on all, test once."""
    chosen = best(context.needed)
    pairs = context.dataset.train.take(slice(cell.config["pairs"]))
    layers, preprocessing, history = _learn(cell, context, pairs, chosen["config"]["way"])
    return _tested(chosen, pairs, context.dataset.test, layers, preprocessing, history)


def _deep_search(cell, context):
    """The second layer's kernel, on the best first layers of the search."""
    fold = context.needed.where(fold=cell.config["fold"])
    way = best(context.needed)["config"]["way"]
    [below] = fold.where(way=way)
    fit, validation = _without_one_instance(context.dataset, cell.config)
    layer, preprocessing = _restored(below), _preprocessing(way).fit(as_views(fit, 1))
    second, history = _second_layer(cell, context, fit, layer, preprocessing, cell.config["kernel"])
    errors = _validation_errors(cell.config, fit, validation, [layer, second], preprocessing)
    return {"validation_error": errors, "history": history}, {}


def _deep_final(cell, context):
    below, *searched = context.needed
    chosen, way = best(searched), below.values["chosen"]["config"]["way"]
    pairs = context.dataset.train.take(slice(cell.config["pairs"]))
    layer, preprocessing = _restored(below), _preprocessing(way).fit(as_views(pairs, 1))
    second, history = _second_layer(
        cell, context, pairs, layer, preprocessing, chosen["config"]["kernel"]
    )
    return _tested(chosen, pairs, context.dataset.test, [layer, second], preprocessing, history)


STAGES = {
    "search": _search,
    "final": _final,
    "deep search": _deep_search,
    "deep final": _deep_final,
}


def _without_one_instance(dataset, config):
    """Pairs to fit on, no more than are searched on, and those of the instance left out."""
    fit, validation = dataset.held_out(config["fold"])
    return subset(fit, min(config["pairs"], len(fit)), 0), validation


def _learn(cell, context, pairs, way):
    """Layers, the preprocessing before them or None, and the history of their training."""
    method, maps = cell.config["method"], cell.config["maps"]
    views = as_views(pairs, 1)
    if method == "pixels":
        return [], None, []
    if method == "k-means":
        model = PatchKMeans(maps, seed=cell.seed)
        return [model], None, model.fit(views, **way["clustering"])
    preprocessing = _preprocessing(way).fit(views)
    layer = WinnerTakeAll(1, maps, scale=way["scale"], seed=cell.seed, **FIRST)
    history = []
    if way["plan"]:
        images, plan = preprocessing.apply(views), Plan(**way["plan"])
        history = train(layer, images, plan, cell.seed, 0, context.label, context.checkpoint)
    return [layer], preprocessing, history


def _second_layer(cell, context, pairs, below, preprocessing, kernel):
    images = Encoded(preprocessing.apply(as_views(pairs, 1)), [below])
    layer = WinnerTakeAll(
        below.config["maps"],
        cell.config["maps"],
        (kernel, kernel),
        seed=cell.seed,
        stage=1,
        **SECOND,
    )
    history = []
    if cell.config["plan"]:
        plan = Plan(**cell.config["plan"])
        history = train(layer, images, plan, cell.seed, 1, context.label, context.checkpoint)
    return layer, history


def _validation_errors(config, fit, validation, layers, preprocessing):
    """Per cent of wrong validation pairs, by classifier."""
    features, others = (record_features(some, layers, preprocessing) for some in (fit, validation))
    errors = {}
    for name in config["readouts"]:
        readout, _ = _fitted(name, features, fit.labels, config["iterations"])
        errors[name] = 100 * readout.error_rate(others, validation.labels)
    return errors


def _tested(chosen, pairs, test, layers, preprocessing, history):
    """Values and arrays of a final cell: its error on test pairs, and the network itself."""
    features = record_features(pairs, layers, preprocessing)
    readout, report = _fitted(
        chosen["readout"], features, pairs.labels, chosen["config"]["iterations"]
    )
    training_error = 100 * float(readout.error_rate(features, pairs.labels))
    del features  # gigabytes
    wrong = count_errors(readout, test, layers, preprocessing)
    values = {
        "test_error": 100 * wrong / len(test),
        "wrong": wrong,
        "training_error": training_error,
        "readout": report,
        "chosen": chosen,
        "history": history,
    }
    if not (history and preprocessing):  # only what winner-take-all learned is kept
        return values, {}
    arrays, config = Network(layers, readout, preprocessing).state()
    return values | {"network": config}, arrays


def _fitted(name, features, labels, iterations):
    """The classifier of that name ("svm 0.1": what it is, and λ) and the report of its fit."""
    kind, penalty = name.split()
    classes = int(labels.max()) + 1
    readout = READOUTS[kind](features.shape[1], classes, penalty=float(penalty), scaling="feature")
    return readout, readout.fit(features, labels, max_iterations=iterations)


def best(searched):
    """Which configuration and classifier had the lowest error on average over the folds.

    Parameters
    ----------
    searched : sequence of Result
        Of search cells, every configuration with the same folds.

    Returns
    -------
    dict
        ``config`` (without its fold), ``readout``, ``validation_error`` (mean, in per cent) and
        ``by_fold``; of equals the first.
    """
    tried = {}
    for result in searched:
        config = {name: value for name, value in result.config.items() if name != "fold"}
        for readout, error in result.values["validation_error"].items():
            _, _, errors = tried.setdefault(f"{config} {readout}", (config, readout, []))
            errors.append(error)
    config, readout, errors = min(tried.values(), key=lambda one: statistics.fmean(one[2]))
    return {
        "config": config,
        "readout": readout,
        "validation_error": statistics.fmean(errors),
        "by_fold": errors,
    }


def _preprocessing(way):
    return Preprocessing(epsilon=way["epsilon"])


def _restored(result):
    """The first layer that a search or a final cell learned."""
    arrays = {name.removeprefix("layer 1/"): a for name, a in result.arrays.items()}
    layer = WinnerTakeAll(1, len(arrays["b"]), **FIRST)
    layer.load_state({name: arrays[name] for name in ("w_enc", "b", "w_dec", "c")})
    return layer
