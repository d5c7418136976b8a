"""Networks of M11 that are small, and images with something to learn."""

import numpy as np

from cae_np.models.cnn import ConvNet

SMALL = {"maps": (3, 4, 5), "kernels": (3, 2, 2), "hidden": 6, "classes": 4}


def small(**options):
    """14×14 → 12 → 6 → 5 → 3 → 2 pixels; the second pooling's last windows are clipped."""
    return ConvNet((2, 14, 14), **SMALL | {"dtype": "float64"} | options)


class Images:
    """What the training loop asks for."""

    def __init__(self, n, shape=(2, 14, 14), seed=0):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 4, n)
        # Every class has a bright quarter of its own, so that there is something to learn.
        self._images = rng.random((n, *shape), dtype="float32")
        for i, label in enumerate(self.labels):
            self._images[i, :, 7 * (label // 2) :, 7 * (label % 2) :] += 1

    def __len__(self):
        return len(self._images)

    def batch(self, indices=slice(None)):
        return self._images[indices].copy()
