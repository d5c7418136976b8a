"""Arrays that several files try operations on."""

import numpy as np
import pytest


@pytest.fixture(params=[(2, 4), (3, 1)], ids=["more maps", "more channels"])
def arrays(request, xp):
    """The columns are made of the side that has fewer channels."""
    C, K = request.param
    rng = np.random.default_rng(0)
    shapes = {"x": (3, C, 9, 6), "w": (K, C, 3, 2), "h": (3, K, 7, 5), "same": (3, K, 9, 6)}
    return {name: xp.asarray(rng.standard_normal(shape)) for name, shape in shapes.items()}
