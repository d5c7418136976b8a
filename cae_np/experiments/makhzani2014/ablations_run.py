"""What the cells of :mod:`.ablations` do."""

import time

import numpy as np

from ...backend import synchronize, to_device, to_numpy
from ...models.wta import WinnerTakeAll
from ...ops import overlapping_max_pool
from ...training import Plan, train
from ..engine import filter_shape
from ..engine.readout import readout_error
from .ablations_cells import ALMOST, LOOKED_AT, MODEL, STEPS, WINNER


def run(cell, context):
    """Train and judge a variant, or take the time of steps."""
    config = cell.config
    if "timed" in config:
        return _step_times(config, cell.seed, context.dataset.train), {}
    fit, validation = context.dataset.held_out()
    fit = fit.take(slice(config["images"]))
    test = context.dataset.test.take(slice(config["judged"]))
    model = WinnerTakeAll(seed=cell.seed, **config["model"])
    initial, history = to_numpy(model.w_dec).copy(), []
    if config["plan"]:
        history = train(
            model, fit, Plan(**config["plan"]), cell.seed, 0, context.label, context.checkpoint
        )
    values = _measures(model, to_device(validation.batch(slice(LOOKED_AT))))

    def error(encoder):
        labels = fit.labels, test.labels
        return readout_error([encoder], fit, test, labels, config["iterations"])

    values |= {
        "unlearned": _unlearned(to_numpy(model.w_dec), initial),
        "readout_error": error(model),
        "history": history,
    }
    if config["variant"] == WINNER:
        values["readout_error_on"] = error(ConstraintOn(model))
    return values, model.weights()


class ConstraintOn:
    """A model whose features are made of its maps as they are in training.

    Parameters
    ----------
    model : WinnerTakeAll
    """

    def __init__(self, model):
        self._model = model

    def encode(self, x):
        """Max-pooled maps with the constraint on, shape (N, K, OH, OW)."""
        width, stride = self._model.pool_width, self._model.pool_stride
        return overlapping_max_pool(self._model.hidden(x), width, stride)[0]


def _measures(model, x):
    """Of reconstructions, maps in training and filters, as plain numbers."""
    error = ((model.reconstruct(x) - x) ** 2).sum() / (x * x).sum()
    units = to_numpy((model.hidden(x) != 0).sum(axis=(2, 3)))  # active ones, (N, K)
    by_map = units.sum(axis=0)
    busiest = int(by_map.argmax())
    w_enc, w_dec = to_numpy(model.params["w_enc"]), to_numpy(model.w_dec)
    return {
        "error": 100 * float(to_numpy(error)),
        "dead": int((by_map == 0).sum()),
        "least_active": float((units > 0).mean(axis=0).min()),
        "busiest_share": float(by_map[busiest] / max(1, by_map.sum())),
        "encoder_peak_share": filter_shape.peak_share(w_enc),
        "decoder_peak_share": filter_shape.peak_share(w_dec),
        "busiest_peak_share": filter_shape.peak_share(w_dec[busiest : busiest + 1]),
        "radius": filter_shape.radius(w_dec),
    }


def _unlearned(w, initial):
    """Number of filters that training left almost as they were, up to their scale."""
    w, initial = (a.reshape(len(a), -1).astype(np.float64) for a in (w, initial))
    norms = np.sqrt((w * w).sum(axis=1) * (initial * initial).sum(axis=1))
    return int(((w * initial).sum(axis=1) > ALMOST * norms).sum())


def _step_times(config, seed, split):
    """Milliseconds of a training step, medians; the models take turns, so that all see the same
    machine."""
    x = to_device(split.batch(slice(config["batch_size"])))
    models = {
        name: WinnerTakeAll(maps=config["timed"], seed=seed, **MODEL, **options)
        for name, options in STEPS.items()
    }
    times = {name: [] for name in models}
    for _ in range(1 + config["repeats"]):
        for name, model in models.items():
            started = time.perf_counter()
            model.loss_and_gradients(x)
            synchronize()
            times[name].append(1e3 * (time.perf_counter() - started))
    # The first round allocates memory and is left out.
    return {name: sorted(taken[1:])[len(taken[1:]) // 2] for name, taken in times.items()}
