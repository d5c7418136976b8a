"""Training without a plan: the learning rate is found by short runs, judged on held-out images.

A rate that suits one size, contrast or number of images is ten times too large for another.  So
images come standardised (:mod:`cae_np.data.standardise`), Adam takes steps whose size does not
depend on the loss's, and of the rates on a grid the one is taken whose short run, from the same
weights, leaves the least error on images that were held out.  Where the best is at the grid's
edge, the grid grows.
"""

import numpy

from ..backend import to_device, to_numpy
from ..data.patches import image_blocks
from ..errors import DivergenceError
from ..rng import Purpose, generator
from .loop import Plan, train

RATES = (0.03, 0.01, 0.003, 0.001)  # tried first; further ones where an end of these is best
SMALLEST, LARGEST = 1e-5, 0.3  # of these
BATCH = 50
SHORT = 60  # steps of a trial
LONG = 600  # steps of the training itself, at least
HELD_OUT = 200  # images at most that errors are measured on


def divide(n, seed):
    """Which images are trained on, and which are held out: a tenth, 200 at most.

    Parameters
    ----------
    n : int
    seed : int

    Returns
    -------
    trained, held_out : arrays of int
        One image alone is both.
    """
    order = generator(Purpose.SUBSET, seed).permutation(n)
    held_out = min(HELD_OUT, -(-n // 10)) if n > 1 else 0
    return (order[held_out:], order[:held_out]) if held_out else (order, order)


def fit_by_search(model, images, held_out, error, *, labels=None, seed=0, layer=0, label=""):
    """Train a model with a learning rate that was found on held-out images.

    Parameters
    ----------
    model : see :mod:`cae_np.models`
    images, held_out : objects with ``len()``, ``batch(indices)`` and ``take(indices)``
    error : callable, (held_out) -> float
        Of the model as it is; the smaller the better.
    labels : numpy integer array, optional
        Of ``images``.
    seed, layer : int
    label : str
        Before the progress bars.

    Returns
    -------
    history : list of dict
        Of the training itself, ``held_out`` (the error) with each epoch's.
    plan : Plan
        What was found.

    Raises
    ------
    DivergenceError
        If every rate diverges.
    """
    start = {name: array.copy() for name, array in model.state()[0].items()}
    batch = min(BATCH, len(images))
    n = min(len(images), SHORT * batch)
    chosen = generator(Purpose.SUBSET, seed, layer, 1).permutation(len(images))[:n]
    few, few_labels = images.take(chosen), None if labels is None else labels[chosen]
    tried = {}

    def try_rate(rate):
        model.load_state(start)
        plan = Plan(-(-SHORT * batch // n), batch, rate, optimizer="adam")
        try:
            train(model, few, plan, seed, layer, f"{label} tries {rate:g}", labels=few_labels)
            tried[rate] = error(held_out)
        except DivergenceError:
            tried[rate] = numpy.inf
        if not numpy.isfinite(tried[rate]):
            tried[rate] = numpy.inf

    for rate in RATES:
        try_rate(rate)
    while True:
        best = min(tried, key=tried.get)
        if best == max(tried) and best < LARGEST:
            try_rate(float(f"{best * 10**0.5:.0e}"))
        elif best == min(tried) and best > SMALLEST:
            try_rate(float(f"{best / 10**0.5:.0e}"))
        else:
            break
    model.load_state(start)
    if not numpy.isfinite(tried[best]):
        rates = ", ".join(f"{rate:g}" for rate in sorted(tried))
        raise DivergenceError(
            f"{label}: the loss grows without limit at every learning rate tried ({rates}); make "
            "the model with smaller initial weights, scale=0.01 for instance"
        )
    epochs = max(1, -(-LONG * batch // len(images)))
    plan = Plan(epochs, batch, best, optimizer="adam")
    measured = set(numpy.linspace(1, epochs, min(epochs, 20)).astype(int).tolist())

    def watch(epoch):
        return {"held_out": error(held_out)} if epoch in measured else {}

    history = train(model, images, plan, seed, layer, label, labels=labels, watch=watch)
    return history, plan


def mean_squared_error(reconstruct, images):
    """Mean squared error of reconstructions, per value.

    Parameters
    ----------
    reconstruct : callable, (device array) -> device array
    images : object with ``len()`` and ``batch(indices)``

    Returns
    -------
    float
    """
    squares, size = 0.0, 0
    for rows in image_blocks(images):
        x = to_device(images.batch(rows))
        squares += float(to_numpy(((reconstruct(x) - x) ** 2).sum(dtype="float64")))
        size += x.size
    return squares / size
