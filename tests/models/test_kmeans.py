"""Features from k-means of patches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg
from scipy.spatial.distance import cdist

from cae_np.backend import to_device, to_numpy
from cae_np.data.batches import ImageArray
from cae_np.data.patches import sample_patches
from cae_np.data.preprocess import contrast_normalise
from cae_np.errors import ConfigError
from cae_np.models.clustering import kmeans, squared_distances
from cae_np.models.kmeans import PatchKMeans, quadrant_sums, triangle


def points(M=200, D=5, groups=6, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal((groups, D))[rng.integers(groups, size=M)] + (
        rng.standard_normal((M, D))
    )


def pictures(N=7, C=3, H=9, W=10, seed=0, dtype="float64"):
    return np.random.default_rng(seed).random((N, C, H, W)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distances_of_one_product_are_those_of_every_pair(xp, dtype):
    x, c = points().astype(dtype), points(9, seed=1).astype(dtype)
    x[0] = c[0]  # rounding must not make it negative
    z = squared_distances(to_device(x), to_device(c))
    assert z.dtype == dtype and to_numpy(z).min() >= 0
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(to_numpy(z), cdist(x, c) ** 2, atol=tolerance)


def test_triangle_by_hand(xp):
    z = np.array([[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]])  # means 3 and 4
    given = to_device(z)
    np.testing.assert_allclose(to_numpy(triangle(given)), [[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert np.array_equal(to_numpy(given), z)


@given(st.integers(1, 5), st.integers(1, 5))
def test_quadrants_partition_the_image(rows, columns):
    f = np.random.default_rng(0).random((2, rows * columns, 3))
    sums = quadrant_sums(f, rows, columns)
    np.testing.assert_allclose(sums.sum(axis=(2, 3)), f.sum(axis=1))
    half, middle = -(-rows // 2), -(-columns // 2)
    image = f[1, :, 2].reshape(rows, columns)
    expected = [
        [image[:half, :middle].sum(), image[:half, middle:].sum()],
        [image[half:, :middle].sum(), image[half:, middle:].sum()],
    ]
    np.testing.assert_allclose(sums[1, 2], expected)


def by_loops(model, x, patches):
    """Features once more, patch by patch, whitened by the formula."""
    size, (c,) = model.size, [to_numpy(model.params["centroids"])]
    N, _, H, W = x.shape
    rows, columns = H - size + 1, W - size + 1
    features = np.zeros((N, len(c), 2, 2))
    flat = patches.reshape(len(patches), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.sqrt(flat.var(axis=1, keepdims=True) + model.regularisation)
    if model.zca:
        covariance = np.cov(flat.T, bias=True) + model.zca.epsilon * np.eye(flat.shape[1])
        matrix, mean = linalg.inv(linalg.sqrtm(covariance)).real, flat.mean(axis=0)
    for n, i, j in np.ndindex(N, rows, columns):
        patch = x[n, :, i : i + size, j : j + size].ravel()
        patch = (patch - patch.mean()) / np.sqrt(patch.var() + model.regularisation)
        if model.zca:
            patch = (patch - mean) @ matrix
        z = np.sqrt(((patch - c) ** 2).sum(axis=1))
        quadrant = int(i >= -(-rows // 2)), int(j >= -(-columns // 2))
        features[n, :, *quadrant] += np.maximum(z.mean() - z, 0)
    return features


@pytest.mark.parametrize("whiten", [True, False])
def test_features_are_those_of_every_patch(xp, small_blocks, whiten):
    x = pictures()
    images = ImageArray(x)
    model = PatchKMeans(5, size=4, whiten=whiten, epsilon=0.2, seed=1)
    history = model.fit(images, patches=300, iterations=6).history
    assert len(history) == 6 and history[-1]["error"] < history[0]["error"]
    features = to_numpy(model.encode(to_device(x)))
    expected = by_loops(model, x, sample_patches(images, 300, 4, seed=1))
    np.testing.assert_allclose(features, expected, rtol=1e-8, atol=1e-8)


def test_centroids_lie_among_prepared_patches(xp):
    """Each is the mean of the patches that are nearest to it, once nothing moves any more."""
    images = ImageArray(pictures(20))
    model = PatchKMeans(4, size=3, seed=0)
    model.fit(images, patches=200, iterations=60)
    x = to_device(sample_patches(images, 200, 3, seed=0).reshape(200, -1))
    x = to_numpy(model.zca.whiten(contrast_normalise(x)))
    c = to_numpy(model.params["centroids"])
    nearest = cdist(x, c).argmin(axis=1)
    for k in range(4):
        np.testing.assert_allclose(c[k], x[nearest == k].mean(axis=0), atol=1e-9)


def test_state_and_float32(xp):
    x = pictures(dtype="float32")
    model = PatchKMeans(5, size=4, seed=1)
    model.fit(ImageArray(x), patches=100, iterations=3)
    arrays, config = model.state()
    again = PatchKMeans(**config)
    again.load_state(arrays)
    features = to_numpy(model.encode(to_device(x)))
    assert features.dtype == np.float32 and features.shape == (7, 5, 2, 2)
    assert np.array_equal(to_numpy(again.encode(to_device(x))), features)


def test_clear_refusals(xp):
    with pytest.raises(ConfigError, match="0 maps"):
        PatchKMeans(0)
    with pytest.raises(ConfigError, match="9 centroids from 5 patches"):
        kmeans(to_device(points(5)), 9, 1, 0)
    with pytest.raises(ValueError, match="10×10 do not fit into 9×10"):
        PatchKMeans(2, size=10).fit(ImageArray(pictures()), patches=10)
    with pytest.raises(ValueError, match="learned first: call fit"):
        PatchKMeans(2).encode(to_device(pictures()))
    model = PatchKMeans(2, size=4)
    model.fit(ImageArray(pictures()), patches=20, iterations=1)
    with pytest.raises(ValueError, match="4×4 do not fit into 3×10"):  # no place at all
        model.encode(to_device(pictures(H=3)))
