"""Makhzani & Frey 2014, figure 1: filters of patches and of images, and what they are good for.

(a) A k-sparse auto-encoder with 1,000 hidden units learns from whitened patches in isolation: many
of its filters are one pattern at several places.  (b) 32 winner-take-all filters learn from whole
whitened images, which say where a pattern is through the place of the winner.  (c) Accuracy
against the number of maps, on raw and on whitened images: k-means on patches, winner-take-all, and
a supervised convolutional network of the same shape.
"""

import numpy as np

from ..models.autoencoder import AutoEncoder
from ..models.shallow_net import ShallowConvNet
from ..patches import sample_patches
from ..preprocess import EPSILON, ImageArray
from ..training import Plan, train
from . import colour_features
from .colour_cells import (
    FIRST,
    IMAGES,
    SIZE,
    accuracy,
    filters,
    name_of,
    timed,
)
from .colour_features import prepared_like
from .experiment import Choice, Experiment, Picture
from .filter_copies import (
    NEAR_COPY,
    ORIENTED,
    TURN,
    copies_in_samples,
    near_copies,
    share_an_orientation,
)
from .rows import claim, measured

SIZES = {"smoke": (4, 6), "quick": (8, 32), "paper": (8, 32, 128)}
FEW = {"smoke": 4, "quick": 32, "paper": 32}  # maps of (b), and of samples of filters
SUPERVISED_PLAN = {"optimizer": "adam", "rate": 1e-3, "batch_size": 50}
SUPERVISED_SCALE = 0.05
SUPERVISED_EPOCHS = {"smoke": 1, "quick": 2, "paper": 10}
SUPERVISED_SEARCH = (5, 10, 20)  # epochs that were tried on held-out images, 32 maps
PATCHES = {
    "smoke": {"units": 8, "k": 2, "patches": 500, "epochs": 1},
    "quick": {"units": 200, "k": 10, "patches": 20_000, "epochs": 2},
    "paper": {"units": 1000, "k": 25, "patches": 400_000, "epochs": 5},
}
PATCH_PLAN = {"optimizer": "adam", "rate": 1e-3, "batch_size": 100}
CENTROIDS = 100  # of the k-means that 32 whitened maps are compared with
AS_GOOD = 1.0  # points of accuracy that are still called as good
METHODS = ("k-means", "winner-take-all", "supervised")


def cells(settings):
    preset = settings.preset
    listed, slow = [], []
    for seed in settings.seeds:
        listed.append(filters(EXPERIMENT, settings, seed, "winner-take-all", FEW[preset]))
        listed.append(_patch_filters(settings, seed))
        for whiten in (True, False):
            for maps in SIZES[preset]:
                few = maps <= FEW[preset]
                (listed if few else slow).extend(
                    [
                        accuracy(EXPERIMENT, settings, learned(settings, seed, maps, whiten)),
                        accuracy(
                            EXPERIMENT,
                            settings,
                            filters(EXPERIMENT, settings, seed, "k-means", maps, whiten=whiten),
                        ),
                    ]
                )
                (listed if few else slow).append(_supervised(settings, seed, maps, whiten))
        if preset == "paper":
            centroids = filters(EXPERIMENT, settings, seed, "k-means", CENTROIDS)
            listed.append(accuracy(EXPERIMENT, settings, centroids))
    if preset == "paper":
        listed += [
            _supervised(settings, settings.seeds[0], FEW[preset], True, epochs, tested=False)
            for epochs in SUPERVISED_SEARCH
        ]
    return listed + slow


def learned(settings, seed, maps, whiten):
    """The cell of winner-take-all filters; figure 4 shows some of them."""
    return filters(EXPERIMENT, settings, seed, "winner-take-all", maps, whiten=whiten)


def _patch_filters(settings, seed):
    preset = settings.preset
    config = {
        "stage": "patch filters",
        "images": min(IMAGES[preset], settings.data.n_train),
        "size": SIZE[preset],
        "whiten": True,
        "epsilon": EPSILON,
        "side": FIRST["kernel"][0],
        **{name: PATCHES[preset][name] for name in ("units", "k", "patches")},
        "plan": Plan(epochs=PATCHES[preset]["epochs"], **PATCH_PLAN).as_dict(),
    }
    return EXPERIMENT.cell(config, seed, f"k-sparse filters of patches: {config['units']} units")


def _supervised(settings, seed, maps, whiten, epochs=None, tested=True):
    preset = settings.preset
    epochs = epochs or SUPERVISED_EPOCHS[preset]
    config = {
        "stage": "accuracy",
        "method": "supervised",
        "maps": maps,
        "whiten": whiten,
        "epsilon": EPSILON,
        "images": min(IMAGES[preset], settings.data.n_train),
        "size": SIZE[preset],
        "model": FIRST | {"scale": SUPERVISED_SCALE},
        "plan": Plan(epochs=epochs, **SUPERVISED_PLAN).as_dict(),
        "tested": tested,
    }
    held_out = "" if tested else "held out: "
    return EXPERIMENT.cell(config, seed, f"accuracy: {held_out}{name_of(config)}")


# --- what a cell does -----------------------------------------------------------------------------


def run(cell, context):
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


# --- tables and pictures --------------------------------------------------------------------------


def rows(settings, results):
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train)
    judged = results.where(stage="accuracy", tested=True)
    table = []
    sizes = sorted({*SIZES[preset], *([CENTROIDS] if preset == "paper" else [])})
    for whiten in (True, False):
        for method in METHODS:
            for maps in sizes:
                if maps == CENTROIDS and not (whiten and method == "k-means"):
                    continue
                found = judged.where(method=method, maps=maps, whiten=whiten)
                row = measured(
                    settings,
                    found,
                    "test_accuracy",
                    label=f"{method}, {maps} maps, {_data(whiten)}",
                    metric="test accuracy",
                    unit="%",
                    samples=n,
                )
                table.append(timed(row, found, results))
    few = FEW[preset]
    for metric, unit, measure in _measures(few):
        for label, found in _sets_of_filters(settings, results).items():
            table.append(
                measured(settings, found, measure, label=label, metric=metric, unit=unit, samples=n)
            )
    return (
        table + _claims_of_filters(settings, results, n) + _claims_of_accuracy(settings, judged, n)
    )


def _sets_of_filters(settings, results):
    preset = settings.preset
    return {
        f"(a) k-sparse on patches, {PATCHES[preset]['units']} units": results.where(
            stage="patch filters"
        ),
        f"(b) winner-take-all, {FEW[preset]} maps": results.where(
            stage="filters", method="winner-take-all", maps=FEW[preset], whiten=True
        ),
    }


def _measures(few):
    """Metric, unit and a function of a result, of a set of filters."""
    return (
        (
            f"best match at any shift among {few} filters, mean correlation",
            "",
            lambda result: copies_in_samples(result.arrays["w_dec"], few, result.seed),
        ),
        (
            f"other filters of the same orientation (± {TURN:g}°) among {few}",
            "",
            lambda result: share_an_orientation(result.arrays["w_dec"], few, result.seed),
        ),
        (
            f"filters with a near-copy at some shift (correlation {NEAR_COPY} or more)",
            "%",
            lambda result: 100 * near_copies(result.arrays["w_dec"]),
        ),
    )


def _claims_of_filters(settings, results, n):
    patches, images = _sets_of_filters(settings, results).values()
    statements = (
        "Filters of patches are essentially shifted versions of each other, convolutional ones "
        "are not: of equally many, the former match better at some shift.",
        "Convolutional training allocates only one filter to each orientation: of equally many "
        "filters fewer share one.",
        "There is less redundancy among convolutional filters: fewer have a near-copy.",
    )
    return [
        claim(
            settings,
            statement,
            metric=f"{metric}, (a) - (b)",
            unit=unit,
            larger=patches.by_seed(measure),
            smaller=images.by_seed(measure),
            label="M14, section 1",
            samples=n,
        )
        for statement, (metric, unit, measure) in zip(statements, _measures(FEW[settings.preset]),
                                                      strict=True)
    ]  # fmt: skip


def _claims_of_accuracy(settings, judged, n):
    preset = settings.preset
    sizes, few = SIZES[preset], FEW[preset]
    most = sizes[-1]

    def numbers(method, maps, whiten):
        return judged.where(method=method, maps=maps, whiten=whiten).by_seed("test_accuracy")

    def verdict(statement, metric, larger, smaller, label="M14, section 1"):
        return claim(
            settings,
            statement,
            metric=f"test accuracy, {metric}",
            unit="points",
            larger=larger,
            smaller=smaller,
            label=label,
            samples=n,
        )

    def with_tolerance(by_seed):
        return {seed: value + AS_GOOD for seed, value in by_seed.items()}

    found = [
        verdict(
            f"With {maps} maps winner-take-all beats k-means on patches, {_data(whiten)} images"
            + (" (the paper: by up to 12 points)." if (maps, whiten) == (128, False) else "."),
            "winner-take-all - k-means",
            numbers("winner-take-all", maps, whiten),
            numbers("k-means", maps, whiten),
        )
        for whiten in (False, True)
        for maps in sizes
    ]
    if preset == "paper":
        found.append(
            verdict(
                f"{few} whitened winner-take-all maps do as well as k-means with {CENTROIDS} "
                f"(or at most {AS_GOOD:g} point worse).",
                f"winner-take-all {few} + {AS_GOOD:g} - k-means {CENTROIDS}",
                with_tolerance(numbers("winner-take-all", few, True)),
                numbers("k-means", CENTROIDS, True),
            )
        )
    found += [
        verdict(
            f"With {maps} maps winner-take-all features are as discriminative as those of a "
            f"supervised network of the same shape, {_data(whiten)} images (or at most "
            f"{AS_GOOD:g} point worse).",
            f"winner-take-all + {AS_GOOD:g} - supervised",
            with_tolerance(numbers("winner-take-all", maps, whiten)),
            numbers("supervised", maps, whiten),
        )
        for whiten in (False, True)
        for maps in sizes
        if maps >= few
    ]
    found += [
        verdict(
            f"More features classify better: {larger} maps than {smaller}, whitened images.",
            f"{larger} - {smaller} maps",
            numbers("winner-take-all", larger, True),
            numbers("winner-take-all", smaller, True),
            label="M14, section 5",
        )
        for smaller, larger in zip(sizes, sizes[1:], strict=False)
        if larger <= most
    ]
    return found


def _data(whiten):
    return "whitened" if whiten else "raw"


def figures(settings, results):
    from .. import plotting

    seed, name, pictures = settings.seeds[0], settings.data.name, {}
    sets = {
        label: found.where(seed=seed)[0].arrays["w_dec"]
        for label, found in _sets_of_filters(settings, results).items()
        if found.where(seed=seed)
    }
    if sets:
        shown = {label: _like_pictures(w)[:200] for label, w in sets.items()}
        matches = ", ".join(
            f"{label}: {copies_in_samples(w, FEW[settings.preset], seed):.2f}"
            for label, w in sets.items()
        )
        pictures["filters.png"] = Picture(
            plotting.filter_grid(shown),
            alt="Two panels of 9×9 colour filters; best match of a filter with another one of "
            f"equally many, at any shift: {matches}.",
            caption="Filters of patches (the first 200) and of whole images, each scaled to its "
            f"own largest weight; whitened {name}, seed {seed}.",
        )
    lines = _curves(settings, results.where(stage="accuracy", tested=True))
    if lines:
        pictures["accuracy.png"] = Picture(
            plotting.curves(lines, "feature maps", "test accuracy, %", log_x=True),
            alt="Accuracy against the number of maps; at the largest number "
            + ", ".join(f"{label} {y[..., -1].mean():.1f} %" for label, (_, y) in lines.items()),
            caption=f"Accuracy of linear read-outs and of the supervised network, {name}, "
            f"{len(settings.seeds)} seed{'s' if len(settings.seeds) > 1 else ''}.",
        )
    return pictures


def _like_pictures(w):
    """Filters, each divided by its largest weight, so that weak ones can be seen as well."""
    largest = np.abs(w).max(axis=(1, 2, 3), keepdims=True)
    return w / np.maximum(largest, np.finfo(w.dtype).tiny)


def _curves(settings, judged):
    """Label to (maps, accuracy by seed and maps), of the methods with every size for every seed."""
    lines = {}
    for whiten in (True, False):
        for method in METHODS:
            x, y = [], []
            for maps in SIZES[settings.preset]:
                found = judged.where(method=method, maps=maps, whiten=whiten)
                if len(found) == len(settings.seeds):
                    x.append(maps)
                    y.append(list(found.by_seed("test_accuracy").values()))
            if x:
                lines[f"{method}, {_data(whiten)}"] = np.array(x), np.array(y).T
    return lines


def choices(settings, results):
    preset = settings.preset
    patches = PATCHES[preset]
    tried = [
        f"{epochs} epochs: {found[0].values['validation_accuracy']:.2f} %"
        for epochs in SUPERVISED_SEARCH
        if (found := _of_epochs(results, epochs))
    ]
    learned_from = results.where(stage="patch filters")
    error = [
        f"{100 * 2 * r.values['history'][-1]['loss'] / r.values['energy']:.0f} % of a patch's "
        "energy is left"
        for r in learned_from[:1]
    ]
    return [
        Choice(
            "What figure 1(a) was trained on, and how",
            f"{patches['patches']:,} patches of 9×9 of the whitened images; tied weights, linear "
            f"units of which the k = {patches['k']} largest stay, Adam 0.001, batches of 100, "
            f"{patches['epochs']} epochs",
            "the paper names the units and the data; the side is that of (b)'s filters",
            "; ".join(error) or None,
        ),
        Choice(
            "What raw images are",
            "contrast normalised, not whitened; patches of k-means likewise",
            "Coates et al. normalise the patches of their raw curves too",
        ),
        Choice(
            "Training of the supervised network",
            f"Adam 0.001 falling linearly to 0, batches of 50, {SUPERVISED_EPOCHS[preset]} epochs",
            "the paper gives none of it; 32 maps, whitened, a fifth of the training images held "
            "out",
            "; ".join(tried) or None,
        ),
        Choice(
            "What a shifted copy, an orientation and as good are",
            "the largest correlation over all shifts; a power spectrum of coherence "
            f"{ORIENTED} or more, within {TURN:g}°; at most {AS_GOOD:g} point of accuracy less",
            "the paper judges by eye; sets of different sizes are compared by 20 random samples "
            "of the size of the smaller one",
        ),
    ]


def _of_epochs(results, epochs):
    return [
        result
        for result in results.where(method="supervised", tested=False)
        if result.config["plan"]["epochs"] == epochs
    ]


EXPERIMENT = Experiment(
    name="makhzani2014-fig1",
    version=1,
    title="Filters of patches and of whole images",
    paper="M14, figure 1",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 1},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
