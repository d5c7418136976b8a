"""Models and images for tests of trainings."""

import numpy as np
import pytest

from cae_np.models.autoencoder import AutoEncoder
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.cnn import ConvNet
from cae_np.models.shallow_net import ShallowConvNet
from cae_np.models.wta import WinnerTakeAll


class Images:
    """Random images, with a way to be interrupted after so many batches."""

    def __init__(self, n=40, fail_after=None):
        self._x = np.random.default_rng(0).random((n, 1, 8, 8), dtype="float32")
        self._left = fail_after

    def __len__(self):
        return len(self._x)

    def batch(self, indices):
        if self._left is not None:
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
        return self._x[indices]


LABELS = np.arange(40) % 3


# A function of the seed, and the labels for those that learn with them.
MODELS = {
    "cae": (lambda s: ConvAutoEncoder(1, 3, (3, 3), pool=2, seed=s), None),
    "cae, full, untied": (
        lambda s: ConvAutoEncoder(1, 3, (3, 3), mode="full", tied=False, seed=s), None,
    ),
    "wta, sparse": (lambda s: WinnerTakeAll(1, 4, (3, 3), seed=s), None),
    "wta, dense": (lambda s: WinnerTakeAll(1, 4, (3, 3), path="dense", seed=s), None),
    "wta, tied": (lambda s: WinnerTakeAll(1, 4, (3, 3), tied=True, seed=s), None),
    "wta, global top-k": (
        lambda s: WinnerTakeAll(1, 4, (3, 3), path="dense", sparsity="global_top_k", amount=5,
                                seed=s), None,
    ),
    "autoencoder": (lambda s: AutoEncoder(64, 5, seed=s), None),
    "autoencoder, k-sparse": (lambda s: AutoEncoder(64, 9, k=3, seed=s), None),
    "shallow net": (
        lambda s: ShallowConvNet((1, 8, 8), 3, (3, 3), classes=3, pool_width=3, pool_stride=2,
                                 seed=s), LABELS,
    ),
    "network": (
        lambda s: ConvNet((1, 8, 8), maps=(3, 4), kernels=(3, 2), pools=(2, None), hidden=5,
                          classes=3, seed=s), LABELS,
    ),
}  # fmt: skip


every_model = pytest.mark.parametrize("name", MODELS)


def model(seed=0, pool=2):
    return ConvAutoEncoder(1, 3, (3, 3), pool=pool, seed=seed)
