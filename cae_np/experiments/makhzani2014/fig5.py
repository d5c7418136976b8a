"""Makhzani & Frey 2014, figure 5: 32 winner-take-all filters of NORB, raw and whitened.

The claim is about the whitened case: one filter for each orientation, where methods that learn from
patches spend several on one edge, at different places of the receptive field.  Both parts of it are
measured here, beside patch k-means with as many centroids and beside random filters.
"""

from ...backend import to_numpy
from ...data.preprocess import CONTRAST, Preprocessing
from ...models.classifier import as_views
from ...models.kmeans import PatchKMeans
from ...models.wta import WinnerTakeAll
from ...training import Plan, train
from ..engine import filter_copies, filter_shape
from ..frame.experiment import Choice, Experiment, Picture
from ..frame.results import after, before
from ..frame.rows import claim, measured

MODEL = {"kernel": [9, 9], "pool_width": 6, "pool_stride": 4, "scale": 0.01}
PLAN = {"optimizer": "adam", "rate": 3e-3}
BATCH = {"smoke": 10, "quick": 10, "paper": 50}
MAPS = {"smoke": 4, "quick": 32, "paper": 32}
PAIRS = {"smoke": 100, "quick": 1_000, "paper": 24_300}
EPOCHS = {"smoke": 1, "quick": 5, "paper": 8}
KMEANS = {  # random patches, and rounds
    "smoke": {"patches": 500, "iterations": 2},
    "quick": {"patches": 20_000, "iterations": 20},
    "paper": {"patches": 400_000, "iterations": 50},
}
EPSILON = 0.1  # of the whitening
OTHER_EPSILON = 1.0
INPUTS = ("raw", "whitened")


def cells(settings):
    preset = settings.preset
    shared = {"pairs": min(PAIRS[preset], settings.data.n_train), "maps": MAPS[preset]}
    plan = Plan(epochs=EPOCHS[preset], batch_size=BATCH[preset], **PLAN).as_dict()
    how = {"winner-take-all": {"model": MODEL, "plan": plan}, "k-means": KMEANS[preset]}

    def cell(learner, inputs, seed, epsilon=EPSILON):
        config = {"learner": learner, "epsilon": epsilon if inputs == "whitened" else None}
        label = f"{learner}, {inputs}" + (f", ε {epsilon}" if epsilon != EPSILON else "")
        return EXPERIMENT.cell(config | shared | how[learner], seed, label)

    listed = [
        cell(learner, inputs, seed)
        for seed in settings.seeds
        for learner in how
        for inputs in INPUTS
    ]
    if preset == "paper":
        first = settings.seeds[0]
        listed.append(cell("winner-take-all", "whitened", first, OTHER_EPSILON))
    return listed


def run(cell, context):
    config = cell.config
    pairs = context.dataset.train.take(slice(config["pairs"]))
    learn = _winner_take_all if config["learner"] == "winner-take-all" else _kmeans
    return learn(config, as_views(pairs, 1), cell.seed, context)


def _winner_take_all(config, views, seed, context):
    whiten = config["epsilon"] is not None
    preprocessing = Preprocessing(whiten, epsilon=config["epsilon"] or EPSILON)
    images = preprocessing.fit(views).apply(views)
    model = WinnerTakeAll(1, config["maps"], seed=seed, **config["model"])
    values = {"before": _measures(to_numpy(model.w_dec))}
    plan = Plan(**config["plan"])
    history = train(model, images, plan, seed, 0, context.label, context.checkpoint)
    values |= {"after": _measures(to_numpy(model.w_dec)), "history": history}
    return values, model.weights()


def _kmeans(config, views, seed, context):
    side, _ = MODEL["kernel"]
    whiten = config["epsilon"] is not None
    model = PatchKMeans(
        config["maps"], size=side, whiten=whiten, epsilon=config["epsilon"] or EPSILON, seed=seed
    )
    model.fit(views, config["patches"], config["iterations"])
    w = to_numpy(model.params["centroids"]).reshape(config["maps"], 1, side, side)
    return {"after": _measures(w)}, {"w_dec": w}


def _measures(w):
    """Of decoder filters or centroids, as plain numbers; None where there is no such number."""
    angle = filter_copies.oriented(w)
    return {
        "best_match": float(filter_copies.best_matches(w).mean()),
        "copies": 100 * filter_copies.near_copies(w),
        "oriented": len(angle),
        "crowding": filter_copies.crowding(angle),
    }


# --- tables ---------------------------------------------------------------------------------------

METRICS = (
    ("best_match", "correlation of a filter with the most similar other one, at any shift", ""),
    ("copies", "filters with a near-copy at some shift", "%"),
    ("oriented", "filters that have an orientation", ""),
    ("crowding", "others in a filter's share of the half circle, against chance", ""),
)


def rows(settings, results):
    n = min(PAIRS[settings.preset], settings.data.n_train)
    main = results.where(epsilon=None), results.where(epsilon=EPSILON)
    table = []
    for value, metric, unit in METRICS:
        shared = {"metric": metric, "unit": unit, "samples": n}
        for inputs, found in zip(INPUTS, main, strict=True):
            trained = found.where(learner="winner-take-all")
            patches = found.where(learner="k-means")
            table += [
                measured(settings, trained, after(value), label=inputs, **shared),
                measured(
                    settings,
                    patches,
                    after(value),
                    label=f"patch k-means, {inputs}",
                    control=True,
                    **shared,
                ),
            ]
        table.append(
            measured(settings, trained, before(value), label="untrained", control=True, **shared)
        )
    return table + _claims(settings, main[1], n)


def _claims(settings, whitened, n):
    trained = whitened.where(learner="winner-take-all")
    patches = whitened.where(learner="k-means")
    shared = {"label": "M14, section 3.3", "samples": n}
    return [
        claim(
            settings,
            "Whitened: only one filter is allocated to each orientation, or at least fewer others "
            "are in a filter's share of the half circle than chance puts there.",
            metric="1 - others in a filter's share against chance",
            larger=1,
            smaller=trained.by_seed(after("crowding")),
            **shared,
        ),
        claim(
            settings,
            "… as opposed to learning from patches, which has several filters for one orientation.",
            metric="others in a filter's share against chance, patch k-means - winner-take-all",
            larger=patches.by_seed(after("crowding")),
            smaller=trained.by_seed(after("crowding")),
            **shared,
        ),
        claim(
            settings,
            "Filters are shifted copies of each other less than those learned from patches.",
            metric="correlation with the most similar other, patch k-means - winner-take-all",
            larger=patches.by_seed(after("best_match")),
            smaller=trained.by_seed(after("best_match")),
            **shared,
        ),
    ]


# --- pictures and ledger --------------------------------------------------------------------------


def figures(settings, results):
    from ... import plotting

    first = results.where(seed=settings.seeds[0])
    panels = {}
    for learner in ("winner-take-all", "k-means"):
        for inputs, epsilon in zip(INPUTS, (None, EPSILON), strict=True):
            found = first.where(learner=learner, epsilon=epsilon)
            if found:
                panels[f"{learner}: {inputs}"] = found[0]
    if not panels:
        return {}
    edges = ", ".join(
        f"{title} {result.values['after']['oriented']}" for title, result in panels.items()
    )
    maps = next(iter(panels.values())).config["maps"]
    return {
        "filters.png": Picture(
            plotting.filter_grid(
                {title: filter_shape.own_scale(r.arrays["w_dec"]) for title, r in panels.items()}
            ),
            alt=f"Panels of {maps} filters of 9×9 pixels in grey; so many have an "
            f"orientation: {edges}.",
            caption="Decoder filters, and centroids of patches, each divided by its largest "
            f"magnitude; {settings.data.name}, seed {settings.seeds[0]}.",
        )
    }


def choices(settings, results):
    other = results.where(epsilon=OTHER_EPSILON)
    effect = None
    if other:
        now = other[0].values["after"]
        chosen = results.where(learner="winner-take-all", epsilon=EPSILON, seed=other[0].seed)
        was = chosen[0].values["after"] if chosen else {}
        effect = f"ε = {OTHER_EPSILON:g}: " + ", ".join(
            f"{name.replace('_', ' ')} {_text(now, name)} (chosen: {_text(was, name)})"
            for name in ("oriented", "crowding", "best_match")
        )
    return [
        Choice(
            "What raw images are",
            "contrast-normalised ones, not whitened",
            "the mean of an image is by far its strongest component and slows descent down",
        ),
        Choice(
            "Regularisation of contrast normalisation and whitening",
            f"r = {CONTRAST * 255**2:g} on pixels from 0 to 255, ε = {EPSILON} on the {32 * 32} "
            "pixels of an image",
            'the paper says "as described in" Coates et al., who whiten patches with ε = 0.1',
            effect,
        ),
        Choice(
            "How the filters are trained",
            f"Adam, rate {PLAN['rate']} falling linearly to 0, batches of "
            f"{BATCH[settings.preset]} views, {EPOCHS[settings.preset]} epochs, filters "
            f"N(0, {MODEL['scale']}²) at first",
            "the paper gives none of it; larger initial filters leave their noise in the learned "
            "ones",
        ),
        Choice(
            "How views become 32×32",
            "means over 2×2 pixels of the inner 64×64, where the files hold 96×96",
            'the paper says "resize"',
        ),
    ]


def _text(values, name):
    return f"{values[name]:.2f}" if values.get(name) is not None else "–"


EXPERIMENT = Experiment(
    name="makhzani2014-fig5",
    version=1,
    title="Filters of stereo pairs: one for each orientation",
    paper="M14, figure 5",
    data="norb",
    seeds={"smoke": 1, "quick": 1, "paper": 5},
    cells=cells,
    run=run,
    rows=rows,
    figures=figures,
    choices=choices,
)
