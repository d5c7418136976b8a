"""Makhzani & Frey 2014, table 3: error rates on small NORB.

A layer of 9×9 winner-take-all filters, trained without labels on single views, contrast-normalised
and whitened; at test time the ReLU maps of both views are max-pooled (width 6, stride 4), put side
by side, and read out by a linear classifier.  The deep rows train a second layer on the pooled maps
and read that one out.

The toys of the test set are others than those of the training set, so choices are made on toys
that were left out: each of the five instances in turn (*search* cells, one a fold).  A *final* cell
takes what did best on average, trains on all, and looks at the test pairs once.

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
from functools import partial

from ...data import subset
from ...data.norb import CLASSES
from ...data.preprocess import Preprocessing
from ...models.classifier import ImageClassifier, as_views, count_errors, record_features
from ...models.kmeans import PatchKMeans
from ...models.wta import WinnerTakeAll
from ...training import Plan
from ..engine.layers import restored, second_layer, trained
from ..engine.readout import ReadOut, held_out_errors, tested
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import cited, claim, measured

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
CENTROIDS = {"smoke": (4,), "quick": (32,), "paper": (128,)}
SLOW_CENTROIDS = {"smoke": (), "quick": (), "paper": (1600,)}
CLUSTERING = {
    "smoke": {"patches": 500, "iterations": 2},
    "quick": {"patches": 10_000, "iterations": 10},
    "paper": {"patches": 400_000, "iterations": 50},  # Coates et al. 2011
}
# The second layer: kernels that are tried with few maps, and widths of the final rows.
KERNELS = {"smoke": (1,), "quick": (), "paper": (1, 3, 5)}
KERNEL_SEARCH = {"smoke": 4, "quick": 0, "paper": 256}
WIDTHS = {"smoke": (8,), "quick": (), "paper": (256, 512, 1024, 2048)}
SECOND_PLAN = ADAM | {"rate": 1e-3, "epochs": 2}


def cells(settings):
    preset, seeds = settings.preset, settings.seeds
    maps, one = MAPS[preset], seeds[:1]
    of = partial(_cells_of, settings)
    ways = {name: way_of(preset, name) for name in WAYS[preset]}
    search, finals = of("winner-take-all", maps, ways, seeds)
    untrained = whitenings(preset)
    clustered = {"": {"clustering": CLUSTERING[preset]}}
    others = [
        of("random", maps, {"": untrained[""]}, seeds),
        of("pixels", None, {"": {}}, one),
        *(of("k-means", K, clustered, one) for K in CENTROIDS[preset]),
    ]
    if (n := len(untrained)) > 1:  # the whitening of trained filters is chosen, so theirs is too
        others.append(of("random", maps, untrained, seeds, whitenings=n))
    slow = [of("k-means", K, clustered, one) for K in SLOW_CENTROIDS[preset]]
    listed = [
        *search,
        *finals,
        *(cell for pair in others for part in pair for cell in part),
        *_deep_cells(settings, search, finals),
        *(cell for pair in slow for part in pair for cell in part),
    ]
    return list(dict.fromkeys(listed))  # both rows of untrained filters search in the first way


def way_of(preset, name):
    """How features are made: initial filters, whitening and the training plan."""
    way = WAYS[preset][""] | WAYS[preset][name]
    return way | {"plan": Plan(**way["plan"]).as_dict()}


def whitenings(preset):
    """One way without training for every whitening that is tried."""
    found = {}
    for name in WAYS[preset]:
        way = way_of(preset, name) | {"plan": None}
        found.setdefault(way["epsilon"], (name, way))
    return dict(found.values())


def _cells_of(settings, method, maps, ways, seeds, **more):
    """Search cells for every way and every instance left out, and final cells for every seed.

    ``more`` tells final cells from others that search chooses for among fewer ways.
    """
    preset = settings.preset
    called = {
        "winner-take-all": f"{maps} maps",
        "random": f"{maps} untrained maps",
        "pixels": "pixels",
        "k-means": f"k-means, {maps} centroids",
    }[method]
    shared = {"method": method, "maps": maps}
    search = [
        EXPERIMENT.cell(
            {
                "stage": "search",
                "fold": fold,
                "pairs": SEARCHED[preset],
                "way": way,
                "readouts": list(READOUT_OPTIONS[preset]),
                "iterations": ITERATIONS[preset],
                **shared,
            },
            settings.seeds[0],
            ", ".join(filter(None, (f"search: {called}", name, f"fold {fold + 1}"))),
        )
        for name, way in ways.items()
        for fold in range(FOLDS[preset])
    ]
    pairs = min(PAIRS[preset], settings.data.n_train)
    finals = [
        EXPERIMENT.cell(
            {"stage": "final", "pairs": pairs, **shared, **more},
            seed,
            ", ".join([called, *(f"{n} {name}" for name, n in more.items())]),
            needs=search,
        )
        for seed in seeds
    ]
    return search, finals


def _deep_cells(settings, search, finals):
    """Second layers on the first of every seed; their kernels are chosen with one seed."""
    preset, seed = settings.preset, settings.seeds[0]
    trained = {"method": "winner-take-all", "plan": Plan(**SECOND_PLAN).as_dict()}
    untrained = {"method": "random", "plan": None}
    options = {"readouts": list(READOUT_OPTIONS[preset]), "iterations": ITERATIONS[preset]}
    kernels = [
        EXPERIMENT.cell(
            {
                "stage": "deep search",
                "maps": KERNEL_SEARCH[preset],
                "kernel": kernel,
                "fold": fold,
                "pairs": SEARCHED[preset],
                **trained,
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
            {"stage": "deep final", "maps": width, "pairs": final.config["pairs"], **how},
            final.seed,
            f"{MAPS[preset]} + {width}{'' if how is trained else ' untrained'} maps",
            needs=[final, *kernels],
        )
        for how in (trained, untrained)
        for width in WIDTHS[preset]
        for final in finals
    ]


# --- what cells do --------------------------------------------------------------------------------


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
    layer, preprocessing = restored(below, **FIRST), _preprocessing(way).fit(as_views(fit, 1))
    second, history = _second_layer(cell, context, fit, layer, preprocessing, cell.config)
    errors = _validation_errors(cell.config, fit, validation, [layer, second], preprocessing)
    return {"validation_error": errors, "history": history}, {}


def _deep_final(cell, context):
    below, *searched = context.needed
    chosen, way = best(searched), below.values["chosen"]["config"]["way"]
    pairs = context.dataset.train.take(slice(cell.config["pairs"]))
    layer, preprocessing = restored(below, **FIRST), _preprocessing(way).fit(as_views(pairs, 1))
    second, history = _second_layer(cell, context, pairs, layer, preprocessing, chosen["config"])
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
        return [model], None, model.fit(views, **way["clustering"]).history
    preprocessing = _preprocessing(way).fit(views)
    layer = WinnerTakeAll(1, maps, scale=way["scale"], seed=cell.seed, **FIRST)
    images = preprocessing.apply(views) if way["plan"] else None
    return [layer], preprocessing, trained(layer, images, way["plan"], cell, context)


def _second_layer(cell, context, pairs, below, preprocessing, chosen):
    images = preprocessing.apply(as_views(pairs, 1))
    options = SECOND | {"kernel": chosen["kernel"]}
    return second_layer(cell, context, images, below, cell.config["plan"], **options)


def _validation_errors(config, fit, validation, layers, preprocessing):
    """Per cent of wrong validation pairs, by classifier."""
    readouts = {name: _readout(name, config["iterations"]) for name in config["readouts"]}
    parts = ((record_features(i, layers, preprocessing), i.labels) for i in (fit, validation))
    return held_out_errors(readouts, *parts)


def _tested(chosen, pairs, test, layers, preprocessing, history):
    """Values and arrays of a final cell: its error on test pairs, and the network itself."""

    def count(readout):
        return count_errors(readout, test, layers, preprocessing)

    values, readout = tested(
        _readout(chosen["readout"], chosen["config"]["iterations"]),
        record_features(pairs, layers, preprocessing),
        pairs.labels,
        count,
        len(test),
    )
    values |= {"chosen": chosen, "history": history}
    if not (history and preprocessing):  # only what winner-take-all learned is kept
        return values, {}
    arrays, config = ImageClassifier(layers, readout, preprocessing).state()
    return values | {"network": config}, arrays


def _readout(name, iterations):
    """The classifier of that name: "svm 0.1" says what it is, and λ."""
    kind, penalty = name.split()
    return ReadOut(iterations, float(penalty), kind, scaling="feature", classes=len(CLASSES))


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


# --- tables and pictures --------------------------------------------------------------------------


PAPER = {"shallow": 6.6, "k-means": {4000: 2.7}, "deep": {2048: 4.7}}  # per cent
CITED = (
    ("Deep Boltzmann machine", 7.2),
    ("Third-order RBM", 6.5),
    ("Deep belief network", 5.0),
)


def rows(settings, results):
    preset, maps = settings.preset, MAPS[settings.preset]
    n = min(PAIRS[preset], settings.data.n_train)
    finals, deep = results.where(stage="final"), results.where(stage="deep final")
    shallow = finals.where(method="winner-take-all")
    epsilon = WAYS[preset][""]["epsilon"]

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
            needed=results.needed_by(found).where(stage="final"),
        )

    table = [
        cited(settings, value, label=label, metric="test error", unit="%", source="M14, table 3")
        for label, value in CITED
    ]
    centroids = dict.fromkeys(CENTROIDS[preset] + SLOW_CENTROIDS[preset])
    centroids |= PAPER["k-means"] if preset == "paper" else {}
    for K, paper in centroids.items():
        found = finals.where(method="k-means", maps=K)
        table.append(row(found, f"Triangle k-means, {K} maps", paper))
    table += [
        row(shallow, f"Shallow, {maps} maps", PAPER["shallow"]),
        row(
            finals.where(method="random", whitenings=None),
            f"Untrained random filters, {maps} maps, whitened with ε = {epsilon}",
            control=True,
        ),
    ]
    if len(whitenings(preset)) > 1:
        table.append(
            row(
                _untrained(finals, preset),
                f"Untrained random filters, {maps} maps, whitening chosen as for trained ones",
                control=True,
            )
        )
    table += [
        row(finals.where(method="pixels"), "Pixels of both views", control=True),
    ]
    widths = dict.fromkeys(WIDTHS[preset])
    widths |= PAPER["deep"] if preset == "paper" else {}
    for width, paper in widths.items():
        learned, untrained = (
            deep.where(method=m, maps=width) for m in ("winner-take-all", "random")
        )
        label = f"Deep, {maps} + {width} maps"
        table.append(row(learned, label, paper))
        table.append(row(untrained, f"{label}, the second layer untrained", control=True))
    return table + _claims(settings, finals, deep, n)


def _untrained(finals, preset):
    """The control whose whitening was chosen as that of the trained filters was."""
    choices = len(whitenings(preset))
    return finals.where(method="random", whitenings=choices if choices > 1 else None)


def _claims(settings, finals, deep, n):
    preset, maps = settings.preset, MAPS[settings.preset]
    verdict = partial(claim, settings, label="M14, section 3.3", unit="points", samples=n)

    shallow = finals.where(method="winner-take-all").by_seed("test_error")
    found = [
        verdict(
            f"Learned filters are better features than random ones ({maps} maps).",
            "test error, untrained - trained",
            _untrained(finals, preset).by_seed("test_error"),
            shallow,
            label="control",
        )
    ]
    for K in CENTROIDS[preset] + SLOW_CENTROIDS[preset]:
        centroids = finals.where(method="k-means", maps=K).by_seed("test_error")
        if K > maps:
            statement = f"Triangle k-means, here with {K} maps, is better than {maps} shallow maps."
            metric, larger, smaller = f"test error, shallow - k-means {K}", shallow, centroids
        else:
            statement = f"Of equally many maps ({K}), winner-take-all's are better than k-means's."
            metric, larger, smaller = f"test error, k-means {K} - shallow", centroids, shallow
        label = "M14, section 3.3" if K > maps else "control"
        found.append(verdict(statement, metric, larger, smaller, label=label))
    for width in WIDTHS[preset]:
        learned, untrained = (
            deep.where(method=method, maps=width).by_seed("test_error")
            for method in ("winner-take-all", "random")
        )
        found += [
            verdict(
                f"A second layer helps if it has many more maps: {maps} + {width} against {maps}.",
                "test error, shallow - deep",
                shallow,
                learned,
                label="M14, section 2.2",
            ),
            verdict(
                f"A second layer has to be learned: {maps} + {width} maps against as many of which "
                f"the {width} are random.",
                "test error, untrained - trained",
                untrained,
                learned,
                label="control",
            ),
        ]
    if settings.on_paper_data and preset == "paper":
        width, (name, error) = WIDTHS[preset][-1], min(CITED, key=lambda one: one[1])
        found.append(
            verdict(
                f"Deep winner-take-all features, here {maps} + {width} maps, are better than other "
                f"deep networks (best cited: {name}, {error} %).",
                f"test error, {error} - deep",
                error,
                deep.where(method="winner-take-all", maps=width).by_seed("test_error"),
            )
        )
    return found


def figures(settings, results):
    from ... import plotting

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
        name or "the first": tried(searched.where(way=way_of(preset, name)))
        for name in WAYS[preset]
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
            f"{on}, after training on {SEARCHED[preset]:,} pairs; the first: ε = "
            f"{first['epsilon']} on the pixels of an image, filters N(0, "
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
            "patches of 6×6 of single views, otherwise as in table 2, with 4 features a centroid "
            "and view where winner-take-all has 64 a map; features of both views side by side, as "
            "for the other rows",
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
    numbers_do={"final": ("search",), "deep final": ("deep search",)},
)
