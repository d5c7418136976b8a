"""What figures 1 and 2 of Masci et al. 2011 share: four auto-encoders, and measures of filters.

Variants (a) to (d) differ in max-pooling and noise only.  A cell trains one of them and measures it
before and after; its configuration names the variant, the number of maps, the model and the plan.
"""

from dataclasses import dataclass

import numpy as np

from ...backend import to_device, to_numpy
from ...data.batches import Scaled
from ...models.cae import ConvAutoEncoder
from ...ops import binomial_mask, convolve_full, correlate_valid, corrupt, gaussian_noise
from ...rng import Purpose, generator
from ...training import Plan, train
from ..engine import filter_shape
from ..frame.experiment import Picture
from ..frame.results import after, before
from ..frame.rows import measured

KERNEL = (7, 7)
HELD_OUT = 1000  # validation images that errors are measured on
PICTURED = 8  # of them, for the picture of reconstructions
DRAWN = 20  # filters in the picture, as in the paper's figures


@dataclass(frozen=True)
class Figure:
    """What tells one figure from the other.

    Attributes
    ----------
    variants : dict of str to (name, pool, amount of noise)
        "a" to "d"; ``pool`` is None or a side in pixels.
    maps : dict of str to tuple of int
        Numbers of maps, by preset.
    images : str
        What they are called: "digits".
    """

    variants: dict
    maps: dict
    images: str


def run(cell, context):
    """Train one auto-encoder, and measure it before and after."""
    config = cell.config
    intensities = config.get("intensities", (0.0, 1.0))
    fit, validation = (Scaled(split, *intensities) for split in context.dataset.held_out())
    fit = fit.take(slice(config["images"]))
    plan = Plan(**config["plan"])
    model = ConvAutoEncoder(
        context.dataset.image_shape[0],
        config["maps"],
        KERNEL,
        pool=config["pool"],
        seed=cell.seed,
        **config["model"],
    )
    clean = to_device(validation.batch(slice(HELD_OUT)))
    rng = generator(Purpose.NOISE, cell.seed, 1)
    draw = (gaussian_noise if plan.noise == "gaussian" else binomial_mask)(
        rng, clean.shape, plan.amount
    )
    noisy = corrupt(clean, to_device(draw))

    values = {"before": _measures(model, clean, noisy)}
    history = train(model, fit, plan, cell.seed, label=context.label, checkpoint=context.checkpoint)
    values |= {"after": _measures(model, clean, noisy), "history": history}

    arrays, _ = model.state()
    pictured = noisy[:PICTURED]
    arrays |= {
        "images": fit.unscaled(to_numpy(clean[:PICTURED])),
        "inputs": fit.unscaled(to_numpy(pictured)),
        "reconstructions": fit.unscaled(to_numpy(model.reconstruct(pictured, channels="first"))),
        "code": to_numpy(model.hidden(pictured[:1])),
    }
    return values, arrays


def _measures(model, clean, noisy):
    """Errors on held-out images and the shape of the filters, as plain numbers."""
    arrays, _ = model.state()
    w, w_dec = arrays["w"], arrays.get("w_dec")
    some = clean[:100]
    return {
        "error": _relative_error(model.reconstruct(clean, channels="first"), clean),
        "denoising_error": _relative_error(model.reconstruct(noisy, channels="first"), clean),
        "smoothness": filter_shape.smoothness(w),
        "radius": filter_shape.radius(w),
        "peak_share": filter_shape.peak_share(w),
        "kurtosis": filter_shape.kurtosis(w),
        "identity_share": filter_shape.identity_share(w, w_dec),
        "norm": float(np.sqrt((w.astype(np.float64) ** 2).sum(axis=(1, 2, 3))).mean()),
        "filters_per_pixel": filter_shape.filters_per_pixel(_contributions(model, some)),
        "active_share": float(to_numpy((model.hidden(some) != 0).mean())),
    }


def _relative_error(x_hat, x):
    """Squared error in per cent of the images' own sum of squares."""
    return 100 * float(to_numpy(((x_hat - x) ** 2).sum() / (x * x).sum()))


def _contributions(model, x):
    """What each filter adds to each pixel of the reconstruction, shape (N, K, C, H, W)."""
    h = model.hidden(x)
    w = model.params["w" if model.tied else "w_dec"]
    parts = []
    for k in range(len(w)):
        map_k, w_k = h[:, k : k + 1], w[k : k + 1]
        if model.mode == "valid":
            parts.append(to_numpy(convolve_full(map_k, w_k)))
        else:
            parts.append(to_numpy(correlate_valid(map_k, w_k.swapaxes(0, 1))))
    return np.stack(parts, axis=1)


# --- tables ---------------------------------------------------------------------------------------

METRICS = (
    ("error", "error on held-out {images}", "% of ‖x‖²"),
    ("smoothness", "correlation of neighbouring pixels (Moran's I)", ""),
    ("radius", "radius of a filter's energy", "pixels"),
    ("peak_share", "energy in the strongest pixel", ""),
    ("kurtosis", "kurtosis of a filter's pixels", ""),
    ("identity_share", "share of the identity in encoding and decoding", ""),
    ("norm", "norm of a filter", ""),
    ("filters_per_pixel", "filters that a pixel is effectively made of", ""),
    ("active_share", "units of the code that are not zero", ""),
)


def measured_rows(figure, settings, results, maps):
    """One row for every variant and measure, and one for the untrained filters.

    Parameters
    ----------
    figure : Figure
    settings : Settings
    results : Results
        Of this number of maps, one per seed and variant.
    maps : int

    Returns
    -------
    list of Row
    """

    def row(variant, value, label, metric, unit, control=False):
        return measured(
            settings,
            results.where(variant=variant),
            value,
            label=f"{label}, {maps} maps",
            metric=metric.format(images=figure.images),
            unit=unit,
            control=control,
        )

    names = {variant: f"({variant}) {name}" for variant, (name, _, _) in figure.variants.items()}
    table = []
    for value, metric, unit in METRICS:
        table.append(row("a", before(value), "untrained", metric, unit, control=True))
        table += [row(v, after(value), name, metric, unit) for v, name in names.items()]
    metric = "error on held-out {images} with the noise of training"
    return table + [
        row(v, after("denoising_error"), names[v], metric, "% of ‖x‖²")
        for v, (_, _, amount) in figure.variants.items()
        if amount
    ]


# --- pictures -------------------------------------------------------------------------------------


def figures(figure, settings, results):
    """Filters of the four auto-encoders, and what they make of held-out images.

    Parameters
    ----------
    figure : Figure
    settings : Settings
    results : Results

    Returns
    -------
    dict of str to Picture
    """
    from ... import plotting

    pictures, seed = {}, settings.seeds[0]
    for maps in figure.maps[settings.preset]:
        of_seed = results.where(maps=maps, alternative="", seed=seed)
        first = {
            variant: found[0]
            for variant in figure.variants
            if (found := of_seed.where(variant=variant))
        }
        if not first:
            continue
        names = {variant: f"({variant}) {figure.variants[variant][0]}" for variant in first}
        some = next(iter(first.values()))
        source = f"{maps} maps, {settings.data.name}, seed {seed}"
        tint = "grey" if settings.data.image_shape[0] == 1 else "colour"
        pictures[f"filters-{maps}.png"] = Picture(
            plotting.filter_grid(
                {names[v]: filter_shape.own_scale(r.arrays["w"][:DRAWN]) for v, r in first.items()}
            ),
            alt=f"Panels of 7×7 filters in {tint}, by the correlation of neighbouring pixels: "
            + ", ".join(
                f"{names[v]} {r.values['after']['smoothness']:.2f}" for v, r in first.items()
            )
            + ".",
            caption="Filters of four auto-encoders, each scaled to its own largest weight: the "
            f"first {DRAWN} of {source}.",
        )
        # Cells of figure 1 that are older than figure 2 call them digits.
        clean = some.arrays["images" if "images" in some.arrays else "digits"]
        drawn = {figure.images: clean}
        for variant, result in first.items():
            if result.config["plan"]["amount"]:
                drawn[f"({variant}) input"] = result.arrays["inputs"]
            drawn[f"({variant}) output"] = result.arrays["reconstructions"]
        pictures[f"reconstructions-{maps}.png"] = Picture(
            plotting.image_grid(drawn),
            alt=f"Rows of held-out {figure.images}, and below them what each auto-encoder makes "
            "of them.",
            caption=f"Held-out {figure.images}, the inputs where they are noisy, reconstructions; "
            f"{source}.",
        )
    return pictures
