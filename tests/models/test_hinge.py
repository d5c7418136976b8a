"""The squared hinge loss."""

import numpy as np
import pytest

from cae_np.backend import to_device, to_numpy
from cae_np.models.hinge import squared_hinge, squared_hinge_backward


def test_squared_hinge_by_hand(xp):
    z = to_device(np.array([[2.0, -3.0], [0.5, 0.0]]))
    labels = to_device(np.array([0, 1]))
    # Row 0 violates nothing.  Row 1: class 0 by 1.5 (t = -1), class 1 by 1 (t = 1).
    assert float(squared_hinge(z, labels)) == pytest.approx((1.5**2 + 1) / 2)
    dz = squared_hinge_backward(z, labels)
    assert isinstance(dz, xp.ndarray) and dz.dtype == z.dtype
    np.testing.assert_allclose(to_numpy(dz), [[0, 0], [1.5, -1]])


def test_squared_hinge_is_smooth_at_its_kink(xp):
    labels = to_device(np.array([1]))
    at_kink = np.array([[-1.0, 1.0]])
    assert float(squared_hinge(to_device(at_kink), labels)) == 0
    np.testing.assert_array_equal(to_numpy(squared_hinge_backward(to_device(at_kink), labels)), 0)
    for step, slope in ((1e-4, 2e-4), (-1e-4, 0)):  # class 0 may stay below -1, not above
        dz = squared_hinge_backward(to_device(at_kink + [step, 0]), labels)
        assert float(dz[0, 0]) == pytest.approx(slope)
