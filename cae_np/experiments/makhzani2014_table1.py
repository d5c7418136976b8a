"""Makhzani & Frey 2014, table 1: MNIST error rates of winner-take-all features.

A layer of 7×7 winner-take-all filters, trained without labels; at test time the constraint is off,
the ReLU maps are max-pooled (width 5, stride 3), and logistic regression reads them out.  The deep
rows train a second layer on the pooled maps of the first and read that one out.

Choices are made on the last 10,000 training digits by cells called *search*; a *final* cell takes
what they chose, trains on all training digits and reports the test error, once.
"""

from ..errors import DivergenceError
from ..models.features import Encoded, feature_matrix
from ..models.linear import SoftmaxRegression
from ..models.wta import WinnerTakeAll
from ..training import Plan, train
from .experiment import Choice, Experiment, Picture
from .rows import cited, claim, measured

FIRST = {"kernel": [7, 7], "pool_width": 5, "pool_stride": 3}
SECOND = {"pool_width": 3, "pool_stride": 2}
PAPER = {16: 1.15, 128: 0.64}  # test error in per cent
PAPER_DEEP = {2048: 0.48}

SGD = {"optimizer": "sgd", "momentum": 0.9, "batch_size": 100}
ADAM = {"optimizer": "adam", "batch_size": 100}
# Tried on validation digits, for each number of maps.
PLANS = {
    "smoke": {"SGD 0.0015, 1 epoch": SGD | {"rate": 0.0015, "epochs": 1}},
    "quick": {"SGD 0.0015, 3 epochs": SGD | {"rate": 0.0015, "epochs": 3}},
    "paper": {
        "SGD 0.0015, 20 epochs": SGD | {"rate": 0.0015, "epochs": 20},
        "SGD 0.001, 8 epochs": SGD | {"rate": 0.001, "epochs": 8},
        "SGD 0.003, 8 epochs": SGD | {"rate": 0.003, "epochs": 8},
        "Adam 0.002, 3 epochs": ADAM | {"rate": 0.002, "epochs": 3},
    },
}
PENALTIES = {"smoke": (3e-3,), "quick": (3e-3,), "paper": (3e-4, 1e-3, 3e-3)}
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 60}
MAPS = {"smoke": (4,), "quick": (16,), "paper": (16, 128)}
IMAGES = {"smoke": 300, "quick": 10_000, "paper": 60_000}
# Digits that the search fits on: a third for 128 maps, whose features take gigabytes.
SEARCHED = {"smoke": {4: 300}, "quick": {16: 10_000}, "paper": {16: 50_000, 128: 20_000}}
# The second layer, on 128 maps: kernels tried on validation digits, widths of the final rows.
KERNELS = {"smoke": (), "quick": (), "paper": (1, 3, 5)}
KERNEL_SEARCH = {"maps": 128, "images": 20_000}
WIDTHS = {"smoke": (), "quick": (), "paper": (256, 512, 1024)}
SECOND_PLAN = SGD | {"rate": 5e-4, "epochs": 3, "batch_size": 50}
BELOW = 128  # maps of the first layer under a second one


def cells(settings):
    preset, first = settings.preset, settings.seeds[0]
    n = min(IMAGES[preset], settings.data.n_train)
    listed, last = [], []  # what takes hours comes last
    for maps in MAPS[preset]:
        search = _search_cells(preset, maps, first)
        listed += search
        finals = [
            EXPERIMENT.cell(
                {"stage": "final", "maps": maps, "images": n}, seed, f"{maps} maps", needs=search
            )
            for seed in settings.seeds
        ]
        listed += finals
        for seed in settings.seeds:
            listed += _untrained_cells(preset, maps, n, seed)
        if maps == BELOW:
            last = _deep_cells(preset, n, first, search, finals[0])
    return listed + last


def _search_cells(preset, maps, seed):
    return [
        EXPERIMENT.cell(
            {
                "stage": "search",
                "maps": maps,
                "images": SEARCHED[preset][maps],
                "plan": Plan(**plan).as_dict(),
                "penalties": list(PENALTIES[preset]),
                "iterations": ITERATIONS[preset],
            },
            seed,
            f"search: {maps} maps, {name}",
        )
        for name, plan in PLANS[preset].items()
    ]


def _untrained_cells(preset, maps, n, seed):
    """The control that could embarrass the method: the same read-out of random filters."""
    config = {"maps": maps, "images": n, "plan": None, "iterations": ITERATIONS[preset]}
    config["penalties"] = list(PENALTIES[preset])
    search = EXPERIMENT.cell(config | {"stage": "search"}, seed, f"search: {maps} untrained maps")
    final = {"stage": "final", "maps": maps, "images": n, "untrained": True}
    return [search, EXPERIMENT.cell(final, seed, f"{maps} untrained maps", needs=[search])]


def _deep_cells(preset, n, seed, search, final):
    """One seed: the second layer takes hours on a CPU."""
    shared = {"plan": Plan(**SECOND_PLAN).as_dict(), "iterations": ITERATIONS[preset]}
    shared["penalties"] = list(PENALTIES[preset])
    kernels = [
        EXPERIMENT.cell(
            {"stage": "deep search", "kernel": kernel, **KERNEL_SEARCH, **shared},
            seed,
            f"search: second layer, {kernel}×{kernel}",
            needs=search,
        )
        for kernel in KERNELS[preset]
    ]
    deep = [
        EXPERIMENT.cell(
            {"stage": "deep final", "maps": width, "images": n},
            seed,
            f"{BELOW} + {width} maps",
            needs=[final, *kernels],
        )
        for width in WIDTHS[preset]
    ]
    return kernels + deep


# --- what a cell does -----------------------------------------------------------------------------


def run(cell, context):
    return {
        "search": _search,
        "final": _final,
        "deep search": _deep_search,
        "deep final": _deep_final,
    }[cell.config["stage"]](cell, context)


def _search(cell, context):
    """Train on part of the training digits, and read out with each penalty on the rest."""
    fit, validation = _fit_and_validation(context.dataset, cell.config["images"])
    try:
        layer, history = _first_layer(cell, context, fit, cell.config["plan"])
    except DivergenceError as error:
        return {"diverged": str(error), "validation_error": {}}, {}
    errors = _validation_errors(cell.config, fit, validation, [layer])
    return {"validation_error": errors, "history": history}, _weights(layer)


def _final(cell, context):
    """Take the plan and the penalty that search chose, train on all, test once."""
    chosen = _best(context.needed)
    train_images = _some(context.dataset.train, cell.config["images"])
    layer, history = _first_layer(cell, context, train_images, chosen["plan"])
    values = _test(chosen, train_images, context.dataset.test, [layer])
    return values | {"chosen": chosen, "history": history}, _weights(layer)


def _deep_search(cell, context):
    """The second layer's kernel, on the best first layer of the search."""
    best = _best(context.needed)
    below = _restored(context.needed[best["cell"]])
    fit, validation = _fit_and_validation(context.dataset, cell.config["images"])
    layer, history = _second_layer(
        cell, context, below, fit, cell.config["kernel"], cell.config["plan"]
    )
    errors = _validation_errors(cell.config, fit, validation, [below, layer])
    return {"validation_error": errors, "history": history}, {}


def _deep_final(cell, context):
    below, *searched = context.needed
    chosen = _best(searched)
    below = _restored(below)
    train_images = _some(context.dataset.train, cell.config["images"])
    layer, history = _second_layer(
        cell, context, below, train_images, chosen["kernel"], chosen["plan"]
    )
    values = _test(chosen, train_images, context.dataset.test, [below, layer])
    return values | {"chosen": chosen, "history": history}, _weights(layer)


def _first_layer(cell, context, images, plan):
    channels = images.images.shape[1]
    layer = WinnerTakeAll(channels, cell.config["maps"], seed=cell.seed, **FIRST)
    return layer, _trained(cell, context, layer, images, plan)


def _second_layer(cell, context, below, images, kernel, plan):
    layer = WinnerTakeAll(
        BELOW, cell.config["maps"], (kernel, kernel), scale=0.03, seed=cell.seed, stage=1, **SECOND
    )
    return layer, _trained(cell, context, layer, Encoded(images, [below]), plan, stage=1)


def _trained(cell, context, layer, images, plan, stage=0):
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


def _test(chosen, train_images, test, layers):
    features = feature_matrix(train_images, layers)
    readout = SoftmaxRegression(features.shape[1], 10, penalty=chosen["penalty"])
    report = readout.fit(features, train_images.labels, max_iterations=chosen["iterations"])
    training_error = float(readout.error_rate(features, train_images.labels))
    del features  # gigabytes
    test_error = float(readout.error_rate(feature_matrix(test, layers), test.labels))
    return {
        "test_error": 100 * test_error,
        "training_error": 100 * training_error,
        "readout": report,
    }


def _best(searched):
    """Configuration and penalty of the lowest validation error; of equals the first."""
    tried = [
        (error, i, float(penalty))
        for i, result in enumerate(searched)
        for penalty, error in result.values["validation_error"].items()
    ]
    error, i, penalty = min(tried, key=lambda one: one[0])
    config = searched[i].config
    return {
        "cell": i,
        "plan": config["plan"],
        "kernel": config.get("kernel"),
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


def _weights(layer):
    arrays, _ = layer.state()
    arrays.pop("tally")
    return arrays


def _restored(result):
    """The first layer that a cell trained."""
    arrays = result.arrays
    maps, channels = arrays["w_enc"].shape[:2]
    layer = WinnerTakeAll(channels, maps, **FIRST)
    layer.load_state(arrays)
    return layer


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
    for width in WIDTHS[settings.preset]:
        table.append(
            measured(
                settings,
                deep.where(maps=width),
                "test_error",
                label=f"Deep, {BELOW} + {width} maps",
                **shared,
            )
        )
        table.append(
            claim(
                settings,
                f"Deeper layers help with many more maps: {BELOW} + {width} against {BELOW}.",
                metric="test error, shallow - deep",
                unit="points",
                larger=finals.where(maps=BELOW, untrained=None).by_seed("test_error"),
                smaller=deep.where(maps=width).by_seed("test_error"),
                label="M14, section 2.2",
                samples=n,
            )
        )
    if settings.preset == "paper":
        for width, error in PAPER_DEEP.items():
            table.append(
                measured(
                    settings,
                    deep.where(maps=width),
                    "test_error",
                    label=f"Deep, {BELOW} + {width} maps",
                    paper=error,
                    **shared,
                )
            )
    return table


def figures(settings, results):
    from .. import plotting

    pictures = {}
    for maps in MAPS[settings.preset]:
        found = results.where(stage="final", maps=maps, untrained=None)
        if not found:
            continue
        result = found[0]
        dead = result.values["history"][-1]["dead_maps"]
        pictures[f"filters-{maps}.png"] = Picture(
            plotting.filter_grid({"decoder": result.arrays["w_dec"]}),
            alt=f"{maps} decoder filters of 7×7 pixels in grey; "
            f"{dead} of the maps were never active in the last epoch.",
            caption=f"Decoder filters, {maps} maps, {settings.data.name}, seed {result.seed}.",
        )
    return pictures


def choices(settings, results):
    def effect(found):
        tried = [
            f"{result.cell.label.removeprefix('search: ')}: " + _best_of(result)
            for result in found
            if result.config.get("plan")
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
            "the best of the plans on validation digits; filters N(0, 0.1²), biases 0",
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
            "Width of the second layer's filters",
            "the best of 1×1, 3×3 and 5×5 on validation digits",
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
    version=1,
    title="MNIST error rates of winner-take-all features",
    paper="M14, table 1",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 3},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
