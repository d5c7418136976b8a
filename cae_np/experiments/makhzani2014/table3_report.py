"""Rows and figures of :mod:`.table3`."""

from functools import partial

from ..frame.experiment import Picture
from ..frame.rows import cited, claim, measured
from .table3_cells import CENTROIDS, MAPS, PAIRS, SLOW_CENTROIDS, WAYS, WIDTHS, whitenings

PAPER = {"shallow": 6.6, "k-means": {4000: 2.7}, "deep": {2048: 4.7}}  # per cent
CITED = (
    ("Deep Boltzmann machine", 7.2),
    ("Third-order RBM", 6.5),
    ("Deep belief network", 5.0),
)


def rows(settings, results):
    preset, maps = settings.preset, MAPS[settings.preset]
    n = min(PAIRS[preset], settings.data.n_train)
    finals, deep = results.where(stage="final"), results.where(stage="deep final")
    shallow = finals.where(method="winner-take-all")
    epsilon = WAYS[preset][""]["epsilon"]

    def row(found, label, paper=None, control=False):
        return measured(
            settings,
            found,
            "test_error",
            label=label,
            metric="test error",
            unit="%",
            paper=paper if preset == "paper" else None,
            samples=n,
            control=control,
            needed=results.needed_by(found).where(stage="final"),
        )

    table = [
        cited(settings, value, label=label, metric="test error", unit="%", source="M14, table 3")
        for label, value in CITED
    ]
    centroids = dict.fromkeys(CENTROIDS[preset] + SLOW_CENTROIDS[preset])
    centroids |= PAPER["k-means"] if preset == "paper" else {}
    for K, paper in centroids.items():
        found = finals.where(method="k-means", maps=K)
        table.append(row(found, f"Triangle k-means, {K} maps", paper))
    table += [
        row(shallow, f"Shallow, {maps} maps", PAPER["shallow"]),
        row(
            finals.where(method="random", whitenings=None),
            f"Untrained random filters, {maps} maps, whitened with ε = {epsilon}",
            control=True,
        ),
    ]
    if len(whitenings(preset)) > 1:
        table.append(
            row(
                _untrained(finals, preset),
                f"Untrained random filters, {maps} maps, whitening chosen as for trained ones",
                control=True,
            )
        )
    table += [
        row(finals.where(method="pixels"), "Pixels of both views", control=True),
    ]
    widths = dict.fromkeys(WIDTHS[preset])
    widths |= PAPER["deep"] if preset == "paper" else {}
    for width, paper in widths.items():
        learned, untrained = (
            deep.where(method=m, maps=width) for m in ("winner-take-all", "random")
        )
        label = f"Deep, {maps} + {width} maps"
        table.append(row(learned, label, paper))
        table.append(row(untrained, f"{label}, the second layer untrained", control=True))
    return table + _claims(settings, finals, deep, n)


def _untrained(finals, preset):
    """The control whose whitening was chosen as that of the trained filters was."""
    choices = len(whitenings(preset))
    return finals.where(method="random", whitenings=choices if choices > 1 else None)


def _claims(settings, finals, deep, n):
    preset, maps = settings.preset, MAPS[settings.preset]
    verdict = partial(claim, settings, label="M14, section 3.3", unit="points", samples=n)

    shallow = finals.where(method="winner-take-all").by_seed("test_error")
    found = [
        verdict(
            f"Learned filters are better features than random ones ({maps} maps).",
            "test error, untrained - trained",
            _untrained(finals, preset).by_seed("test_error"),
            shallow,
            label="control",
        )
    ]
    for K in CENTROIDS[preset] + SLOW_CENTROIDS[preset]:
        centroids = finals.where(method="k-means", maps=K).by_seed("test_error")
        if K > maps:
            statement = f"Triangle k-means, here with {K} maps, is better than {maps} shallow maps."
            metric, larger, smaller = f"test error, shallow - k-means {K}", shallow, centroids
        else:
            statement = f"Of equally many maps ({K}), winner-take-all's are better than k-means's."
            metric, larger, smaller = f"test error, k-means {K} - shallow", centroids, shallow
        label = "M14, section 3.3" if K > maps else "control"
        found.append(verdict(statement, metric, larger, smaller, label=label))
    for width in WIDTHS[preset]:
        learned, untrained = (
            deep.where(method=method, maps=width).by_seed("test_error")
            for method in ("winner-take-all", "random")
        )
        found += [
            verdict(
                f"A second layer helps if it has many more maps: {maps} + {width} against {maps}.",
                "test error, shallow - deep",
                shallow,
                learned,
                label="M14, section 2.2",
            ),
            verdict(
                f"A second layer has to be learned: {maps} + {width} maps against as many of which "
                f"the {width} are random.",
                "test error, untrained - trained",
                untrained,
                learned,
                label="control",
            ),
        ]
    if settings.on_paper_data and preset == "paper":
        width, (name, error) = WIDTHS[preset][-1], min(CITED, key=lambda one: one[1])
        found.append(
            verdict(
                f"Deep winner-take-all features, here {maps} + {width} maps, are better than other "
                f"deep networks (best cited: {name}, {error} %).",
                f"test error, {error} - deep",
                error,
                deep.where(method="winner-take-all", maps=width).by_seed("test_error"),
            )
        )
    return found


def figures(settings, results):
    from ... import plotting

    found = results.where(stage="final", method="winner-take-all")
    if not found:
        return {}
    maps = MAPS[settings.preset]
    w = found[0].arrays["layer 1/w_dec"]
    dead = found[0].values["history"][-1]["dead_maps"]
    return {
        "filters.png": Picture(
            plotting.filter_grid({"decoder": w}),
            alt=f"{maps} decoder filters of 9×9 pixels in grey; {dead} of the maps were never "
            "active in the last epoch.",
            caption=f"Decoder filters, {maps} maps, whitened {settings.data.name}, seed "
            f"{found[0].seed}.",
        )
    }
