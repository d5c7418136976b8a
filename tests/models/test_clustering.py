"""k-means."""

import numpy as np
import pytest
import strict_cupy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

from cae_np import backend
from cae_np.backend import to_device, to_numpy
from cae_np.data.batches import ImageArray
from cae_np.data.preprocess import contrast_normalise
from cae_np.errors import DataError
from cae_np.models import clustering
from cae_np.models.clustering import kmeans
from cae_np.models.kmeans import PatchKMeans
from cae_np.rng import Purpose, generator


def points(M=200, D=5, groups=6, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal((groups, D))[rng.integers(groups, size=M)] + (
        rng.standard_normal((M, D))
    )


def pictures(N=7, C=3, H=9, W=10, seed=0, dtype="float64"):
    return np.random.default_rng(seed).random((N, C, H, W)).astype(dtype)


def test_centroids_are_scipys(xp, small_blocks):
    x, k = points(), 6
    first = generator(Purpose.SUBSET, 3).choice(len(x), k, replace=False)
    expected, _ = kmeans2(x, x[first], iter=12, minit="matrix")
    centroids, history = kmeans(to_device(x), k, 12, seed=3)
    assert sum(entry["empty"] for entry in history) == 0
    np.testing.assert_allclose(to_numpy(centroids), expected, rtol=1e-9)


@given(st.integers(1, 12), st.integers(0, 50))
def test_no_iteration_makes_it_worse(k, seed):
    _, history = kmeans(points(60, seed=seed), k, 8, seed)
    errors = [entry["error"] for entry in history]
    assert all(b <= a * (1 + 1e-12) for a, b in zip(errors, errors[1:], strict=False))


def test_empty_clusters_begin_anew_where_patches_are_worst_represented(xp):
    x = np.zeros((30, 2))
    x[:10, 0] = 100 + np.arange(10)
    x[10, 1] = -500
    # Equal points draw equal centroids, of which all but the first stay empty.
    centroids, history = kmeans(to_device(x), 12, 1, seed=0)
    assert history[0]["empty"] > 0
    centroids, history = kmeans(to_device(x), 12, 30, seed=0)
    assert history[-1]["empty"] == 0 and history[-1]["error"] < 1e-9
    assert len(np.unique(to_numpy(centroids), axis=0)) == 12


def test_float32_stays_and_the_same_seed_gives_the_same(xp):
    x = to_device(points().astype("float32"))
    one, again, other = (to_numpy(kmeans(x, 4, 5, seed)[0]) for seed in (0, 0, 1))
    assert one.dtype == np.float32
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_the_points_decide_where_it_computes():
    """Not what is active when it is called."""
    x, before = points(30), backend.active().name
    expected, _ = kmeans(x, 3, 2, seed=0)
    strict_cupy.register_stand_in()
    backend.use("strict")
    try:
        found, _ = kmeans(x, 3, 2, seed=0)
    finally:
        backend.use(before)
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=12)
@given(st.floats(-1e6, 1e6), st.integers(1, 8), st.integers(0, 30))
def test_an_offset_changes_neither_clusters_nor_descent(offset, k, seed):
    """In float32 too, where the squares of ten thousand leave no digits for a distance of one."""
    x = (points(80, seed=seed) * 8).round() / 8 + np.float32(offset).round()
    for dtype in ("float32", "float64"):
        moved = x.astype(dtype)
        centroids, history = kmeans(moved, k, 8, seed)
        exact, expected = kmeans(moved.astype("float64") - moved[0], k, 8, seed)
        errors = [entry["error"] for entry in history]
        assert all(b <= a * (1 + 1e-5) for a, b in zip(errors, errors[1:], strict=False))
        np.testing.assert_allclose(errors, [e["error"] for e in expected], rtol=1e-4, atol=1e-6)
        assert centroids.dtype == dtype
        nearest = [
            cdist(y, c).argmin(axis=1)
            for y, c in ((x - x[0], exact), (x, centroids.astype("float64")))
        ]
        np.testing.assert_array_equal(*nearest)


def test_prepared_patches_are_clustered_as_they_are():
    """Without a mean nothing is moved: results that were published keep their bits."""
    x = contrast_normalise(pictures(200).reshape(200, -1).astype("float32"))
    assert clustering._centre(x) is None
    assert clustering._centre(x + 10) is not None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_patch_that_is_no_number_is_refused_with_its_row(xp, value):
    x = points(30)
    x[17, 2] = value
    with pytest.raises(ValueError, match=r"x of shape \(30, 5\) holds NaN .* row 17"):
        kmeans(to_device(x), 3, 2, 0)
    with pytest.raises(DataError, match="image 0 holds NaN or infinity"):
        PatchKMeans(3, size=2).fit(ImageArray(np.full((4, 1, 5, 5), np.nan)), patches=10)
