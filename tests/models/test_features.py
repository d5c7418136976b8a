"""Features of many images, in blocks."""

import tracemalloc

import numpy as np

from cae_np.data.batches import Encoded, ImageArray
from cae_np.models.features import feature_matrix
from cae_np.models.wta import WinnerTakeAll


def test_features_of_many_images_never_need_all_maps():
    """400 images' maps would take 200 MB."""
    images = ImageArray(np.random.default_rng(0).random((400, 1, 28, 28), np.float32))
    encoder = WinnerTakeAll(1, 160, (7, 7))
    encoded = Encoded(images, [encoder])
    tracemalloc.start()
    try:
        features = feature_matrix(images, [encoder], block=50)
        peak = tracemalloc.get_traced_memory()[1] - features.nbytes
    finally:
        tracemalloc.stop()
    assert features.shape == (400, 160 * 100) and features.dtype == np.float32
    # Not the same bits: a product of another size may be summed in another order.
    expected = encoded.batch(np.arange(123, 127)).reshape(4, -1)
    np.testing.assert_allclose(features[123:127], expected, rtol=1e-4, atol=1e-6)
    assert peak < 40e6
