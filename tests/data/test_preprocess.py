"""Contrast normalisation, ZCA whitening, and whole data sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ops.properties import properties_of
from scipy import linalg

from cae_np.backend import to_device, to_numpy
from cae_np.data import preprocess
from cae_np.data.batches import ImageArray
from cae_np.data.preprocess import ZCA, Preprocessing, contrast_normalise
from cae_np.errors import ConfigError


@properties_of("zca_whiten")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


ROUNDING = {"float32": 2e-4, "float64": 1e-10}


def correlated(N=300, shape=(2, 3, 2), seed=0, dtype="float64"):
    """Images whose pixels are far from independent and far from zero."""
    rng = np.random.default_rng(seed)
    D = int(np.prod(shape))
    mixing = rng.standard_normal((D, D)) * np.linspace(0.1, 2, D)
    return (rng.standard_normal((N, D)) @ mixing + 7).reshape(N, *shape).astype(dtype)


def in_blocks(x, size=64):
    return [to_device(x[i : i + size]) for i in range(0, len(x), size)]


def test_contrast_normalisation_of_one_image_after_the_other(xp):
    x = np.random.default_rng(0).random((5, 3, 4, 4))
    y = contrast_normalise(to_device(x), 0.02)
    for one, normalised in zip(x, to_numpy(y), strict=True):
        expected = (one - one.mean()) / np.sqrt(np.var(one) + 0.02)
        np.testing.assert_allclose(normalised, expected, rtol=1e-12)


def test_contrast_normalisation_is_that_of_pixels_up_to_255(xp):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 108))
    y = to_numpy(contrast_normalise(to_device(pixels / 255)))
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt(pixels.var(axis=1, keepdims=True) + 10)  # Coates et al. 2011
    np.testing.assert_allclose(y, expected, rtol=1e-12)


@given(st.floats(0.2, 1.0), st.floats(-0.5, 0.5))
def test_brightness_is_lost_and_so_is_contrast_where_it_is_strong(contrast, brightness):
    x = np.random.default_rng(1).random((3, 50))
    np.testing.assert_allclose(
        contrast_normalise(contrast * x + brightness, 1e-12),
        contrast_normalise(x, 1e-12),
        rtol=1e-6,
    )


def test_a_flat_patch_becomes_zero_and_nothing_is_modified(xp):
    x = np.full((1, 1, 3, 3), 0.5, np.float32)
    device = to_device(x)
    y = contrast_normalise(device)
    assert y.dtype == np.float32 and not to_numpy(y).any()
    assert np.array_equal(to_numpy(device), x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whitening_is_the_inverse_square_root_of_the_covariance(xp, dtype):
    x = correlated(dtype=dtype)
    zca = ZCA(0.3).fit(in_blocks(x))
    y = zca.whiten(to_device(x))
    assert y.dtype == dtype and y.shape == x.shape
    flat = x.reshape(len(x), -1).astype("float64")
    covariance = np.cov(flat.T, bias=True) + 0.3 * np.eye(flat.shape[1])
    expected = (flat - flat.mean(axis=0)) @ linalg.inv(linalg.sqrtm(covariance)).real
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        to_numpy(y).reshape(flat.shape), expected, atol=ROUNDING[dtype] * scale
    )


def test_whitened_images_are_uncorrelated_of_unit_variance(xp):
    x = correlated()
    y = to_numpy(ZCA(1e-12).fit(in_blocks(x)).whiten(to_device(x))).reshape(len(x), -1)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(y.T, bias=True), np.eye(y.shape[1]), atol=1e-7)


def test_of_all_whitenings_this_one_changes_images_least(xp):
    x = correlated()
    zca = ZCA(1e-9).fit(in_blocks(x))
    centred = (x - x.mean(axis=0)).reshape(len(x), -1)
    y = to_numpy(zca.whiten(to_device(x))).reshape(centred.shape)
    rng = np.random.default_rng(3)
    for _ in range(5):  # y rotated is as white as y
        rotation = np.linalg.qr(rng.standard_normal((y.shape[1],) * 2))[0]
        assert ((y - centred) ** 2).sum() < ((y @ rotation - centred) ** 2).sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_unwhitening_takes_it_back(xp, dtype):
    x = correlated(dtype=dtype)
    zca = ZCA(0.1).fit(in_blocks(x))
    again = zca.unwhiten(zca.whiten(to_device(x)))
    assert again.dtype == dtype
    np.testing.assert_allclose(to_numpy(again), x, atol=ROUNDING[dtype] * np.abs(x).max())


def test_weak_directions_are_not_blown_up(xp):
    x = correlated()
    x[:, 0, 0, 0] = x[:, 0, 0, 1]  # a direction without any variance
    y = to_numpy(ZCA(0.1).fit(in_blocks(x)).whiten(to_device(x)))
    assert np.isfinite(y).all() and y.std(axis=0).max() < 1.01


def test_fewer_images_than_pixels_will_do(xp):
    x = correlated(N=5)
    y = to_numpy(ZCA(0.1).fit(in_blocks(x)).whiten(to_device(x)))
    assert np.isfinite(y).all() and y.std(axis=0).max() <= 1 + 1e-9


def test_how_images_come_in_blocks_does_not_matter(xp):
    x = correlated()
    one, many = (ZCA().fit(in_blocks(x, size)) for size in (300, 7))
    for name in ("mean", "values"):
        np.testing.assert_allclose(
            to_numpy(one.params[name]), to_numpy(many.params[name]), rtol=1e-9, atol=1e-9
        )


def test_what_was_learned_can_be_saved(xp):
    x = correlated(dtype="float32")
    zca = ZCA(0.2).fit(in_blocks(x))
    arrays, config = zca.state()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    again = ZCA(**config)
    again.load_state(arrays)
    assert np.array_equal(to_numpy(again.whiten(to_device(x))), to_numpy(zca.whiten(to_device(x))))


def test_clear_refusals(xp):
    with pytest.raises(ConfigError, match="epsilon 0: expected a positive"):
        ZCA(0)
    with pytest.raises(ValueError, match="call fit"):
        ZCA().whiten(to_device(correlated()))
    with pytest.raises(ValueError, match="at least one"):
        ZCA().fit([])
    with pytest.raises(ValueError, match="NaN or infinity"):
        ZCA().fit([to_device(np.array([[0.0, np.nan], [1.0, 2.0]]))])
    with pytest.raises(ValueError, match="have 3 values; whitening was learned from images of 12"):
        ZCA().fit(in_blocks(correlated())).whiten(to_device(np.zeros((2, 3))))


def test_training_images_alone_decide_how_others_are_whitened(xp, small_blocks):
    rng = np.random.default_rng(0)
    train, test = (ImageArray(rng.random((n, 3, 4, 4), np.float32)) for n in (50, 21))
    prepared = Preprocessing(epsilon=0.2).fit(train).apply(test)
    assert len(prepared) == 21 and prepared.images.dtype == np.float32
    zca = ZCA(0.2).fit([contrast_normalise(to_device(train.images))])
    expected = to_numpy(zca.whiten(contrast_normalise(to_device(test.images))))
    np.testing.assert_allclose(prepared.batch(), expected, atol=1e-4)
    assert np.array_equal(prepared.take(slice(3, 5)).batch(), prepared.images[3:5])


def test_without_whitening_only_contrast_is_normalised(xp):
    images = ImageArray(np.random.default_rng(0).random((9, 3, 4, 4), np.float32))
    prepared = Preprocessing(whiten=False).fit(images).apply(images)
    expected = to_numpy(contrast_normalise(to_device(images.images)))
    assert np.array_equal(prepared.images, expected)


def test_memory_of_preparing_is_that_of_the_result(xp, small_blocks):
    """No second copy of the data, in whatever precision, stands beside them."""
    import tracemalloc

    if xp is not np:
        pytest.skip("host memory is traced")
    images = ImageArray(np.random.default_rng(0).random((4000, 3, 4, 4), np.float32))
    preparing = Preprocessing()
    tracemalloc.start()
    preparing.fit(images)
    peak_of_fit = tracemalloc.get_traced_memory()[1]
    prepared = preparing.apply(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_of_fit < images.images.nbytes / 2 and peak < 1.5 * prepared.images.nbytes


def with_spectrum(values, n=400, seed=0):
    """Images whose covariance has exactly these eigenvalues."""
    rng = np.random.default_rng(seed)
    D = len(values)
    x = rng.normal(size=(n, D))
    left, _ = np.linalg.qr(x - x.mean(axis=0))  # columns of mean zero
    right, _ = np.linalg.qr(rng.normal(size=(D, D)))
    return np.sqrt(n) * left * np.sqrt(values) @ right.T + rng.normal(size=D)


@pytest.mark.parametrize("K", [1, 5, 39, 40, 50])
def test_few_components_are_all_where_the_others_are_alike(K, xp):
    """Oracle: the exact solution, on data whose weaker directions all have one variance."""
    strong = np.linspace(50, 5, min(K, 39))
    x = to_device(with_spectrum(np.append(strong, np.full(40 - len(strong), 0.5))))
    few, all_ = ZCA(0.1, components=K).fit(x), ZCA(0.1).fit(x)
    np.testing.assert_allclose(to_numpy(few.whiten(x)), to_numpy(all_.whiten(x)), atol=1e-3)
    np.testing.assert_allclose(to_numpy(few.unwhiten(few.whiten(x))), to_numpy(x), atol=1e-8)
    assert few.params["values"].shape == (min(K, 40),)
    again = ZCA(**few.state()[1])
    again.load_state(few.state()[0])
    np.testing.assert_array_equal(to_numpy(again.whiten(x)), to_numpy(few.whiten(x)))


def test_few_components_of_pictures_whiten_their_strong_directions():
    x = with_spectrum(2.0 ** -np.arange(60.0), n=900)
    y = ZCA(1e-9, components=10).fit(x).whiten(x)
    values = np.linalg.eigvalsh(np.cov(y.T, bias=True))
    assert np.sum(np.abs(values - 1) < 0.01) >= 10


def test_an_array_is_whitened_as_blocks_of_it_are():
    x = correlated()
    one, other = ZCA().fit(x), ZCA().fit(in_blocks(x))
    np.testing.assert_allclose(one.whiten(x), other.whiten(x), atol=1e-6)


def test_whoever_waits_is_told_what_is_quicker(monkeypatch, capsys):
    monkeypatch.setattr(preprocess, "LARGE", 30)
    x = with_spectrum(np.ones(40))
    ZCA().fit(x)
    assert "all 40 directions" in (said := capsys.readouterr().err) and "ZCA(components=4)" in said
    ZCA(components=4).fit(x)
    assert "the 4 strongest of 40 directions, step 4 of 4" in capsys.readouterr().err


@pytest.mark.parametrize("components", [0, -3, 2.5])
def test_components_are_a_whole_number(components):
    with pytest.raises(ConfigError, match="components=.*whole number from 1 on"):
        ZCA(components=components)
