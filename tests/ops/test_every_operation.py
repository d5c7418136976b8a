"""What every operation promises: empty batches and clear messages."""

import pytest

from cae_np import ops
from cae_np.backend import to_numpy
from cae_np.ops.encode import count_ties, encode_pooled, encode_winners
from cae_np.ops.sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient


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
