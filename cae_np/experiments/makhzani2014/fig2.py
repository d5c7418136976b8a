"""Makhzani & Frey 2014, figure 2: what a convolutional auto-encoder learns without the constraint.

(b) Filters of an auto-encoder that nothing restrains, on colour images: delta functions and colour
detectors in the middle of the receptive field, which copy the image to the feature maps.  (c) The
same auto-encoder with the winner-take-all constraint: filters that fill their receptive field.

Why deltas?  Encoder and decoder together are one linear map, the identity is the best one, and a
single pixel in either is the simplest way to make it.  Gradient descent gets there slowly, since
it learns the strong, smooth components of images first: blobs shrink to crosses, crosses to points.
"""

import numpy as np

from ...backend import to_device, to_numpy
from ...data.batches import Centred
from ...models.wta import WinnerTakeAll
from ...training import Plan
from ..engine import filter_shape
from ..engine.layers import relu_maps, trained
from ..engine.readout import DESCRIPTION, readout_error
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.results import after, before
from ..frame.rows import claim, measured

VARIANTS = {
    "unconstrained": {"path": "dense", "sparsity": "none"},
    "winner-take-all": {"path": "sparse", "sparsity": "winner"},
}
MODEL = {"kernel": [9, 9], "scale": 0.001, "pool_width": 5, "pool_stride": 4}
PLAN = {"optimizer": "adam", "rate": 1e-3, "batch_size": 8}
MAPS = {"smoke": 4, "quick": 16, "paper": 32}
IMAGES = {"smoke": 200, "quick": 5_000, "paper": 20_000}
EPOCHS = {"smoke": 1, "quick": 1, "paper": 3}
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 50}
# What the paper leaves open, each tried without the constraint, all else equal.
ALTERNATIVES = {
    "initial filters N(0, 0.1²)": {"scale": 0.1},
    "images not centred": {"centred": False},
}
# Images that the read-out is fitted on, at most, and as many that it is tested on.
JUDGED = {"smoke": 200, "quick": 2_000, "paper": 10_000}
MOST = 0.5  # share of a filter's energy from which on it is called a delta function
LOOKED_AT = 200  # held-out images that errors and maps are measured on
PICTURED = 16  # maps that are drawn


def cells(settings):
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train - settings.data.n_validation)

    def cell(variant, seed, alternative="", **changes):
        model = MODEL | VARIANTS[variant] | {"maps": MAPS[preset]}
        model["scale"] = changes.get("scale", MODEL["scale"])
        config = {
            "variant": variant,
            "alternative": alternative,
            "images": n,
            "centred": changes.get("centred", True),
            "model": model,
            "plan": Plan(epochs=EPOCHS[preset], **PLAN).as_dict(),
            "judged": JUDGED[preset],
            "iterations": ITERATIONS[preset],
        }
        return EXPERIMENT.cell(config, seed, f"{variant} {alternative}".rstrip())

    main = [cell(variant, seed) for seed in settings.seeds for variant in VARIANTS]
    if preset != "paper":
        return main
    first = settings.seeds[0]
    return main + [
        cell("unconstrained", first, alternative, **changes)
        for alternative, changes in ALTERNATIVES.items()
    ]


def run(cell, context):
    config = cell.config
    fit, validation = context.dataset.held_out()
    fit = fit.take(slice(config["images"]))
    judged = fit.take(slice(config["judged"]))
    test = context.dataset.test.take(slice(config["judged"]))
    mean = fit.images.mean(axis=(0, 2, 3)).astype(np.float32)[:, None, None] / 255
    if not config["centred"]:
        mean[:] = 0
    channels = fit.images.shape[1]
    model = WinnerTakeAll(channels, seed=cell.seed, **config["model"])
    x = to_device(Centred(validation, mean).batch(slice(LOOKED_AT)))

    def measures():
        return _measures(model, x) | {
            "readout_error": readout_error(
                [model],
                Centred(judged, mean),
                Centred(test, mean),
                (judged.labels, test.labels),
                config["iterations"],
            )
        }

    values = {"before": measures()} if config["variant"] == "unconstrained" else {}
    history = trained(model, Centred(fit, mean), config["plan"], cell, context)
    values |= {"after": measures(), "history": history}

    one = _most_colourful(x)
    arrays = model.weights() | {
        "image": to_numpy(one) + mean,
        "maps": to_numpy(model.hidden(one))[0],
        "maps_off": to_numpy(relu_maps(model, one))[0],
    }
    return values, arrays


def _measures(model, x):
    """Of filters, reconstructions and maps, as plain numbers."""
    w_enc, w_dec = to_numpy(model.params["w_enc"]), to_numpy(model.w_dec)
    error = ((model.reconstruct(x, channels="first") - x) ** 2).sum() / ((x - x.mean()) ** 2).sum()
    return {
        "encoder_peak_share": filter_shape.colour_peak_share(w_enc),
        "decoder_peak_share": filter_shape.colour_peak_share(w_dec),
        "encoder_middle_share": filter_shape.middle_share(w_enc),
        "decoder_middle_share": filter_shape.middle_share(w_dec),
        "explained_by_pixel": filter_shape.explained_by_pixel(
            to_numpy(relu_maps(model, x)), to_numpy(x)
        ),
        "error": 100 * float(to_numpy(error)),
    }


def _most_colourful(x):
    """The image whose channels differ most, so that copies of it can be told from shades."""
    i = int(to_numpy(x.std(axis=1).mean(axis=(1, 2)).argmax()))
    return x[i : i + 1]


# --- tables ---------------------------------------------------------------------------------------

METRICS = (
    ("encoder_peak_share", "encoder: energy in a filter's strongest pixel, all colours", ""),
    ("decoder_peak_share", "decoder: energy in a filter's strongest pixel, all colours", ""),
    ("encoder_middle_share", "encoder: energy in the middle of the receptive field", ""),
    ("decoder_middle_share", "decoder: energy in the middle of the receptive field", ""),
    ("explained_by_pixel", "variance of a map explained by the colour of the pixel below", ""),
    ("error", "error on held-out images", "% of their variance"),
    ("readout_error", "test error of a linear read-out", "%"),
)


def rows(settings, results):
    main = results.where(alternative="")
    n = min(IMAGES[settings.preset], settings.data.n_train - settings.data.n_validation)
    table = []
    for value, metric, unit in METRICS:
        shared = {"metric": metric, "unit": unit, "samples": n}
        untrained = main.where(variant="unconstrained")
        table.append(
            measured(settings, untrained, before(value), label="untrained", control=True, **shared)
        )
        table += [
            measured(settings, main.where(variant=variant), after(value), label=variant, **shared)
            for variant in VARIANTS
        ]
    return table + _claims(settings, main, n)


def _claims(settings, results, n):
    """The sentences of section 2 about figure 2; the first number is said to be the larger one."""

    def verdict(statement, value, first, second, unit=""):
        sides = {variant: results.where(variant=variant).by_seed(after(value))
                 for variant in VARIANTS}  # fmt: skip
        return claim(
            settings,
            statement,
            metric=f"{value.replace('_', ' ')}, {first} - {second}",
            larger=sides[first],
            smaller=sides[second],
            unit=unit,
            label="M14, section 2",
            samples=n,
        )

    def most(whose, value):
        larger = results.where(variant=free).by_seed(after(value))
        return claim(
            settings,
            f"{delta}: most of the energy of {whose} is in one pixel.",
            metric=f"{value.replace('_', ' ')}, {free} - {MOST}",
            larger=larger,
            smaller=MOST,
            label="M14, section 2",
            samples=n,
        )

    free, winner = VARIANTS
    delta = "Without the constraint filters are delta functions or colour detectors"
    return [
        verdict(f"{delta}: the encoder's, more than with it.", "encoder_peak_share", free, winner),
        verdict(f"{delta}: the decoder's, more than with it.", "decoder_peak_share", free, winner),
        most("the encoder's", "encoder_peak_share"),
        most("the decoder's", "decoder_peak_share"),
        verdict(
            "They are located in the middle of the receptive field: the encoder's.",
            "encoder_middle_share",
            free,
            winner,
        ),
        verdict(
            "They are located in the middle of the receptive field: the decoder's.",
            "decoder_middle_share",
            free,
            winner,
        ),
        verdict(
            "Each of their feature maps is a linear combination of the image's colour channels, "
            "more than a winner-take-all one's.",
            "explained_by_pixel",
            free,
            winner,
        ),
        verdict(
            "The unconstrained auto-encoder reconstructs the input perfectly, or at least better.",
            "error",
            winner,
            free,
            "% of the variance",
        ),
        verdict(
            "Delta features are useless for downstream applications, or at least worse.",
            "readout_error",
            free,
            winner,
            "points",
        ),
    ]


# --- pictures and ledger --------------------------------------------------------------------------


def figures(settings, results):
    from ... import plotting

    seed = settings.seeds[0]
    first = {
        variant: found[0]
        for variant in VARIANTS
        if (found := results.where(variant=variant, alternative="", seed=seed))
    }
    if not first:
        return {}
    shares = ", ".join(
        f"{variant} {result.values['after']['decoder_peak_share']:.2f}"
        for variant, result in first.items()
    )
    source = f"{settings.data.name}, seed {seed}"
    filters = {
        f"{variant}: {part}": result.arrays[name]
        for variant, result in first.items()
        for part, name in (("encoder", "w_enc"), ("decoder", "w_dec"))
    }
    some = next(iter(first.values()))
    maps = {"the image": some.arrays["image"]}
    for variant, result in first.items():
        if variant == "winner-take-all":
            maps[f"{variant}: in training"] = result.arrays["maps"][:PICTURED, None]
        maps[f"{variant}: ReLU maps"] = result.arrays["maps_off"][:PICTURED, None]
    return {
        "filters.png": Picture(
            plotting.filter_grid(filters),
            alt="Panels of 9×9 colour filters, by the share of a decoder filter's energy that its "
            f"strongest pixel has: {shares}.",
            caption=f"Encoder and decoder filters without and with the constraint; {source}.",
        ),
        "maps.png": Picture(
            plotting.map_grid(maps, across=2),
            alt="One image; its feature maps without the constraint, many of which look like it; "
            "with the constraint, one dot in each; and the same maps with the constraint off.",
            caption=f"Feature maps of one held-out image; {source}.",
        ),
    }


def choices(settings, results):
    def effect(*alternatives):
        """What they changed without the constraint, one seed; None before it is measured."""
        tried = [(name, results.where(alternative=name)) for name in alternatives]
        if not all(found for _, found in tried):
            return None
        seed = tried[0][1][0].seed
        chosen = results.where(alternative="", variant="unconstrained", seed=seed)
        return "; ".join(
            f"{name}: decoder's peak share {_text(found, 'decoder_peak_share')} "
            f"(chosen: {_text(chosen, 'decoder_peak_share')}), "
            f"error {_text(found, 'error')} % (chosen: {_text(chosen, 'error')} %)"
            for name, found in tried
        )

    preset = settings.preset
    return [
        Choice(
            "Number of maps and of images",
            f"{MAPS[preset]} maps, {IMAGES[preset]:,} images, {EPOCHS[preset]} epochs",
            "the figure has 128 maps; without the constraint every step is five dense "
            "convolutions of all of them",
        ),
        Choice(
            "Width of the filters in this figure",
            "9",
            "what the paper takes on CIFAR-10 elsewhere",
        ),
        Choice(
            "Preprocessing",
            "intensities less the mean colour, not whitened",
            "the figure's filters look like those of raw images; the mean is by far the strongest "
            "component of raw images and slows gradient descent down",
            effect("images not centred"),
        ),
        Choice(
            "Initial filters",
            "N(0, 0.001²)",
            "what is random in a filter at first stays there: nothing in the error removes it",
            effect("initial filters N(0, 0.1²)"),
        ),
        Choice(
            "Optimiser and batch size, the same for both auto-encoders",
            "Adam, rate 0.001 falling linearly to 0, batches of 8",
            "deltas take many steps; SGD with momentum 0.9 diverged at rates of 1e-4 and more",
        ),
        Choice(
            "What the read-out of the features is",
            f"{DESCRIPTION}; {JUDGED[preset]:,} images",
            "the paper gives no number for delta features",
        ),
    ]


def _text(found, value):
    return f"{found[0].values['after'][value]:.2f}" if found else "–"


EXPERIMENT = Experiment(
    name="makhzani2014-fig2",
    version=1,
    title="Delta filters without the constraint, features with it",
    paper="M14, figure 2",
    data="cifar10",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
