"""The one training loop: batches, noise, annealing, progress, checkpoints, the divergence guard.

A model that it can train has ``params`` (a dictionary of device arrays), ``loss_and_gradients(x,
target)`` and ``state()`` / ``load_state()``; see :mod:`cae_np.models`.
"""

import time
import zlib
from dataclasses import asdict, dataclass
from numbers import Integral
from pathlib import Path

import numpy

from ..backend import synchronize, to_device, to_numpy
from ..data.images import read_images
from ..errors import ConfigError
from ..ops import batch_last, binomial_mask, corrupt, gaussian_noise
from ..rng import Purpose, generator
from .checkpoint import Position, restore, save
from .guard import Guard
from .interrupt import Interruption
from .optim import SCHEDULES, SGD, Adam
from .progress import Progress


@dataclass(frozen=True)
class Plan:
    """Hyper-parameters of a training: plain values, which can stand in a result's configuration.

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

    Examples
    --------
    >>> from cae_np import Plan
    >>> Plan(epochs=10, batch_size=100, rate=0.003, optimizer="adam").schedule
    'linear_to_zero'
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

        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            require(whole and value >= 1, f"{name} = {value}, expected a whole number from 1 on")
        require(0 < self.rate < numpy.inf, f"rate = {self.rate}, expected a positive learning rate")
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
        """An optimiser that has not seen a step yet."""
        return SGD(self.momentum) if self.optimizer == "sgd" else Adam()

    def rate_at(self, step, steps):
        """Learning rate of step ``step`` of ``steps``."""
        return self.rate * SCHEDULES[self.schedule](step / steps)

    def as_dict(self):
        """For configurations and checkpoints."""
        return asdict(self)


def train(
    model,
    images,
    plan,
    seed,
    layer=0,
    label="",
    checkpoint=None,
    checkpoint_every=60.0,
    *,
    labels=None,
    augment=None,
    watch=None,
    channels=None,
):
    """Minimise a model's loss over images.

    Parameters
    ----------
    model : see :mod:`cae_np.models`
        Its parameters are updated in place.
    images : array (N, C, H, W), (N, H, W, C) or (N, H, W), or object with ``len()`` and ``batch``
        uint8 is scaled to [0, 1]; see :func:`cae_np.read_images`.  ``batch(indices)`` returns
        floats of shape (n, C, H, W), as every split of a data set does.
    plan : Plan
    seed, layer : int
        Decide the order of the images and the noise, each epoch and step its own stream;
        ``layer`` counts those of a stack from 0.
    label : str
        Stands before the progress bar.
    checkpoint : path, optional
        Model, optimiser and position are saved there every ``checkpoint_every`` seconds, and
        before Ctrl-C or SIGTERM end the training; where
        the file exists, training goes on from it and ends with the same bits (NumPy, same
        threads) as if it had never been interrupted.  It serves one training; the caller
        deletes it.
    labels : numpy integer array, shape (N,), optional
        Classes of the images; the model is given those of a batch in place of the clean images.
    augment : callable, (x, rng) -> x, optional
        Changes a batch of host images before noise is added; the target changes with them.
    watch : callable, (epoch) -> dict, optional
        Called after every epoch, counted from 1.
    channels : {"first", "last", "none"}, optional
        Where the images' channels are, if their shape does not tell.

    Returns
    -------
    history : list of dict
        One entry an epoch: ``epoch``, ``loss`` (mean over the epoch's steps), ``rate`` (of its
        last step), ``images_per_second``, what the model's ``telemetry()`` reports, if it has that
        method, and what ``watch`` returned.

    Raises
    ------
    BackendError
        If the memory does not suffice.
    ConfigError
        If there are no images, if they are not what a model can be trained on, if the model does
        not fit them, or if the checkpoint is that of another training.
    DataError
        If an image holds NaN or an infinity, or the checkpoint cannot be read or written.
    DivergenceError
        If the loss or a parameter stops being a finite number.  Noticed when the loss is next
        read, once a second at most, since reading it waits for the device.  The last checkpoint
        stays as it was.

    Examples
    --------
    >>> import numpy as np
    >>> from cae_np import Plan, WinnerTakeAll, train
    >>> images = np.random.default_rng(0).random((100, 8, 8), np.float32)
    >>> plan = Plan(epochs=3, batch_size=10, rate=0.01, optimizer="adam")
    >>> history = train(WinnerTakeAll(channels=1, maps=4, kernel=3), images, plan, seed=0)
    >>> [epoch["epoch"] for epoch in history]
    [1, 2, 3]
    >>> history[-1]["loss"] < history[0]["loss"]
    True
    """
    read = getattr(model, "read", read_images)
    images = read(images, channels)
    dtype = model.state()[1].get("dtype")
    name, n = label or type(model).__name__, len(images)
    if not n or (labels is not None and len(labels) != n):
        count = "no images" if labels is None or not n else f"{len(labels)} labels"
        raise ConfigError(f"{name}: {count} for {n} images; there is nothing to train on")
    optimizer = plan.make_optimizer()
    steps_per_epoch = -(-n // plan.batch_size)
    steps = plan.epochs * steps_per_epoch
    position, guard = Position(), Guard(name, checkpoint)
    identity = {
        "model": model.state()[1],
        "plan": plan.as_dict(),
        "images": n,
        "seed": seed,
        "stage": layer,
        "labels": None if labels is None else zlib.crc32(numpy.ascontiguousarray(labels)),
        "augmented": augment is not None,
    }
    if checkpoint and Path(checkpoint).exists():
        position = restore(checkpoint, identity, model, optimizer)
    began = saved = time.monotonic()
    is_over = position.epoch == plan.epochs

    done = position.epoch * n + min(n, position.step_in_epoch * plan.batch_size)
    ending = Interruption(wanted=checkpoint is not None)
    with ending, Progress(label, plan.epochs, n, done) as progress:
        for epoch in range(position.epoch, plan.epochs):
            order = generator(Purpose.ORDER, seed, layer, epoch).permutation(n)
            first = position.step_in_epoch
            for step_in_epoch in range(first, steps_per_epoch):
                step = epoch * steps_per_epoch + step_in_epoch
                begin = step_in_epoch * plan.batch_size
                chosen = order[begin : begin + plan.batch_size]
                clean = images.batch(chosen)
                guard.check_images(clean, chosen)
                if augment:
                    rng = generator(Purpose.TRANSLATION, seed, layer, epoch, step_in_epoch)
                    clean = augment(clean, rng)
                rate = plan.rate_at(step, steps)
                with guard.fitting(clean.shape, plan.batch_size):
                    clean = to_device(clean, dtype)
                    clean = batch_last(clean) if clean.ndim == 4 else clean
                    x = _corrupted(clean, plan, seed, layer, epoch, step_in_epoch)
                    target = clean if labels is None else to_device(labels[chosen])
                    loss, gradients = model.loss_and_gradients(x, target)
                    optimizer.step(model.params, gradients, rate)

                position = Position(
                    epoch, step_in_epoch + 1, position.loss_sum + loss, position.history
                )
                if progress.is_due() or step == 0:
                    progress.show(len(chosen), guard.check_loss(loss, step, rate))
                else:
                    progress.count(len(chosen))
                if checkpoint and (ending.asked or time.monotonic() - saved > checkpoint_every):
                    guard.check_state(
                        save(checkpoint, identity, model, optimizer, position), step, rate
                    )
                    saved = time.monotonic()
                    if ending.asked:
                        ending.leave()

            # A run that was interrupted between two epochs takes up here.
            step = (epoch + 1) * steps_per_epoch - 1
            rate = plan.rate_at(step, steps)
            mean_loss = float(to_numpy(position.loss_sum)) / steps_per_epoch
            entry = {
                "epoch": epoch + 1,
                "loss": guard.check_loss(mean_loss, step, rate),
                "rate": rate,
                "images_per_second": progress.images_per_second(),
                **(model.telemetry() if hasattr(model, "telemetry") else {}),
                **(watch(epoch + 1) if watch else {}),
            }
            progress.note(entry)
            position = Position(epoch + 1, 0, 0.0, [*position.history, entry])
    if checkpoint and not is_over and time.monotonic() - began > checkpoint_every:
        # What follows the training may take as long; it shall not cost the training.
        guard.check_state(save(checkpoint, identity, model, optimizer, position), step, rate)
    synchronize()
    return position.history


def _corrupted(clean, plan, seed, layer, epoch, step):
    if plan.noise == "none" or plan.amount == 0:
        return clean
    draw = binomial_mask if plan.noise == "binomial" else gaussian_noise
    rng = generator(Purpose.NOISE, seed, layer, epoch, step)
    return corrupt(clean, to_device(draw(rng, clean.shape, plan.amount)))
