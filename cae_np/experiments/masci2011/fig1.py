"""Masci et al. 2011, figure 1: filters of four convolutional auto-encoders on digits.

(a) plain, (b) 50 % binomial noise, (c) 2×2 max-pooling, (d) max-pooling and 30 % noise; filters of
7×7 pixels.  Section 3.1 and the text around the figure say what is to be seen: the plain one learns
trivial solutions, only pooling gives filters with a shape, noise makes them more local, and pooling
lowers the number of filters that contribute to a pixel.
"""

from ...training import Plan
from ..frame.experiment import Choice, Experiment
from ..frame.results import after, before
from ..frame.rows import claim
from . import cae_filters

VARIANTS = {
    "a": ("plain", None, 0.0),
    "b": ("50 % noise", None, 0.5),
    "c": ("2×2 max-pooling", 2, 0.0),
    "d": ("pooling, 30 % noise", 2, 0.3),
}
# Maps: the figure shows 20 filters, "a randomly selected subset" of a number that is not given.
MAPS = {"smoke": (4,), "quick": (20,), "paper": (20, 100)}
IMAGES = {"smoke": 200, "quick": 10_000, "paper": 50_000}
EPOCHS = {"smoke": {4: 1}, "quick": {20: 1}, "paper": {20: 3, 100: 1}}
MODEL = {"mode": "valid", "tied": True, "activation": "scaled_tanh", "output": "linear"}
PLAN = {"batch_size": 10, "rate": 1e-4, "momentum": 0.9, "optimizer": "sgd"}
# What the paper leaves open, each tried on variant (c), all else equal.
ALTERNATIVES = {
    "output scaled_tanh": {"output": "scaled_tanh"},
    "output logistic": {"output": "logistic"},
    "mode full": {"mode": "full"},
    "untied": {"tied": False},
    "batches of 1": {"batch_size": 1, "rate": 3e-5},
    "batches of 100": {"batch_size": 100, "rate": 1e-3},
    "Adam": {"optimizer": "adam", "rate": 1e-3, "momentum": 0.0, "batch_size": 50},
}
MOST = 0.5  # share of a filter's energy from which on a weight is the only one that is "on"
FIGURE = cae_filters.Figure(VARIANTS, MAPS, "digits")


def cells(settings):
    n = min(IMAGES[settings.preset], settings.data.n_train - settings.data.n_validation)

    def cell(variant, maps, seed, label, changes):
        _, pool, amount = VARIANTS[variant]
        model = MODEL | {k: v for k, v in changes.items() if k in MODEL}
        plan = PLAN | {k: v for k, v in changes.items() if k in PLAN}
        plan["epochs"] = EPOCHS[settings.preset][maps]
        plan |= {"noise": "binomial" if amount else "none", "amount": amount}
        config = {"variant": variant, "maps": maps, "pool": pool, "images": n}
        config |= {"alternative": label, "model": model, "plan": Plan(**plan).as_dict()}
        return EXPERIMENT.cell(config, seed, f"({variant}) {maps} maps {label}".rstrip())

    main = [
        cell(variant, maps, seed, "", {})
        for maps in MAPS[settings.preset]
        for seed in settings.seeds
        for variant in VARIANTS
    ]
    if settings.preset != "paper":
        return main
    first = settings.seeds[0]
    return main + [cell("c", 20, first, label, change) for label, change in ALTERNATIVES.items()]


# --- tables ---------------------------------------------------------------------------------------


def rows(settings, results):
    table = []
    for maps in MAPS[settings.preset]:
        chosen = results.where(maps=maps, alternative="")
        table += cae_filters.measured_rows(FIGURE, settings, chosen, maps) + _claims(
            settings, chosen, maps
        )
    return table


def _claims(settings, results, maps):
    """The sentences of section 3.1 and 4; each says that the first number is the larger one."""

    def of(variant, value):
        return results.where(variant=variant).by_seed(after(value))

    def untrained(value):
        return results.where(variant="a").by_seed(before(value))

    def verdict(statement, metric, larger, smaller):
        return claim(
            settings,
            f"{statement.removesuffix('.')} ({maps} maps).",
            metric=metric,
            larger=larger,
            smaller=smaller,
            label=f"M11, {maps} maps",
        )

    trivial = "Without further constraints (a) the auto-encoder learns trivial solutions"
    shape = "Only with max-pooling do filters have a well-defined shape"
    local = "With additional noise the filters become more localised"
    fewer = "Pooling lowers the average number of filters that contribute to a pixel"
    return [
        verdict(
            f"{trivial}: it copies its input better than the pooled one.",
            "identity share, (a) - (c)",
            of("a", "identity_share"),
            of("c", "identity_share"),
        ),
        verdict(
            f"{trivial}, such as only one weight being on: more than in (c).",
            "peak share, (a) - (c)",
            of("a", "peak_share"),
            of("c", "peak_share"),
        ),
        verdict(
            f"{trivial}, such as only one weight being on: it has most of a filter's energy.",
            f"peak share, (a) - {MOST}",
            of("a", "peak_share"),
            MOST,
        ),
        verdict(
            f"{shape}: (c) is smoother than (a).",
            "smoothness, (c) - (a)",
            of("c", "smoothness"),
            of("a", "smoothness"),
        ),
        verdict(
            f"{shape}: (c) is smoother than (b), which has noise alone.",
            "smoothness, (c) - (b)",
            of("c", "smoothness"),
            of("b", "smoothness"),
        ),
        verdict(
            f"{shape}: by smoothness (a) is nearer to random filters than to (c).",
            "smoothness, (c) - (a), less |(a) - untrained|",
            of("c", "smoothness"),
            {
                seed: plain + abs(plain - untrained("smoothness")[seed])
                for seed, plain in of("a", "smoothness").items()
            },
        ),
        verdict(
            f"{local}: (d) than (c).",
            "radius, (c) - (d)",
            of("c", "radius"),
            of("d", "radius"),
        ),
        verdict(
            f"{local}: (b) than (a).",
            "radius, (a) - (b)",
            of("a", "radius"),
            of("b", "radius"),
        ),
        verdict(
            f"{fewer}: (c) than (a).",
            "filters per pixel, (a) - (c)",
            of("a", "filters_per_pixel"),
            of("c", "filters_per_pixel"),
        ),
    ]


# --- pictures and ledger --------------------------------------------------------------------------


def figures(settings, results):
    return cae_filters.figures(FIGURE, settings, results)


def choices(settings, results):
    def effect(*labels):
        """What the alternatives changed in (c), 20 maps, one seed; None before it is measured."""
        tried = [(label, results.where(alternative=label)) for label in labels]
        if not all(found for _, found in tried):
            return None
        seed = tried[0][1][0].seed
        chosen = results.where(alternative="", variant="c", maps=20, seed=seed)[0]
        return "; ".join(
            f"{label}: error {_text(found[0], 'error')} % (chosen: {_text(chosen, 'error')} %), "
            f"smoothness {_text(found[0], 'smoothness')} (chosen: {_text(chosen, 'smoothness')})"
            for label, found in tried
        )

    def clean_input_effect():
        found = results.where(alternative="", variant="b", maps=20)
        if not found:
            return None
        return (
            "(b) learns to add the missing half of the light, also to digits that miss nothing: "
            f"error {_text(found[0], 'error')} % from clean digits, "
            f"{_text(found[0], 'denoising_error')} % from noisy ones"
        )

    return [
        Choice(
            "Non-linearity of the reconstruction (equation 2 has σ)",
            "linear",
            "digits lie in [0, 1], which the scaled tanh is not made for",
            effect("output scaled_tanh", "output logistic"),
        ),
        Choice(
            "Which convolution is valid and which is full",
            "valid to encode, full to decode",
            "the code of a CNN layer is a valid one",
            effect("mode full"),
        ),
        Choice(
            "Whether decoder kernels are tied",
            "tied, flipped",
            "the W̃ of equation 2",
            effect("untied"),
        ),
        Choice(
            "Batch size of on-line gradient descent",
            "batches of 10, momentum 0.9, rate 1e-4 falling linearly to 0",
            "near to on-line, and several times faster than single images",
            effect("batches of 1", "batches of 100", "Adam"),
        ),
        Choice(
            "What binomial noise does",
            "it switches pixels off, never on, and the rest is not scaled up",
            "inverting half of all pixels would leave nothing of the image",
            clean_input_effect(),
        ),
        Choice(
            "How many maps the figure's 20 filters were chosen from",
            "20 and 100 maps, both reported",
            "the first table's network has 100",
        ),
        Choice(
            "Initial kernels",
            "N(0, 0.5²/(K·kh·kw))",
            "a tied decoder sums over K·kh·kw weights: the first loss is below the input's power",
        ),
    ]


def _text(result, value):
    return f"{result.values['after'][value]:.2f}"


EXPERIMENT = Experiment(
    name="masci2011-fig1",
    version=1,
    title="Filters of four convolutional auto-encoders on digits",
    paper="M11, figure 1",
    data="mnist",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=cae_filters.run,
    rows=rows,
    figures=figures,
    choices=choices,
)
