"""Masci et al. 2011, figure 2: filters of four convolutional auto-encoders on colour images.

(a) plain, (b) 50 % Gaussian noise, (c) 2×2 max-pooling, (d) max-pooling and 50 % noise.  The text
around the figure says what is to be seen: the impact of max-pooling is striking, noise has almost
no visual effect except on the magnitude of the weights.
"""

from ...training import Plan
from ..frame.experiment import Choice, Experiment
from ..frame.results import after
from ..frame.rows import claim
from . import cae_filters

# Standard deviation of the noise: half of that of the images' intensities, which for CIFAR-10 is a
# quarter of the range from black (-1) to white (1).
NOISE = 0.25
VARIANTS = {
    "a": ("plain", None, 0.0),
    "b": ("50 % noise", None, NOISE),
    "c": ("2×2 max-pooling", 2, 0.0),
    "d": ("pooling, 50 % noise", 2, NOISE),
}
INTENSITIES = (-1.0, 1.0)
# Maps: "a randomly selected subset" of a number that is not given.
MAPS = {"smoke": (4,), "quick": (20,), "paper": (20, 100)}
IMAGES = {"smoke": 200, "quick": 3_000, "paper": 40_000}
EPOCHS = {"smoke": {4: 1}, "quick": {20: 1}, "paper": {20: 3, 100: 1}}
MODEL = {"mode": "valid", "tied": True, "activation": "scaled_tanh", "output": "linear"}
PLAN = {"batch_size": 10, "rate": 1e-5, "momentum": 0.9, "optimizer": "sgd"}
# What the paper leaves open: variant, and what changes in it.
ALTERNATIVES = {
    "noise of half the range": ("d", {"amount": 1.0}),
    "noise of half the range, no pooling": ("b", {"amount": 1.0}),
    "output scaled_tanh": ("c", {"output": "scaled_tanh"}),
    "intensities 0 to 1": ("c", {"intensities": (0.0, 1.0)}),
    "Adam": ("c", {"optimizer": "adam", "rate": 1e-3, "momentum": 0.0, "batch_size": 50}),
}
FIGURE = cae_filters.Figure(VARIANTS, MAPS, "images")


def cells(settings):
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train - settings.data.n_validation)

    def cell(variant, maps, seed, label="", changes=None):
        changes = changes or {}
        _, pool, amount = VARIANTS[variant]
        amount = changes.get("amount", amount)
        plan = PLAN | {k: v for k, v in changes.items() if k in PLAN}
        plan |= {"noise": "gaussian" if amount else "none", "amount": amount}
        config = {
            "variant": variant,
            "maps": maps,
            "pool": pool,
            "images": n,
            "intensities": changes.get("intensities", INTENSITIES),
            "alternative": label,
            "model": MODEL | {k: v for k, v in changes.items() if k in MODEL},
            "plan": Plan(epochs=EPOCHS[preset][maps], **plan).as_dict(),
        }
        return EXPERIMENT.cell(config, seed, f"({variant}) {maps} maps {label}".rstrip())

    first, *larger = MAPS[preset]
    listed = [cell(variant, first, seed) for seed in settings.seeds for variant in VARIANTS]
    if preset == "paper":
        listed += [
            cell(variant, first, settings.seeds[0], label, changes)
            for label, (variant, changes) in ALTERNATIVES.items()
        ]
    return listed + [
        cell(variant, maps, seed)
        for maps in larger
        for seed in settings.seeds
        for variant in VARIANTS
    ]


# --- tables ---------------------------------------------------------------------------------------


def rows(settings, results):
    table = []
    for maps in MAPS[settings.preset]:
        chosen = results.where(maps=maps, alternative="")
        table += cae_filters.measured_rows(FIGURE, settings, chosen, maps)
        table += _claims(settings, chosen, maps)
    return table


def _claims(settings, results, maps):
    """The sentences of section 4 about figure 2; each says that the first number is larger."""

    def of(variant, value):
        return results.where(variant=variant).by_seed(after(value))

    def verdict(statement, metric, larger, smaller):
        return claim(
            settings,
            f"{statement} ({maps} maps).",
            metric=metric,
            larger=larger,
            smaller=smaller,
            label=f"M11, {maps} maps",
        )

    def distance(value, one, other):
        """How far apart two variants are, seed by seed."""
        first, second = of(one, value), of(other, value)
        return {seed: abs(number - second[seed]) for seed, number in first.items()
                if seed in second}  # fmt: skip

    def relative(value, one, other):
        first, second = of(one, value), of(other, value)
        return {seed: abs(number / second[seed] - 1) for seed, number in first.items()
                if seed in second}  # fmt: skip

    striking = "The impact of max-pooling is striking"
    little = "Noise has almost no visual effect"
    return [
        verdict(
            f"{striking}: filters with it are smoother",
            "smoothness, (c) - (a)",
            of("c", "smoothness"),
            of("a", "smoothness"),
        ),
        verdict(
            f"{striking}: without it the auto-encoder copies its input",
            "identity share, (a) - (c)",
            of("a", "identity_share"),
            of("c", "identity_share"),
        ),
        verdict(
            f"{striking}, also where there is noise",
            "smoothness, (d) - (b)",
            of("d", "smoothness"),
            of("b", "smoothness"),
        ),
        verdict(
            f"{little} without pooling: it changes smoothness less than pooling does",
            "smoothness, |(c) - (a)| - |(b) - (a)|",
            distance("smoothness", "c", "a"),
            distance("smoothness", "b", "a"),
        ),
        verdict(
            f"{little} with pooling: it changes smoothness less than pooling does",
            "smoothness, |(d) - (b)| - |(d) - (c)|",
            distance("smoothness", "d", "b"),
            distance("smoothness", "d", "c"),
        ),
        verdict(
            "... except on the weights' magnitude: noise changes the norm of (d) more than the "
            "smoothness, both relative to (c)",
            "norm, |(d) / (c) - 1|, less the same of smoothness",
            relative("norm", "d", "c"),
            relative("smoothness", "d", "c"),
        ),
    ]


# --- pictures and ledger --------------------------------------------------------------------------


def figures(settings, results):
    return cae_filters.figures(FIGURE, settings, results)


def choices(settings, results):
    def effect(*labels):
        """What the alternatives changed, one seed; None before it is measured."""
        texts = []
        for label in labels:
            tried = results.where(alternative=label)
            if not tried:
                continue
            config = tried[0].config
            chosen = results.where(
                alternative="", variant=config["variant"], maps=config["maps"], seed=tried[0].seed
            )
            if chosen:
                texts.append(f"({config['variant']}) {label}: {_compared(tried[0], chosen[0])}")
        return "; ".join(texts) or None

    return [
        Choice(
            'What "50 %" Gaussian noise is',
            "a standard deviation of half that of the intensities",
            "noise is said to follow the characteristics of the input image; half of the whole "
            "range would be twice as strong as the image itself",
            effect("noise of half the range", "noise of half the range, no pooling"),
        ),
        Choice(
            "Scale of the inputs",
            "black is -1, white is 1; nothing else is done to the pixels",
            '"raw" pixels, about zero',
            effect("intensities 0 to 1"),
        ),
        Choice(
            "Non-linearity of the reconstruction",
            "linear",
            "as for figure 1",
            effect("output scaled_tanh"),
        ),
        Choice(
            "Optimiser and batch size of on-line gradient descent",
            "batches of 10, momentum 0.9, rate 1e-5 falling linearly to 0",
            "near to on-line, as for figure 1; at 3e-5 the plain auto-encoder diverged",
            effect("Adam"),
        ),
        Choice(
            "Kernels and number of maps",
            "7×7 as in figure 1; 20 and 100 maps, both reported",
            "the figure shows a subset of a number that is not given",
        ),
    ]


def _compared(tried, chosen):
    return ", ".join(
        f"{name} {after(value)(tried):.2f} (chosen: {after(value)(chosen):.2f})"
        for value, name in (("smoothness", "smoothness"), ("norm", "norm"), ("error", "error %"))
    )


EXPERIMENT = Experiment(
    name="masci2011-fig2",
    version=1,
    title="Filters of four convolutional auto-encoders on colour images",
    paper="M11, figure 2",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=cae_filters.run,
    rows=rows,
    figures=figures,
    choices=choices,
)
