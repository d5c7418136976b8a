"""Images less their mean, over their standard deviation: what range and contrast cannot disturb."""

from dataclasses import dataclass

import numpy

from ..backend import to_numpy
from ..errors import ConfigError
from .images import check_finite

MEASURED = 1000  # images at most from which mean and deviation are measured
BLOCK = 50  # of them at a time


@dataclass(frozen=True)
class Scale:
    """What images are standardised by.

    Attributes
    ----------
    mean : float
    std : float
        Over all pixels, channels and images, so that whatever is brighter or has more contrast
        than something else keeps being it.
    """

    mean: float
    std: float

    @classmethod
    def of(cls, images):
        """Measured on images.

        Parameters
        ----------
        images : object with ``len()`` and ``batch(indices)``

        Returns
        -------
        Scale

        Raises
        ------
        ConfigError
            If all pixels are alike.
        DataError
            If a value is NaN or infinite.
        """
        chosen = numpy.unique(numpy.linspace(0, len(images) - 1, MEASURED).astype(int))
        count, total, squares, origin = 0, 0.0, 0.0, None
        for rows in (chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK)):
            x = images.batch(rows)
            check_finite(x, rows[0])
            x = x.astype("float64")
            origin = float(to_numpy(x.reshape(-1)[0])) if origin is None else origin
            x = x - origin  # nothing cancels where the mean is far larger than the deviation
            count += x.size
            total += float(to_numpy(x.sum()))
            squares += float(to_numpy((x * x).sum()))
        variance = squares / count - (total / count) ** 2
        if not variance > 0:
            raise ConfigError(
                f"all pixels of these images are {origin:g}: there is nothing to learn from them"
            )
        return cls(origin + total / count, variance**0.5)

    def apply(self, x):
        """(x - mean) / std, in float32, or float64 where x is."""
        if x.dtype == "float64":
            return (x - self.mean) / self.std
        # Subtracted in float64: 1000.001 less 1000 has few digits left in float32.
        return ((x.astype("float64") - self.mean) / self.std).astype("float32")

    def undo(self, x):
        """x · std + mean."""
        return x * self.std + self.mean
