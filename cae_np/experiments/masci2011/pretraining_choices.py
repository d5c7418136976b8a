"""The ledger of tables 1 and 2 of Masci et al. 2011; see :mod:`.pretraining`."""

import statistics

from ..frame.experiment import Choice
from .pretraining import all_images, holds_out
from .pretraining_report import fine_tuned


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
