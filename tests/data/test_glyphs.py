"""Glyphs: digits drawn from fonts."""

import numpy as np

from cae_np.data import glyphs


def test_glyphs_look_like_mnist():
    # MNIST: mean 0.13, digits in the middle 20 × 20 with their centre of mass in the middle.
    x = glyphs.draw(1000, seed=0).batch()[:, 0]
    assert 0.11 < x.mean() < 0.16
    assert (x[:, 14 - 4 : 14 + 4].max((1, 2)) > 0.6).all()  # every digit is there
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert x[:, border].mean() < 0.01
    partly = ((x > 0.02) & (x < 0.98)).mean() / (x > 0.02).mean()
    assert 0.2 < partly < 0.8  # edges are anti-aliased
    at = np.arange(28) - 13.5
    mass = x.sum((1, 2))
    for axis, other in ((1, 2), (2, 1)):
        centre = (x.sum(other) * at).sum(1) / mass
        assert abs(centre.mean()) < 0.3 and centre.std() < 1.2, axis
    thickness = np.array([image.mean() for image in x])
    assert thickness.std() / thickness.mean() > 0.2
