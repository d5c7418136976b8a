"""Makhzani & Frey 2014, figure 4: decoder filters of 128 feature maps, images not whitened.

The filters are those of figure 1(c): the cell is the same, so it is computed once.
"""

from ..engine import colour, filter_shape
from ..engine.colour import EPOCHS, IMAGES
from ..engine.filter_copies import near_copies
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import measured
from .fig1 import learned

MAPS = {"smoke": 6, "quick": 32, "paper": 128}


def cells(settings):
    return [learned(settings, seed, MAPS[settings.preset], False) for seed in settings.seeds]


def rows(settings, results):
    preset = settings.preset
    shared = {
        "label": f"{MAPS[preset]} decoder filters",
        "samples": min(IMAGES[preset], settings.data.n_train),
    }
    table = [
        measured(settings, results, value, metric=metric, unit=unit, **shared)
        for metric, unit, value in (
            (
                "filters with a near-copy at some shift",
                "%",
                lambda result: 100 * near_copies(result.arrays["w_dec"]),
            ),
            (
                "correlation of neighbouring pixels",
                "",
                lambda result: filter_shape.smoothness(result.arrays["w_dec"]),
            ),
            (
                "maps that were never active in the last epoch",
                "",
                lambda result: result.values["history"][-1]["dead_maps"],
            ),
        )
    ]
    return table


def figures(settings, results):
    from ... import plotting

    pictures = {}
    if results:
        result = results[0]
        w, dead = result.arrays["w_dec"], result.values["history"][-1]["dead_maps"]
        pictures["filters.png"] = Picture(
            plotting.filter_grid({"decoder": w}),
            alt=f"{len(w)} decoder filters of 9×9 pixels in colour, correlation of neighbouring "
            f"pixels {filter_shape.smoothness(w):.2f}; {dead} of the maps were never active in the "
            "last epoch.",
            caption=f"Decoder filters, raw {settings.data.name}, seed {result.seed}.",
        )
    return pictures


def choices(settings, results):
    return [
        Choice(
            "What non-whitened images are",
            "contrast normalised: less their mean, over their standard deviation",
            "the paper normalises contrast wherever it whitens, and says of these images only that "
            "they are not whitened",
        ),
        Choice(
            "How the filters are trained",
            f"as those of table 2, {EPOCHS[settings.preset]} epochs",
            "the paper gives none of it",
        ),
    ]


EXPERIMENT = Experiment(
    name="makhzani2014-fig4",
    version=1,
    title="Filters of images that are not whitened",
    paper="M14, figure 4",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 1},
    cells=cells,
    run=colour.run,
    rows=rows,
    figures=figures,
    choices=choices,
    rows_see=("filters",),
)
