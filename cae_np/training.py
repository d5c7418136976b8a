"""The one training loop: batches, noise, annealing, progress, checkpoints, the divergence guard.

A model that it can train has ``params`` (a dictionary of device arrays), ``loss_and_gradients(x,
target)`` and ``state()`` / ``load_state()``; see :mod:`cae_np.models`.
"""

import json
import multiprocessing
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy
from tqdm import tqdm

from . import storage
from .backend import synchronize, to_device, to_numpy
from .errors import ConfigError, DivergenceError
from .ops import batch_last, binomial_mask, corrupt, gaussian_noise
from .optim import SCHEDULES, SGD, Adam
from .rng import Purpose, generator


@dataclass(frozen=True)
class Plan:
    """How a model is trained; plain values, so that it can stand in a result's configuration.

    Attributes
    ----------
    epochs, batch_size : int
    rate : float
        Learning rate of the first step.
    schedule : {"constant", "linear_to_zero", "exponential"}
        How the rate falls, step by step.
    optimizer : {"sgd", "adam"}
    momentum : float
        Of sgd.
    noise : {"none", "binomial", "gaussian"}
        Corruption of the inputs (M11, section 2.2); the target stays clean.
    amount : float
        Share of pixels that binomial noise switches off, or Gaussian noise's standard deviation.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    epochs: int
    batch_size: int
    rate: float
    schedule: str = "linear_to_zero"
    optimizer: str = "sgd"
    momentum: float = 0.0
    noise: str = "none"
    amount: float = 0.0

    def __post_init__(self):
        def require(condition, what):
            if not condition:
                raise ConfigError(f"training plan: {what}")

        require(self.epochs >= 1, f"epochs = {self.epochs}, expected at least 1")
        require(self.batch_size >= 1, f"batch_size = {self.batch_size}, expected at least 1")
        require(self.rate > 0, f"rate = {self.rate}, expected a positive learning rate")
        require(0 <= self.momentum < 1, f"momentum = {self.momentum}, expected 0 <= momentum < 1")
        for value, known in (
            (self.schedule, tuple(SCHEDULES)),
            (self.optimizer, ("sgd", "adam")),
            (self.noise, ("none", "binomial", "gaussian")),
        ):
            require(value in known, f"{value!r} is not one of {', '.join(known)}")
        largest = 1 if self.noise == "binomial" else numpy.inf
        require(
            0 <= self.amount <= largest,
            f"amount = {self.amount} of {self.noise} noise, expected 0 to {largest}",
        )

    def make_optimizer(self):
        return SGD(self.momentum) if self.optimizer == "sgd" else Adam()

    def rate_at(self, step, steps):
        """Learning rate of step ``step`` of ``steps``."""
        return self.rate * SCHEDULES[self.schedule](step / steps)

    def as_dict(self):
        return asdict(self)


def train(
    model,
    images,
    plan,
    seed,
    stage=0,
    label="",
    checkpoint=None,
    checkpoint_every=60.0,
    *,
    labels=None,
    augment=None,
    watch=None,
):
    """Minimise a model's loss over images.

    Parameters
    ----------
    model : see :mod:`cae_np.models`
        Its parameters are updated in place.
    images : object with ``len()`` and ``batch(indices)``
        ``batch`` returns host floats of shape (n, C, H, W); every split of a data set does.
    plan : Plan
    seed, stage : int
        Decide the order of the images and the noise, each epoch and step its own stream.
    label : str
        Stands before the progress bar.
    checkpoint : path, optional
        Model, optimiser and position are saved there every ``checkpoint_every`` seconds; where
        the file exists, training goes on from it and ends with the same bits (NumPy, same
        threads) as if it had never been interrupted.  The caller deletes it.

    Returns
    -------
    history : list of dict
        One entry an epoch: ``epoch``, ``loss`` (mean over the epoch's steps), ``rate`` (of its
        last step), ``images_per_second``, what the model's ``telemetry()`` reports, if it has that
        method, and what ``watch`` returned.

    Raises
    ------
    DivergenceError
        If the loss stops being a finite number.  Noticed when the loss is next read, once a
        second at most, since reading it waits for the device.
    """
    optimizer = plan.make_optimizer()
    n = len(images)
    steps_per_epoch = -(-n // plan.batch_size)
    steps = plan.epochs * steps_per_epoch
    position = _Position()
    if checkpoint and Path(checkpoint).exists():
        position = _restore(checkpoint, model, optimizer)
    saved = time.monotonic()

    with _Progress(label, plan.epochs, n, position.epoch * n) as progress:
        for epoch in range(position.epoch, plan.epochs):
            order = generator(Purpose.ORDER, seed, stage, epoch).permutation(n)
            first = position.step_in_epoch
            for step_in_epoch in range(first, steps_per_epoch):
                step = epoch * steps_per_epoch + step_in_epoch
                begin = step_in_epoch * plan.batch_size
                chosen = order[begin : begin + plan.batch_size]
                clean = images.batch(chosen)
                if augment:
                    rng = generator(Purpose.TRANSLATION, seed, stage, epoch, step_in_epoch)
                    clean = augment(clean, rng)
                clean = to_device(clean)
                clean = batch_last(clean) if clean.ndim == 4 else clean
                x = _corrupted(clean, plan, seed, stage, epoch, step_in_epoch)
                target = clean if labels is None else to_device(labels[chosen])
                loss, gradients = model.loss_and_gradients(x, target)
                rate = plan.rate_at(step, steps)
                optimizer.step(model.params, gradients, rate)

                position = _Position(
                    epoch, step_in_epoch + 1, position.loss_sum + loss, position.history
                )
                if progress.is_due() or step == 0:
                    _require_finite(loss, step, rate, label)
                    progress.show(len(chosen), float(loss))
                else:
                    progress.count(len(chosen))
                if checkpoint and time.monotonic() - saved > checkpoint_every:
                    _save(checkpoint, model, optimizer, position)
                    saved = time.monotonic()

            # A run that was interrupted between two epochs takes up here.
            step = (epoch + 1) * steps_per_epoch - 1
            rate = plan.rate_at(step, steps)
            mean_loss = float(to_numpy(position.loss_sum)) / steps_per_epoch
            _require_finite(mean_loss, step, rate, label)
            entry = {
                "epoch": epoch + 1,
                "loss": mean_loss,
                "rate": rate,
                "images_per_second": progress.images_per_second(),
                **(model.telemetry() if hasattr(model, "telemetry") else {}),
                **(watch(epoch + 1) if watch else {}),
            }
            progress.note(entry)
            position = _Position(epoch + 1, 0, 0.0, [*position.history, entry])
    synchronize()
    return position.history


def _corrupted(clean, plan, seed, stage, epoch, step):
    if plan.noise == "none" or plan.amount == 0:
        return clean
    draw = binomial_mask if plan.noise == "binomial" else gaussian_noise
    rng = generator(Purpose.NOISE, seed, stage, epoch, step)
    return corrupt(clean, to_device(draw(rng, clean.shape, plan.amount)))


def _require_finite(loss, step, rate, label):
    loss = float(to_numpy(loss))
    if not numpy.isfinite(loss):
        raise DivergenceError(
            f"{label or 'training'}: the loss is {loss} at step {step + 1} with learning rate "
            f"{rate:.3g}; try a learning rate of {rate / 3:.1g}, or smaller initial weights"
        )


# --- checkpoints --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Position:
    """Where in a run the next step stands, and what has been gathered so far."""

    epoch: int = 0
    step_in_epoch: int = 0
    loss_sum: object = 0.0
    history: tuple | list = ()


def _save(path, model, optimizer, position):
    model_arrays, _ = model.state()
    optimizer_arrays, settings = optimizer.state()
    arrays = {f"model/{name}": array for name, array in model_arrays.items()}
    arrays |= {f"optimizer/{name}": to_numpy(array) for name, array in optimizer_arrays.items()}
    arrays["loss_sum"] = to_numpy(position.loss_sum)
    record = {
        "epoch": position.epoch,
        "step_in_epoch": position.step_in_epoch,
        "history": list(position.history),
        "optimizer": settings,
    }
    arrays["record"] = numpy.frombuffer(json.dumps(record).encode(), numpy.uint8)
    storage.save_arrays(path, arrays)


def _restore(path, model, optimizer):
    arrays = storage.load_arrays(path)
    record = json.loads(arrays.pop("record").tobytes())
    loss_sum = to_device(arrays.pop("loss_sum"))
    model.load_state(_under(arrays, "model/"))
    restored = {name: to_device(array) for name, array in _under(arrays, "optimizer/").items()}
    optimizer.load_state(restored, record["optimizer"])
    return _Position(record["epoch"], record["step_in_epoch"], loss_sum[()], record["history"])


def _under(arrays, prefix):
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


# --- progress -----------------------------------------------------------------------------------


# Seconds between two readings of the loss: of a bar, and of plain lines.
BAR_INTERVAL, LINE_INTERVAL = 1.0, 10.0


class _Progress:
    """A bar where there is a terminal, a plain line now and then where there is none."""

    def __init__(self, label, epochs, n, done):
        self._label, self._total, self._n = label, epochs * n, n
        # Bars of several processes would write over each other.
        alone = multiprocessing.parent_process() is None
        self._is_terminal = alone and sys.stderr.isatty()
        self._interval = BAR_INTERVAL if self._is_terminal else LINE_INTERVAL
        self._bar = tqdm(
            total=self._total,
            initial=done,
            desc=label,
            unit="img",
            disable=not self._is_terminal,
            leave=False,
            dynamic_ncols=True,
        )
        self._done = done
        self._started, self._from = time.monotonic(), done
        self._read = self._started
        self._telemetry = ""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()

    def is_due(self):
        """Whether it is time to read the loss, which waits for the device."""
        return time.monotonic() - self._read >= self._interval

    def count(self, images):
        self._done += images
        self._bar.update(images)

    def show(self, images, loss):
        self.count(images)
        self._read = time.monotonic()
        text = f"loss {loss:.4g}{self._telemetry}"
        self._bar.set_postfix_str(text)
        if not self._is_terminal and self._read - self._started >= self._interval:
            self._line(text)

    def note(self, entry):
        """Keep what the model reported of an epoch in sight until the next one ends."""
        if "active_share" in entry:
            least, median, _ = entry["active_share"]
            self._telemetry = (
                f"  dead {entry['dead_maps']}  active on {least:.0%} (median {median:.0%})  "
                f"sparsity {entry['hidden_sparsity']:.2%}  ties {entry['ties']:.2%}"
            )

    def images_per_second(self):
        elapsed = time.monotonic() - self._started
        return (self._done - self._from) / elapsed if elapsed else 0.0

    def _line(self, text):
        share = self._done / self._total
        print(
            f"{self._label}: {share:4.0%}  {text}  {self.images_per_second():.0f} images/s",
            file=sys.stderr,
            flush=True,
        )
