"""Masci et al. 2011, table 2: CIFAR-10 errors of a network with and without pre-training.

The network of table 1 with three input maps, on raw pixels.  Fine-tuning, and only that, sees
images that are translated by up to 5 %.
"""

from ..frame.experiment import Choice, Experiment
from ..frame.rows import claim
from . import pretraining

TABLE = pretraining.Table(
    paper={
        "pre-trained": {1_000: 52.30, 10_000: 34.35, 50_000: 21.80},
        "random": {1_000: 55.52, 10_000: 35.23, 50_000: 22.50},
    },
    samples={"smoke": (40, 80), "quick": (1_000,), "paper": (1_000, 10_000, 50_000)},
    most_seeds={10_000: 1, 50_000: 1},
    unlabelled={"smoke": 100, "quick": 5_000, "paper": 50_000},
    passes={"smoke": 100, "quick": 10_000, "paper": 50_000},
    layer_plan={"optimizer": "adam", "rate": 2e-3, "batch_size": 50},
    auto_encoder={"output": "linear", "scale": 0.5},
    plan={"rate": 0.01, "batch_size": 10},
    epochs={
        "smoke": {40: 1, 80: 1},
        "quick": {1_000: 6},
        "paper": {1_000: 40, 10_000: 20, 50_000: 12},
    },
    translation=0.05,
    intensities=(-1.0, 1.0),
    alternatives={
        "random, rate 0.003": {"start": "random", "plan": {"rate": 0.003}},
        "pre-trained, rate 0.003": {"plan": {"rate": 0.003}},
        "random, rate 0.02": {"start": "random", "plan": {"rate": 0.02}},
        "pre-trained, rate 0.02": {"plan": {"rate": 0.02}},
        "random, all weights N(0, 0.03²)": {"start": "random", "spread": 0.03},
        "pre-trained, other weights N(0, 0.03²)": {"spread": 0.03},
        "no translations": {"start": "random", "translation": 0.0},
        "translations of 10 %": {"start": "random", "translation": 0.1},
        "weights rescaled": {"rescaled": True},
        "auto-encoders do not erase": {"erasing": False},
        "noise of 0.25": {"layer_plan": {"noise": "gaussian", "amount": 0.25}},
        "noise of 0.5": {"layer_plan": {"noise": "gaussian", "amount": 0.5}},
        "auto-encoders trained 5 times as long": {"layer_plan": {"epochs": 5}, "seeds": 3},
    },
    alternative_seeds=1,
)


def cells(settings):
    return pretraining.cells(EXPERIMENT, TABLE, settings)


def rows(settings, results):
    return [
        *pretraining.rows(TABLE, settings, results),
        *(_larger_gain(settings, results, n) for n in TABLE.samples[settings.preset]),
    ]


def _larger_gain(settings, results, n):
    """Table 1's gain stands in its results.json, seed by seed, if that was run before."""
    on_mnist = [
        row
        for row in results.beside.get("masci2011-table1", ())
        if row["label"] == pretraining.GAIN and row["samples"] == n
    ]
    by_start = pretraining.fine_tuned(TABLE, settings, results, n)
    errors = {start: found.by_seed("test_error") for start, found in by_start.items()}
    pre_trained = errors["pre-trained on all"]
    gain = {seed: e - pre_trained[seed] for seed, e in errors["random"].items()
            if seed in pre_trained}  # fmt: skip
    other = on_mnist[0] if on_mnist else {"seeds": [], "values": []}
    return claim(
        settings,
        f"The improvement is bigger than for MNIST ({n:,} labels).",
        metric="gain of pre-training on all images, here - in table 1, seeds paired by number",
        unit="points",
        larger=gain,
        smaller=dict(zip(other["seeds"], other["values"], strict=True)),
        label="M11, section 4.1",
        samples=n,
    )


def figures(settings, results):
    return pretraining.figures(TABLE, settings, results)


def choices(settings, results):
    def effect(*names):
        return pretraining.alternatives_effect(TABLE, settings, results, *names)

    return [
        *pretraining.shared_choices(TABLE, settings, results),
        Choice(
            "Noise in pre-training",
            "none",
            "section 4.1 mentions none.  Decided on 2,000 validation images with a network of 40, "
            "60 and 80 maps, 1,000 labels and 12 epochs, one seed: 59.95 % from random weights, "
            "59.70 % pre-trained on 20,000 images without noise, 61.00 % with Gaussian noise of "
            "0.5, where images span [-1, 1]",
            effect("noise of 0.25", "noise of 0.5"),
        ),
        Choice(
            "How 5 % of 32 pixels are translated",
            "by up to 1.6 pixels in either direction, uniform, interpolated linearly, the border "
            "repeated; anew for every image and epoch",
            "not given",
            effect("no translations", "translations of 10 %"),
        ),
        Choice(
            "Which seeds the larger columns have",
            "one for 10,000 and 50,000 labels",
            "hours on a CPU; cells of more seeds can be added",
        ),
    ]


EXPERIMENT = Experiment(
    name="masci2011-table2",
    version=1,
    title="CIFAR-10 errors with and without pre-training",
    paper="M11, table 2",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=pretraining.run,
    rows=rows,
    figures=figures,
    choices=choices,
    beside=("masci2011-table1",),
)
