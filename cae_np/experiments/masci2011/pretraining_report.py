"""Rows of tables 1 and 2 of Masci et al. 2011; see :mod:`.pretraining`."""

import statistics

from ..frame.rows import claim, measured
from . import kmeans_baseline
from .pretraining import all_images, holds_out, layer_plan

GAIN = "gain of pre-training"  # label of the claims that another table may compare itself with


def rows(table, settings, results):
    """All rows, column by column of the paper's table.

    Parameters
    ----------
    table : cae_np.experiments.masci2011.pretraining.Table
    settings : Settings
    results : Results

    Returns
    -------
    list of Row
    """
    found = []
    for n in table.samples[settings.preset]:
        found += _errors(table, settings, results, n) + _claims(table, settings, results, n)
    return found + _layers(table, settings, results)


def fine_tuned(table, settings, results, n):
    """The networks of one column, by how they started.

    Returns
    -------
    dict of str to Results
        "random", "pre-trained on all", and, unless that is the same, "pre-trained on the subset".
    """
    unlabelled = all_images(table, settings)
    main = results.where(stage="fine-tune", samples=n, alternative="")
    by_start = {
        "random": main.where(start="random"),
        "pre-trained on all": main.where(start="pre-trained", images=unlabelled),
    }
    if n < unlabelled:
        by_start["pre-trained on the subset"] = main.where(start="pre-trained", images=n)
    return by_start


def _errors(table, settings, results, n):
    of_all = f"all {all_images(table, settings):,} images"
    names = {
        "random": "CNN, random initialisation",
        "pre-trained on all": f"CAE, pre-trained on {of_all}, unlabelled",
        "pre-trained on the subset": f"CAE, pre-trained on the same {n:,} images only",
    }
    shared = {"metric": "test error", "unit": "%", "samples": n}

    def paper(start):
        if settings.preset != "paper":
            return None
        return table.paper["random" if start == "random" else "pre-trained"].get(n)

    found = [
        measured(
            settings,
            of_start,
            "test_error",
            label=names[start],
            paper=paper(start),
            needed=results.needed_by(of_start),
            **shared,
        )
        for start, of_start in fine_tuned(table, settings, results, n).items()
    ]
    svm = results.where(stage="svm", samples=n)
    of_stack = svm.where(start="pre-trained")
    return found + [
        measured(
            settings,
            of_stack,
            "test_error",
            label=f"CAE stack, pre-trained on {of_all}, its top activations to a linear SVM",
            needed=results.needed_by(of_stack),
            **shared,
        ),
        measured(
            settings,
            svm.where(start="random"),
            "test_error",
            label="The same of random, untrained filters",
            control=True,
            **shared,
        ),
        kmeans_baseline.row(settings, results, n),
    ]


def _claims(table, settings, results, n):
    errors = {
        start: of_start.by_seed("test_error")
        for start, of_start in fine_tuned(table, settings, results, n).items()
    }
    svm = results.where(stage="svm", samples=n)
    shared = {"unit": "points", "samples": n}

    def outperforms(start):
        return claim(
            settings,
            "Pre-trained networks tend to outperform randomly initialised ones slightly, but "
            f"consistently ({start}, {n:,} labels).",
            metric=f"test error, random - {start}",
            larger=errors["random"],
            smaller=errors[start],
            label=GAIN,
            **shared,
        )

    return [
        *(outperforms(start) for start in errors if start != "random"),
        claim(
            settings,
            f"Pre-training makes results more stable ({n:,} labels): every seed's error is nearer "
            "to the mean of all seeds.",
            metric="distance of the test error from the seeds' mean, random - pre-trained on all",
            larger=distances_from_mean(errors["random"]),
            smaller=distances_from_mean(errors["pre-trained on all"]),
            label="stability",
            **shared,
        ),
        claim(
            settings,
            f"A stack's top activations are better features than random filters' ({n:,} labels).",
            metric="test error of a linear SVM, untrained - pre-trained",
            larger=svm.where(start="random").by_seed("test_error"),
            smaller=svm.where(start="pre-trained").by_seed("test_error"),
            label="control",
            **shared,
        ),
    ]


def distances_from_mean(errors):
    """For every seed how far its number is from the mean of all.

    Parameters
    ----------
    errors : dict of seed to number

    Returns
    -------
    dict of seed to number
        None for fewer than three seeds.

    Notes
    -----
    Where two sets of five spread alike, all five distances of the one are larger, or all are
    smaller, once in eleven times.  Standard deviations without one seed each, which share all but
    one of their numbers, would agree in nearly half of all cases, and so decide nothing.
    """
    mean = statistics.fmean(errors.values()) if len(errors) > 2 else None
    return {seed: None if mean is None else abs(error - mean) for seed, error in errors.items()}


def _layers(table, settings, results):
    """What pre-training itself came to, layer by layer."""
    layers = main_layers(table, settings, results)
    # The error is that of validation images, which a stack that sees all records has seen.
    of = "held-out images" if holds_out(table, settings) else "images that it was trained on"
    return [
        measured(
            settings,
            layers.where(layer=layer),
            value,
            label=f"Auto-encoder {layer + 1} of the stack",
            metric=metric,
            unit=unit,
            samples=all_images(table, settings),
        )
        for layer in range(3)
        for value, metric, unit in (
            ("error", f"error on {of}", "% of the variance of its input"),
            ("size", "kernels' standard deviation times √fan-in (random networks: 1)", ""),
            ("saturated", "units of the code beyond ±1.5, of ±1.716", "%"),
        )
    ]


def main_layers(table, settings, results):
    """Layers of the stacks that saw all images, without what was tried otherwise."""
    unlabelled = all_images(table, settings)
    layers = results.where(
        stage="layer",
        images=unlabelled,
        auto_encoder=table.auto_encoder,
        intensities=table.intensities,
        erasing=True,
    )
    return layers.where(plan=layer_plan(table, settings, unlabelled).as_dict())
