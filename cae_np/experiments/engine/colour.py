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

from functools import lru_cache

from ...data import Split
from ...data.preprocess import EPSILON, Preprocessing
from ...models.classifier import ImageClassifier
from ...models.kmeans import PatchKMeans
from ...models.wta import WinnerTakeAll
from ...training import Plan
from .layers import restored, second_layer, trained
from .readout import chosen_and_tested

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


# --- what cells do --------------------------------------------------------------------------------


PATCH = 6  # side of the patches of k-means, Coates et al. 2011


def run(cell, context):
    """The ``run`` of all these cells."""
    return STAGES[cell.config["stage"]](cell, context)


def _learn_filters(cell, context):
    config = cell.config
    if config["method"] == "k-means":
        model = PatchKMeans(
            config["maps"],
            size=PATCH,
            whiten=config["whiten"],
            epsilon=config["epsilon"],
            seed=cell.seed,
        )
        model.fit(_intensities(context.dataset, config)[0], **config["clustering"])
        return {"history": model.history}, model.state()[0]
    train_images, _ = prepared_like(context.dataset, config)
    layer = WinnerTakeAll(
        train_images.images.shape[1], config["maps"], seed=cell.seed, **config["model"]
    )
    history = trained(layer, train_images, config.get("plan"), cell, context)
    return {"history": history}, layer.weights()


def _learn_second_filters(cell, context):
    first, config = context.needed[0], cell.config
    images, _ = prepared_like(context.dataset, first.config)
    layer, history = second_layer(
        cell, context, images, _restored(first), config["plan"], **config["model"]
    )
    return {"history": history}, layer.weights()


def _judge(cell, context):
    layers = [_restored(result) for result in context.needed]
    config, learned = cell.config, context.needed[0].config
    images = _intensities if learned["method"] == "k-means" else prepared_like
    train_images, test_images = images(context.dataset, learned)
    labels = context.dataset.train.labels[: len(train_images)], context.dataset.test.labels
    values, readout = chosen_and_tested(
        config["readout"],
        layers,
        train_images,
        test_images if config["tested"] else None,
        labels,
    )
    for name in [name for name in values if name.endswith("error")]:
        kind, error = name.removesuffix("error"), values[name]
        values[kind + "accuracy"] = (
            {penalty: 100 - e for penalty, e in error.items()}
            if isinstance(error, dict)
            else 100 - error
        )
    if not (readout and learned["method"] == "winner-take-all"):  # nothing that is worth keeping
        return values, {}
    preprocessing = Preprocessing(learned["whiten"], epsilon=learned["epsilon"])
    arrays, network = ImageClassifier(layers, readout, preprocessing).state()
    return values | {"network": network}, arrays


STAGES = {
    "filters": _learn_filters,
    "second filters": _learn_second_filters,
    "accuracy": _judge,
}


def _restored(result):
    """The model that a cell of filters left behind."""
    config = result.config
    if config.get("method") != "k-means":
        return restored(result, **config["model"])
    model = PatchKMeans(
        config["maps"], size=PATCH, whiten=config["whiten"], epsilon=config["epsilon"]
    )
    model.load_state(result.arrays)
    return model


def _intensities(dataset, config):
    """Training and test images of a configuration, the middle of each."""
    size, n = config["size"], config["images"]
    return tuple(
        Split(_middle(split.images, size), split.labels)
        for split in (dataset.train.take(slice(n)), dataset.test)
    )


def _middle(images, size):
    top, left = ((side - size) // 2 for side in images.shape[2:])
    return images[:, :, top : top + size, left : left + size]


def prepared_like(dataset, config):
    """Training and test images as a cell's configuration wants them, prepared.

    Parameters
    ----------
    dataset : cae_np.data.Dataset
    config : dict
        With ``images`` (how many to train on), ``size``, ``whiten`` and ``epsilon``.

    Returns
    -------
    train, test : ImageArray
        The labels are the first ones of the dataset's splits.
    """
    names = ("images", "size", "whiten", "epsilon")
    return _prepared(dataset, *(config[name] for name in names))


@lru_cache(maxsize=2)
def _prepared(dataset, n, size, whiten, epsilon):
    """Prepared training and test images; whitening is learned from the former.

    The last two are kept, 0.7 GB each for CIFAR-10: many cells want the same, raw or whitened.
    """
    train_images, test_images = _intensities(dataset, {"images": n, "size": size})
    preparing = Preprocessing(whiten, epsilon=epsilon).fit(train_images)
    return preparing.apply(train_images), preparing.apply(test_images)
