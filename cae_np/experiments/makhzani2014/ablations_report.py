"""Rows and pictures of :mod:`.ablations`."""

from ..frame.experiment import Picture
from ..frame.rows import claim, measured
from .ablations_cells import (
    ALMOST,
    ALWAYS,
    FREE,
    IMAGES,
    MAPS,
    SLIGHTLY,
    STEPS,
    TIMED,
    TIMED_BATCH,
    UNTRAINED,
    VARIANTS,
    WINNER,
)

NONE = 0.5  # what a count stays below if and only if it is 0: a single one disagrees
METRICS = (
    ("readout_error", "test error of a linear read-out", "%"),
    ("error", "error on held-out digits", "% of ‖x‖²"),
    ("dead", "maps that are active on no held-out digit", ""),
    ("unlearned", "decoder filters that training left almost as they were", ""),
    ("least_active", "share of held-out digits on which the least active map is active", ""),
    ("busiest_share", "share of the active units that the busiest map takes", ""),
    ("encoder_peak_share", "encoder: energy in a filter's strongest pixel", ""),
    ("decoder_peak_share", "decoder: energy in a filter's strongest pixel", ""),
    ("radius", "decoder: radius of a filter's energy", "pixels"),
)


def rows(settings, results):
    """Measures of every variant, times, and the claims."""
    n = min(IMAGES[settings.preset], settings.data.n_train - settings.data.n_validation)
    main = results.where(optimizer="")
    table = []
    for value, metric, unit in METRICS:
        shared = {"metric": metric, "unit": unit, "samples": n}
        for name in VARIANTS:
            table.append(
                measured(
                    settings,
                    main.where(variant=name),
                    value,
                    label=name,
                    control=name == UNTRAINED,
                    **shared,
                )
            )
            if value == "readout_error" and name == WINNER:
                table.append(
                    measured(
                        settings,
                        main.where(variant=name),
                        "readout_error_on",
                        label=f"{name}, constraint on at test time",
                        **shared,
                    )
                )
    for maps in TIMED[settings.preset]:
        for name in STEPS:
            table.append(
                measured(
                    settings,
                    results.where(timed=maps),
                    name,
                    label=f"{name}, {maps} maps",
                    metric=f"training step of {TIMED_BATCH} digits",
                    unit="ms",
                )
            )
    return table + _claims(settings, main, n) + _time_claims(settings, results)


def _claims(settings, results, n):
    """The sentences of section 2; each says that the first number is the larger one."""

    def of(variant, value):
        return results.where(variant=variant).by_seed(value)

    def verdict(section, statement, metric, larger, smaller, unit=""):
        return claim(
            settings,
            statement,
            metric=metric,
            larger=larger,
            smaller=smaller,
            unit=unit,
            label=f"M14, section {section}",
            samples=n,
        )

    def hurts(section, statement, worse, better=WINNER):
        return verdict(
            section,
            statement,
            f"test error, {worse} - {better}",
            of(worse, "readout_error"),
            of(better, "readout_error"),
            "points",
        )

    most = of("global top k", "busiest_share")
    return [
        verdict(
            "2.1",
            "With the constraint no filter is dead.",
            f"{NONE} - dead maps",
            NONE,
            of(WINNER, "dead"),
        ),
        verdict(
            "2.1",
            "With the constraint every filter is updated: none is left almost as it was.",
            f"{NONE} - filters left as they were",
            NONE,
            of(WINNER, "unlearned"),
        ),
        verdict(
            "2.1",
            "All feature maps have exactly one active unit: even the least active one, on every "
            "digit.",
            f"its share of digits - {ALWAYS}",
            of(WINNER, "least_active"),
            ALWAYS,
        ),
        verdict(
            "2.1",
            "Global top-k leaves filters dead: more than winner-take-all does.",
            "dead maps, global top k - winner-take-all",
            of("global top k", "dead"),
            of(WINNER, "dead"),
        ),
        verdict(
            "2.1",
            "Global top-k leaves filters as they were: more than winner-take-all does.",
            "filters left as they were, global top k - winner-take-all",
            of("global top k", "unlearned"),
            of(WINNER, "unlearned"),
        ),
        verdict(
            "2.1",
            "Under global top-k one map takes almost all of the k active units.",
            f"share of the busiest map - {ALMOST}",
            most,
            ALMOST,
        ),
        verdict(
            "2.1",
            "The filter of that map is a delta function, more than winner-take-all filters are.",
            "decoder's peak share, the busiest of global top k - mean of winner-take-all",
            of("global top k", "busiest_peak_share"),
            of(WINNER, "decoder_peak_share"),
        ),
        hurts("2.1", "Top-n makes slightly worse features: n = 2.", "top 2"),
        hurts("2.1", "Top-n makes slightly worse features: n = 4.", "top 4"),
        verdict(
            "2.1",
            "Top-n learns less sharp filters: n = 4.",
            "decoder's radius, top 4 - winner-take-all",
            of("top 4", "radius"),
            of(WINNER, "radius"),
            "pixels",
        ),
        hurts("2.1", "Tying the weights hurts generalisation.", "tied"),
        verdict(
            "2.1",
            "Softer sparsity at test time makes better features: constraint off against on.",
            "test error, on - off",
            of(WINNER, "readout_error_on"),
            of(WINNER, "readout_error"),
            "points",
        ),
        hurts("2", "Without the constraint features are useless, or at least worse.", FREE),
        hurts("2", "... and worse than those of random filters.", FREE, UNTRAINED),
    ]


def _time_claims(settings, results):
    def ratio(maps):
        return results.where(timed=maps).by_seed(
            lambda result: result.values["winner-take-all, dense path"] / result.values[FREE]
        )

    return [
        claim(
            settings,
            "Winner-take-all is just slightly slower than an auto-encoder without any "
            f"regularisation, both dense, {maps} maps: less than {SLIGHTLY} times.",
            metric=f"{SLIGHTLY} - ratio of the times",
            larger=SLIGHTLY,
            smaller=ratio(maps),
            label="M14, section 4",
        )
        for maps in TIMED[settings.preset]
    ]


def figures(settings, results):
    """Filters of every variant, and how good their features are."""
    from ... import plotting

    main, seed = results.where(optimizer=""), settings.seeds[0]
    first = {name: found[0] for name in VARIANTS if (found := main.where(variant=name, seed=seed))}
    if not first:
        return {}
    errors = {
        name: list(main.where(variant=name).by_seed("readout_error").values()) for name in first
    }
    on = list(main.where(variant=WINNER).by_seed("readout_error_on").values())
    beyond = f" With the constraint on at test time: {sum(on) / len(on):.1f} %." if on else ""
    means = {name: sum(values) / len(values) for name, values in errors.items()}
    told = ", ".join(f"{name} {means[name]:.1f} %" for name in sorted(means, key=means.get))
    dead = ", ".join(f"{name} {result.values['dead']}" for name, result in first.items())
    return {
        "filters.png": Picture(
            plotting.filter_grid(
                {name: result.arrays.get("w_dec", result.arrays["w_enc"])
                 for name, result in first.items()}
            ),
            alt=f"Decoder filters of 7×7 pixels, a panel for each variant. Dead maps: {dead}.",
            caption=f"Decoder filters, {MAPS[settings.preset]} maps; {settings.data.name}, "
            f"seed {seed}.",
        ),
        "errors.png": Picture(
            plotting.dots(errors, "test error of a linear read-out in %"),
            alt=f"Mean test errors: {told}.",
            caption=f"How good the features are, one dot a seed; {settings.data.name}.{beyond}",
        ),
    }  # fmt: skip
