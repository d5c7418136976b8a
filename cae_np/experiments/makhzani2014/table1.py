"""Makhzani & Frey 2014, table 1: MNIST error rates of winner-take-all features.

A layer of 7×7 winner-take-all filters, trained without labels; at test time the constraint is off,
the ReLU maps are max-pooled (width 5, stride 3), and logistic regression reads them out.  The deep
rows train a second layer on the pooled maps of the first and read that one out.

Choices are made on the last 10,000 training digits by cells called *search*; a *final* cell takes
what they chose, trains on all training digits and reports the test error, once.
"""

from ...errors import DivergenceError
from ...models.classifier import ImageClassifier
from ...models.features import feature_matrix
from ...models.wta import WinnerTakeAll
from ...training import Plan
from ..engine.layers import restored, second_layer, trained
from ..engine.readout import ReadOut, held_out_errors, tested
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import cited, claim, measured

FIRST = {"kernel": [7, 7], "pool_width": 5, "pool_stride": 3}
SECOND = {"scale": 0.03, "pool_width": 3, "pool_stride": 2}
BELOW = 128  # maps of the first layer under a second one
PAPER = {16: 1.15, 128: 0.64}  # test error in per cent
PAPER_DEEP = {2048: 0.48}  # by maps of the second layer

SGD = {"optimizer": "sgd", "momentum": 0.9, "batch_size": 100}
ADAM = {"optimizer": "adam", "batch_size": 100}
# Tried on validation digits, for each number of maps; "scale" is that of the initial filters.
PLANS = {
    "smoke": {"SGD 0.0015, 1 epoch": SGD | {"rate": 0.0015, "epochs": 1}},
    "quick": {"SGD 0.0015, 3 epochs": SGD | {"rate": 0.0015, "epochs": 3}},
    "paper": {
        "SGD 0.002, 10 epochs": SGD | {"rate": 0.002, "epochs": 10},
        "SGD 0.003, 8 epochs": SGD | {"rate": 0.003, "epochs": 8},
        "Adam 0.002, 3 epochs": ADAM | {"rate": 0.002, "epochs": 3},
        "Adam 0.002, 3 epochs, N(0, 0.03²)": ADAM | {"rate": 0.002, "epochs": 3, "scale": 0.03},
        "Adam 0.005, 6 epochs": ADAM | {"rate": 0.005, "epochs": 6},
    },
}
# Of the read-out, by maps: fewer features want less of it.
PENALTIES = {4: (3e-3,), 16: (1e-4, 3e-4, 1e-3, 3e-3), 128: (3e-4, 1e-3, 3e-3)}
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 60}
MAPS = {"smoke": (4,), "quick": (16,), "paper": (16, 128)}
IMAGES = {"smoke": 300, "quick": 10_000, "paper": 60_000}
# Digits that the search trains on, and those of them that its read-outs are fitted on: fewer for
# 128 maps, whose features take gigabytes.
SEARCHED = {"smoke": 300, "quick": 10_000, "paper": 50_000}
READ_OUT = {4: 300, 16: 50_000, 128: 20_000}
# The second layer: what is tried on validation digits, and the widths of the final rows.
SECOND_PLANS = {
    "1×1, Adam 0.001": {"kernel": 1, "rate": 1e-3},
    "3×3, Adam 0.0003": {"kernel": 3, "rate": 3e-4},
    "3×3, Adam 0.001": {"kernel": 3, "rate": 1e-3},
    "5×5, Adam 0.0003": {"kernel": 5, "rate": 3e-4},
    "5×5, Adam 0.001": {"kernel": 5, "rate": 1e-3},
}
SECOND_PLAN = {"optimizer": "adam", "batch_size": 50, "epochs": 3}
SECOND_SEARCH = {"maps": 256, "images": 20_000, "penalties": (1e-3, 3e-3, 1e-2)}
WIDTHS = {"smoke": (), "quick": (), "paper": (256, 512, 1024, 2048)}


def cells(settings):
    preset, first = settings.preset, settings.seeds[0]
    n = min(IMAGES[preset], settings.data.n_train)
    listed, last = [], []  # what takes hours comes last
    for maps in MAPS[preset]:
        search = _searches(preset, maps, first)
        finals = [
            EXPERIMENT.cell(
                {"stage": "final", "maps": maps, "images": n}, seed, f"{maps} maps", needs=search
            )
            for seed in settings.seeds
        ]
        listed += search + finals
        for seed in settings.seeds:
            listed += _untrained(preset, maps, n, seed)
        if maps == BELOW:
            last = _deep(preset, n, first, search, finals[0])
    return listed + last


def _searches(preset, maps, seed):
    return [_search(preset, maps, seed, name, plan) for name, plan in PLANS[preset].items()]


def _search(preset, maps, seed, name, plan):
    plan = dict(plan)
    config = {
        "stage": "search",
        "layer": FIRST | {"maps": maps, "scale": plan.pop("scale", 0.1)},
        "images": SEARCHED[preset],
        "fitted": READ_OUT[maps],
        "plan": Plan(**plan).as_dict() if plan else None,
        "penalties": PENALTIES[maps],
        "iterations": ITERATIONS[preset],
    }
    return EXPERIMENT.cell(config, seed, f"search: {maps} maps, {name}")


def _untrained(preset, maps, n, seed):
    """The control that could embarrass the method: the same read-out of random filters."""
    search = _search(preset, maps, seed, "untrained", {})
    final = {"stage": "final", "maps": maps, "images": n, "untrained": True}
    return [search, EXPERIMENT.cell(final, seed, f"{maps} untrained maps", needs=[search])]


def _deep(preset, n, seed, search, below):
    """One seed: the second layer takes hours on a CPU."""

    def searched(name, kernel, rate):
        plan = Plan(**SECOND_PLAN, rate=rate).as_dict() if rate else None
        config = SECOND_SEARCH | {
            "stage": "deep search",
            "layer": SECOND | {"channels": BELOW, "kernel": [kernel, kernel]},
            "plan": plan,
            "iterations": ITERATIONS[preset],
        }
        return EXPERIMENT.cell(config, seed, f"search: second layer, {name}", needs=search)

    def final(width, searches, **extra):
        config = {"stage": "deep final", "maps": width, "images": n} | extra
        label = f"{BELOW} + {width} maps" + ", the second untrained" * bool(extra)
        return EXPERIMENT.cell(config, seed, label, needs=[below, *searches])

    if not WIDTHS[preset]:
        return []
    tried = [searched(name, **options) for name, options in SECOND_PLANS.items()]
    random = [searched("3×3, untrained", 3, None)]
    controls = [final(width, random, untrained=True) for width in WIDTHS[preset][:2]]
    return [*tried, *(final(width, tried) for width in WIDTHS[preset]), *random, *controls]


# --- what cells do --------------------------------------------------------------------------------


def run(cell, context):
    """Compute a cell."""
    return {
        "search": _run_search,
        "final": _run_final,
        "deep search": _run_deep_search,
        "deep final": _run_deep_final,
    }[cell.config["stage"]](cell, context)


def _run_search(cell, context):
    """Train on part of the training digits, and read out with each penalty on the rest."""
    config = cell.config
    images, validation = _fit_and_validation(context.dataset, config["images"])
    layer = WinnerTakeAll(images.images.shape[1], seed=cell.seed, **config["layer"])
    try:
        history = trained(layer, images, config["plan"], cell, context)
    except DivergenceError as error:
        return {"diverged": str(error), "validation_error": {}}, {}
    errors = _validation_errors(config, _some(images, config["fitted"]), validation, [layer])
    return {"validation_error": errors, "history": history}, layer.weights()


def _run_final(cell, context):
    """Take the plan and the penalty that search chose, train on all, test once."""
    chosen = _best(context.needed)
    images = _some(context.dataset.train, cell.config["images"])
    layer = WinnerTakeAll(images.images.shape[1], seed=cell.seed, **chosen["layer"])
    history = trained(layer, images, chosen["plan"], cell, context)
    return _tested(chosen, images, context.dataset.test, [layer], history)


def _run_deep_search(cell, context):
    """A plan of the second layer, on the best first layer of the search."""
    config, best = cell.config, _best(context.needed)
    below = restored(context.needed[best["cell"]], **best["layer"])
    images, validation = _fit_and_validation(context.dataset, config["images"])
    layer, history = second_layer(cell, context, images, below, config["plan"], **config["layer"])
    errors = _validation_errors(config, images, validation, [below, layer])
    return {"validation_error": errors, "history": history}, {}


def _run_deep_final(cell, context):
    first, *searched = context.needed
    chosen = _best(searched)
    below = restored(first, **first.values["chosen"]["layer"])
    images = _some(context.dataset.train, cell.config["images"])
    layer, history = second_layer(cell, context, images, below, chosen["plan"], **chosen["layer"])
    return _tested(chosen, images, context.dataset.test, [below, layer], history)


def _validation_errors(config, fit, validation, layers):
    """Per cent of wrong validation digits, by penalty."""
    readouts = {str(p): ReadOut(config["iterations"], p) for p in config["penalties"]}
    parts = ((feature_matrix(some, layers), some.labels) for some in (fit, validation))
    return held_out_errors(readouts, *parts)


def _tested(chosen, images, test, layers, history):
    """Values and arrays of a final cell: its error on test digits, and the network itself."""

    def count(readout):
        return ImageClassifier(layers, readout).count_errors(test)

    readout = ReadOut(chosen["iterations"], chosen["penalty"])
    values, readout = tested(
        readout, feature_matrix(images, layers), images.labels, count, len(test)
    )
    arrays, config = {}, None
    if history:  # random filters are not kept
        arrays, config = ImageClassifier(layers, readout).state()
    return values | {"chosen": chosen, "history": history, "network": config}, arrays


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


# --- tables and pictures --------------------------------------------------------------------------


def rows(settings, results):
    n = min(IMAGES[settings.preset], settings.data.n_train)
    shared = {"metric": "test error", "unit": "%", "samples": n}
    finals = results.where(stage="final")
    table = [
        cited(settings, value, label=label, metric="test error", unit="%", source="M14, table 1")
        for label, value in (
            ("Deconvolutional net with Gaussian pooling, shallow, 16 maps", 1.38),
            ("Deconvolutional net with Gaussian pooling, deep", 0.84),
            ("Convolutional deep belief net", 0.82),
            ("Ranzato et al.", 0.64),
        )
    ]
    for maps in MAPS[settings.preset]:
        trained = finals.where(maps=maps, untrained=None)
        random = finals.where(maps=maps, untrained=True)
        table += [
            measured(
                settings,
                trained,
                "test_error",
                label=f"Shallow, {maps} maps",
                paper=PAPER.get(maps) if settings.preset == "paper" else None,
                **shared,
            ),
            measured(
                settings,
                random,
                "test_error",
                label=f"Untrained random filters, {maps} maps",
                control=True,
                **shared,
            ),
            claim(
                settings,
                f"Learned filters are better features than random ones ({maps} maps).",
                metric="test error, untrained - trained",
                unit="points",
                larger=random.by_seed("test_error"),
                smaller=trained.by_seed("test_error"),
                label="control",
                samples=n,
            ),
        ]
    deep = results.where(stage="deep final")
    shallow = finals.where(maps=BELOW, untrained=None).by_seed("test_error")
    for width in WIDTHS[settings.preset]:
        trained = deep.where(maps=width, untrained=None)
        random = deep.where(maps=width, untrained=True)
        table.append(
            measured(
                settings,
                trained,
                "test_error",
                label=f"Deep, {BELOW} + {width} maps",
                paper=PAPER_DEEP.get(width),
                needed=results.needed_by(trained).where(stage="final"),
                **shared,
            )
        )
        if random:
            table.append(
                measured(
                    settings,
                    random,
                    "test_error",
                    label=f"Deep, {BELOW} + {width} maps, the second layer untrained",
                    control=True,
                    needed=results.needed_by(random).where(stage="final"),
                    **shared,
                )
            )
            table.append(
                claim(
                    settings,
                    "A second layer of learned filters makes better features than one of random "
                    f"ones ({BELOW} + {width} maps).",
                    metric="test error, untrained - trained",
                    unit="points",
                    larger=random.by_seed("test_error"),
                    smaller=trained.by_seed("test_error"),
                    label="control",
                    samples=n,
                )
            )
        table.append(
            claim(
                settings,
                f"Deeper layers help with many more maps: {BELOW} + {width} against {BELOW}.",
                metric="test error, shallow - deep",
                unit="points",
                larger=shallow,
                smaller=trained.by_seed("test_error"),
                label="M14, section 2.2",
                samples=n,
            )
        )
    return table


def figures(settings, results):
    from ... import plotting

    pictures = {}
    for maps in MAPS[settings.preset]:
        found = results.where(stage="final", maps=maps, untrained=None)
        if not found:
            continue
        result = found[0]
        dead = result.values["history"][-1]["dead_maps"]
        pictures[f"filters-{maps}.png"] = Picture(
            plotting.filter_grid({"decoder": result.arrays["layer 1/w_dec"]}),
            alt=f"{maps} decoder filters of 7×7 pixels in grey; "
            f"{dead} of the maps were never active in the last epoch.",
            caption=f"Decoder filters, {maps} maps, {settings.data.name}, seed {result.seed}.",
        )
    return pictures


def choices(settings, results):
    def effect(found):
        tried = [
            f"{result.cell.label.removeprefix('search: ')}: " + _best_of(result) for result in found
        ]
        return "; ".join(tried) or None

    def penalty_effect():
        tried = [
            r
            for r in results.where(stage="search")
            if r.config["plan"] and len(r.values["validation_error"]) > 1
        ]
        return (
            "; ".join(
                f"{r.cell.label.removeprefix('search: ')}: "
                + ", ".join(f"{e:.2f} % at λ {p}" for p, e in r.values["validation_error"].items())
                for r in tried
            )
            or None
        )

    return [
        Choice(
            "How the filters are trained (rate, momentum, batch, epochs, initial weights)",
            "the best of the plans on validation digits; filters N(0, 0.1²) where no other scale "
            "is named, biases 0",
            "the paper gives none of it",
            effect(results.where(stage="search")),
        ),
        Choice(
            "Logistic regression's penalty and the scale of the features",
            "mean cross-entropy + ½λ‖W‖², centred features over one global standard deviation, λ "
            "chosen on validation digits",
            "the paper gives none of it",
            penalty_effect(),
        ),
        Choice(
            "The second layer: width of its filters and how they are trained",
            "the best on validation digits of what was tried, 256 maps on 20,000 digits",
            'not given; footnote 2 ("the computation time of both layers is still the same") is '
            "a hint",
            effect(results.where(stage="deep search")),
        ),
        Choice(
            "Size of the deep representation",
            "maps × 5 × 5",
            "the text says 128 × 5 × 5 for 2048 maps, which cannot be",
        ),
    ]


def _best_of(result):
    errors = result.values["validation_error"]
    if not errors:
        return "diverged"
    penalty = min(errors, key=errors.get)
    return f"{errors[penalty]:.2f} % (λ {penalty})"


EXPERIMENT = Experiment(
    name="makhzani2014-table1",
    version=2,
    title="MNIST error rates of winner-take-all features",
    paper="M14, table 1",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
    numbers_do={"final": ("search",), "deep final": ("deep search",)},
)
