"""Noise that corrupts inputs."""

import numpy as np
from ops.properties import properties_of


@properties_of("corrupt (binomial)", "corrupt (Gaussian)", "binomial_mask", "gaussian_noise")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


def test_noise_takes_the_dtype_of_the_images(impl, arrays):
    for images, noise in [("float32", "float64"), ("float64", "float32")]:
        x, draw = arrays["x"].astype(images), arrays["x"].astype(noise)
        assert impl.corrupt(x, draw).dtype == np.dtype(images)
