"""Figures of tables 1 and 2 of Masci et al. 2011; see :mod:`.pretraining`."""

import numpy as np

from ...backend import to_numpy
from ...models.cnn import ConvNet
from ...models.stack import CaeStack
from ..engine.filter_shape import own_scale
from ..frame.experiment import Picture
from .pretraining_report import fine_tuned, main_layers

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
