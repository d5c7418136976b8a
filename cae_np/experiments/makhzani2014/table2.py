"""Makhzani & Frey 2014, table 2: CIFAR-10 accuracy of winner-take-all features.

A layer of 9×9 winner-take-all filters is trained on contrast-normalised and whitened images without
labels; at test time the constraint is off, the ReLU maps are max-pooled (width 5, stride 4), and
logistic regression reads them out.  The deep rows train a second layer on the pooled maps and read
that one out.  Beside them stand the patch k-means of Coates, Lee and Ng, and the control that
could embarrass both: filters that were drawn at random and never trained.
"""

from functools import partial
from statistics import fmean

from ...data.preprocess import EPSILON
from ..engine import colour
from ..engine.colour import (
    CLUSTERING,
    EPOCHS,
    IMAGES,
    ITERATIONS,
    KMEANS,
    PLAN,
    RATE,
    SCALE,
    SECOND_EPOCHS,
    SECOND_RATE,
    SIZE,
    SVM_ITERATIONS,
    accuracy,
    filters,
    second_filters,
)
from ..engine.filter_copies import near_copies
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.rows import cited, claim, measured

MAPS = {"smoke": 4, "quick": 32, "paper": 512}
# Centroids, besides as many as there are maps.
CENTROIDS = {"smoke": (6,), "quick": (100,), "paper": (1600, 4000)}
WIDTHS = {"smoke": (8,), "quick": (64,), "paper": (256, 512, 1024)}
PAPER = {"shallow": 72.7, "deep": {4096: 78.1}, "k-means": {1600: 77.9, 4000: 79.6}}
PAPER |= {"active": 0.1}  # per cent, section 2.1: of the largest model, one million hidden units
KERNEL = 3  # of the second layer
# What was tried on held-out images with fewer maps and images: (question, alternatives).
SEARCHED = {"maps": 128, "images": 25_000}
SEARCH = {
    "": {},
    "ε = 0.01": {"epsilon": 0.01},
    "ε = 1": {"epsilon": 1.0},
    "not whitened": {"whiten": False},
    "3 epochs": {"epochs": 3},
    "filters N(0, 0.05²), rate 0.001": {"scale": 0.05, "rate": 1e-3},
}
KERNELS = (1, 3, 5)
SEARCHED_WIDTH = 256
SIMILAR = 2.0  # points of accuracy within which two rows are called the same
CITED = (
    ("3-way factored RBM, 3 layers", 65.3),
    ("Mean-covariance RBM, 3 layers", 71.0),
    ("Spike-and-slab RBM", 76.7),
    ("Spike-and-slab sparse coding", 78.3),
    ("Convolutional deep belief net, 2 layers, fine-tuned", 78.9),
)


def cells(settings):
    preset, maps = settings.preset, MAPS[settings.preset]
    listed, slow = [], []
    for seed in settings.seeds:
        shallow = filters(EXPERIMENT, settings, seed, "winner-take-all", maps)
        random = filters(EXPERIMENT, settings, seed, "random", maps)
        centroids = filters(EXPERIMENT, settings, seed, "k-means", maps)
        listed += [accuracy(EXPERIMENT, settings, one) for one in (shallow, random, centroids)]
        few, *many = (
            accuracy(EXPERIMENT, settings, filters(EXPERIMENT, settings, seed, "k-means", k))
            for k in CENTROIDS[preset]
        )
        listed.append(few)
        slow += many
        slow += [
            accuracy(
                EXPERIMENT,
                settings,
                shallow,
                second_filters(EXPERIMENT, settings, shallow, width, KERNEL),
            )
            for width in WIDTHS[preset]
        ]
    return listed + (_search_cells(settings) if preset == "paper" else []) + slow


def _search_cells(settings):
    """Alternatives, on held-out images."""
    seed, listed = settings.seeds[0], []
    for changes in SEARCH.values():
        some = SEARCHED | changes
        first = filters(EXPERIMENT, settings, seed, "winner-take-all", some.pop("maps"), **some)
        listed.append(accuracy(EXPERIMENT, settings, first, tested=False))
    chosen = filters(EXPERIMENT, settings, seed, "winner-take-all", SEARCHED["maps"],
                     images=SEARCHED["images"])  # fmt: skip
    for kernel in KERNELS:
        second = second_filters(EXPERIMENT, settings, chosen, SEARCHED_WIDTH, kernel)
        listed.append(accuracy(EXPERIMENT, settings, chosen, second, tested=False))
    return listed


# --- tables and pictures --------------------------------------------------------------------------


def rows(settings, results):
    preset, maps = settings.preset, MAPS[settings.preset]
    n = min(IMAGES[preset], settings.data.n_train)
    shared = {"metric": "test accuracy", "unit": "%", "samples": n}
    judged = results.where(stage="accuracy", tested=True)

    def of(method, maps, second=None):
        return judged.where(method=method, maps=maps, second=second)

    def row(found, label, paper=None, **more):
        paper = paper if preset == "paper" else None
        needed = results.needed_by(found)
        more |= {"label": label, "paper": paper, "needed": needed}
        return measured(settings, found, "test_accuracy", **shared, **more)

    table = [
        cited(settings, value, label=label, metric="test accuracy", unit="%",
              source="M14, table 2")
        for label, value in CITED
    ]  # fmt: skip
    table += [
        row(of("k-means", k), f"Triangle k-means, {k} maps", PAPER["k-means"].get(k))
        for k in (maps, *CENTROIDS[preset])
    ]
    shallow = of("winner-take-all", maps)
    table.append(row(shallow, f"Shallow, {maps} maps", PAPER["shallow"]))
    random = of("random", maps)
    table.append(row(random, f"Untrained random filters, {maps} maps", control=True))
    widths = {width: None for width in WIDTHS[preset]}
    widths |= PAPER["deep"] if preset == "paper" else {}
    table += [
        row(of("winner-take-all", maps, width), f"Deep, {maps} + {width} maps", paper)
        for width, paper in widths.items()
    ]
    learned = results.where(stage="filters", method="winner-take-all", maps=maps)
    table.append(
        measured(
            settings,
            learned,
            lambda result: 100 * near_copies(result.arrays["w_dec"]),
            label=f"Shallow, {maps} maps",
            metric="decoder filters with a near-copy at some shift",
            unit="%",
            samples=n,
        )
    )
    table.append(
        measured(
            settings,
            learned,
            lambda result: 100 * result.values["history"][-1]["hidden_sparsity"],
            label=f"Shallow, {maps} maps",
            metric="hidden units that are active in training",
            unit="%",
            paper=PAPER["active"] if preset == "paper" else None,
            samples=n,
        )
    )
    return table + _claims(settings, of, n)


def _claims(settings, of, n):
    preset, maps = settings.preset, MAPS[settings.preset]

    def numbers(*selection):
        return of(*selection).by_seed("test_accuracy")

    verdict = partial(claim, settings, label="M14, section 3.2", unit="points", samples=n)

    shallow, centroids = numbers("winner-take-all", maps), numbers("k-means", maps)
    apart = {seed: abs(shallow[seed] - centroids[seed]) for seed in shallow if seed in centroids}
    most = CENTROIDS[preset][0]
    found = [
        verdict(
            f"Learned filters are better features than random ones ({maps} maps).",
            "test accuracy, trained - untrained",
            shallow,
            numbers("random", maps),
            label="control",
        ),
        verdict(
            f"With {maps} maps winner-take-all and triangle k-means reach almost the same accuracy "
            f"(within {SIMILAR:g} points).",
            f"test accuracy, {SIMILAR:g} - |winner-take-all - k-means|",
            SIMILAR,
            apart,
        ),
        verdict(
            f"Triangle k-means with {most} maps is better than {maps} winner-take-all maps.",
            f"test accuracy, k-means {most} - winner-take-all {maps}",
            numbers("k-means", most),
            shallow,
        ),
    ]
    for width in WIDTHS[preset]:
        deep = numbers("winner-take-all", maps, width)
        if width > maps:
            statement = f"A second layer helps if it has many more maps: {maps} + {width}"
            metric, larger, smaller = "test accuracy, deep - shallow", deep, shallow
        else:
            statement = f"A second layer with no more maps does not help: {maps} + {width}"
            metric, larger, smaller = "test accuracy, shallow - deep", shallow, deep
        statement += f" against {maps}."
        found.append(verdict(statement, metric, larger, smaller, label="M14, section 2.2"))
    return found


def figures(settings, results):
    from ... import plotting

    maps = MAPS[settings.preset]
    pictures = {}
    if found := results.where(stage="filters", method="winner-take-all", maps=maps):
        shown = found[0].arrays["w_dec"][:128]
        pictures["filters.png"] = Picture(
            plotting.filter_grid({f"{len(shown)} of {maps} decoder filters": shown}),
            alt=f"{len(shown)} decoder filters of 9×9 pixels in colour, from whitened images.",
            caption=f"Decoder filters of the first layer, whitened {settings.data.name}, seed "
            f"{found[0].seed}.",
        )
    found = results.where(stage="accuracy", tested=True)
    if found:
        lines = {}
        for result in found:
            config = result.config
            second = f" + {config['second']}" if "second" in config else ""
            label = f"{config['method']}, {config['maps']}{second} maps"
            lines.setdefault(label, []).append(result.values["test_accuracy"])
        pictures["accuracy.png"] = Picture(
            plotting.dots(lines, "test accuracy, %"),
            alt="A dot for every seed of every method, on average: "
            + "; ".join(f"{label} {fmean(values):.1f} %" for label, values in lines.items()),
            caption=f"Accuracy on the test images, {settings.data.name}.",
        )
    return pictures


def choices(settings, results):
    held_out = results.where(stage="accuracy", tested=False, second=None)

    def tried(*names):
        """Held-out accuracy of alternatives beside what was chosen."""
        texts = []
        for name in names:
            label = _search_label(settings, name)
            found = [r for r in held_out if r.cell.label == label]
            texts += [f"{name or 'chosen'}: {_best(found[0])}" for _ in found[:1]]
        return "; ".join(texts) or None

    kernels = [
        f"{kernel}×{kernel}: {_best(found[0])}"
        for kernel in KERNELS
        if (found := results.where(stage="accuracy", tested=False, kernel=kernel))
    ]
    penalties = [
        f"{result.cell.label.removeprefix('accuracy: ')}: "
        + ", ".join(
            f"{a:.2f} % at λ {penalty}"
            for penalty, a in result.values["validation_accuracy"].items()
        )
        for result in results.where(stage="accuracy", tested=True)
        if len(result.values["validation_accuracy"]) > 1
    ]
    on = f"{SEARCHED['maps']} maps, {SEARCHED['images']:,} images, a fifth of them held out"
    preset = settings.preset
    return [
        Choice(
            "Contrast normalisation and whitening",
            "(x - mean) / √(var + 10) of pixels from 0 to 255, then ZCA of all "
            f"{3 * SIZE[preset] ** 2:,} pixels with ε = {EPSILON}, learned from the training "
            "images, also those that were held out from the read-out",
            f"the paper refers to Coates et al., who whiten patches ({on})",
            tried("", "ε = 0.01", "ε = 1", "not whitened"),
        ),
        Choice(
            "How the filters are trained",
            f"Adam, rate {RATE[preset]} falling linearly to 0, batches of {PLAN['batch_size']}, "
            f"{EPOCHS[preset]} epochs; filters N(0, {SCALE}²), biases 0",
            f"the paper gives none of it ({on})",
            tried("", "3 epochs", "filters N(0, 0.05²), rate 0.001"),
        ),
        Choice(
            "The classifier",
            "multinomial logistic regression, mean cross-entropy + ½λ‖W‖², every feature "
            f"standardised, {ITERATIONS[preset]} iterations of L-BFGS; for k-means a linear SVM "
            f"with squared hinge, {SVM_ITERATIONS[preset]} iterations, "
            "as in Coates et al.; λ chosen on a fifth of the training images, then all are fitted",
            "the paper says nothing about it for CIFAR-10",
            "; ".join(penalties) or None,
        ),
        Choice(
            "Kernels and training of the second layer",
            f"{KERNEL}×{KERNEL}, Adam, rate {SECOND_RATE[preset]}, {SECOND_EPOCHS[preset]} "
            "epochs; filters N(0, 0.03²)",
            f"the paper gives none of it ({on}, {SEARCHED_WIDTH} maps in the second layer)",
            "; ".join(kernels) or None,
        ),
        Choice(
            "What the k-means row is",
            KMEANS.format(**CLUSTERING[preset], epsilon=EPSILON),
            "as in Coates et al. 2011; empty clusters begin anew at the worst represented patch",
        ),
    ]


def _search_label(settings, name):
    some = SEARCHED | SEARCH[name]
    seed = settings.seeds[0]
    first = filters(EXPERIMENT, settings, seed, "winner-take-all", some.pop("maps"), **some)
    return accuracy(EXPERIMENT, settings, first, tested=False).label


def _best(result):
    found = result.values["validation_accuracy"]
    penalty = max(found, key=found.get)
    return f"{found[penalty]:.2f} % (λ {penalty})"


EXPERIMENT = Experiment(
    name="makhzani2014-table2",
    version=1,
    title="CIFAR-10 accuracy of winner-take-all features",
    paper="M14, table 2",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 1},
    cells=cells,
    run=colour.run,
    rows=rows,
    figures=figures,
    choices=choices,
    rows_see=("filters",),
)
