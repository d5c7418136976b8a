"""Cases of 3×3 pixels, worked by hand: the third oracle, small enough for a blackboard."""

import math

import numpy as np
import pytest

from cae_np.backend import to_numpy

X = [[1, 2, 0],
     [0, 1, 3],
     [4, 0, 1]]  # fmt: skip
W = [[1, -1],
     [2, 0]]  # fmt: skip
H = [[1, 0],
     [2, -1]]  # fmt: skip


@pytest.fixture
def maps(xp):
    """One image, one channel, one kernel, as the operations take them."""
    return lambda rows: xp.asarray(np.asarray(rows, dtype=np.float64)[None, None])


def rows_of(array):
    return to_numpy(array)[0, 0].tolist()


def test_valid_correlation(impl, maps):
    """The kernel as it is on four places: 1·x[p, q] - 1·x[p, q + 1] + 2·x[p + 1, q]."""
    assert rows_of(impl.correlate_valid(maps(X), maps(W))) == [[-1, 4], [7, -2]]


def test_full_convolution(impl, maps):
    """The kernel laid down three times: once at (0, 0), twice at (1, 0), minus once at (1, 1)."""
    assert rows_of(impl.convolve_full(maps(H), maps(W))) == [[1, -1, 0], [4, -3, 1], [4, -2, 0]]


def test_kernel_gradient(impl, maps):
    """Three patches of the image: one at (0, 0), twice the one at (1, 0), minus that at (1, 1)."""
    assert rows_of(impl.kernel_gradient(maps(X), maps(H))) == [[0, 1], [8, 0]]


def test_three_inner_products_are_one(impl, maps):
    """⟨correlate_valid(x, w), h⟩ = ⟨x, convolve_full(h, w)⟩ = ⟨w, kernel_gradient(x, h)⟩ = 15."""
    x, w, h = maps(X), maps(W), maps(H)
    assert float((impl.correlate_valid(x, w) * h).sum()) == 15
    assert float((x * impl.convolve_full(h, w)).sum()) == 15
    assert float((w * impl.kernel_gradient(x, h)).sum()) == 15


def test_backward_of_the_valid_correlation(impl, maps):
    dx, dw = impl.correlate_valid_backward(maps(H), maps(X), maps(W))
    assert rows_of(dx) == [[1, -1, 0], [4, -3, 1], [4, -2, 0]]
    assert rows_of(dw) == [[0, 1], [8, 0]]


def test_same_correlation_with_an_even_kernel(impl, maps):
    """(2 - 1)//2 = 0 rows of zeros above, one below; columns likewise."""
    found = impl.correlate_same(maps(X), maps(W))
    assert rows_of(found) == [[-1, 4, 6], [7, -2, 5], [4, -1, 1]]


def test_same_correlation_with_an_odd_kernel(impl, maps):
    """x[p - 1, q - 1] + 2·x[p, q + 1] - x[p + 1, q], zeros outside."""
    w = maps([[1, 0, 0], [0, 0, 2], [0, -1, 0]])
    assert rows_of(impl.correlate_same(maps(X), w)) == [[4, -1, -3], [-2, 7, 1], [0, 2, 1]]
    assert rows_of(impl.correlate_valid(maps(X), w)) == [[7]]


def test_same_convolution_with_an_even_kernel(impl, maps):
    """The full convolution without its last row and column."""
    found = impl.convolve_same(maps(H), maps(W))
    assert rows_of(found) == [[1, -1], [4, -3]]


def test_im2col_and_col2im(impl, maps):
    """Four patches, one a column; back, the pixel in the middle counts four times."""
    col = impl.im2col(maps(X), 2, 2)
    assert to_numpy(col).reshape(4, 4).tolist() == [
        [1, 2, 0, 1],
        [2, 0, 1, 3],
        [0, 1, 4, 0],
        [1, 3, 0, 1],
    ]
    assert rows_of(impl.col2im(col, (1, 1, 3, 3))) == [[1, 4, 0], [0, 4, 6], [4, 0, 1]]


def test_pooling_with_clipped_windows(impl, maps):
    """Windows of 2×2 on 3×3 pixels: of 4, 2, 2 and 1 pixels."""
    y, mask = impl.max_pool(maps(X), 2)
    assert rows_of(y) == [[2, 3], [4, 1]]
    assert rows_of(mask) == [[0, 1, 0], [0, 0, 1], [1, 0, 1]]
    dy = maps([[5, 6], [7, 8]])
    assert rows_of(impl.max_pool_backward(dy, mask, 2)) == [[0, 5, 0], [0, 0, 6], [7, 0, 8]]
    assert rows_of(impl.unpool(y, mask, 2)) == [[0, 2, 0], [0, 0, 3], [4, 0, 1]]
    assert rows_of(impl.erase_non_maximal(maps(X), 2)[0]) == [[0, 2, 0], [0, 0, 3], [4, 0, 1]]
    assert rows_of(impl.unpool_backward(maps(X), mask, 2)) == [[2, 3], [4, 1]]


def test_pooling_takes_the_first_of_equals(impl, maps):
    y, mask = impl.max_pool(maps([[-1, -1, -2], [-1, -1, -2], [0, 0, -2]]), 2)
    assert rows_of(y) == [[-1, -2], [0, -2]]
    assert rows_of(mask) == [[1, 0, 1], [0, 0, 0], [1, 0, 1]]


def test_overlapping_pooling(impl, maps):
    """Width 3, stride 2 on 3 pixels: windows begin at -1 and 1, and are clipped to 2 pixels."""
    y, winner = impl.overlapping_max_pool(maps(X), 3, 2)
    assert rows_of(y) == [[2, 3], [4, 3]]
    assert rows_of(winner) == [[1, 5], [6, 5]]
    dx = impl.overlapping_max_pool_backward(maps([[5, 6], [7, 8]]), winner, (1, 1, 3, 3))
    assert rows_of(dx) == [[0, 5, 0], [0, 0, 14], [7, 0, 0]]


@pytest.mark.parametrize(
    ("size", "width", "stride", "pooled"),
    [(28, 5, 3, 10), (10, 3, 2, 5), (32, 5, 4, 8), (32, 6, 4, 8), (8, 3, 2, 4)],
)
def test_overlapping_pooling_gives_the_sizes_of_the_paper(impl, xp, size, width, stride, pooled):
    """M14, section 4."""
    y, _ = impl.overlapping_max_pool(xp.zeros((1, 1, size, size)), width, stride)
    assert y.shape == (1, 1, pooled, pooled)


def test_winners(impl, maps):
    a, winner = impl.winner_take_all(maps(X))
    assert (float(a[0, 0]), int(winner[0, 0])) == (4, 6)
    assert rows_of(impl.place(a, winner, (3, 3))) == [[0, 0, 0], [0, 0, 0], [4, 0, 0]]
    assert rows_of(impl.top_n(maps(X), 3)) == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_top_n_keeps_the_first_of_equals(impl, maps):
    assert rows_of(impl.top_n(maps(X), 5)) == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]


def test_global_top_k_compares_the_maps_of_an_image(impl, xp):
    h = xp.asarray([[[[1.0, 5.0]], [[4.0, 2.0]]], [[[0.0, -1.0]], [[-3.0, -2.0]]]])
    mask = to_numpy(impl.global_top_k(h, 2))
    assert mask.tolist() == [[[[0, 1]], [[1, 0]]], [[[1, 1]], [[0, 0]]]]


def test_non_linearities(impl, xp):
    assert to_numpy(impl.logistic(xp.asarray([0, math.log(3)]))) == pytest.approx([0.5, 0.75])
    assert to_numpy(impl.softmax(xp.asarray([[0, math.log(3)]]))[0]) == pytest.approx([0.25, 0.75])
    assert to_numpy(impl.relu(xp.asarray([-2.0, 0.0, 3.0]))).tolist() == [0, 0, 3]
    assert to_numpy(
        impl.relu_backward(xp.asarray([5.0, 6.0]), xp.asarray([0.0, 3.0]))
    ).tolist() == [
        0,
        6,
    ]


def test_scaled_tanh_maps_ones_to_ones(impl, xp):
    """What LeCun's constants are for: f(±1) = ±1, and 1.7159 far away."""
    y = to_numpy(impl.scaled_tanh(xp.asarray([-1.0, 1.0, 40.0])))
    assert y == pytest.approx([-1, 1, 1.7159], abs=1e-4)


def test_losses(impl, xp):
    x_hat, x = xp.asarray([[1.0, 2.0], [0.0, 5.0]]), xp.asarray([[0.0, 2.0], [2.0, 2.0]])
    assert float(impl.squared_error(x_hat, x)) == (1 + 0 + 4 + 9) / 2
    assert to_numpy(impl.squared_error_backward(x_hat, x)).tolist() == [[1, 0], [-2, 3]]
    z, labels = xp.asarray([[0, math.log(3)]]), xp.asarray([1])
    assert float(impl.softmax_cross_entropy(z, labels)) == pytest.approx(-math.log(0.75))
    dz = impl.softmax_cross_entropy_backward(z, labels)
    assert to_numpy(dz)[0] == pytest.approx([0.25, -0.25])


def test_affine_map_and_bias(impl, xp, maps):
    x, w, b = (
        xp.asarray([[1.0, 2.0]]),
        xp.asarray([[3.0, 4.0], [0.0, -1.0]]),
        xp.asarray([1.0, 5.0]),
    )
    assert to_numpy(impl.affine(x, w, b)).tolist() == [[12, 3]]
    dx, dw, db = impl.affine_backward(xp.asarray([[1.0, 10.0]]), x, w, b)
    assert to_numpy(dx).tolist() == [[3, -6]]
    assert to_numpy(dw).tolist() == [[1, 2], [10, 20]]
    assert to_numpy(db).tolist() == [1, 10]
    assert rows_of(impl.add_bias(maps(H), xp.asarray([3.0]))) == [[4, 3], [5, 2]]
    assert to_numpy(impl.add_bias_backward(maps(H))[1]).tolist() == [2]
