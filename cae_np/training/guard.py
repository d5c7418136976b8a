"""Checks that stop a training, with messages for its user."""

from contextlib import contextmanager
from pathlib import Path

import numpy

from ..backend import active, memory, to_numpy
from ..errors import BackendError, ConfigError, DataError, DivergenceError


class Guard:
    """The checks of one training.

    Parameters
    ----------
    name : str
        What it is called in messages.
    checkpoint : path or None
        Where its last good state may lie.
    """

    def __init__(self, name, checkpoint):
        self._name, self._checkpoint = name, checkpoint
        self._finite = None  # the last finite loss that was read, and its step
        self._fits = False

    def check_images(self, x, chosen):
        """Refuse images with NaN or infinity in them; chosen are their numbers.

        What a layer below has computed on a device is not looked at: that would wait for it.
        """
        if not isinstance(x, numpy.ndarray):
            return
        with numpy.errstate(over="ignore", invalid="ignore"):
            total = x.sum()
        if numpy.isfinite(total) or numpy.isfinite(x).all():  # a sum may overflow
            return
        n, *where = numpy.argwhere(~numpy.isfinite(x))[0].tolist()
        axes = ("channel", "row", "column") if len(where) == 3 else ("element",)
        place = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where, strict=False))
        raise DataError(
            f"{self._name}: image {chosen[n]} holds {x[(n, *where)]} at {place}; expected finite "
            "numbers; repair that image or leave it out"
        )

    @contextmanager
    def fitting(self, shape, batch_size):
        """Whether images and model fit together and into memory shows in the first steps."""
        try:
            yield
        except MemoryError as error:
            free, total = memory()
            raise BackendError(
                f"{self._name}: the memory of {active().description} does not suffice "
                f"({error}; {free / 1e6:,.0f} of {total / 1e6:,.0f} MB are free); batch_size is "
                f"{batch_size}, choose a smaller one, or end what else uses it"
            ) from error
        except ValueError as error:
            if self._fits:
                raise
            size = "×".join(map(str, shape[1:]))
            raise ConfigError(
                f"{self._name}: the model does not fit images of {size}: {error}"
            ) from error
        self._fits = True

    def check_loss(self, loss, step, rate):
        """The loss as a Python number; raises where it is not finite."""
        loss = float(to_numpy(loss))
        if not numpy.isfinite(loss):
            self._diverged(f"the loss is {loss}", step, rate)
        self._finite = loss, step
        return loss

    def check_state(self, not_finite, step, rate):
        """Stop where a state was not worth saving."""
        if not_finite:
            self._diverged(f"{not_finite} holds numbers that are not finite", step, rate)

    def _diverged(self, what, step, rate):
        message = (
            f"{self._name}: {what} at step {step + 1} with learning rate {rate:.3g}; try a "
            f"learning rate of {rate / 3:.1g}, or smaller initial weights"
        )
        if self._finite:
            loss, at = self._finite
            message += f"; the loss was {loss:.3g} at step {at + 1}"
        if self._checkpoint and Path(self._checkpoint).exists():
            message += f"; the last good state is kept in {self._checkpoint}"
        raise DivergenceError(message)
