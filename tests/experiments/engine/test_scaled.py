"""Images scaled to the range of the non-linearity."""

import numpy as np

from cae_np.data import Split
from cae_np.experiments.engine.scaled import Scaled


def test_scaled_images_reach_from_black_to_white_and_back():
    split = Split(np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1), np.arange(3))
    scaled = Scaled(split, -1.0, 1.0)
    x = scaled.batch()
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.ravel(), [-1, -0.6, 1], atol=1e-6)
    np.testing.assert_allclose(scaled.unscaled(x), split.batch(), atol=1e-6)
    np.testing.assert_array_equal(scaled.take([2]).batch(), x[2:])
