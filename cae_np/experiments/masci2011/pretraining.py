"""What tables 1 and 2 of Masci et al. 2011 share: networks with and without pre-training.

Every table is made of three kinds of small cells:

layer
    trains one auto-encoder of a stack on the code of those below it, which it needs;
fine-tune
    trains the network on labelled images, from random weights or from a stack, and tests it once;
svm
    reads the stack's top activations out with a linear support vector machine.

A fourth kind is the baseline of :mod:`.kmeans_baseline`.

Cells of one seed share the labelled images, their order, and the weights that no stack sets, so
that every comparison is paired.  Choices are made on validation images; test images are looked at
when a cell has nothing left to decide.
"""

import statistics
from dataclasses import dataclass

import numpy as np

from ...backend import to_numpy
from ...data import subset
from ...data.batches import Encoded, Scaled
from ...data.translate import random_translations
from ...models.cnn import ConvNet
from ...models.features import feature_matrix
from ...models.stack import CaeStack
from ...training import Plan, train
from ..engine.filter_shape import own_scale
from ..engine.readout import ReadOut, held_out_errors
from ..frame.experiment import Choice, Picture
from ..frame.rows import claim, measured
from . import kmeans_baseline

# Sizes of the network where they are not M11's.
NETWORKS = {
    "smoke": {"maps": [3, 4, 5], "hidden": 8},
    "quick": {"maps": [40, 60, 80], "hidden": 100},
    "paper": {},
}
PENALTIES = {"smoke": (1e-2,), "quick": (1e-3, 1e-2), "paper": (1e-4, 1e-3, 1e-2, 1e-1)}
ITERATIONS = {"smoke": 5, "quick": 50, "paper": 200}


@dataclass(frozen=True)
class Table:
    """What tells one table from the other; numbers by preset where they are dictionaries of it.

    Attributes
    ----------
    paper : dict of str to dict of int to float
        The paper's test errors in per cent, of "pre-trained" and "random", by labelled images.
    samples : dict of str to tuple of int
        Numbers of labelled images.
    most_seeds : dict of int to int
        For some of them: only so many of the seeds are run.
    unlabelled : dict of str to int
        "All" images that a stack may see.
    passes : dict of str to int
        Images that pass through a layer while it is trained: so many epochs of a smaller set
        that every stack takes the same number of steps.
    layer_plan : dict
        Training of every auto-encoder, :class:`~cae_np.training.Plan` but for its epochs.
    auto_encoder : dict
        Options of :meth:`~cae_np.models.stack.CaeStack.like`.
    plan : dict
        Fine-tuning, but for its epochs.
    epochs : dict of str to dict of int to int
        Of fine-tuning, by preset and labelled images.
    translation : float
        Largest translation in fine-tuning, as a share of the image's side.
    intensities : tuple of float
        What black and white become.
    alternatives : dict of str to dict
        Other answers to open questions, by name: changes to ``layer_plan``, ``auto_encoder``,
        ``plan``, ``epochs`` (a number), ``translation`` or ``intensities``; ``erasing``, whether
        auto-encoders that pool erase units while they are trained; ``rescaled``, whether
        pre-trained kernels get the spread of random ones; ``spread``, the standard deviation of
        all weights that no stack sets, whatever their fan-in; ``start``, unless it is
        "pre-trained"; and ``seeds``, how many try it, unless it is ``alternative_seeds``.
    alternative_seeds : int
        How many of the seeds try them, with the fewest labelled images.
    """

    paper: dict
    samples: dict
    most_seeds: dict
    unlabelled: dict
    passes: dict
    layer_plan: dict
    auto_encoder: dict
    plan: dict
    epochs: dict
    translation: float
    intensities: tuple
    alternatives: dict
    alternative_seeds: int = 2


# --- cells ----------------------------------------------------------------------------------------


def cells(experiment, table, settings):
    """All cells of a table, cheap and telling ones first.

    Parameters
    ----------
    experiment : Experiment
    table : Table
    settings : Settings

    Returns
    -------
    list of Cell
    """
    make = _Maker(experiment, table, settings)
    first, *larger = table.samples[settings.preset]
    listed = make.of_size(first)
    for n in larger[:1]:
        listed += make.of_size(n)
    listed += make.alternatives(first)
    for n in larger[1:]:
        listed += make.of_size(n)
    return listed


class _Maker:
    """Makes the cells of one table under the settings of one run."""

    def __init__(self, experiment, table, settings):
        self.experiment, self.table, self.settings = experiment, table, settings
        self.preset = settings.preset
        self.all = all_images(table, settings)

    def of_size(self, n):
        """The cells of one column, by how much they cost: random, pre-trained on all, on n."""
        seeds = seeds_of(self.table, self.settings, n)
        listed = [self.fine_tune(n, seed, "random") for seed in seeds]
        stacks = {seed: self.layers(self.all, seed) for seed in seeds}
        for seed in seeds:
            listed.append(self.fine_tune(n, seed, "pre-trained", self.all, stacks[seed]))
            listed.append(self.svm(n, seed, "pre-trained", self.all, stacks[seed]))
            listed.append(self.svm(n, seed, "random"))
        listed += kmeans_baseline.cells(self.experiment, self.settings, n, seeds)
        if n < self.all:
            for seed in seeds:
                own = self.layers(n, seed)
                listed.append(self.fine_tune(n, seed, "pre-trained", n, own))
        return listed

    def alternatives(self, n):
        """What the paper leaves open, tried with the fewest labels."""
        if self.preset != "paper":
            return []
        listed = []
        for name, changes in self.table.alternatives.items():
            start = changes.get("start", "pre-trained")
            tried_with = changes.get("seeds", self.table.alternative_seeds)
            for seed in self.settings.seeds[:tried_with]:
                stack = self.layers(self.all, seed, changes) if start == "pre-trained" else ()
                images = self.all if stack else None
                listed.append(self.fine_tune(n, seed, start, images, stack, name, changes))
        return listed

    def layers(self, images, seed, changes=None):
        """The cells of a stack, each needing those below it."""
        changes = changes or {}
        plan = layer_plan(self.table, self.settings, images, changes.get("layer_plan", {}))
        config = self._shared(changes) | {
            "stage": "layer",
            "images": images,
            "auto_encoder": self.table.auto_encoder | changes.get("auto_encoder", {}),
            "erasing": changes.get("erasing", True),
            "plan": plan.as_dict(),
        }
        made = []
        for layer in range(3):
            label = f"layer {layer + 1} on {images:,} images"
            made.append(self.experiment.cell(config | {"layer": layer}, seed, label, needs=made))
        return made

    def fine_tune(self, n, seed, start, images=None, stack=(), alternative="", changes=None):
        changes = changes or {}
        epochs = changes.get("epochs", self.table.epochs[self.preset][n])
        plan = self.table.plan | changes.get("plan", {})
        config = self._shared(changes) | {
            "stage": "fine-tune",
            "start": start,
            "samples": n,
            "images": images,
            "plan": Plan(epochs=epochs, **plan).as_dict(),
            "translation": changes.get("translation", self.table.translation),
            "rescaled": changes.get("rescaled", False),
            "spread": changes.get("spread"),
            "alternative": alternative,
        }
        return self.experiment.cell(config, seed, self._label(start, n, images, alternative), stack)

    def svm(self, n, seed, start, images=None, stack=()):
        config = self._shared({}) | {
            "stage": "svm",
            "start": start,
            "samples": n,
            "images": images,
            "penalties": list(PENALTIES[self.preset]),
            "iterations": ITERATIONS[self.preset],
        }
        label = f"SVM, {self._label(start, n, images, '')}"
        return self.experiment.cell(config, seed, label, stack)

    def _shared(self, changes):
        intensities = changes.get("intensities", self.table.intensities)
        return {"network": NETWORKS[self.preset], "intensities": list(intensities)}

    def _label(self, start, n, images, alternative):
        of = f"{start} on {images:,}" if images else start
        return ", ".join(filter(None, (f"{n:,} labels", of, alternative)))


def all_images(table, settings):
    """How many images a stack may see."""
    return min(table.unlabelled[settings.preset], settings.data.n_train)


def holds_out(table, settings):
    """Whether validation images are none of those that a stack may see."""
    return all_images(table, settings) <= settings.data.n_train - settings.data.n_validation


def layer_plan(table, settings, images, changes=None):
    """How an auto-encoder is trained on so many images: always for as many steps."""
    epochs = max(1, round(table.passes[settings.preset] / images))
    return Plan(**{"epochs": epochs} | table.layer_plan | (changes or {}))


def seeds_of(table, settings, n):
    """The seeds that are run with n labelled images."""
    return settings.seeds[: table.most_seeds.get(n)]


# --- what cells do --------------------------------------------------------------------------------


LOOKED_AT = 500  # held-out images for learning curves and reconstruction errors
CURVE_POINTS = 10  # at most, in a learning curve


def run(cell, context):
    """Compute a cell of either table."""
    stages = {
        "layer": _layer,
        "fine-tune": _fine_tune,
        "svm": _svm,
        kmeans_baseline.STAGE: kmeans_baseline.run,
    }
    return stages[cell.config["stage"]](cell, context)


def _layer(cell, context):
    """Train one auto-encoder on the code of those below."""
    config, layer = cell.config, cell.config["layer"]
    stack = _stack(cell, context)
    if not config["erasing"]:  # while it is trained; the code that it hands on is pooled
        stack.layers[layer].pool = None
    images = _drawn(cell, context, config["images"])
    history = stack.train_layer(
        layer, images, Plan(**config["plan"]), cell.seed, context.label, context.checkpoint
    )
    held_out = _scaled(cell, context.dataset.held_out()[1])
    x = Encoded(held_out, stack.layers[:layer]).batch(slice(LOOKED_AT))
    model = stack.layers[layer]
    error = ((model.reconstruct(x, channels="first") - x) ** 2).sum() / ((x - x.mean()) ** 2).sum()
    h = model.encode(x)
    arrays, _ = model.state()
    w = arrays["w"]
    return {
        "history": history,
        "error": 100 * float(to_numpy(error)),
        "size": float(w.std() * w[0].size ** 0.5),
        "saturated": 100 * float(to_numpy((abs(h) > 1.5).mean())),
    }, arrays


def _fine_tune(cell, context):
    """Train the network on labelled images and test it."""
    config, dataset = cell.config, context.dataset
    network = _network(cell, context)
    if config["start"] == "pre-trained":
        _initialise(network, _stack(cell, context), config["rescaled"])
    labelled = _drawn(cell, context, config["samples"])
    plan = Plan(**config["plan"])
    # The last records are in the training set where that is all there is.
    fit, held_out = dataset.held_out()
    held_out = held_out if config["samples"] <= len(fit) else None
    every = -(-plan.epochs // CURVE_POINTS)

    def watch(epoch):
        if held_out is None or epoch % every:
            return {}
        return {"validation_error": error(held_out.take(slice(LOOKED_AT)))}

    def error(split):
        return 100 * float((network.predict(_scaled(cell, split)) != split.labels).mean())

    history = train(
        network,
        labelled,
        plan,
        cell.seed,
        label=context.label,
        checkpoint=context.checkpoint,
        labels=labelled.labels,
        augment=random_translations(config["translation"]) if config["translation"] else None,
        watch=watch,
    )
    test = dataset.test
    predicted = network.predict(_scaled(cell, test))
    arrays, _ = network.state()
    return {
        "test_error": 100 * float((predicted != test.labels).mean()),
        "validation_error": error(held_out) if held_out else None,
        "confusion": confusion(test.labels, predicted).tolist(),
        "history": history,
    }, arrays


def _svm(cell, context):
    """Read the top activations out; the penalty is the best one on validation images."""
    config = cell.config
    stack = _stack(cell, context)
    if config["start"] == "random":  # the network's own initial weights, not an auto-encoder's
        for layer, conv in zip(stack.layers, _network(cell, context).convolutions, strict=True):
            for name in ("w", "b"):
                layer.params[name][...] = conv.params[name]
    fit, held_out = context.dataset.held_out()
    n = min(config["samples"], len(fit))
    labelled = _scaled(cell, subset(fit, n, cell.seed))
    features, others = (
        feature_matrix(i, stack.layers) for i in (labelled, _scaled(cell, held_out))
    )
    readouts = {p: ReadOut(config["iterations"], p, "svm") for p in config["penalties"]}
    errors = held_out_errors(readouts, (features, labelled.labels), (others, held_out.labels))
    best = min(errors, key=errors.get)
    if n < config["samples"]:
        labelled = _drawn(cell, context, config["samples"])
        features = feature_matrix(labelled, stack.layers)
    readout, _ = readouts[best].fitted(features, labelled.labels)
    del features  # may be hundreds of megabytes
    test = context.dataset.test
    tested = feature_matrix(_scaled(cell, test), stack.layers)
    return {
        "test_error": 100 * readout.error_rate(tested, test.labels),
        "validation_error": errors[best],
        "penalty": best,
        "validation_errors": {str(penalty): error for penalty, error in errors.items()},
    }, {}


def confusion(labels, predicted, classes=10):
    """How often images of a class (row) were taken for another (column).

    Parameters
    ----------
    labels, predicted : numpy integer arrays, shape (n,)
    classes : int

    Returns
    -------
    numpy integer array, shape (classes, classes)
    """
    counts = np.bincount(classes * labels.astype(int) + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def _network(cell, context):
    network = ConvNet(context.dataset.image_shape, **cell.config["network"], seed=cell.seed)
    if spread := cell.config.get("spread"):
        for w in network.params.values():
            if w.ndim > 1:
                w *= spread * w[0].size ** 0.5
    return network


def _stack(cell, context):
    """The stack as far as the needed cells have trained it."""
    of_layers = cell if cell.config["stage"] == "layer" else next(iter(cell.needs), None)
    options = of_layers.config["auto_encoder"] if of_layers else {}
    stack = CaeStack.like(_network(cell, context), seed=cell.seed, **options)
    for layer, result in zip(stack.layers, context.needed, strict=False):
        layer.load_state(result.arrays)
    return stack


def _initialise(network, stack, rescaled):
    """Hand the stack's weights over, if asked with the spread that random ones have."""
    spreads = [conv.params["w"].std() for conv in network.convolutions]
    stack.initialise(network)
    if rescaled:
        for conv, spread in zip(network.convolutions, spreads, strict=True):
            conv.params["w"] *= spread / conv.params["w"].std()


def _drawn(cell, context, n):
    return _scaled(cell, context.dataset.labelled(n, cell.seed))


def _scaled(cell, split):
    return Scaled(split, *cell.config["intensities"])


# --- rows -----------------------------------------------------------------------------------------


GAIN = "gain of pre-training"  # label of the claims that another table may compare itself with


def rows(table, settings, results):
    """All rows, column by column of the paper's table.

    Parameters
    ----------
    table : cae_np.experiments.masci2011.pretraining.Table
    settings : Settings
    results : Results

    Returns
    -------
    list of Row
    """
    found = []
    for n in table.samples[settings.preset]:
        found += _errors(table, settings, results, n) + _claims(table, settings, results, n)
    return found + _layers(table, settings, results)


def fine_tuned(table, settings, results, n):
    """The networks of one column, by how they started.

    Returns
    -------
    dict of str to Results
        "random", "pre-trained on all", and, unless that is the same, "pre-trained on the subset".
    """
    unlabelled = all_images(table, settings)
    main = results.where(stage="fine-tune", samples=n, alternative="")
    by_start = {
        "random": main.where(start="random"),
        "pre-trained on all": main.where(start="pre-trained", images=unlabelled),
    }
    if n < unlabelled:
        by_start["pre-trained on the subset"] = main.where(start="pre-trained", images=n)
    return by_start


def _errors(table, settings, results, n):
    of_all = f"all {all_images(table, settings):,} images"
    names = {
        "random": "CNN, random initialisation",
        "pre-trained on all": f"CAE, pre-trained on {of_all}, unlabelled",
        "pre-trained on the subset": f"CAE, pre-trained on the same {n:,} images only",
    }
    shared = {"metric": "test error", "unit": "%", "samples": n}

    def paper(start):
        if settings.preset != "paper":
            return None
        return table.paper["random" if start == "random" else "pre-trained"].get(n)

    found = [
        measured(
            settings,
            of_start,
            "test_error",
            label=names[start],
            paper=paper(start),
            needed=results.needed_by(of_start),
            **shared,
        )
        for start, of_start in fine_tuned(table, settings, results, n).items()
    ]
    svm = results.where(stage="svm", samples=n)
    of_stack = svm.where(start="pre-trained")
    return found + [
        measured(
            settings,
            of_stack,
            "test_error",
            label=f"CAE stack, pre-trained on {of_all}, its top activations to a linear SVM",
            needed=results.needed_by(of_stack),
            **shared,
        ),
        measured(
            settings,
            svm.where(start="random"),
            "test_error",
            label="The same of random, untrained filters",
            control=True,
            **shared,
        ),
        kmeans_baseline.row(settings, results, n),
    ]


def _claims(table, settings, results, n):
    errors = {
        start: of_start.by_seed("test_error")
        for start, of_start in fine_tuned(table, settings, results, n).items()
    }
    svm = results.where(stage="svm", samples=n)
    shared = {"unit": "points", "samples": n}

    def outperforms(start):
        return claim(
            settings,
            "Pre-trained networks tend to outperform randomly initialised ones slightly, but "
            f"consistently ({start}, {n:,} labels).",
            metric=f"test error, random - {start}",
            larger=errors["random"],
            smaller=errors[start],
            label=GAIN,
            **shared,
        )

    return [
        *(outperforms(start) for start in errors if start != "random"),
        claim(
            settings,
            f"Pre-training makes results more stable ({n:,} labels): every seed's error is nearer "
            "to the mean of all seeds.",
            metric="distance of the test error from the seeds' mean, random - pre-trained on all",
            larger=distances_from_mean(errors["random"]),
            smaller=distances_from_mean(errors["pre-trained on all"]),
            label="stability",
            **shared,
        ),
        claim(
            settings,
            f"A stack's top activations are better features than random filters' ({n:,} labels).",
            metric="test error of a linear SVM, untrained - pre-trained",
            larger=svm.where(start="random").by_seed("test_error"),
            smaller=svm.where(start="pre-trained").by_seed("test_error"),
            label="control",
            **shared,
        ),
    ]


def distances_from_mean(errors):
    """For every seed how far its number is from the mean of all.

    Parameters
    ----------
    errors : dict of seed to number

    Returns
    -------
    dict of seed to number
        None for fewer than three seeds.

    Notes
    -----
    Where two sets of five spread alike, all five distances of the one are larger, or all are
    smaller, once in eleven times.  Standard deviations without one seed each, which share all but
    one of their numbers, would agree in nearly half of all cases, and so decide nothing.
    """
    mean = statistics.fmean(errors.values()) if len(errors) > 2 else None
    return {seed: None if mean is None else abs(error - mean) for seed, error in errors.items()}


def _layers(table, settings, results):
    """What pre-training itself came to, layer by layer."""
    layers = main_layers(table, settings, results)
    # The error is that of validation images, which a stack that sees all records has seen.
    of = "held-out images" if holds_out(table, settings) else "images that it was trained on"
    return [
        measured(
            settings,
            layers.where(layer=layer),
            value,
            label=f"Auto-encoder {layer + 1} of the stack",
            metric=metric,
            unit=unit,
            samples=all_images(table, settings),
        )
        for layer in range(3)
        for value, metric, unit in (
            ("error", f"error on {of}", "% of the variance of its input"),
            ("size", "kernels' standard deviation times √fan-in (random networks: 1)", ""),
            ("saturated", "units of the code beyond ±1.5, of ±1.716", "%"),
        )
    ]


def main_layers(table, settings, results):
    """Layers of the stacks that saw all images, without what was tried otherwise."""
    unlabelled = all_images(table, settings)
    layers = results.where(
        stage="layer",
        images=unlabelled,
        auto_encoder=table.auto_encoder,
        intensities=table.intensities,
        erasing=True,
    )
    return layers.where(plan=layer_plan(table, settings, unlabelled).as_dict())


# --- figures --------------------------------------------------------------------------------------


PICTURED = 25  # filters of each layer


def figures(table, settings, results):
    """Learning curves, confusion matrix, and every layer's filters in pixels.

    Parameters
    ----------
    table, settings, results
        As for :func:`rows`.

    Returns
    -------
    dict of str to Picture
    """
    pictures = {}
    for n in table.samples[settings.preset]:
        if (picture := _curves(table, settings, results, n)) is not None:
            pictures[f"curves-{n}.png"] = picture
    if (picture := _confusion(table, settings, results)) is not None:
        pictures["confusion.png"] = picture
    if (picture := _filters(table, settings, results)) is not None:
        pictures["filters.png"] = picture
    return pictures


def _curves(table, settings, results, n):
    """Held-out error by epoch, or, where no image is held out, the training loss."""
    from ... import plotting

    by_start = fine_tuned(table, settings, results, n)
    value, axis = "validation_error", "error on 500 held-out images, %"
    if not any(value in entry for found in by_start.values() for r in found for entry in _of(r)):
        value, axis = "loss", "loss in training"
    lines, seeds = {}, {}
    for start, found in by_start.items():
        points = [[(e["epoch"], e[value]) for e in _of(r) if value in e] for r in found]
        if points and points[0]:
            epochs = [epoch for epoch, _ in points[0]]
            lines[start] = (np.array(epochs), np.array([[y for _, y in p] for p in points]))
            seeds[start] = ", ".join(str(r.seed) for r in found)
    if not lines:
        return None
    if len(set(seeds.values())) == 1:
        seeds = {"seeds": next(iter(seeds.values()))}
    ends = ", ".join(f"{start} {y[:, -1].mean():.3g}" for start, (_, y) in lines.items())
    return Picture(
        plotting.curves(lines, xlabel="epoch", ylabel=axis),
        alt=f"Curves of {axis}, over epochs; at the end: {ends}.",
        caption=f"Fine-tuning on {n:,} labelled images of {settings.data.name}; mean over "
        + "; ".join(f"{of} {which}" for of, which in seeds.items())
        + ", in a band from the lowest to the highest.",
    )


def _of(result):
    return result.values["history"]


def _confusion(table, settings, results):
    """Of the first pre-trained network with the most labels."""
    from ... import plotting

    for n in reversed(table.samples[settings.preset]):
        found = fine_tuned(table, settings, results, n)["pre-trained on all"]
        if found:
            counts = np.array(found[0].values["confusion"])
            wrong = counts - np.diag(np.diag(counts))
            names = settings.data.classes
            true, taken = (names[i] for i in np.unravel_index(wrong.argmax(), wrong.shape))
            return Picture(
                plotting.matrix(counts, rows="class", columns="taken for", names=names),
                alt=f"Ten by ten counts. Most often, {wrong.max()} times, {true} was "
                f"taken for {taken}; {np.trace(counts)} of {counts.sum()} are on the diagonal.",
                caption=f"Test images of {settings.data.name} by class and by what the network "
                f"took them for: {n:,} labels, pre-trained, seed {found[0].seed}.",
            )
    return None


def _filters(table, settings, results):
    from ... import plotting

    layers = main_layers(table, settings, results)
    seed = settings.seeds[0]
    layers = [r for i in range(3) for r in layers.where(layer=i, seed=seed)]
    if len(layers) < 3:
        return None
    config = layers[0].config
    network = ConvNet(settings.data.image_shape, **config["network"])
    stack = CaeStack.like(network, **config["auto_encoder"])
    for layer, result in zip(stack.layers, layers, strict=True):
        layer.load_state(result.arrays)
    panels = {}
    for i in range(3):
        w = to_numpy(stack.project(i))[:PICTURED]
        panels[f"layer {i + 1}, {w.shape[2]}×{w.shape[3]} pixels"] = own_scale(w)
    return Picture(
        plotting.map_grid(panels),
        alt="Three panels of filters in pixels, larger and more intricate from layer to layer.",
        caption=f"The first {len(w)} filters of every layer of the stack, each scaled to its own "
        "largest weight; deeper layers projected back through those below, non-linearities left "
        f"out, pooled units spread over their window; {settings.data.name}, seed {seed}.",
    )


# --- the ledger of choices ------------------------------------------------------------------------


def alternatives_effect(table, settings, results, *names):
    """What other answers changed in the validation error, in words; None before it is measured.

    Parameters
    ----------
    table, settings, results
        As for :func:`rows`.
    *names : str
        Of the table's alternatives.

    Returns
    -------
    str or None
    """
    n = table.samples[settings.preset][0]
    texts, counts = [], []
    for name in names:
        tried = results.where(stage="fine-tune", alternative=name)
        if not tried:
            continue
        start = "random" if tried[0].config["start"] == "random" else "pre-trained on all"
        chosen = fine_tuned(table, settings, results, n)[start].by_seed("validation_error")
        pairs = [
            (error, chosen[seed])
            for seed, error in tried.by_seed("validation_error").items()
            if seed in chosen
        ]
        if pairs:
            other, ours = (statistics.fmean(side) for side in zip(*pairs, strict=True))
            texts.append(f"{name}: {other:.2f} % against {ours:.2f} %")
            counts.append(len(pairs))
    if not texts:
        return None
    if min(counts) < max(counts):
        texts = [f"{text} ({_seeds(count)})" for text, count in zip(texts, counts, strict=True)]
        return f"validation error, {n:,} labels: " + "; ".join(texts)
    return f"validation error, {n:,} labels, {_seeds(counts[0])}: " + "; ".join(texts)


def _seeds(count):
    return "1 seed" if count == 1 else f"{count} seeds"


def shared_choices(table, settings, results):
    """What both tables leave open and answer alike."""

    def effect(*names):
        return alternatives_effect(table, settings, results, *names)

    def changing(what):
        return [name for name, changes in table.alternatives.items() if what in changes]

    return [
        Choice(
            "Which images the auto-encoders of the smaller columns saw",
            f"both: {all_images(table, settings):,} training images without labels"
            + ("" if holds_out(table, settings) else ", validation images among them,")
            + " and only the labelled ones, as rows of their own; every stack takes the same "
            "number of steps",
            "the paper does not say",
            _subset_effect(table, settings, results),
        ),
        Choice(
            "Scale of the inputs",
            "black is -1, white is 1",
            "symmetric, as the scaled tanh is",
            effect(*changing("intensities")),
        ),
        Choice(
            "Initial weights of the network",
            "N(0, 1/fan-in), biases 0",
            "not given; a unit then has about the variance of its inputs.  Weights of one size "
            "whatever the fan-in were customary",
            effect(*changing("spread")),
        ),
        Choice(
            'Fine-tuning: "the learning rate is annealed"',
            _plan_in_words(table, settings),
            "not given; plain gradient descent in small batches is near to on-line learning",
            effect(*changing("plan"), *changing("epochs")),
        ),
        Choice(
            "How auto-encoders are trained",
            f"Adam, rate {table.layer_plan['rate']} falling linearly to 0, batches of "
            f"{table.layer_plan['batch_size']}, {table.passes[settings.preset]:,} images a layer; "
            "kernels start as N(0, 0.5²/(K·kh·kw))",
            'not given but for "conventional on-line gradient descent"; a tied decoder sums over '
            "K·kh·kw weights, so that it wants smaller ones than a classifier",
            effect("auto-encoders by gradient descent", "auto-encoders trained 5 times as long"),
        ),
        Choice(
            "Non-linearity of the reconstruction",
            table.auto_encoder.get("output", "linear"),
            "equation 2 has a σ, and images here fill [-1, 1]",
            effect("output scaled_tanh"),
        ),
        Choice(
            "Which auto-encoders pool",
            "the first two, as the network does",
            'only a "CNN with the same topology" can take the weights',
            effect("third auto-encoder pools", "auto-encoders do not erase"),
        ),
        Choice(
            "Whether pre-trained kernels are rescaled for the network",
            "no",
            "the paper does not speak of it; the control of how much their size matters",
            effect("weights rescaled"),
        ),
        Choice(
            "Whether the fully connected layer is pre-trained",
            "no: the stack ends with the third convolution, as its name says",
            "section 3.2 speaks of convolutional auto-encoders only",
        ),
        Choice(
            'What "K-means (4k feat)" counts',
            "4,000 centroids, each summed over four quadrants: 16,000 inputs of a linear SVM; "
            "patches of the labelled images alone, penalty chosen on a fifth of them",
            "Coates, Lee and Ng (2011), whose code M11 ran, name their models by centroids",
        ),
        Choice(
            "The SVM's penalty",
            "the best on validation images; features centred, over one global standard deviation",
            "the paper only says that top activations can be used for SVMs",
        ),
    ]


def _plan_in_words(table, settings):
    epochs = ", ".join(f"{e} for {n:,}" for n, e in table.epochs[settings.preset].items())
    return (
        f"rate {table.plan['rate']} falling linearly to 0, batches of {table.plan['batch_size']}, "
        f"epochs by labels: {epochs}"
    )


def _subset_effect(table, settings, results):
    texts = []
    for n in table.samples[settings.preset]:
        by_start = fine_tuned(table, settings, results, n)
        if len(by_start) < 3:
            continue
        of_all, of_own = (
            by_start[start].by_seed("test_error")
            for start in ("pre-trained on all", "pre-trained on the subset")
        )
        if seeds := of_all.keys() & of_own.keys():
            all_of_it, own = (
                statistics.fmean(errors[seed] for seed in seeds) for errors in (of_all, of_own)
            )
            texts.append(
                f"{n:,} labels: all {all_of_it:.2f} %, the subset {own:.2f} % "
                f"({_seeds(len(seeds))})"
            )
    return "test error, " + "; ".join(texts) if texts else None
