"""Rows, figures and ledger of tables 1 and 2 of Masci et al. 2011; see :mod:`.pretraining`."""

import statistics

import numpy as np

from ..backend import to_numpy
from ..models.cnn import ConvNet
from ..models.stack import CaeStack
from .experiment import Choice, Picture
from .pretraining import all_images, layer_plan, seeds_of
from .rows import claim, measured

GAIN = "gain of pre-training"  # label of the claims that another table may compare itself with
PICTURED = 25  # filters of each layer


def rows(table, settings, results):
    """All rows, column by column of the paper's table.

    Parameters
    ----------
    table : cae_np.experiments.pretraining.Table
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
        measured(settings, of_start, "test_error", label=names[start], paper=paper(start), **shared)
        for start, of_start in fine_tuned(table, settings, results, n).items()
    ]
    svm = results.where(stage="svm", samples=n)
    return found + [
        measured(
            settings,
            svm.where(start="pre-trained"),
            "test_error",
            label=f"CAE stack, pre-trained on {of_all}, its top activations to a linear SVM",
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
            f"Pre-training makes results more stable ({n:,} labels): whichever seed is left out, "
            "the others' errors spread less.",
            metric="standard deviation of the other seeds' test errors, random - pre-trained on "
            "all",
            larger=spread_without(errors["random"]),
            smaller=spread_without(errors["pre-trained on all"]),
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


def spread_without(errors):
    """For every seed the standard deviation of the other seeds' numbers.

    Parameters
    ----------
    errors : dict of seed to number

    Returns
    -------
    dict of seed to number
        None for fewer than three seeds.
    """
    return {
        seed: statistics.stdev(others) if len(others) > 1 else None
        for seed in errors
        for others in [[error for other, error in errors.items() if other != seed]]
    }


def _layers(table, settings, results):
    """What pre-training itself came to, layer by layer."""
    layers = _main_layers(table, settings, results)
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
            ("error", "error on held-out images", "% of the variance of its input"),
            ("size", "kernels' standard deviation times √fan-in (random networks: 1)", ""),
            ("saturated", "units of the code beyond ±1.5, of ±1.716", "%"),
        )
    ]


def _main_layers(table, settings, results):
    """Layers of the stacks that saw all images, without what was tried otherwise."""
    unlabelled = all_images(table, settings)
    layers = results.where(
        stage="layer",
        images=unlabelled,
        auto_encoder=table.auto_encoder,
        intensities=table.intensities,
    )
    return layers.where(plan=layer_plan(table, settings, unlabelled).as_dict())


# --- figures --------------------------------------------------------------------------------------


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
    from .. import plotting

    by_start = fine_tuned(table, settings, results, n)
    value, axis = "validation_error", "error on 500 held-out images, %"
    if not any(value in entry for found in by_start.values() for r in found for entry in _of(r)):
        value, axis = "loss", "loss in training"
    lines = {}
    for start, found in by_start.items():
        points = [[(e["epoch"], e[value]) for e in _of(r) if value in e] for r in found]
        if points and points[0]:
            epochs = [epoch for epoch, _ in points[0]]
            lines[start] = (np.array(epochs), np.array([[y for _, y in p] for p in points]))
    if not lines:
        return None
    seeds = ", ".join(map(str, seeds_of(table, settings, n)))
    ends = ", ".join(f"{start} {y[:, -1].mean():.3g}" for start, (_, y) in lines.items())
    return Picture(
        plotting.curves(lines, xlabel="epoch", ylabel=axis),
        alt=f"Curves of {axis}, over epochs; at the end: {ends}.",
        caption=f"Fine-tuning on {n:,} labelled images of {settings.data.name}; mean over seeds "
        f"{seeds}, in a band from the lowest to the highest.",
    )


def _of(result):
    return result.values["history"]


def _confusion(table, settings, results):
    """Of the first pre-trained network with the most labels."""
    from .. import plotting

    for n in reversed(table.samples[settings.preset]):
        found = fine_tuned(table, settings, results, n)["pre-trained on all"]
        if found:
            counts = np.array(found[0].values["confusion"])
            wrong = counts - np.diag(np.diag(counts))
            worst = np.unravel_index(wrong.argmax(), wrong.shape)
            return Picture(
                plotting.matrix(counts, rows="class", columns="taken for"),
                alt=f"Ten by ten counts. Most often, {wrong.max()} times, class {worst[0]} was "
                f"taken for {worst[1]}; {np.trace(counts)} of {counts.sum()} are on the diagonal.",
                caption=f"Test images of {settings.data.name} by class and by what the network "
                f"took them for: {n:,} labels, pre-trained, seed {found[0].seed}.",
            )
    return None


def _filters(table, settings, results):
    from .. import plotting

    layers = _main_layers(table, settings, results)
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
        panels[f"layer {i + 1}, {w.shape[2]}×{w.shape[3]} pixels"] = w / np.abs(w).max(
            axis=(1, 2, 3), keepdims=True
        )
    return Picture(
        plotting.map_grid(panels),
        alt="Three panels of filters in pixels, larger and more intricate from layer to layer.",
        caption=f"The first {len(w)} filters of every layer of the stack, each scaled to its own "
        "largest weight; deeper layers projected back through those below, non-linearities left "
        f"out, pooled units spread over their window; {settings.data.name}, seed {seed}.",
    )


# --- ledger ---------------------------------------------------------------------------------------


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
    texts = []
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
            texts.append(f"{name}: {other:.2f} % against {ours:.2f} % ({len(pairs)} seeds)")
    return f"validation error, {n:,} labels: " + "; ".join(texts) if texts else None


def shared_choices(table, settings, results):
    """What both tables leave open and answer alike."""

    def effect(*names):
        return alternatives_effect(table, settings, results, *names)

    def changing(what):
        return [name for name, changes in table.alternatives.items() if what in changes]

    return [
        Choice(
            "Which images the auto-encoders of the smaller columns saw",
            "both: all training images without labels, and only the labelled ones, as rows of "
            "their own; every stack takes the same number of steps",
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
            effect("auto-encoders by gradient descent"),
        ),
        Choice(
            "Non-linearity of the reconstruction",
            table.auto_encoder.get("output", "linear"),
            "equation 2 has a σ, and images here fill [-1, 1]",
            effect("output scaled_tanh"),
        ),
        Choice(
            "Noise in pre-training",
            "none",
            "section 4.1 does not mention any",
            effect("30 % noise"),
        ),
        Choice(
            "Which auto-encoders pool",
            "the first two, as the network does",
            'only a "CNN with the same topology" can take the weights',
            effect("third auto-encoder pools", "no pooling in auto-encoders"),
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
        if all(by_start.values()) and len(by_start) == 3:
            all_of_it, own = (
                statistics.fmean(by_start[start].by_seed("test_error").values())
                for start in ("pre-trained on all", "pre-trained on the subset")
            )
            texts.append(f"{n:,} labels: all {all_of_it:.2f} %, the subset {own:.2f} %")
    return "test error, " + "; ".join(texts) if texts else None
