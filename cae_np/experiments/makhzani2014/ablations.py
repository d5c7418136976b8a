"""Makhzani & Frey 2014, section 2: what each part of the winner-take-all method is good for.

The shallow MNIST auto-encoder of table 1, small, with one thing changed at a time: tied weights,
more units a map (top-n), as many units over all maps together (global top-k), fewer (lifetime
sparsity, from the later version of the paper), another f, no sparsity at all.  For each: how good
the features are, which filters are dead, what the filters look like.  And what a step costs.
"""

import time
from statistics import fmean

import numpy as np

from ...backend import synchronize, to_device, to_numpy
from ...models.wta import WinnerTakeAll
from ...ops import overlapping_max_pool
from ...training import Plan
from ..engine import filter_shape
from ..engine.layers import trained
from ..engine.readout import DESCRIPTION, readout_error
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import claim, measured

MODEL = {"channels": 1, "kernel": [7, 7], "pool_width": 5, "pool_stride": 3}
PLAN = {"optimizer": "sgd", "momentum": 0.9, "rate": 1.5e-3}
ADAM = {"optimizer": "adam", "momentum": 0.0, "rate": 1e-3}
# What each variant changes, in the model and in the plan.
WINNER, FREE, UNTRAINED = "winner-take-all", "unconstrained", "untrained"
SMALL = "initial N(0, 0.03²)"
VARIANTS = {
    WINNER: {},
    "tied": {"tied": True},
    "top 2": {"path": "dense", "sparsity": "top_n", "amount": 2},
    "top 4": {"path": "dense", "sparsity": "top_n", "amount": 4},
    "global top k": {"path": "dense", "sparsity": "global_top_k"},  # amount: the number of maps
    "lifetime 20 %": {"sparsity": "lifetime", "amount": 0.2},
    "lifetime 5 %": {"sparsity": "lifetime", "amount": 0.05},
    "linear f": {"activation": "linear"},
    "logistic f": {"activation": "logistic"},
    SMALL: {"scale": 0.03},
    FREE: {"path": "dense", "sparsity": "none", "rate": 1e-4},
    UNTRAINED: {"epochs": 0},
}
WITH_ADAM = (WINNER, "tied", "top 2")  # those whose order could depend on the optimiser
STEPS = {  # whose time is taken
    FREE: {"path": "dense", "sparsity": "none"},
    "winner-take-all, dense path": {"path": "dense"},
    "winner-take-all, sparse path": {"path": "sparse"},
}
MAPS = {"smoke": 4, "quick": 8, "paper": 16}
TIMED = {"smoke": (4,), "quick": (16,), "paper": (16, 128)}
TIMED_BATCH = 100
REPEATS = {"smoke": 1, "quick": 3, "paper": 7}
IMAGES = {"smoke": 200, "quick": 2_000, "paper": 10_000}
EPOCHS = {"smoke": 1, "quick": 3, "paper": 5}
BATCH = {"smoke": 25, "quick": 25, "paper": 100}  # few digits make up in steps
JUDGED = {"smoke": 200, "quick": 1_000, "paper": 10_000}  # test digits
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 50}
LOOKED_AT = 500  # held-out digits that errors and activity are measured on
ALMOST, ALWAYS, SLIGHTLY = 0.9, 0.999, 1.5  # what these words are taken to mean


def cells(settings):
    """All cells: every variant for every seed, then the times of steps.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Cell
    """
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train - settings.data.n_validation)

    def variant_cell(name, seed, optimizer=""):
        changes = dict(VARIANTS[name])
        if changes.get("sparsity") == "global_top_k":
            changes["amount"] = MAPS[preset]
        epochs = changes.pop("epochs", EPOCHS[preset])
        plan = PLAN | {"rate": changes.pop("rate", PLAN["rate"]), "batch_size": BATCH[preset]}
        if optimizer:
            plan |= ADAM
        config = {
            "variant": name,
            "optimizer": optimizer,
            "images": n,
            "model": MODEL | {"maps": MAPS[preset]} | changes,
            "plan": Plan(epochs=epochs, **plan).as_dict() if epochs else None,
            "iterations": ITERATIONS[preset],
            "judged": JUDGED[preset],
        }
        return EXPERIMENT.cell(config, seed, f"{name} {optimizer}".rstrip())

    def time_cell(maps, seed):
        config = {"timed": maps, "repeats": REPEATS[preset], "batch_size": TIMED_BATCH}
        return EXPERIMENT.cell(config, seed, f"time of a step, {maps} maps")

    listed = [variant_cell(name, seed) for seed in settings.seeds for name in VARIANTS]
    listed += [time_cell(maps, seed) for seed in settings.seeds for maps in TIMED[preset]]
    if preset == "paper":
        listed += [variant_cell(name, settings.seeds[0], "Adam") for name in WITH_ADAM]
    return listed


# --- what cells do --------------------------------------------------------------------------------


def run(cell, context):
    """Train and judge a variant, or take the time of steps."""
    config = cell.config
    if "timed" in config:
        return _step_times(config, cell.seed, context.dataset.train), {}
    fit, validation = context.dataset.held_out()
    fit = fit.take(slice(config["images"]))
    test = context.dataset.test.take(slice(config["judged"]))
    model = WinnerTakeAll(seed=cell.seed, **config["model"])
    initial = to_numpy(model.w_dec).copy()
    history = trained(model, fit, config["plan"], cell, context)
    values = _measures(model, to_device(validation.batch(slice(LOOKED_AT))))

    def error(encoder):
        labels = fit.labels, test.labels
        return readout_error([encoder], fit, test, labels, config["iterations"])

    values |= {
        "unlearned": _unlearned(to_numpy(model.w_dec), initial),
        "readout_error": error(model),
        "history": history,
    }
    if config["variant"] == WINNER:
        values["readout_error_on"] = error(ConstraintOn(model))
    return values, model.weights()


class ConstraintOn:
    """A model whose features are made of its maps as they are in training.

    Parameters
    ----------
    model : WinnerTakeAll
    """

    def __init__(self, model):
        self._model = model

    def encode(self, x):
        """Max-pooled maps with the constraint on, shape (N, K, OH, OW)."""
        width, stride = self._model.pool_width, self._model.pool_stride
        return overlapping_max_pool(self._model.hidden(x), width, stride)[0]


def _measures(model, x):
    """Of reconstructions, maps in training and filters, as plain numbers."""
    error = ((model.reconstruct(x, channels="first") - x) ** 2).sum() / (x * x).sum()
    units = to_numpy((model.hidden(x) != 0).sum(axis=(2, 3)))  # active ones, (N, K)
    by_map = units.sum(axis=0)
    busiest = int(by_map.argmax())
    w_enc, w_dec = to_numpy(model.params["w_enc"]), to_numpy(model.w_dec)
    return {
        "error": 100 * float(to_numpy(error)),
        "dead": int((by_map == 0).sum()),
        "least_active": float((units > 0).mean(axis=0).min()),
        "busiest_share": float(by_map[busiest] / max(1, by_map.sum())),
        "encoder_peak_share": filter_shape.peak_share(w_enc),
        "decoder_peak_share": filter_shape.peak_share(w_dec),
        "busiest_peak_share": filter_shape.peak_share(w_dec[busiest : busiest + 1]),
        "radius": filter_shape.radius(w_dec),
    }


def _unlearned(w, initial):
    """Number of filters that training left almost as they were, up to their scale."""
    w, initial = (a.reshape(len(a), -1).astype(np.float64) for a in (w, initial))
    norms = np.sqrt((w * w).sum(axis=1) * (initial * initial).sum(axis=1))
    return int(((w * initial).sum(axis=1) > ALMOST * norms).sum())


def _step_times(config, seed, split):
    """Milliseconds of a training step, medians; the models take turns, so that all see the same
    machine."""
    x = to_device(split.batch(slice(config["batch_size"])))
    models = {
        name: WinnerTakeAll(maps=config["timed"], seed=seed, **MODEL, **options)
        for name, options in STEPS.items()
    }
    times = {name: [] for name in models}
    for _ in range(1 + config["repeats"]):
        for name, model in models.items():
            started = time.perf_counter()
            model.loss_and_gradients(x)
            synchronize()
            times[name].append(1e3 * (time.perf_counter() - started))
    # The first round allocates memory and is left out.
    return {name: sorted(taken[1:])[len(taken[1:]) // 2] for name, taken in times.items()}


# --- tables and pictures --------------------------------------------------------------------------


NONE = 0.5  # what a count stays below if and only if it is 0: a single one disagrees
METRICS = (
    ("readout_error", "test error of a linear read-out", "%"),
    ("error", "error on held-out digits", "% of ‖x‖²"),
    ("dead", "maps that are active on no held-out digit", ""),
    ("unlearned", "decoder filters that training left almost as they were", ""),
    ("least_active", "share of held-out digits on which the least active map is active", ""),
    ("busiest_share", "share of the active units that the busiest map takes", ""),
    ("encoder_peak_share", "encoder: energy in a filter's strongest pixel", ""),
    ("decoder_peak_share", "decoder: energy in a filter's strongest pixel", ""),
    ("radius", "decoder: radius of a filter's energy", "pixels"),
)


def rows(settings, results):
    """Measures of every variant, times, and the claims."""
    n = min(IMAGES[settings.preset], settings.data.n_train - settings.data.n_validation)
    main = results.where(optimizer="")
    table = []
    for value, metric, unit in METRICS:
        shared = {"metric": metric, "unit": unit, "samples": n}
        for name in VARIANTS:
            table.append(
                measured(
                    settings,
                    main.where(variant=name),
                    value,
                    label=name,
                    control=name == UNTRAINED,
                    **shared,
                )
            )
            if value == "readout_error" and name == WINNER:
                table.append(
                    measured(
                        settings,
                        main.where(variant=name),
                        "readout_error_on",
                        label=f"{name}, constraint on at test time",
                        **shared,
                    )
                )
    for maps in TIMED[settings.preset]:
        for name in STEPS:
            table.append(
                measured(
                    settings,
                    results.where(timed=maps),
                    name,
                    label=f"{name}, {maps} maps",
                    metric=f"training step of {TIMED_BATCH} digits",
                    unit="ms",
                )
            )
    return table + _claims(settings, main, n) + _time_claims(settings, results)


def _claims(settings, results, n):
    """The sentences of section 2; each says that the first number is the larger one."""

    def of(variant, value):
        return results.where(variant=variant).by_seed(value)

    def verdict(section, statement, metric, larger, smaller, unit=""):
        return claim(
            settings,
            statement,
            metric=metric,
            larger=larger,
            smaller=smaller,
            unit=unit,
            label=f"M14, section {section}",
            samples=n,
        )

    def hurts(section, statement, worse, better=WINNER):
        return verdict(
            section,
            statement,
            f"test error, {worse} - {better}",
            of(worse, "readout_error"),
            of(better, "readout_error"),
            "points",
        )

    most = of("global top k", "busiest_share")
    return [
        verdict(
            "2.1",
            "With the constraint no filter is dead.",
            f"{NONE} - dead maps",
            NONE,
            of(WINNER, "dead"),
        ),
        verdict(
            "2.1",
            "With the constraint every filter is updated: none is left almost as it was.",
            f"{NONE} - filters left as they were",
            NONE,
            of(WINNER, "unlearned"),
        ),
        verdict(
            "2.1",
            "All feature maps have exactly one active unit: even the least active one, on every "
            "digit.",
            f"its share of digits - {ALWAYS}",
            of(WINNER, "least_active"),
            ALWAYS,
        ),
        verdict(
            "2.1",
            "Global top-k leaves filters dead: more than winner-take-all does.",
            "dead maps, global top k - winner-take-all",
            of("global top k", "dead"),
            of(WINNER, "dead"),
        ),
        verdict(
            "2.1",
            "Global top-k leaves filters as they were: more than winner-take-all does.",
            "filters left as they were, global top k - winner-take-all",
            of("global top k", "unlearned"),
            of(WINNER, "unlearned"),
        ),
        verdict(
            "2.1",
            "Under global top-k one map takes almost all of the k active units.",
            f"share of the busiest map - {ALMOST}",
            most,
            ALMOST,
        ),
        verdict(
            "2.1",
            "The filter of that map is a delta function, more than winner-take-all filters are.",
            "decoder's peak share, the busiest of global top k - mean of winner-take-all",
            of("global top k", "busiest_peak_share"),
            of(WINNER, "decoder_peak_share"),
        ),
        hurts("2.1", "Top-n makes slightly worse features: n = 2.", "top 2"),
        hurts("2.1", "Top-n makes slightly worse features: n = 4.", "top 4"),
        verdict(
            "2.1",
            "Top-n learns less sharp filters: n = 4.",
            "decoder's radius, top 4 - winner-take-all",
            of("top 4", "radius"),
            of(WINNER, "radius"),
            "pixels",
        ),
        hurts("2.1", "Tying the weights hurts generalisation.", "tied"),
        verdict(
            "2.1",
            "Softer sparsity at test time makes better features: constraint off against on.",
            "test error, on - off",
            of(WINNER, "readout_error_on"),
            of(WINNER, "readout_error"),
            "points",
        ),
        hurts("2", "Without the constraint features are useless, or at least worse.", FREE),
        hurts("2", "... and worse than those of random filters.", FREE, UNTRAINED),
    ]


def _time_claims(settings, results):
    def ratio(maps):
        return results.where(timed=maps).by_seed(
            lambda result: result.values["winner-take-all, dense path"] / result.values[FREE]
        )

    return [
        claim(
            settings,
            "Winner-take-all is just slightly slower than an auto-encoder without any "
            f"regularisation, both dense, {maps} maps: less than {SLIGHTLY} times.",
            metric=f"{SLIGHTLY} - ratio of the times",
            larger=SLIGHTLY,
            smaller=ratio(maps),
            label="M14, section 4",
        )
        for maps in TIMED[settings.preset]
    ]


def figures(settings, results):
    """Filters of every variant, and how good their features are."""
    from ... import plotting

    main, seed = results.where(optimizer=""), settings.seeds[0]
    first = {name: found[0] for name in VARIANTS if (found := main.where(variant=name, seed=seed))}
    if not first:
        return {}
    errors = {
        name: list(main.where(variant=name).by_seed("readout_error").values()) for name in first
    }
    on = list(main.where(variant=WINNER).by_seed("readout_error_on").values())
    beyond = f" With the constraint on at test time: {sum(on) / len(on):.1f} %." if on else ""
    means = {name: sum(values) / len(values) for name, values in errors.items()}
    told = ", ".join(f"{name} {means[name]:.1f} %" for name in sorted(means, key=means.get))
    dead = ", ".join(f"{name} {result.values['dead']}" for name, result in first.items())
    return {
        "filters.png": Picture(
            plotting.filter_grid(
                {name: result.arrays.get("w_dec", result.arrays["w_enc"])
                 for name, result in first.items()}
            ),
            alt=f"Decoder filters of 7×7 pixels, a panel for each variant. Dead maps: {dead}.",
            caption=f"Decoder filters, {MAPS[settings.preset]} maps; {settings.data.name}, "
            f"seed {seed}.",
        ),
        "errors.png": Picture(
            plotting.dots(errors, "test error of a linear read-out in %"),
            alt=f"Mean test errors: {told}.",
            caption=f"How good the features are, one dot a seed; {settings.data.name}.{beyond}",
        ),
    }  # fmt: skip


def choices(settings, results):
    preset = settings.preset

    def text(name, optimizer=""):
        found = results.where(variant=name, optimizer=optimizer, seed=settings.seeds[0])
        return f"{found[0].values['readout_error']:.2f}" if found else "–"

    def adam_effect():
        if not results.where(optimizer="Adam"):
            return None
        return "test errors: " + "; ".join(
            f"{name} {text(name, 'Adam')} % with Adam, {text(name)} % with SGD"
            for name in WITH_ADAM
        )

    def scale_effect():
        pair = [results.where(variant=name, optimizer="") for name in (SMALL, WINNER)]
        seeds = set.intersection(*({result.seed for result in found} for found in pair))
        if not seeds:
            return None
        least, error = (
            [fmean(found.by_seed(value)[seed] for seed in seeds) for found in pair]
            for value in ("least_active", "readout_error")
        )
        return (
            f"N(0, 0.03²): the least active map is active on {least[0]:.3f} of the digits (chosen: "
            f"{least[1]:.3f}), test error {error[0]:.2f} % (chosen: {error[1]:.2f} %)"
        )

    def left_over():
        """What the unconstrained auto-encoder's low rate leaves unlearned, or an empty text."""
        found = results.where(variant=FREE, optimizer="")
        if not found:
            return ""
        dead, unlearned = (fmean(found.by_seed(v).values()) for v in ("dead", "unlearned"))
        return (
            f"; at this one {dead:.1f} of {MAPS[preset]} maps are active on no held-out digit and "
            f"{unlearned:.1f} filters stayed almost as they were, which its features pay for too"
        )

    return [
        Choice(
            "Size of the models",
            f"{MAPS[preset]} maps of 7×7, {IMAGES[preset]:,} digits, {EPOCHS[preset]} epochs",
            "the dense path, which top-n and global top-k need, is slow",
        ),
        Choice(
            "How all variants are trained",
            f"SGD, momentum 0.9, batches of {BATCH[preset]}, rate 0.0015 falling linearly to 0",
            "the same for all, so that one thing changes at a time; table 1 chooses Adam at full "
            "size",
            adam_effect(),
        ),
        Choice(
            "Rate of the unconstrained auto-encoder",
            "0.0001",
            "all its units add to every pixel: rates of 0.0003 and more left most maps dead"
            + left_over(),
        ),
        Choice(
            "Initial filters",
            "N(0, 0.1²)",
            "as in table 1; filters so large overshoot in the first steps, and a ReLU whose winner "
            "is below zero from then on learns nothing more",
            scale_effect(),
        ),
        Choice("k of global top-k", "the number of maps", "as many units as winner-take-all keeps"),
        Choice(
            "What a dead map is",
            f"one that is active (not zero) on none of {LOOKED_AT} held-out digits; beside it, "
            f"filters whose cosine with their initial values is above {ALMOST}",
            "the paper speaks of filters that are never picked, and so never adjusted",
        ),
        Choice(
            "What 'almost' and 'slightly slower' mean",
            f"more than {ALMOST}; less than {SLIGHTLY} times",
            "the paper gives no numbers",
        ),
        Choice(
            "How sharp a filter is",
            "by the radius of its energy, in pixels",
            "a blurred stroke is wide; the energy of the strongest pixel would take the noise of "
            "a filter that never learned for sharpness",
        ),
        Choice(
            "Features with the constraint on",
            "the maps in training, pooled as the others are",
            "the paper compares no numbers",
        ),
        Choice(
            "What the read-out is",
            DESCRIPTION,
            "the same for all variants, though each might like another λ; table 1 searches for it",
        ),
    ]


EXPERIMENT = Experiment(
    name="makhzani2014-ablations",
    version=1,
    title="What each part of the winner-take-all method is good for",
    paper="M14, section 2",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
