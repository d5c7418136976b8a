"""Winner-take-all auto-encoders for tests: in float64, with every parameter moved."""

import numpy as np

from cae_np.backend import to_device
from cae_np.models.wta import WinnerTakeAll


def model(*sizes, seed=0, **options):
    """A float64 model with every parameter moved: biases that are not zero."""
    found = WinnerTakeAll(
        *sizes, **{"dtype": "float64", "pool_width": 1, "pool_stride": 1} | options
    )
    rng = np.random.default_rng(seed)
    for p in found.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.3)
    return found


def twin(of, **changes):
    """A model of the same parameters with another configuration."""
    arrays, config = of.state()
    other = WinnerTakeAll(**config | changes)
    other.load_state(arrays)
    return other
