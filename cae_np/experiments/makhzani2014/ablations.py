"""Makhzani & Frey 2014, section 2: what each part of the winner-take-all method is good for.

The shallow MNIST auto-encoder of table 1, small, with one thing changed at a time: tied weights,
more units a map (top-n), as many units over all maps together (global top-k), fewer (lifetime
sparsity, from the later version of the paper), another f, no sparsity at all.  For each: how good
the features are, which filters are dead, what the filters look like.  And what a step costs.
"""

from statistics import fmean

from ..engine.readout import DESCRIPTION
from ..frame.experiment import Choice, Experiment
from . import (
    ablations_cells,
    ablations_report,
    ablations_run,
)
from .ablations_cells import (
    ALMOST,
    BATCH,
    EPOCHS,
    FREE,
    IMAGES,
    LOOKED_AT,
    MAPS,
    SLIGHTLY,
    SMALL,
    WINNER,
    WITH_ADAM,
)


def cells(settings):
    return ablations_cells.cells(EXPERIMENT, settings)


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
    run=ablations_run.run,
    rows=ablations_report.rows,
    figures=ablations_report.figures,
    choices=choices,
)
