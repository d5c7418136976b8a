"""Masci et al. 2011, table 1: MNIST errors of a network with and without pre-training.

A network of three convolutions and a fully connected layer is trained on 1,000, 10,000 or 50,000
labelled digits, from random weights or from those of a stack of convolutional auto-encoders.  No
deformations.  The paper does not say what the auto-encoders of the smaller columns saw: here are
both, all training digits without their labels, and only those whose labels are used as well.
"""

from ..frame.experiment import Choice, Experiment
from . import pretraining

TABLE = pretraining.Table(
    paper={
        "pre-trained": {1_000: 7.23, 10_000: 1.88, 50_000: 0.71},
        "random": {1_000: 7.63, 10_000: 2.21, 50_000: 0.79},
    },
    samples={"smoke": (40, 80), "quick": (200, 1_000), "paper": (1_000, 10_000, 50_000)},
    most_seeds={10_000: 3, 50_000: 3},
    unlabelled={"smoke": 100, "quick": 5_000, "paper": 50_000},
    passes={"smoke": 100, "quick": 20_000, "paper": 50_000},
    layer_plan={
        "optimizer": "adam",
        "rate": 2e-3,
        "batch_size": 50,
        "noise": "gaussian",
        "amount": 0.5,
    },
    auto_encoder={"output": "linear", "scale": 0.5},
    plan={"rate": 0.02, "batch_size": 10},
    epochs={
        "smoke": {40: 1, 80: 1},
        "quick": {200: 20, 1_000: 6},
        "paper": {1_000: 50, 10_000: 15, 50_000: 8},
    },
    translation=0.0,
    intensities=(-1.0, 1.0),
    alternatives={
        "random, rate 0.007": {"start": "random", "plan": {"rate": 0.007}},
        "random, rate 0.05": {"start": "random", "plan": {"rate": 0.05}},
        "pre-trained, rate 0.007": {"plan": {"rate": 0.007}},
        "pre-trained, rate 0.05": {"plan": {"rate": 0.05}},
        "random, batches of 1": {"start": "random", "plan": {"batch_size": 1, "rate": 0.003}},
        "random, 15 epochs": {"start": "random", "epochs": 15},
        "pre-trained, 15 epochs": {"epochs": 15},
        "random, all weights N(0, 0.03²)": {"start": "random", "spread": 0.03},
        "pre-trained, other weights N(0, 0.03²)": {"spread": 0.03},
        "random, intensities 0 to 1": {"start": "random", "intensities": (0.0, 1.0)},
        "pre-trained, intensities 0 to 1": {"intensities": (0.0, 1.0)},
        "weights rescaled": {"rescaled": True},
        "output scaled_tanh": {"auto_encoder": {"output": "scaled_tanh"}},
        "no noise": {"layer_plan": {"noise": "none", "amount": 0.0}},
        "30 % binomial noise": {"layer_plan": {"noise": "binomial", "amount": 0.3}},
        "third auto-encoder pools": {"auto_encoder": {"pools": [2, 2, 2]}},
        "auto-encoders do not erase": {"erasing": False},
        "auto-encoders by gradient descent": {
            "layer_plan": {"optimizer": "sgd", "rate": 1e-4, "momentum": 0.9, "batch_size": 10}
        },
        "auto-encoders trained 5 times as long": {"layer_plan": {"epochs": 5}},
    },
)


def cells(settings):
    return pretraining.cells(EXPERIMENT, TABLE, settings)


def rows(settings, results):
    return pretraining.rows(TABLE, settings, results)


def figures(settings, results):
    return pretraining.figures(TABLE, settings, results)


def choices(settings, results):
    return [
        *pretraining.shared_choices(TABLE, settings, results),
        Choice(
            "Noise in pre-training",
            "Gaussian, standard deviation 0.5, on the inputs of every layer (digits span [-1, 1], "
            "codes [-1.7, 1.7])",
            "section 4.1 mentions none.  Decided on 2,000 validation digits with a network of 40, "
            "60 and 80 maps, 1,000 labels and 15 epochs, seeds 0, 1, 2: 7.40, 6.70, 7.25 % from "
            "random weights, 7.15, 7.20, 7.95 % pre-trained on 20,000 digits without noise, 6.75, "
            "6.35, 7.00 % with it",
            pretraining.alternatives_effect(
                TABLE, settings, results, "no noise", "30 % binomial noise"
            ),
        ),
    ]


EXPERIMENT = Experiment(
    name="masci2011-table1",
    version=1,
    title="MNIST errors with and without pre-training",
    paper="M11, table 1",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=pretraining.run,
    rows=rows,
    figures=figures,
    choices=choices,
)
