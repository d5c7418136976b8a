"""Makhzani & Frey 2014, figure 3: one digit on its way through two winner-take-all layers.

(a) a digit, (b) decoder filters of the first layer, (c) its maps in training, one unit each,
(d) the same maps once the constraint is off, ReLU alone, (e) after overlapping max-pooling,
(f) pooled maps of a second layer, trained on (e).  The figure has 16 maps below 128; here 128 below
128 as well, and how good the features of every stage are.
"""

from ...backend import to_device, to_numpy
from ...data.batches import Encoded
from ...models.wta import WinnerTakeAll
from ...training import Plan
from ..engine.layers import relu_maps, restored, trained
from ..engine.readout import DESCRIPTION, readout_error
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import claim, measured

FIRST = {"channels": 1, "kernel": [7, 7], "scale": 0.03, "pool_width": 5, "pool_stride": 3}
SECOND = {"scale": 0.03, "pool_width": 3, "pool_stride": 2}
SGD = {"optimizer": "sgd", "momentum": 0.9}
PLANS = {
    "first": SGD | {"rate": 1.5e-3, "batch_size": 100},
    "second": SGD | {"rate": 5e-4, "batch_size": 50},
}
MAPS = {"smoke": (4,), "quick": (16,), "paper": (16, 128)}  # of the first layer
SECOND_MAPS = {"smoke": 8, "quick": 128, "paper": 128}
KERNEL, OTHER_KERNEL = 3, 5  # of the second layer
IMAGES = {"smoke": 200, "quick": 5_000, "paper": 10_000}
EPOCHS = {
    "smoke": {"first": 1, "second": 1},
    "quick": {"first": 3, "second": 2},
    "paper": {"first": 20, "second": 3},
}
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 50}
JUDGED = {"smoke": 200, "quick": 2_000, "paper": 10_000}  # test digits
PICTURED, PICTURED_DEEP = 64, 48  # maps that are drawn; the figure has 48 of the second layer
HELD_OUT = 1_000  # digits that errors and activity are measured on


def cells(settings):
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train - settings.data.n_validation)
    shared = {"images": n, "judged": JUDGED[preset], "iterations": ITERATIONS[preset]}
    plans = {
        layer: Plan(epochs=EPOCHS[preset][layer], **plan).as_dict() for layer, plan in PLANS.items()
    }
    listed = []
    for seed in settings.seeds:
        for maps in MAPS[preset]:
            model = FIRST | {"maps": maps}
            config = shared | {"layer": 1, "first": maps, "model": model, "plan": plans["first"]}
            first = EXPERIMENT.cell(config, seed, f"{maps} maps")
            kernels = [KERNEL]
            if preset == "paper" and seed == settings.seeds[0]:
                kernels.append(OTHER_KERNEL)
            listed.append(first)
            for kernel in kernels:
                second = SECOND_MAPS[preset]
                model = SECOND | {"channels": maps, "maps": second, "kernel": [kernel, kernel]}
                config |= {"layer": 2, "kernel": kernel, "model": model, "plan": plans["second"]}
                label = f"{maps} + {second} maps, {kernel}×{kernel}"
                listed.append(EXPERIMENT.cell(config, seed, label, needs=[first]))
    return listed


def run(cell, context):
    config = cell.config
    fit, validation = context.dataset.held_out()
    fit, validation = fit.take(slice(config["images"])), validation.take(slice(HELD_OUT))
    test = context.dataset.test.take(slice(config["judged"]))
    below = [restored(result, **result.values["model"]) for result in context.needed]
    layer = WinnerTakeAll(seed=cell.seed, layer=len(below), **config["model"])
    history = trained(layer, Encoded(fit, below), config["plan"], cell, context, len(below))
    x = Encoded(validation, below).batch()
    arrays, (_, model) = layer.weights(), layer.state()
    values = _measures(layer, x) | {
        "readout_error": readout_error(
            [*below, layer], fit, test, (fit.labels, test.labels), config["iterations"]
        ),
        "history": history,
        "model": model,
    }
    digit = to_device(fit.batch(slice(1)))
    if below:
        return values, arrays | {"pooled": to_numpy(layer.encode(below[0].encode(digit)))[0]}
    return values, arrays | {
        "digit": to_numpy(digit),
        "maps": to_numpy(layer.hidden(digit))[0],
        "maps_off": to_numpy(relu_maps(layer, digit))[0],
        "pooled": to_numpy(layer.encode(digit))[0],
    }


def _measures(layer, x):
    """Error and activity on inputs of this layer, as plain numbers."""
    hidden, free = layer.hidden(x), relu_maps(layer, x)
    error = ((layer.reconstruct(x, channels="first") - x) ** 2).sum() / (x * x).sum()
    active = to_numpy((hidden != 0).any(axis=(2, 3)).mean(axis=0))
    return {
        "error": 100 * float(to_numpy(error)),
        "active_training": 100 * float(to_numpy((hidden != 0).mean())),
        "active_off": 100 * float(to_numpy((free != 0).mean())),
        "active_pooled": 100 * float(to_numpy((layer.encode(x) != 0).mean())),
        "least_active": float(active.min()),
        "dead": int((active == 0).sum()),
    }


# --- tables ---------------------------------------------------------------------------------------

METRICS = (
    ("active_training", "units that are active in training, constraint on", "%"),
    ("active_off", "units that are active with the constraint off", "%"),
    ("active_pooled", "features that are not zero after pooling", "%"),
    ("error", "error on held-out digits, of the layer's input", "% of ‖x‖²"),
    ("least_active", "share of held-out digits on which the least active map is active", ""),
    ("dead", "maps that are active on no held-out digit", ""),
    ("readout_error", "test error of a linear read-out", "%"),
)


def rows(settings, results):
    n = min(IMAGES[settings.preset], settings.data.n_train - settings.data.n_validation)
    second = SECOND_MAPS[settings.preset]
    table = []
    for value, metric, unit in METRICS:
        for maps in MAPS[settings.preset]:
            below, above = _layers(results, maps)
            for found, label in ((below, f"{maps} maps"), (above, f"{maps} + {second} maps")):
                table.append(
                    measured(
                        settings, found, value, label=label, metric=metric, unit=unit, samples=n
                    )
                )
    for maps in MAPS[settings.preset]:
        below, above = (found.by_seed("readout_error") for found in _layers(results, maps))
        if second > maps:
            statement = f"A deeper layer helps where it has many more maps: {second} above {maps}."
            metric, larger, smaller = "shallow - deep", below, above
        else:
            statement = f"A deeper layer with no more maps does not help: {second} above {maps}."
            metric, larger, smaller = "deep - shallow", above, below
        table.append(
            claim(
                settings,
                statement,
                metric=f"test error, {metric}",
                unit="points",
                larger=larger,
                smaller=smaller,
                label="M14, section 2.2",
                samples=n,
            )
        )
    return table


def _layers(results, maps):
    """Cells of the first and of the second layer, with as many maps in the first."""
    first = results.where(first=maps)
    return first.where(layer=1), first.where(layer=2, kernel=KERNEL)


# --- pictures and ledger --------------------------------------------------------------------------


def figures(settings, results):
    from ... import plotting

    pictures, seed, second = {}, settings.seeds[0], SECOND_MAPS[settings.preset]
    for maps in MAPS[settings.preset]:
        below, above = (found.where(seed=seed) for found in _layers(results, maps))
        if not below:
            continue
        first = below[0].arrays

        def some(name, arrays=first, n=PICTURED):
            return arrays[name][:n, None]

        panels = {
            "(a) a digit": first["digit"],
            "(b) decoder filters": first["w_dec"][:PICTURED],
            "(c) maps in training": some("maps"),
            "(d) ReLU, constraint off": some("maps_off"),
            "(e) after max-pooling": some("pooled"),
        }
        through, drawn = f"{maps} maps", f"{min(maps, PICTURED)}"
        if above:
            panels["(f) second layer, pooled"] = some("pooled", above[0].arrays, PICTURED_DEEP)
            through += f" and {second} above them"
            drawn += f" and {min(second, PICTURED_DEEP)}"
        pictures[f"pipeline-{maps}.png"] = Picture(
            plotting.map_grid(panels),
            alt=f"{len(panels)} panels: {'; '.join(panels)}.",
            caption=f"A digit on its way through {through}, of which the first {drawn} are drawn; "
            f"{settings.data.name}, seed {seed}.",
        )
    return pictures


def choices(settings, results):
    preset = settings.preset

    def kernel_effect():
        tried = []
        for maps in MAPS[preset]:
            other = results.where(first=maps, layer=2, kernel=OTHER_KERNEL)
            chosen = _layers(results, maps)[1]
            if other and (chosen := chosen.where(seed=other[0].seed)):
                errors = [found[0].values["readout_error"] for found in (other, chosen)]
                tried.append(
                    f"above {maps} maps {errors[0]:.2f} % test error with "
                    f"{OTHER_KERNEL}×{OTHER_KERNEL}, {errors[1]:.2f} % with {KERNEL}×{KERNEL}"
                )
        return "; ".join(tried) or None

    return [
        Choice(
            "Width of the second layer's filters",
            f"{KERNEL}×{KERNEL}",
            "not given; above 16 maps a little better than 5×5 on validation digits, when filters "
            "began as N(0, 0.1²)",
            kernel_effect(),
        ),
        Choice(
            "How the two layers are trained",
            "SGD with momentum 0.9, rate falling linearly to 0: 0.0015 with batches of 100, above "
            "it 0.0005 with batches of 50; filters N(0, 0.03²)",
            "rates near those that table 1 tries; filters of N(0, 0.1²) read out as well or "
            "better, but some keep the noise that they began with; above 16 maps 5×5 ones left 53 "
            "of 128 maps dead",
        ),
        Choice(
            "Number of digits",
            f"{IMAGES[preset]:,} for filters and read-out, {EPOCHS[preset]['first']} and "
            f"{EPOCHS[preset]['second']} epochs",
            "the figure shows one digit; table 1 takes all of them",
        ),
        Choice("What the read-out is", DESCRIPTION, "the figure has none; table 1 searches for it"),
    ]


EXPERIMENT = Experiment(
    name="makhzani2014-fig3",
    version=1,
    title="One digit on its way through two winner-take-all layers",
    paper="M14, figure 3",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
