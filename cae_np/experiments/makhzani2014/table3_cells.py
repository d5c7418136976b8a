"""Cells of :mod:`.table3`, and the sizes that its presets have."""

from functools import partial

from ...training import Plan

FOLDS = {"smoke": 2, "quick": 2, "paper": 5}  # instances that are left out
MAPS = {"smoke": 4, "quick": 32, "paper": 128}
PAIRS = {"smoke": 100, "quick": 1_500, "paper": 24_300}
SEARCHED = {"smoke": 60, "quick": 1_000, "paper": 4_860}  # pairs that search fits on
ITERATIONS = {"smoke": 5, "quick": 40, "paper": 60}

ADAM = {"optimizer": "adam", "batch_size": 50}
# Ways to make features; what each leaves out is as in the first.
WAYS = {
    "smoke": {"": {"scale": 0.01, "epsilon": 0.1, "plan": ADAM | {"rate": 3e-3, "epochs": 1}}},
    "quick": {
        "": {
            "scale": 0.01,
            "epsilon": 0.1,
            "plan": ADAM | {"rate": 3e-3, "epochs": 3, "batch_size": 10},
        }
    },
    "paper": {
        "": {"scale": 0.01, "epsilon": 0.1, "plan": ADAM | {"rate": 3e-3, "epochs": 8}},
        "initial filters N(0, 0.05²), rate 0.001": {
            "scale": 0.05,
            "plan": ADAM | {"rate": 1e-3, "epochs": 8},
        },
        "whitening's ε = 1": {"epsilon": 1.0},
    },
}
READOUT_OPTIONS = {"smoke": ("svm 0.1",), "quick": ("svm 0.1",),
                   "paper": ("svm 0.1", "svm 1", "softmax 0.1")}  # fmt: skip
CENTROIDS = {"smoke": (4,), "quick": (32,), "paper": (128,)}
SLOW_CENTROIDS = {"smoke": (), "quick": (), "paper": (1600,)}
CLUSTERING = {
    "smoke": {"patches": 500, "iterations": 2},
    "quick": {"patches": 10_000, "iterations": 10},
    "paper": {"patches": 400_000, "iterations": 50},  # Coates et al. 2011
}
# The second layer: kernels that are tried with few maps, and widths of the final rows.
KERNELS = {"smoke": (1,), "quick": (), "paper": (1, 3, 5)}
KERNEL_SEARCH = {"smoke": 4, "quick": 0, "paper": 256}
WIDTHS = {"smoke": (8,), "quick": (), "paper": (256, 512, 1024, 2048)}
SECOND_PLAN = ADAM | {"rate": 1e-3, "epochs": 2}


def cells(experiment, settings):
    preset, seeds = settings.preset, settings.seeds
    maps, one = MAPS[preset], seeds[:1]
    of = partial(_cells_of, experiment, settings)
    ways = {name: way_of(preset, name) for name in WAYS[preset]}
    search, finals = of("winner-take-all", maps, ways, seeds)
    untrained = whitenings(preset)
    clustered = {"": {"clustering": CLUSTERING[preset]}}
    others = [
        of("random", maps, {"": untrained[""]}, seeds),
        of("pixels", None, {"": {}}, one),
        *(of("k-means", K, clustered, one) for K in CENTROIDS[preset]),
    ]
    if (n := len(untrained)) > 1:  # the whitening of trained filters is chosen, so theirs is too
        others.append(of("random", maps, untrained, seeds, whitenings=n))
    slow = [of("k-means", K, clustered, one) for K in SLOW_CENTROIDS[preset]]
    listed = [
        *search,
        *finals,
        *(cell for pair in others for part in pair for cell in part),
        *_deep_cells(experiment, settings, search, finals),
        *(cell for pair in slow for part in pair for cell in part),
    ]
    return list(dict.fromkeys(listed))  # both rows of untrained filters search in the first way


def way_of(preset, name):
    """How features are made: initial filters, whitening and the training plan."""
    way = WAYS[preset][""] | WAYS[preset][name]
    return way | {"plan": Plan(**way["plan"]).as_dict()}


def whitenings(preset):
    """One way without training for every whitening that is tried."""
    found = {}
    for name in WAYS[preset]:
        way = way_of(preset, name) | {"plan": None}
        found.setdefault(way["epsilon"], (name, way))
    return dict(found.values())


def _cells_of(experiment, settings, method, maps, ways, seeds, **more):
    """Search cells for every way and every instance left out, and final cells for every seed.

    ``more`` tells final cells from others that search chooses for among fewer ways.
    """
    preset = settings.preset
    called = {
        "winner-take-all": f"{maps} maps",
        "random": f"{maps} untrained maps",
        "pixels": "pixels",
        "k-means": f"k-means, {maps} centroids",
    }[method]
    shared = {"method": method, "maps": maps}
    search = [
        experiment.cell(
            {
                "stage": "search",
                "fold": fold,
                "pairs": SEARCHED[preset],
                "way": way,
                "readouts": list(READOUT_OPTIONS[preset]),
                "iterations": ITERATIONS[preset],
                **shared,
            },
            settings.seeds[0],
            ", ".join(filter(None, (f"search: {called}", name, f"fold {fold + 1}"))),
        )
        for name, way in ways.items()
        for fold in range(FOLDS[preset])
    ]
    pairs = min(PAIRS[preset], settings.data.n_train)
    finals = [
        experiment.cell(
            {"stage": "final", "pairs": pairs, **shared, **more},
            seed,
            ", ".join([called, *(f"{n} {name}" for name, n in more.items())]),
            needs=search,
        )
        for seed in seeds
    ]
    return search, finals


def _deep_cells(experiment, settings, search, finals):
    """Second layers on the first of every seed; their kernels are chosen with one seed."""
    preset, seed = settings.preset, settings.seeds[0]
    trained = {"method": "winner-take-all", "plan": Plan(**SECOND_PLAN).as_dict()}
    untrained = {"method": "random", "plan": None}
    options = {"readouts": list(READOUT_OPTIONS[preset]), "iterations": ITERATIONS[preset]}
    kernels = [
        experiment.cell(
            {
                "stage": "deep search",
                "maps": KERNEL_SEARCH[preset],
                "kernel": kernel,
                "fold": fold,
                "pairs": SEARCHED[preset],
                **trained,
                **options,
            },
            seed,
            f"search: second layer, {kernel}×{kernel}, fold {fold + 1}",
            needs=search,
        )
        for kernel in KERNELS[preset]
        for fold in range(FOLDS[preset])
    ]
    return kernels + [
        experiment.cell(
            {"stage": "deep final", "maps": width, "pairs": final.config["pairs"], **how},
            final.seed,
            f"{MAPS[preset]} + {width}{'' if how is trained else ' untrained'} maps",
            needs=[final, *kernels],
        )
        for how in (trained, untrained)
        for width in WIDTHS[preset]
        for final in finals
    ]
