"""Rows and pictures of :mod:`.fig1`."""

from functools import partial

import numpy as np

from ..engine.colour_cells import IMAGES
from ..engine.filter_copies import (
    NEAR_COPY,
    copies_in_samples,
    crowding_in_samples,
    near_copies,
    oriented_in_samples,
)
from ..engine.filter_shape import own_scale
from ..frame.experiment import Picture
from ..frame.rows import claim, measured
from .fig1_cells import AS_GOOD, CENTROIDS, FEW, METHODS, PATCHES, SIZES


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
