"""The picture of a gradient check: tiles, colours, and the ring."""

import numpy as np
import pytest

from cae_np import ops, plotting
from cae_np.gradcheck import check_gradients
from cae_np.gradcheck.picture import NOT_COMPARED, folded

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((2, 2, 4, 5)), RNG.standard_normal((3, 2, 3, 2))


def second_kernel_flipped(dy, x, w):
    dx, dw = ops.correlate_valid_backward(dy, x, w)
    dw = dw.copy()
    dw[1] = dw[1, :, ::-1, ::-1].copy()
    return dx, dw


def picture_of(axes):
    return np.asarray(axes.images[0].get_array())


def is_orange(colour):
    return colour[0] > colour[2]


def test_errors_sit_where_they_are():
    report = check_gradients(ops.correlate_valid, second_kernel_flipped, X, W)
    figure = report.picture()
    of_x, _, of_w, agreement = figure.axes[:4]
    assert of_x.get_title(loc="left") == "x: passed"
    assert of_w.get_title(loc="left") == "w: FAILED"
    x, w = picture_of(of_x), picture_of(of_w)
    assert x.shape[:2] == (2 * 5 - 1, 2 * 6 - 1) and w.shape[:2] == (3 * 4 - 1, 2 * 3 - 1)
    assert np.all(w[3] == 1) and np.all(w[:, 2] == 1)  # lines between kernels
    for k, c, i, j in np.ndindex(*W.shape):
        assert is_orange(w[4 * k + i, 3 * c + j]) == (k == 1)
    assert not is_orange(x[0, 0])
    (ring,) = of_w.lines
    k, c, i, j = report["w"].worst
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (3 * c + j, 4 * k + i) and k == 1
    assert of_w.get_xlabel() == f"worst: w[{k}, {c}, {i}, {j}]"
    diagonal, right, wrong = agreement.lines
    assert len(right.get_xdata()) == 24 and len(wrong.get_xdata()) == 12
    assert len(plotting.png(figure)) > 5000


def test_elements_that_were_not_compared_are_grey():
    x = RNG.standard_normal((3, 8, 6, 6))
    report = check_gradients(np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), x)
    picture = picture_of(report.picture().axes[0])
    assert (picture == NOT_COMPARED).all(axis=2).sum() == x.size - 200


def test_a_gradient_of_another_shape_is_told_in_words():
    report = check_gradients(lambda x: x * 1, lambda dy, x: dy.T, RNG.standard_normal((2, 3)))
    figure = report.picture()
    assert "shape (3, 2)" in figure.axes[0].texts[0].get_text()
    plotting.png(figure)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
def test_every_element_has_its_place(shape):
    array = np.arange(float(np.prod(shape))).reshape(shape)
    matrix, place = folded(array)
    for index in np.ndindex(*shape):
        assert matrix[place(index)] == array[index]
    assert np.isfinite(matrix).sum() == array.size
