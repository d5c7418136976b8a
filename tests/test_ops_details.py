"""What the operations promise beside their values: strips, workspaces, ``out``, messages."""

import numpy as np
import pytest

from cae_np import ops
from cae_np.backend import to_numpy
from cae_np.ops import correlate_valid
from cae_np.ops.encode import count_ties, encode_pooled, encode_winners
from cae_np.ops.kernels import blocks, columns
from cae_np.ops.sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient

DIRECTIONS = {
    "correlate_valid": ["x", "w"],
    "correlate_valid_backward": ["h", "x", "w"],
    "convolve_full": ["h", "w"],
    "convolve_full_backward": ["x", "h", "w"],
    "kernel_gradient": ["x", "h"],
    "correlate_same": ["x", "w"],
    "correlate_same_backward": ["same", "x", "w"],
    "convolve_same": ["same", "w"],
    "convolve_same_backward": ["x", "same", "w"],
}


@pytest.fixture(params=[(2, 4), (3, 1)], ids=["more maps", "more channels"])
def arrays(request, xp):
    """The columns are made of the side that has fewer channels."""
    C, K = request.param
    rng = np.random.default_rng(0)
    shapes = {"x": (3, C, 9, 6), "w": (K, C, 3, 2), "h": (3, K, 7, 5), "same": (3, K, 9, 6)}
    return {name: xp.asarray(rng.standard_normal(shape)) for name, shape in shapes.items()}


def results(impl, name, arrays):
    found = getattr(impl, name)(*[arrays[a] for a in DIRECTIONS[name]])
    return [to_numpy(a) for a in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("strip", [1, 1 << 23], ids=["a row at a time", "at once"])
def test_products_with_columns_are_those_with_im2col(xp, arrays, strip, monkeypatch):
    """What :mod:`cae_np.ops.conv` promises: W · im2col(x), col2im(Wᵀ · h), h · im2col(x)ᵀ."""
    monkeypatch.setattr(columns, "STRIP_BYTES", strip)
    monkeypatch.setitem(blocks._device_bytes, xp, strip)
    x, w, h = arrays["x"], arrays["w"], arrays["h"]
    (K, C, kh, kw), (N, _, OH, OW) = w.shape, h.shape
    matrix, col = w.reshape(K, -1), ops.im2col(x, kh, kw).reshape(C * kh * kw, -1)
    maps = h.swapaxes(0, 1).reshape(K, -1)
    y = (matrix @ col).reshape(K, N, OH, OW).swapaxes(0, 1)
    dw = (maps @ col.T).reshape(w.shape)
    folded = ops.col2im((matrix.T @ maps).reshape(C, kh, kw, N, OH, OW), x.shape)
    for found, expected in [
        (columns.kernels_times_columns(w, x), y),
        (columns.maps_times_columns(h, x), dw),
        (columns.fold_columns(w, h), folded),
        *zip(columns.both_times_columns(w, h, x), (y, dw), strict=True),
    ]:
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("name", DIRECTIONS)
def test_strips_do_not_change_results(xp, impl, arrays, name, rows, monkeypatch):
    expected = results(impl, name, arrays)
    N, C = arrays["x"].shape[:2]
    row_bytes = 8 * N * C * (3 * 2) * 5  # a row of 5 places, a kernel of 3×2
    monkeypatch.setattr(columns, "STRIP_BYTES", rows * row_bytes)
    monkeypatch.setitem(blocks._device_bytes, xp, rows * row_bytes)
    assert columns._strip_height(arrays["x"], 5, 3, 2) == rows
    for found, a in zip(results(impl, name, arrays), expected, strict=True):
        np.testing.assert_allclose(found, a, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_memory_used_again_does_not_change_results(impl, arrays, name):
    """Columns go to memory that served others before, and no result lives in that memory."""
    expected = results(impl, name, arrays)
    correlate_valid(arrays["x"], arrays["x"][:, :, :4, :5])  # more bytes, another shape
    found = getattr(impl, name)(*[arrays[a] for a in DIRECTIONS[name]])
    results(impl, name, {key: -3 * a for key, a in arrays.items()})
    for a, b in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        np.testing.assert_array_equal(to_numpy(a), b)


@pytest.mark.parametrize("name", ["linear", "scaled_tanh", "relu", "logistic", "softmax"])
def test_non_linearities_fill_out(impl, xp, name):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    expected = to_numpy(getattr(impl, name)(xp.asarray(x)))
    other, itself = xp.zeros(x.shape), xp.array(x)
    assert getattr(impl, name)(xp.asarray(x), out=other) is other
    assert getattr(impl, name)(itself, out=itself) is itself
    np.testing.assert_array_equal(to_numpy(other), expected)
    np.testing.assert_array_equal(to_numpy(itself), expected)


def test_add_bias_fills_out(impl, xp):
    y, b = np.random.default_rng(0).standard_normal((2, 3, 4, 5)), np.arange(3.0)
    itself = xp.array(y)
    assert impl.add_bias(itself, xp.asarray(b), out=itself) is itself
    np.testing.assert_array_equal(to_numpy(itself), y + b[:, None, None])


def test_maps_come_out_batch_last(impl, arrays):
    """Shapes are NCHW; the images of a batch are neighbours in memory."""
    for y in (
        impl.correlate_valid(arrays["x"], arrays["w"]),
        impl.convolve_full(arrays["h"], arrays["w"]),
        impl.correlate_same(arrays["x"], arrays["w"]),
        impl.pad_same(arrays["x"], 3, 3),
    ):
        assert y.strides[0] == y.itemsize


def test_mixed_precision(impl, arrays):
    """A wider kernel makes a wider result, as everywhere in NumPy."""
    narrow = arrays["x"].astype("float32")
    assert impl.correlate_valid(narrow, arrays["w"]).dtype == np.float64
    assert impl.correlate_valid(narrow, arrays["w"].astype("float32")).dtype == np.float32


def test_noise_takes_the_dtype_of_the_images(impl, arrays):
    for images, noise in [("float32", "float64"), ("float64", "float32")]:
        x, draw = arrays["x"].astype(images), arrays["x"].astype(noise)
        assert impl.corrupt(x, draw).dtype == np.dtype(images)


def test_an_empty_batch_gives_empty_results_and_gradients_of_zero(xp):
    """The last batch of a loop, or what a filter has left: nothing to do is no mistake."""
    N, C, K, H, W, kh, kw = 0, 2, 3, 6, 5, 3, 2
    x, w, b = xp.zeros((N, C, H, W)), xp.ones((K, C, kh, kw)), xp.ones(K)
    maps, code = xp.zeros((N, K, H, W)), xp.zeros((N, K, H - kh + 1, W - kw + 1))
    a, winner, mask = xp.zeros((N, K)), xp.zeros((N, K), dtype=int), xp.zeros(x.shape, dtype=bool)
    many = xp.zeros((N, 20, H, W))  # channels, which take another way
    pooled = xp.zeros((N, C, 3, 3))
    for results, shapes in [
        (ops.correlate_valid_backward(code, x, w), (x, w)),
        (ops.convolve_full_backward(x, code, w), (code, w)),
        (ops.max_pool(x, 2), (pooled, mask)),
        (ops.unpool_backward(x, mask, 2), (pooled,)),
        (ops.overlapping_max_pool(x, 3, 2), (pooled, pooled)),
        (ops.overlapping_max_pool_backward(pooled, pooled.astype(int), x.shape), (x,)),
        (ops.winner_take_all(maps), (a, winner)),
        (ops.place(a, winner, (H, W)), (maps,)),
        (ops.top_n(maps, 2), (maps,)),
        (ops.global_top_k(maps, 2), (maps,)),
        (encode_winners(x, w), (a, winner)),
        (count_ties(x, w), (a[:, 0],)),
        (encode_pooled(x, w, b, 3, 2), (xp.zeros((N, K, 3, 3)),)),
        (sparse_decode(a, winner, w, (H, W)), (x,)),
        (sparse_decode_backward(x, a, winner, w), (a, w)),
        (sparse_kernel_gradient(a, winner, x, kh, kw), (w,)),
        (sparse_kernel_gradient(a, winner, many, kh, kw), (xp.ones((K, 20, kh, kw)),)),
    ]:
        results = results if isinstance(results, tuple) else (results,)
        for found, expected in zip(results, shapes, strict=True):
            assert found.shape == expected.shape and not to_numpy(found).any()


def test_both_ways_back_have_the_types_of_what_they_are_products_of(impl, arrays):
    """Whether the columns are made of the maps or of the image."""
    narrow = {name: array.astype("float32") for name, array in arrays.items()}
    dh, dw = impl.convolve_full_backward(narrow["x"], arrays["h"], narrow["w"])
    assert dh.dtype == np.float32 and dw.dtype == np.float64


MESSAGES = [
    ("im2col", ("x", 7, 1), "7×1 kernel does not fit into 6×5 images.*1 <= kh <= 6.*pad"),
    ("col2im", ("col", (2, 3, 9, 9)), r"come from images of shape \(2, 3, 6, 5\), not"),
    ("correlate_valid", ("x", "h"), r"w has .*\(K, C, kh, kw\) with C = 3, as in x of shape"),
    ("correlate_valid", ("narrow", "w"), "3×2 kernel does not fit into 2×5 images; pad them"),
    ("convolve_full", ("x", "w"), r"w has shape \(4, .* with K = 3, as in h"),
    ("convolve_full_backward", ("x", "x", "w"), r"w has shape \(4, .* with K = 3, as in h"),
    ("convolve_full_backward", ("x", "same", "w"), r"dx has shape \(2, 3, 6, 5\)"),
    ("correlate_valid_backward", ("same", "x", "w"), r"dy has shape \(2, 4, 6, 5\)"),
    ("correlate_same_backward", ("h", "x", "w"), r"dy has shape \(2, 4, 4, 4\)"),
    ("add_bias", ("x", "b"), r"b has shape \(4,\).* with K = 3, as in y of shape \(2, 3, 6, 5\)"),
    ("affine", ("rows", "square", "b"), r"b has shape \(4,\)"),
    ("softmax_cross_entropy", ("rows", "b"), r"labels has .* N = 2, as in z of shape \(2, 3\)"),
    ("softmax_cross_entropy_backward", ("rows", "b"), r"labels has .* N = 2, as in z"),
    ("kernel_gradient", ("x", "large"), "dy has .* and x has .* maps no larger than the images"),
    (
        "affine",
        ("rows", "kernels", "b"),
        r"w has shape \(4, 2\); expected \(E, D\) with D = 3, as in x",
    ),
    ("squared_error", ("x", "h"), r"x has .* with ... = \(3, 6, 5\), as in x_hat"),
    ("squared_error_backward", ("x", "h"), r"x has .* with ... = \(3, 6, 5\)"),
    ("squared_error", ("none", "none"), r"x_hat has shape \(0, 3\).* empty"),
    ("squared_error_backward", ("none", "none"), r"x_hat has shape \(0, 3\).* empty"),
    ("softmax_cross_entropy", ("none", "nothing"), r"z has shape \(0, 3\).* empty"),
    ("softmax_cross_entropy_backward", ("none", "nothing"), r"z has shape \(0, 3\).* empty"),
    ("corrupt", ("x", "h"), r"draw has .* with ... = \(3, 6, 5\), as in x"),
    ("max_pool", ("x", (7, 2)), "7×2 pooling windows .* 6×5 maps; choose 1 to 6 and 1 to 5"),
    ("erase_non_maximal", ("x", 0), "0×0 pooling windows do not fit"),
    ("unpool", ("same", "four", 2), "by 2×2 gives"),
    ("unpool_backward", ("two", "one", 2), r"dx has shape \(2, 1, 4, 4\).* with N = 1, as in mask"),
    ("overlapping_max_pool", ("x", 2, 3), "expected 1 <= stride <= width <= 5"),
    ("top_n", ("x", 31), "31 of the 30 units of a 6×5 map.* expected 1 to 30"),
    ("global_top_k", ("x", 0), "0 of the 90 units of an image"),
    ("binomial_mask", (None, (2, 2), 1.5), "p = 1.5 is not a probability"),
    ("gaussian_noise", (None, (2, 2), -1), "sigma = -1: expected a standard deviation"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), MESSAGES, ids=[m[0] for m in MESSAGES])
def test_messages(impl, xp, name, arguments, message):
    """A ValueError says what came and what was expected."""
    shapes = {
        "x": (2, 3, 6, 5),
        "narrow": (2, 3, 2, 5),
        "large": (2, 4, 7, 5),
        "same": (2, 4, 6, 5),
        "w": (4, 3, 3, 2),
        "h": (2, 4, 4, 4),
        "col": (3, 3, 2, 2, 4, 4),
        "two": (2, 1, 4, 4),
        "one": (1, 1, 4, 4),
        "four": (2, 4, 6, 5),
        "none": (0, 3),
        "nothing": (0,),
        "rows": (2, 3),
        "kernels": (4, 2),
        "square": (3, 3),
        "b": (4,),
    }
    arrays = {key: xp.zeros(shape) for key, shape in shapes.items()}
    arrays["mask"] = xp.zeros(shapes["x"], dtype=bool)
    with pytest.raises(ValueError, match=message):
        getattr(impl, name)(*[arrays[a] if isinstance(a, str) else a for a in arguments])


def test_batch_last_copies_only_what_it_must(impl, xp):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    moved = impl.batch_last(xp.asarray(x))
    np.testing.assert_array_equal(to_numpy(moved), x)
    assert moved.shape == x.shape and moved.strides[0] == moved.itemsize
    again = impl.batch_last(moved)
    again[0, 0, 0, 0] = 7
    assert float(moved[0, 0, 0, 0]) == 7  # the same memory
