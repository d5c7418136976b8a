"""Images of any usual layout and type, on both backends: taken where clear, refused where not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cae_np import ConvAutoEncoder, ImageArray, Plan, WinnerTakeAll, data, train
from cae_np.backend import to_device, to_numpy
from cae_np.data.images import read_images
from cae_np.errors import ConfigError, DataError

SIDES = st.integers(5, 40)


@given(SIDES, SIDES, st.integers(1, 4), st.sampled_from(["uint8", "float32", "float64", "bool"]))
def test_every_clear_layout_gives_the_same_images(H, W, C, dtype):
    """The property: whatever order the axes are in, pixel (n, c, h, w) is pixel (n, c, h, w)."""
    rng = np.random.default_rng([H, W, C])
    x = (rng.random((6, C, H, W)) * 255).astype(dtype)
    expected = x / np.float32(255) if dtype == "uint8" else x.astype(np.result_type(x, "float32"))
    ways = [(x, None), (x, "first"), (x.transpose(0, 2, 3, 1), None)]
    ways += [(x.transpose(0, 2, 3, 1), "last")]
    if C == 1:
        ways += [(x[:, 0], None), (x[:, 0], "none")]
    for images, channels in ways:
        for C_expected in (None, C):
            found = read_images(images, channels, C_expected)
            assert len(found) == 6
            np.testing.assert_array_equal(found.batch([4, 1]), expected[[4, 1]])
            np.testing.assert_array_equal(found.batch(slice(2, 5)), expected[2:5])


@pytest.mark.parametrize("xp_of", [np.asarray, to_device])
def test_a_view_is_read_and_never_a_copy_of_everything(xp_of):
    x = xp_of(np.zeros((5, 8, 9, 3), np.uint8))
    assert read_images(x).images.shape == (5, 3, 8, 9)
    if isinstance(x, np.ndarray):
        assert np.shares_memory(read_images(x).images, x)


@pytest.mark.parametrize(
    ("shape", "expected", "message"),
    [
        ((28, 28, 3), None, r"one image \(H, W, C\) or 28 grey.*images\[None\].*channels='none'"),
        ((28, 28, 3), 3, r"\(28, 28, 3\).*3 channels.*images\[None\]"),
        ((3, 28, 28), None, r"one image \(C, H, W\) or 3 grey.*images\[None\].*channels='none'"),
        ((3, 28, 28), 3, r"images\[None\]"),
        ((5, 3, 28, 3), None, r"\(N, C, H, W\) or \(N, H, W, C\).*channels='first' or"),
        ((5, 3, 28, 3), 3, r"channels='first' or channels='last'"),
        ((5, 28, 28, 28), None, r"channels='first' or channels='last'"),
        ((5, 28, 28, 3), 1, r"for a model of 1 channels"),
        ((5, 28), None, r"\(5, 28\).*images\[None\]"),
        ((28,), None, r"expected \(N, C, H, W\)"),
        ((0, 1, 8, 8), None, "there are none"),
        ((5, 1, 0, 8), None, "no pixels"),
    ],
)
def test_what_could_be_two_things_or_none_is_refused_with_what_settles_it(shape, expected, message):
    with pytest.raises(ConfigError, match=message):
        read_images(np.zeros(shape, np.float32), None, expected)


def test_the_keyword_settles_it():
    x = np.arange(5 * 3 * 28 * 3, dtype=np.float32).reshape(5, 3, 28, 3)
    np.testing.assert_array_equal(read_images(x, "first").batch(), x)
    np.testing.assert_array_equal(read_images(x, "last").batch(), x.transpose(0, 3, 1, 2))
    assert read_images(x[..., 0], "none").batch().shape == (5, 1, 3, 28)
    for channels, images, message in (
        ("middle", x, "'first', 'last', 'none'"),
        ("none", x, r"expected \(N, H, W\)"),
        ("last", x[0], r"expected \(N, H, W, C\)"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_images(images, channels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 1, 8, 8), complex), "complex128.*uint8 or floats.*astype"),
        (np.zeros((4, 1, 8, 8), np.int64), "int64.*uint8.*0 to 255.*astype"),
        (np.zeros((4, 1, 8, 8), np.uint16), "uint16"),
        (np.array([["a"]]), "dtype"),
        ([[1.0, 2.0]], "list.*numpy.asarray"),
        (None, "NoneType"),
        (data.load("glyphs", n_train=2, n_test=2), "Dataset"),
    ],
)
def test_what_are_no_images_is_refused_in_words(images, message):
    with pytest.raises(ConfigError, match=message):
        train(WinnerTakeAll(1, 3, 3), images, Plan(epochs=1, batch_size=2, rate=0.01), seed=0)


def test_train_and_fit_and_transform_read_alike(xp):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 1, 9, 8), np.uint8)
    plan = Plan(epochs=1, batch_size=5, rate=0.01, optimizer="adam")
    losses = [
        train(WinnerTakeAll(1, 3, 3), images, plan, seed=0)[0]["loss"]
        for images in (x, x[:, 0], x.transpose(0, 2, 3, 1), x / np.float32(255), ImageArray(x))
    ]
    assert len(set(losses)) == 1 and losses[0] < 100
    model = ConvAutoEncoder(1, 3, 3, pool=2)
    features = model.transform(x)
    assert isinstance(features, np.ndarray) and features.shape == (20, 3 * 4 * 3)
    for images in (x[:, 0], x.transpose(0, 2, 3, 1), to_device(x)):
        np.testing.assert_array_equal(to_numpy(model.transform(images)), features)
    assert not isinstance(model.transform(to_device(x)), np.ndarray) or xp is np


def test_nan_is_refused_where_it_stands():
    x = np.zeros((700, 1, 8, 8), np.float32)
    x[600, 0, 1, 1] = np.nan
    model = ConvAutoEncoder(1, 3, 3)
    for use in (model.fit, model.transform, model.reconstruct):
        with pytest.raises(DataError, match="image 600 holds NaN|image .* holds nan"):
            use(x)
