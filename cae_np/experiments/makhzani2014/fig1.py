"""Makhzani & Frey 2014, figure 1: filters of patches and of images, and what they are good for.

(a) A k-sparse auto-encoder with 1,000 hidden units learns from whitened patches in isolation: many
of its filters are one pattern at several places.  (b) 32 winner-take-all filters learn from whole
whitened images, which say where a pattern is through the place of the winner.  (c) Accuracy
against the number of maps, on raw and on whitened images: winner-take-all, k-means on patches, a
supervised convolutional network of the same shape, and, as a control, filters that nothing learned.
"""

from ...data.preprocess import EPSILON
from ..engine.colour_cells import CLUSTERING, FIRST, KMEANS, SIZE, filters
from ..engine.filter_copies import ORIENTED
from ..frame.experiment import Choice, Experiment
from . import (
    fig1_cells,
    fig1_report,
    fig1_run,
)
from .fig1_cells import AS_GOOD, PATCHES, SUPERVISED_EPOCHS, SUPERVISED_SEARCH


def cells(settings):
    return fig1_cells.cells(EXPERIMENT, settings)


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
    run=fig1_run.run,
    rows=fig1_report.rows,
    figures=fig1_report.figures,
    choices=choices,
)
