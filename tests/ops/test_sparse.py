"""The passes through winners alone against the dense ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ops.properties import properties_of
from ops.winners import close, on_device, sizes
from strict_cupy import count_host_copies

from cae_np import backend, ops
from cae_np.backend import to_device, to_numpy
from cae_np.gradcheck import check_gradients
from cae_np.ops.encode import count_ties, encode_pooled, encode_winners
from cae_np.ops.sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient


@properties_of("sparse_decode")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


def anywhere(rng, N, K, H, W):
    """Winners with the corners among them."""
    winner = rng.integers(0, H * W, (N, K))
    winner.flat[:4] = [0, W - 1, (H - 1) * W, H * W - 1][: winner.size]
    return to_device(winner)


@given(sizes(), st.integers(0, 1000))
def test_decoding_is_the_convolution_of_the_placed_winners(xp, size, seed):
    N, C, K, H, W, kh, kw = size
    rng = np.random.default_rng(seed)
    a, w, winner = on_device(rng, N, K), on_device(rng, K, C, kh, kw), anywhere(rng, N, K, H, W)
    h = ops.place(a, winner, (H, W))
    close(sparse_decode(a, winner, w, (H, W)), ops.convolve_same(h, w))

    dx = on_device(rng, N, C, H, W)
    da, dw = sparse_decode_backward(dx, a, winner, w)
    dh, dw_dense = ops.convolve_same_backward(dx, h, w)
    close(da, ops.place_backward(dh, winner))
    close(dw, dw_dense)


@given(sizes(), st.integers(0, 1000))
def test_kernel_gradient_is_that_of_the_placed_winners(xp, size, seed):
    N, C, K, H, W, kh, kw = size
    rng = np.random.default_rng(seed)
    a, x, winner = on_device(rng, N, K), on_device(rng, N, C, H, W), anywhere(rng, N, K, H, W)
    dense = ops.kernel_gradient(ops.pad_same(x, kh, kw), ops.place(a, winner, (H, W)))
    close(sparse_kernel_gradient(a, winner, x, kh, kw), dense)


def test_gradients(xp):
    rng = np.random.default_rng(1)
    N, C, K, H, W, kh, kw = 3, 2, 4, 5, 6, 3, 4
    winner = anywhere(rng, N, K, H, W)
    report = check_gradients(
        lambda a, w: sparse_decode(a, winner, w, (H, W)),
        lambda dx, a, w: sparse_decode_backward(dx, a, winner, w),
        on_device(rng, N, K),
        on_device(rng, K, C, kh, kw),
    )
    assert report.passed, report
    x = on_device(rng, N, C, H, W)
    report = check_gradients(
        lambda w: encode_winners(x, w)[0],
        lambda dz, w: sparse_kernel_gradient(dz, encode_winners(x, w)[1], x, kh, kw),
        on_device(rng, K, C, kh, kw),
    )
    assert report.passed, report


def test_one_winner_laid_down_by_hand(xp):
    """A 2 × 2 kernel has no row above and none to the left of its place, one below, one right."""
    w = to_device(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
    a, corner = to_device(np.array([[10.0]])), to_device(np.array([[5]]))
    x_hat = sparse_decode(a, corner, w, (3, 3))
    assert to_numpy(x_hat)[0, 0].tolist() == [[0, 0, 0], [0, 0, 10], [0, 0, 30]]


def test_gradients_go_into_memory_with_the_channels_last_or_nowhere(xp):
    rng = np.random.default_rng(6)
    a, winner, w = on_device(rng, 3, 4), anywhere(rng, 3, 4, 5, 6), on_device(rng, 4, 2, 3, 3)
    x = on_device(rng, 3, 2, 5, 6)
    right, wrong = xp.zeros((4, 3, 3, 2)).transpose(0, 3, 1, 2), xp.zeros((4, 2, 3, 3))
    for into in (
        lambda out: sparse_kernel_gradient(a, winner, x, 3, 3, out=out),
        lambda out: sparse_decode_backward(x, a, winner, w, out=out)[1],
    ):
        right[...] = 0
        np.testing.assert_array_equal(to_numpy(into(right)), to_numpy(into(None)))
        np.testing.assert_array_equal(to_numpy(right), to_numpy(into(None)))
        for out in (wrong, right[:, :, :2]):
            with pytest.raises(ValueError, match="expected .4, 2, 3, 3. with the channels last"):
                into(out)


def test_memory_orders_give_the_same(xp):
    rng = np.random.default_rng(3)
    x, w = on_device(rng, 3, 2, 5, 6), on_device(rng, 4, 2, 3, 3)
    channels_last = xp.ascontiguousarray(w.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    z, winner = encode_winners(x, w)
    again, places = encode_winners(ops.batch_last(x), channels_last)
    np.testing.assert_array_equal(to_numpy(winner), to_numpy(places))
    np.testing.assert_array_equal(to_numpy(z), to_numpy(again))


def test_nothing_is_read_from_the_device():
    pytest.importorskip("strict_cupy").register_stand_in()
    before = backend.active().name
    backend.use("strict")
    try:
        rng = np.random.default_rng(4)
        x, w, b = on_device(rng, 4, 2, 6, 6), on_device(rng, 3, 2, 3, 3), on_device(rng, 3)
        with count_host_copies() as copies:
            z, winner = encode_winners(x, w)
            sparse_decode_backward(sparse_decode(z, winner, w, (6, 6)), z, winner, w)
            sparse_kernel_gradient(z, winner, x, 3, 3)
            encode_pooled(x, w, b, 3, 2)
            count_ties(x, w)
        assert copies.to_host == []
    finally:
        backend.use(before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: encode_winners(np.ones((1, 2, 4, 4)), np.ones((1, 3, 2, 2))),
            "w has .* with C = 2, as in x",
        ),
        (
            lambda: encode_pooled(np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)), np.ones(1), 5, 2),
            "expected 1 <= stride <= width <= 4",
        ),
        (
            lambda: encode_pooled(np.ones((1, 1, 4, 4)), np.ones((3, 1, 2, 2)), np.ones(1), 2, 2),
            r"b has shape \(1,\); .* with K = 3, as in w of shape \(3, 1, 2, 2\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
