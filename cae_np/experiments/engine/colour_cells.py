"""Cells that learn features of colour images without labels, and judge them: M14, table 2 and
figures 1 and 4.

Two kinds of small cells:

filters
    trains winner-take-all filters on whole images, or centroids on patches, and never sees a
    label; "random" leaves the filters as they were drawn;
accuracy
    needs filters, computes their features of all images, and reads them out: the penalty is chosen
    on the last fifth of the training images, then all are fitted, then the test images are looked
    at, once.

Methods that learn from prepared images (contrast normalised, and whitened where it says so) are
read out on prepared images; k-means prepares its patches itself.
"""

from ...data.preprocess import EPSILON
from ...training import Plan

# M14, section 3.2: filters of 9×9, pooled over 5 pixels every 4, then over 3 every 2.
FIRST = {"kernel": [9, 9], "pool_width": 5, "pool_stride": 4}
SECOND = {"pool_width": 3, "pool_stride": 2, "scale": 0.03}

IMAGES = {"smoke": 200, "quick": 4_000, "paper": 50_000}
SIZE = {"smoke": 16, "quick": 32, "paper": 32}  # of the middle that is cut out, in pixels
# What is random in a filter at first stays in it for long, so it has to be little.
SCALE = 0.01
RATE = {"smoke": 0.01, "quick": 0.01, "paper": 3e-3}  # fewer steps have to be larger
PLAN = {"optimizer": "adam", "batch_size": 50}
EPOCHS = {"smoke": 1, "quick": 2, "paper": 8}
SECOND_EPOCHS = {"smoke": 1, "quick": 1, "paper": 3}
# The features of a first layer are positive, 0.3 on average: a step of 0.001 on all weights of a
# map moves its units by more than 1.  At that rate 236 of 256 maps on CIFAR-10's 512 were dead
# after two epochs of 4,000 images, at a tenth of it 6.  Fewer steps have to be larger.
SECOND_RATE = {"smoke": 1e-3, "quick": 1e-3, "paper": 1e-4}
CLUSTERING = {
    "smoke": {"patches": 500, "iterations": 2},
    "quick": {"patches": 20_000, "iterations": 10},
    "paper": {"patches": 400_000, "iterations": 50},  # Coates et al. 2011
}
KMEANS = (  # in words
    "{patches:,} patches of 6×6 from the training images, whitened with ε = {epsilon}, "
    "{iterations} iterations, triangle activation at every pixel, sums over quadrants: 4 features "
    "a centroid"
)
ITERATIONS = {"smoke": 5, "quick": 40, "paper": 100}
SOFTMAX = {"smoke": (0.1,), "quick": (0.1,), "paper": (0.02, 0.05, 0.1)}
MANY_SOFTMAX = (0.05, 0.1)  # for 256 maps or more, whose features take gigabytes
SVM = {"smoke": (0.03,), "quick": (0.03,), "paper": (3e-3, 0.01, 0.03, 0.1)}
# Sums over quadrants have much in common, which makes the SVM slow to converge: 1,600 centroids,
# fitted on 20,000 images, were right on 69.5 % of 5,000 others after 100, 70.4 % after 250.
SVM_ITERATIONS = {"smoke": 5, "quick": 40, "paper": 300}


def filters(experiment, settings, seed, method, maps, *, whiten=True, **changes):
    """A cell that learns filters.

    Parameters
    ----------
    experiment : Experiment
    settings : Settings
    seed : int
    method : {"winner-take-all", "random", "k-means"}
    maps : int
    whiten : bool
        Of the whole images, or, for k-means, of the patches.
    **changes
        ``images``, ``epsilon``, ``epochs``, ``rate`` or ``scale`` (of the initial filters), for
        whoever tries alternatives.

    Returns
    -------
    Cell
    """
    preset = settings.preset
    config = {
        "stage": "filters",
        "method": method,
        "maps": maps,
        "whiten": whiten,
        "epsilon": changes.get("epsilon", EPSILON),
        "images": min(changes.get("images", IMAGES[preset]), settings.data.n_train),
        "size": SIZE[preset],
    }
    if method == "k-means":
        config["clustering"] = CLUSTERING[preset]
    else:
        config["model"] = FIRST | {"scale": changes.get("scale", SCALE)}
    if method == "winner-take-all":
        plan = PLAN | {"epochs": EPOCHS[preset], "rate": RATE[preset]}
        plan |= {name: changes[name] for name in ("epochs", "rate") if name in changes}
        config["plan"] = Plan(**plan).as_dict()
    return experiment.cell(config, seed, f"filters: {name_of(config)}")


def second_filters(experiment, settings, first, maps, kernel):
    """A cell that learns a second layer of winner-take-all filters on the pooled maps of a first.

    Parameters
    ----------
    experiment, settings
    first : Cell
        From :func:`filters`.
    maps, kernel : int
        K, and the side of the kernels in pixels.

    Returns
    -------
    Cell
    """
    preset = settings.preset
    plan = Plan(epochs=SECOND_EPOCHS[preset], rate=SECOND_RATE[preset], **PLAN)
    config = {
        "stage": "second filters",
        "maps": maps,
        "below": first.config["maps"],
        "model": SECOND | {"kernel": [kernel, kernel]},
        "plan": plan.as_dict(),
    }
    name = f"second filters: {first.config['maps']} + {maps} maps, {kernel}×{kernel}"
    return experiment.cell(config, first.seed, name, needs=[first])


def accuracy(experiment, settings, *layers, tested=True):
    """A cell that reads out the features of one layer, or of two on each other.

    Parameters
    ----------
    experiment, settings
    *layers : Cell
        From :func:`filters` and :func:`second_filters`.
    tested : bool
        Whether test images are looked at, or held-out images only.

    Returns
    -------
    Cell
    """
    preset, (first, *second) = settings.preset, layers
    shared = {name: first.config[name] for name in ("method", "maps", "whiten", "images")}
    penalties = MANY_SOFTMAX if preset == "paper" and first.config["maps"] >= 256 else None
    readout = {"kind": "softmax", "scaling": "feature", "iterations": ITERATIONS[preset]}
    readout["penalties"] = list(penalties or SOFTMAX[preset])
    if first.config["method"] == "k-means":
        iterations = SVM_ITERATIONS[preset]
        readout |= {"kind": "svm", "penalties": list(SVM[preset]), "iterations": iterations}
    config = {"stage": "accuracy", **shared, "readout": readout, "tested": tested}
    name = name_of(first.config)
    if second:
        config["second"] = second[0].config["maps"]
        config["kernel"] = second[0].config["model"]["kernel"][0]
        name = f"{name} + {config['second']} maps of {config['kernel']}×{config['kernel']}"
    return experiment.cell(config, first.seed, f"accuracy: {name}", needs=layers)


def name_of(config):
    """For people: "128 maps, k-means, whitened"."""
    parts = [f"{config['maps']} maps", config["method"]]
    parts.append("whitened" if config["whiten"] else "raw")
    if config["whiten"] and config["epsilon"] != EPSILON:
        parts.append(f"ε {config['epsilon']}")
    if "plan" in config:
        epochs = config["plan"]["epochs"]
        parts.append(f"{epochs} epoch{'s' if epochs > 1 else ''}, rate {config['plan']['rate']}")
    return ", ".join([*parts, f"{config['images']:,} images"])
