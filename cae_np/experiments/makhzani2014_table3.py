"""Makhzani & Frey 2014, table 3: error rates on small NORB.

A layer of 9×9 winner-take-all filters, trained without labels on single views, contrast-normalised
and whitened; at test time the ReLU maps of both views are max-pooled (width 6, stride 4), put side
by side, and read out by a linear classifier.  The deep rows train a second layer on the pooled maps
and read that one out.

The toys of the test set are others than those of the training set, so choices are made on toys
that were left out: each of the five instances in turn (*search* cells, one a fold).  A *final* cell
takes what did best on average, trains on all, and looks at the test pairs once.
"""

import statistics

from ..data import subset
from ..models.features import Encoded
from ..models.kmeans import PatchKMeans
from ..models.linear import READOUTS
from ..models.network import Network, as_views, count_errors, record_features
from ..models.wta import WinnerTakeAll
from ..preprocess import Preprocessing
from ..training import Plan, train
from .experiment import Choice, Experiment, Picture
from .rows import cited, claim, measured

FIRST = {"kernel": [9, 9], "pool_width": 6, "pool_stride": 4}
SECOND = {"pool_width": 3, "pool_stride": 2, "scale": 0.03}
FOLDS = {"smoke": 2, "quick": 2, "paper": 5}  # instances that are left out
MAPS = {"smoke": 4, "quick": 32, "paper": 128}
PAIRS = {"smoke": 100, "quick": 1_500, "paper": 24_300}
SEARCHED = {"smoke": 60, "quick": 1_000, "paper": 4_860}  # pairs that search fits on
ITERATIONS = {"smoke": 5, "quick": 40, "paper": 60}

ADAM = {"optimizer": "adam", "batch_size": 50}
# Ways to make features; what each leaves out is as in the first.
WAYS = {
    "smoke": {"": {"scale": 0.01, "epsilon": 0.1, "plan": ADAM | {"rate": 3e-3, "epochs": 1}}},
    "quick": {
        "": {
            "scale": 0.01,
            "epsilon": 0.1,
            "plan": ADAM | {"rate": 3e-3, "epochs": 3, "batch_size": 10},
        }
    },
    "paper": {
        "": {"scale": 0.01, "epsilon": 0.1, "plan": ADAM | {"rate": 3e-3, "epochs": 8}},
        "initial filters N(0, 0.05²), rate 0.001": {
            "scale": 0.05,
            "plan": ADAM | {"rate": 1e-3, "epochs": 8},
        },
        "whitening's ε = 1": {"epsilon": 1.0},
    },
}
READOUT_OPTIONS = {"smoke": ("svm 0.1",), "quick": ("svm 0.1",),
                   "paper": ("svm 0.1", "svm 1", "softmax 0.1")}  # fmt: skip
CENTROIDS = {"smoke": (4,), "quick": (32,), "paper": (128, 1600)}
CLUSTERING = {
    "smoke": {"patches": 500, "iterations": 2},
    "quick": {"patches": 10_000, "iterations": 10},
    "paper": {"patches": 400_000, "iterations": 50},  # Coates et al. 2011
}
# The second layer: kernels that are tried with few maps, and widths of the final rows.
KERNELS = {"smoke": (1,), "quick": (), "paper": (1, 3, 5)}
KERNEL_SEARCH = {"smoke": 4, "quick": 0, "paper": 256}
WIDTHS = {"smoke": (8,), "quick": (), "paper": (256, 512, 1024)}
SECOND_PLAN = ADAM | {"rate": 1e-3, "epochs": 2}

PAPER = {"shallow": 6.6, "k-means": {4000: 2.7}, "deep": {2048: 4.7}}  # per cent
CITED = (
    ("Deep Boltzmann machine", 7.2),
    ("Third-order RBM", 6.5),
    ("Deep belief network", 5.0),
)


def cells(settings):
    preset, first = settings.preset, settings.seeds[0]
    tables = {
        "winner-take-all": [_way(preset, name) for name in WAYS[preset]],
        "random": [_way(preset, "") | {"plan": None}],
        "pixels": [{}],
    }
    listed, searches, finals = [], {}, {}
    for method, ways in tables.items():
        maps = MAPS[preset] if method != "pixels" else None
        searches[method] = _search_cells(settings, method, maps, ways)
        seeds = settings.seeds if method != "pixels" else [first]
        finals[method] = [
            _final_cell(settings, method, maps, seed, searches[method]) for seed in seeds
        ]
        listed += searches[method] + finals[method]
    below = searches["winner-take-all"], finals["winner-take-all"][0]
    centroids, *more = CENTROIDS[preset]
    listed += _kmeans_cells(settings, centroids)
    listed += _deep_cells(settings, *below)  # what takes hours comes last
    for K in more:
        listed += _kmeans_cells(settings, K)
    return listed


def _way(preset, name):
    """How features are made: initial filters, whitening and the training plan."""
    way = WAYS[preset][""] | WAYS[preset][name]
    return way | {"plan": Plan(**way["plan"]).as_dict()}


def _search_cells(settings, method, maps, ways):
    preset, seed = settings.preset, settings.seeds[0]
    names = list(WAYS[preset]) if method == "winner-take-all" else [""]
    return [
        EXPERIMENT.cell(
            {
                "stage": "search",
                "method": method,
                "maps": maps,
                "fold": fold,
                "pairs": SEARCHED[preset],
                "way": way,
                "readouts": list(READOUT_OPTIONS[preset]),
                "iterations": ITERATIONS[preset],
            },
            seed,
            f"search: {_called(method, maps)}{name and ', '}{name}, fold {fold + 1}",
        )
        for name, way in zip(names, ways, strict=True)
        for fold in range(FOLDS[preset])
    ]


def _final_cell(settings, method, maps, seed, search):
    pairs = min(PAIRS[settings.preset], settings.data.n_train)
    config = {"stage": "final", "method": method, "maps": maps, "pairs": pairs}
    return EXPERIMENT.cell(config, seed, _called(method, maps), needs=search)


def _kmeans_cells(settings, K):
    way = {"clustering": CLUSTERING[settings.preset]}
    search = _search_cells(settings, "k-means", K, [way])
    return [*search, _final_cell(settings, "k-means", K, settings.seeds[0], search)]


def _deep_cells(settings, search, final):
    """One seed: the second layer takes hours on a CPU."""
    preset, seed = settings.preset, settings.seeds[0]
    shared = {"method": "winner-take-all", "plan": Plan(**SECOND_PLAN).as_dict()}
    options = {"readouts": list(READOUT_OPTIONS[preset]), "iterations": ITERATIONS[preset]}
    kernels = [
        EXPERIMENT.cell(
            {
                "stage": "deep search",
                "maps": KERNEL_SEARCH[preset],
                "kernel": kernel,
                "fold": fold,
                "pairs": SEARCHED[preset],
                **shared,
                **options,
            },
            seed,
            f"search: second layer, {kernel}×{kernel}, fold {fold + 1}",
            needs=search,
        )
        for kernel in KERNELS[preset]
        for fold in range(FOLDS[preset])
    ]
    return kernels + [
        EXPERIMENT.cell(
            {"stage": "deep final", "maps": width, "pairs": final.config["pairs"], **shared},
            seed,
            f"{MAPS[preset]} + {width} maps",
            needs=[final, *kernels],
        )
        for width in WIDTHS[preset]
    ]


def _called(method, maps):
    return {
        "winner-take-all": f"{maps} maps",
        "random": f"{maps} untrained maps",
        "pixels": "pixels",
        "k-means": f"k-means, {maps} centroids",
    }[method]


# --- what a cell does -----------------------------------------------------------------------------


def run(cell, context):
    return STAGES[cell.config["stage"]](cell, context)


def _search(cell, context):
    """Learn features without one instance, and read them out on it with each classifier."""
    fit, validation = _without_one_instance(context.dataset, cell.config)
    layers, preprocessing, history = _learn(cell, context, fit, cell.config["way"])
    errors = _validation_errors(cell.config, fit, validation, layers, preprocessing)
    weights = _weights(layers[0]) if cell.config["method"] == "winner-take-all" else {}
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
    plan = Plan(**cell.config["plan"])
    return layer, train(layer, images, plan, cell.seed, 1, context.label, context.checkpoint)


def _validation_errors(config, fit, validation, layers, preprocessing):
    """Per cent of wrong validation pairs, by classifier."""
    features = record_features(fit, layers, preprocessing)
    errors = {}
    for name in config["readouts"]:
        readout, _ = _fitted(name, features, fit.labels, config["iterations"])
        wrong = count_errors(readout, validation, layers, preprocessing)
        errors[name] = 100 * wrong / len(validation)
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


def _weights(layer):
    arrays, _ = layer.state()
    arrays.pop("tally")
    return arrays


def _restored(result):
    """The first layer that a search or a final cell learned."""
    arrays = {name.removeprefix("layer 1/"): a for name, a in result.arrays.items()}
    layer = WinnerTakeAll(1, len(arrays["b"]), **FIRST)
    layer.load_state({name: arrays[name] for name in ("w_enc", "b", "w_dec", "c")})
    return layer


# --- tables and pictures --------------------------------------------------------------------------


def rows(settings, results):
    preset, maps = settings.preset, MAPS[settings.preset]
    n = min(PAIRS[preset], settings.data.n_train)
    finals, deep = results.where(stage="final"), results.where(stage="deep final")
    shallow = finals.where(method="winner-take-all")
    random = finals.where(method="random")

    def row(found, label, paper=None, control=False):
        return measured(
            settings,
            found,
            "test_error",
            label=label,
            metric="test error",
            unit="%",
            paper=paper if preset == "paper" else None,
            samples=n,
            control=control,
        )

    table = [
        cited(settings, value, label=label, metric="test error", unit="%", source="M14, table 3")
        for label, value in CITED
    ]
    centroids = dict.fromkeys(CENTROIDS[preset]) | (PAPER["k-means"] if preset == "paper" else {})
    for K, paper in centroids.items():
        found = finals.where(method="k-means", maps=K)
        table.append(row(found, f"Triangle k-means, {K} maps", paper))
    table += [
        row(shallow, f"Shallow, {maps} maps", PAPER["shallow"]),
        row(random, f"Untrained random filters, {maps} maps", control=True),
        row(finals.where(method="pixels"), "Pixels of both views", control=True),
    ]
    widths = dict.fromkeys(WIDTHS[preset]) | (PAPER["deep"] if preset == "paper" else {})
    for width, paper in widths.items():
        table.append(row(deep.where(maps=width), f"Deep, {maps} + {width} maps", paper))
    return table + _claims(settings, finals, deep, n)


def _claims(settings, finals, deep, n):
    preset, maps = settings.preset, MAPS[settings.preset]

    def verdict(statement, metric, larger, smaller, label="M14, section 3.3"):
        return claim(
            settings,
            statement,
            metric=f"test error, {metric}",
            unit="points",
            larger=larger,
            smaller=smaller,
            label=label,
            samples=n,
        )

    shallow = finals.where(method="winner-take-all").by_seed("test_error")
    found = [
        verdict(
            f"Learned filters are better features than random ones ({maps} maps).",
            "untrained - trained",
            finals.where(method="random").by_seed("test_error"),
            shallow,
            label="control",
        )
    ]
    for K in CENTROIDS[preset]:
        centroids = finals.where(method="k-means", maps=K).by_seed("test_error")
        found.append(
            verdict(
                f"Triangle k-means, here with {K} maps, is better than {maps} shallow maps.",
                f"shallow - k-means {K}",
                shallow,
                centroids,
            )
        )
    for width in WIDTHS[preset]:
        found.append(
            verdict(
                f"A second layer helps if it has many more maps: {maps} + {width} against {maps}.",
                "shallow - deep",
                shallow,
                deep.where(maps=width).by_seed("test_error"),
                label="M14, section 2.2",
            )
        )
    if settings.on_paper_data and WIDTHS[preset]:
        width, (name, error) = WIDTHS[preset][-1], min(CITED, key=lambda one: one[1])
        found.append(
            verdict(
                f"Deep winner-take-all features, here {maps} + {width} maps, are better than other "
                f"deep networks (best cited: {name}, {error} %).",
                f"{error} - deep",
                error,
                deep.where(maps=width).by_seed("test_error"),
            )
        )
    return found


def figures(settings, results):
    from .. import plotting

    found = results.where(stage="final", method="winner-take-all")
    if not found:
        return {}
    maps = MAPS[settings.preset]
    w = found[0].arrays["layer 1/w_dec"]
    dead = found[0].values["history"][-1]["dead_maps"]
    return {
        "filters.png": Picture(
            plotting.filter_grid({"decoder": w}),
            alt=f"{maps} decoder filters of 9×9 pixels in grey; {dead} of the maps were never "
            "active in the last epoch.",
            caption=f"Decoder filters, {maps} maps, whitened {settings.data.name}, seed "
            f"{found[0].seed}.",
        )
    }


def choices(settings, results):
    preset = settings.preset
    searched = results.where(stage="search", method="winner-take-all")
    folds = FOLDS[preset]

    def tried(found):
        """Mean error over the instances left out, for each classifier; None if any is missing."""
        if len(found) < folds:
            return None
        names = found[0].values["validation_error"]
        means = (
            (name, statistics.fmean(r.values["validation_error"][name] for r in found))
            for name in names
        )
        return ", ".join(f"{mean:.2f} % ({name})" for name, mean in means)

    effects = {
        name or "the first": tried(searched.where(way=_way(preset, name))) for name in WAYS[preset]
    }
    kernels = {
        f"{kernel}×{kernel}": tried(results.where(stage="deep search", kernel=kernel))
        for kernel in KERNELS[preset]
    }
    first = WAYS[preset][""]
    on = f"the lowest error on average over {folds} training instances, each left out in turn"
    return [
        Choice(
            "Whitening, initial filters, and how they are trained",
            f"{on}; the first: ε = {first['epsilon']} on the pixels of an image, filters N(0, "
            f"{first['scale']}²), Adam with rate {first['plan']['rate']} falling linearly to 0, "
            f"batches of {first['plan']['batch_size']} views, {first['plan']['epochs']} epochs",
            "the paper gives none of it",
            _listed(effects),
        ),
        Choice(
            "The classifier",
            "a linear SVM with squared hinge or logistic regression, mean loss + ½λ‖W‖², every "
            f"feature standardised; kind and λ by {on}",
            "the paper does not say which one it takes for NORB",
            _listed(effects),
        ),
        Choice(
            "Width of the second layer's filters",
            f"{on}; Adam, rate {SECOND_PLAN['rate']}, {SECOND_PLAN['epochs']} epochs",
            "the paper gives none of it",
            _listed(kernels),
        ),
        Choice(
            "What k-means sees",
            "patches of 6×6 of single views, otherwise as in table 2; features of both views side "
            "by side, as for the other rows",
            "the paper cites the figure of Coates et al.",
        ),
        Choice(
            "How views become 32×32",
            "means over 2×2 pixels of the inner 64×64, where the files hold 96×96",
            'the paper says "resize"',
        ),
    ]


def _listed(effects):
    return "; ".join(f"{name}: {effect}" for name, effect in effects.items() if effect) or None


EXPERIMENT = Experiment(
    name="makhzani2014-table3",
    version=1,
    title="Small NORB error rates of winner-take-all features",
    paper="M14, table 3",
    data="norb",
    seeds={"smoke": 1, "quick": 1, "paper": 3},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
