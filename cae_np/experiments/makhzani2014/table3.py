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

from ..engine import stereo_features
from ..frame.experiment import Choice, Experiment
from . import table3_cells, table3_report
from .table3_cells import FOLDS, KERNELS, SEARCHED, SECOND_PLAN, WAYS, way_of


def cells(settings):
    return table3_cells.cells(EXPERIMENT, settings)


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
    run=stereo_features.run,
    rows=table3_report.rows,
    figures=table3_report.figures,
    choices=choices,
)
