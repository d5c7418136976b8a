"""Makhzani & Frey 2014, figure 1: filters of patches and of images, and what they are good for.

(a) A k-sparse auto-encoder with 1,000 hidden units learns from whitened patches in isolation: many
of its filters are one pattern at several places.  (b) 32 winner-take-all filters learn from whole
whitened images, which say where a pattern is through the place of the winner.  (c) Accuracy
against the number of maps, on raw and on whitened images: winner-take-all, k-means on patches, a
supervised convolutional network of the same shape, and, as a control, filters that nothing learned.
"""

from functools import partial

import numpy as np

from ...data.batches import ImageArray
from ...data.patches import sample_patches
from ...data.preprocess import EPSILON
from ...models.autoencoder import AutoEncoder
from ...models.shallow_net import ShallowConvNet
from ...training import Plan
from ..engine import colour
from ..engine.colour import (
    CLUSTERING,
    FIRST,
    IMAGES,
    KMEANS,
    SIZE,
    accuracy,
    filters,
    name_of,
    prepared_like,
)
from ..engine.filter_copies import (
    NEAR_COPY,
    ORIENTED,
    copies_in_samples,
    crowding_in_samples,
    near_copies,
    oriented_in_samples,
)
from ..engine.filter_shape import own_scale
from ..engine.layers import trained
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import claim, measured

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
METHODS = ("winner-take-all", "k-means", "random", "supervised")


def cells(settings):
    """All cells, cheap ones first.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Cell
    """
    preset, few = settings.preset, FEW[settings.preset]
    cheap, dear = [], []

    def judged(seed, method, maps, whiten):
        if method == "supervised":
            return supervised(settings, seed, maps, whiten)
        features = filters(EXPERIMENT, settings, seed, method, maps, whiten=whiten)
        return accuracy(EXPERIMENT, settings, features)

    for seed in settings.seeds:
        cheap.append(filters(EXPERIMENT, settings, seed, "winner-take-all", few))
        cheap.append(_patch_filters(settings, seed))
        for whiten in (True, False):
            for maps in SIZES[preset]:
                listed = cheap if maps <= few else dear
                listed += [judged(seed, method, maps, whiten) for method in METHODS]
        if preset == "paper":
            cheap.append(judged(seed, "k-means", CENTROIDS, True))
    if preset == "paper":
        seed = settings.seeds[0]
        cheap += [
            supervised(settings, seed, few, True, epochs, tested=False)
            for epochs in SUPERVISED_SEARCH
        ]
    return cheap + dear


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


def supervised(settings, seed, maps, whiten, epochs=None, tested=True):
    """The cell of a supervised network, tested, or judged on held-out images."""
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


# --- what cells do --------------------------------------------------------------------------------


def run(cell, context):
    """Learn filters, or say how good they are."""
    if cell.config["stage"] == "patch filters":
        return _learn_patch_filters(cell, context)
    if cell.config.get("method") == "supervised":
        return _train_supervised(cell, context)
    return colour.run(cell, context)


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
    history = trained(model, ImageArray(patches), config["plan"], cell, context)
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
    history = trained(model, fitted, config["plan"], cell, context, labels=labels[fit])
    name = "test_accuracy" if config["tested"] else "validation_accuracy"
    return {
        name: 100 - 100 * model.error_rate(test_images, test_labels),
        "training_accuracy": 100 - 100 * model.error_rate(fitted, labels[fit]),
        "history": history,
    }, {"w": model.state()[0]["w"]}


# --- tables and pictures --------------------------------------------------------------------------


def rows(settings, results):
    """Accuracies, measures of filters, and the claims about both."""
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
                table.append(
                    measured(
                        settings,
                        found,
                        "test_accuracy",
                        label=f"{method}, {maps} maps, {_data(whiten)}",
                        metric="test accuracy",
                        unit="%",
                        samples=n,
                        control=method == "random",
                        needed=results.needed_by(found),
                    )
                )
    few = FEW[preset]
    measures = (
        *_measures(few),
        (
            f"filters that have an orientation among {few}",
            "",
            lambda result: oriented_in_samples(result.arrays["w_dec"], few, result.seed),
        ),
    )
    for metric, unit, measure in measures:
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
            f"others in a filter's share of the half circle among {few}, against chance",
            "",
            lambda result: crowding_in_samples(result.arrays["w_dec"], few, result.seed),
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
        "filters fewer share one, compared with as many independent ones.",
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

    verdict = partial(claim, settings, label="M14, section 1", unit="points", samples=n)

    def with_tolerance(by_seed):
        return {seed: value + AS_GOOD for seed, value in by_seed.items()}

    found = [
        verdict(
            f"With {maps} maps winner-take-all beats k-means on patches, {_data(whiten)} images"
            + (" (the paper: by up to 12 points)." if (maps, whiten) == (128, False) else "."),
            "test accuracy, winner-take-all - k-means",
            numbers("winner-take-all", maps, whiten),
            numbers("k-means", maps, whiten),
        )
        for whiten in (False, True)
        for maps in sizes
    ]
    found += [
        verdict(
            f"Learned filters are better features than random ones ({maps} maps, "
            f"{_data(whiten)} images).",
            "test accuracy, winner-take-all - random",
            numbers("winner-take-all", maps, whiten),
            numbers("random", maps, whiten),
            label="control",
        )
        for whiten in (False, True)
        for maps in sizes
    ]
    if preset == "paper":
        found.append(
            verdict(
                f"{few} whitened winner-take-all maps do as well as k-means with {CENTROIDS} "
                f"(or at most {AS_GOOD:g} point worse).",
                f"test accuracy, winner-take-all {few} + {AS_GOOD:g} - k-means {CENTROIDS}",
                with_tolerance(numbers("winner-take-all", few, True)),
                numbers("k-means", CENTROIDS, True),
            )
        )
    found += [
        verdict(
            f"With {maps} maps winner-take-all features are as discriminative as those of a "
            f"supervised network of the same shape, {_data(whiten)} images (or at most "
            f"{AS_GOOD:g} point worse).",
            f"test accuracy, winner-take-all + {AS_GOOD:g} - supervised",
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
            f"test accuracy, {larger} - {smaller} maps",
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
    """Filters of patches and of images, and the curves of (c)."""
    from ... import plotting

    seed, name, pictures = settings.seeds[0], settings.data.name, {}
    sets = {
        label: found.where(seed=seed)[0].arrays["w_dec"]
        for label, found in _sets_of_filters(settings, results).items()
        if found.where(seed=seed)
    }
    if sets:
        shown = {label: own_scale(w)[:200] for label, w in sets.items()}
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
            plotting.curves(lines, "feature maps", "test accuracy, %", log_x=True, alike=2),
            alt="Accuracy against the number of maps, at the last one "
            + ", ".join(
                f"{label} {y[..., -1].mean():.1f} % ({x[-1]} maps)"
                for label, (x, y) in lines.items()
            ),
            caption=f"Accuracy of linear read-outs and of the supervised network, {name}, "
            f"{len(settings.seeds)} seed{'s' if len(settings.seeds) > 1 else ''}.",
        )
    return pictures


def _curves(settings, judged):
    """Label to (maps, accuracy by seed and maps), of the methods with every size for every seed."""
    lines = {}
    for method in METHODS:
        for whiten in (True, False):
            x, y = [], []
            for maps in SIZES[settings.preset]:
                found = judged.where(method=method, maps=maps, whiten=whiten)
                if len(found) == len(settings.seeds):
                    x.append(maps)
                    y.append(list(found.by_seed("test_accuracy").values()))
            if x:
                lines[f"{method}, {_data(whiten)}"] = np.array(x), np.array(y).T
    return lines


def learned(settings, seed, maps, whiten):
    """The cell of winner-take-all filters; figure 4 shows some of them."""
    return filters(EXPERIMENT, settings, seed, "winner-take-all", maps, whiten=whiten)


def choices(settings, results):
    preset = settings.preset
    patches, windows = PATCHES[preset], -(-SIZE[preset] // FIRST["pool_stride"])
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
            "; ".join(
                [
                    "the paper names the units and the data; the side is that of (b)'s filters",
                    *error,
                ]
            ),
        ),
        Choice(
            "What raw images are",
            "contrast normalised, not whitened; patches of k-means likewise",
            "Coates et al. normalise the patches of their raw curves too",
        ),
        Choice(
            "How maps are read out",
            f"winner-take-all and random filters: maxima of {windows**2} windows a map, logistic "
            f"regression; k-means: {KMEANS.format(**CLUSTERING[preset], epsilon=EPSILON)}, a "
            "linear SVM",
            "as both papers have it, so that a gain over k-means is also one of pooling; random "
            "filters, pooled and read out as the learned ones, show how much of it",
        ),
        Choice(
            "Training of the supervised network",
            f"Adam 0.001 falling linearly to 0, batches of 50, {SUPERVISED_EPOCHS[preset]} epochs, "
            "no penalty on weights",
            "the paper gives none of it; 32 maps, whitened, a fifth of the training images held "
            "out",
            "; ".join(tried) or None,
        ),
        Choice(
            "What a shifted copy, an orientation and as good are",
            "the largest correlation over all shifts; a power spectrum of coherence "
            f"{ORIENTED} or more; at most {AS_GOOD:g} point of accuracy less",
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
    rows_see=("filters", "patch filters"),
)
