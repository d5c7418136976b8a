"""What varies in :mod:`.fig1`, and its cells."""

from ...data.preprocess import EPSILON
from ...training import Plan
from ..engine.colour_cells import FIRST, IMAGES, SIZE, accuracy, filters, name_of

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


def cells(experiment, settings):
    """All cells, cheap ones first.

    Parameters
    ----------
    experiment : Experiment
        Whose cells they become.
    settings : Settings

    Returns
    -------
    list of Cell
    """
    preset, few = settings.preset, FEW[settings.preset]
    cheap, dear = [], []

    def judged(seed, method, maps, whiten):
        if method == "supervised":
            return supervised(experiment, settings, seed, maps, whiten)
        features = filters(experiment, settings, seed, method, maps, whiten=whiten)
        return accuracy(experiment, settings, features)

    for seed in settings.seeds:
        cheap.append(filters(experiment, settings, seed, "winner-take-all", few))
        cheap.append(_patch_filters(experiment, settings, seed))
        for whiten in (True, False):
            for maps in SIZES[preset]:
                listed = cheap if maps <= few else dear
                listed += [judged(seed, method, maps, whiten) for method in METHODS]
        if preset == "paper":
            cheap.append(judged(seed, "k-means", CENTROIDS, True))
    if preset == "paper":
        seed = settings.seeds[0]
        cheap += [
            supervised(experiment, settings, seed, few, True, epochs, tested=False)
            for epochs in SUPERVISED_SEARCH
        ]
    return cheap + dear


def _patch_filters(experiment, settings, seed):
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
    return experiment.cell(config, seed, f"k-sparse filters of patches: {config['units']} units")


def supervised(experiment, settings, seed, maps, whiten, epochs=None, tested=True):
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
    return experiment.cell(config, seed, f"accuracy: {held_out}{name_of(config)}")
