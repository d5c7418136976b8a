"""Blocks so small that several are needed."""

import pytest

from cae_np.models import clustering, kmeans, scaling
from cae_np.ops.kernels import blocks


@pytest.fixture
def small_blocks(monkeypatch, xp):
    """Blocks of five rows of six float64 features, on either kind of backend."""
    for module in (clustering, kmeans, scaling):
        monkeypatch.setattr(module, "HOST_BLOCK", 5 * 6 * 8)
    monkeypatch.setitem(blocks._device_bytes, xp, 5 * 6 * 8)
