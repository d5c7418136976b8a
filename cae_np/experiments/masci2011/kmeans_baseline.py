"""The row "K-means (4k feat)" of both tables of Masci et al. 2011; see :mod:`.pretraining`.

"4k features" are read as 4,000 centroids: Coates, Lee and Ng (2011), whose code M11 ran, name
their models so, and it is with 4,000 centroids that they report 79.6 % on CIFAR-10.  The read-out
then has 16,000 inputs, each centroid's activation summed over four quadrants.  Centroids are
learned from patches of the labelled images alone, as the authors' code does.
"""

from ...models.kmeans import PatchKMeans
from ..engine.colour import CLUSTERING
from ..engine.readout import chosen_and_tested
from ..frame.rows import measured

STAGE = "k-means baseline"
CENTROIDS = {"smoke": 6, "quick": 100, "paper": 4000}
READOUT = {
    "smoke": {"penalties": [0.03], "iterations": 5},
    "quick": {"penalties": [0.03], "iterations": 40},
    "paper": {"penalties": [0.01, 0.03, 0.1], "iterations": 300},
}


def cells(experiment, settings, n, seeds):
    """One cell for each seed.

    Parameters
    ----------
    experiment : Experiment
        Whose cells they become.
    settings : Settings
    n : int
        Labelled images; seed by seed those that the networks are trained on.
    seeds : sequence of int

    Returns
    -------
    list of Cell
    """
    preset = settings.preset
    maps = CENTROIDS[preset]
    return [
        experiment.cell(
            {
                "stage": STAGE,
                "maps": maps,
                "samples": n,
                "clustering": CLUSTERING[preset],
                "readout": {"kind": "svm", "scaling": "feature"} | READOUT[preset],
            },
            seed,
            f"k-means: {maps} centroids, {n:,} images",
        )
        for seed in seeds
    ]


def run(cell, context):
    """Learn centroids from a subset, read them out, test once.

    Parameters
    ----------
    cell : Cell
    context : Context

    Returns
    -------
    values, arrays : dict
        ``test_error`` and the other values of
        :func:`cae_np.experiments.engine.readout.chosen_and_tested`, ``history`` of the clustering;
        the centroids and the whitening of patches.
    """
    config = cell.config
    chosen = context.dataset.labelled(config["samples"], cell.seed)
    model = PatchKMeans(config["maps"], seed=cell.seed)
    history = model.fit(chosen, **config["clustering"]).history
    test = context.dataset.test
    values, _ = chosen_and_tested(
        config["readout"],
        [model],
        chosen,
        test,
        (chosen.labels, test.labels),
    )
    return values | {"history": history}, model.state()[0]


def row(settings, results, n):
    """The test error in per cent with n labelled images.

    Parameters
    ----------
    settings : Settings
    results : Results
    n : int

    Returns
    -------
    Row
        Without the paper's figure, which the text at hand has lost.
    """
    return measured(
        settings,
        results.where(stage=STAGE, samples=n),
        "test_error",
        label=f"K-means, {CENTROIDS[settings.preset]:,} centroids, to a linear SVM",
        metric="test error",
        unit="%",
        samples=n,
    )
