"""The passes through winners alone against the dense ones, and what is read off maps in blocks."""

import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strict_cupy import count_host_copies
from threadpoolctl import threadpool_limits

from cae_np import backend, ops
from cae_np.backend import to_device, to_numpy
from cae_np.gradcheck import check_gradients
from cae_np.ops.encode import count_ties, encode_pooled, encode_winners
from cae_np.ops.kernels import blocks
from cae_np.ops.sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient


@st.composite
def sizes(draw):
    """N, C, K, H, W, kh, kw; kernels may be larger than the image.  17 channels are "many"."""
    side = st.integers(1, 6)
    return (
        draw(st.integers(1, 5)),
        draw(st.sampled_from([1, 2, 3, 17])),
        draw(st.integers(1, 5)),
        *(draw(side) for _ in range(4)),
    )


def close(found, expected):
    found, expected = to_numpy(found), to_numpy(expected)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def on_device(rng, *shape):
    return to_device(rng.standard_normal(shape))


def anywhere(rng, N, K, H, W):
    """Winners with the corners among them."""
    winner = rng.integers(0, H * W, (N, K))
    winner.flat[:4] = [0, W - 1, (H - 1) * W, H * W - 1][: winner.size]
    return to_device(winner)


@given(sizes(), st.integers(0, 1000))
def test_winners_are_those_of_the_maps(xp, size, seed):
    N, C, K, H, W, kh, kw = size
    rng = np.random.default_rng(seed)
    x, w = on_device(rng, N, C, H, W), on_device(rng, K, C, kh, kw)
    z, winner = encode_winners(x, w)
    expected, places = ops.winner_take_all(ops.correlate_same(x, w))
    close(z, expected)
    np.testing.assert_array_equal(to_numpy(winner), to_numpy(places))


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


@given(sizes(), st.integers(0, 1000), st.integers(1, 6), st.integers(1, 6))
def test_pooled_features_are_those_of_the_maps(xp, size, seed, width, stride):
    N, C, K, H, W, kh, kw = size
    width = min(width, H, W)
    stride = min(stride, width)
    rng = np.random.default_rng(seed)
    x, w, b = on_device(rng, N, C, H, W), on_device(rng, K, C, kh, kw), on_device(rng, K)
    h = ops.relu(ops.add_bias(ops.correlate_same(x, w), b))
    close(encode_pooled(x, w, b, width, stride), ops.overlapping_max_pool(h, width, stride)[0])


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


def test_the_first_of_equal_units_wins_and_ties_are_counted(xp):
    """Small whole numbers: sums are exact, so what should tie does, in any order of summing."""
    rng = np.random.default_rng(2)
    x = to_device(rng.integers(-1, 2, (20, 2, 6, 7)).astype("float64"))
    w = to_device(rng.integers(-1, 2, (5, 2, 3, 2)).astype("float64"))
    z, winner = encode_winners(x, w)
    flat = to_numpy(ops.correlate_same(x, w)).reshape(20, 5, -1)
    tied = (flat == flat.max(axis=2, keepdims=True)).sum(axis=2) > 1
    assert 10 < tied.sum() < 90
    np.testing.assert_array_equal(to_numpy(winner), flat.argmax(axis=2))
    np.testing.assert_array_equal(to_numpy(z), flat.max(axis=2))
    np.testing.assert_array_equal(to_numpy(count_ties(x, w)), tied.sum(axis=1))


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


# --- blocks ---------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(1, 60))
def test_blocks_cover_everything_once(total, size):
    seen = []
    blocks.for_each_block(seen.append, total, size, np)
    seen.sort(key=lambda block: block.start)
    assert [i for block in seen for i in range(total)[block]] == list(range(total))
    lengths = [block.stop - block.start for block in seen]
    assert max(lengths) <= size and max(lengths) - min(lengths) <= 1


@threadpool_limits.wrap(limits=1, user_api="blas")
def test_the_number_of_threads_changes_no_bit(monkeypatch):
    rng = np.random.default_rng(5)
    for C in (2, 20):  # few channels and many take different ways
        x = rng.standard_normal((40, C, 12, 12), dtype="float32")
        w = rng.standard_normal((30, C, 5, 5), dtype="float32")
        found = []
        for threads in (1, 3):
            monkeypatch.setattr(blocks, "_blas_threads", lambda threads=threads: threads)
            z, winner = encode_winners(x, w)
            x_hat = sparse_decode(z, winner, w, (12, 12))
            da, dw = sparse_decode_backward(x_hat, z, winner, w)
            found.append([z, winner, x_hat, da, dw, sparse_kernel_gradient(da, winner, x, 5, 5)])
        for one, three in zip(*found, strict=True):
            np.testing.assert_array_equal(one, three)


def test_blocks_run_beside_each_other_with_one_blas_thread_each():
    with threadpool_limits(2, user_api="blas"):
        if blocks._blas_threads() != 2:
            pytest.skip("this BLAS has a fixed number of threads")
        names, inside = set(), set()

        def work(block):
            names.add(threading.current_thread().name)
            inside.add(blocks._blas_threads())

        blocks.for_each_block(work, 64, 1, np)
        assert inside == {1} and all(name.startswith("cae_np-block") for name in names)
        assert blocks._blas_threads() == 2

        def fail(block):
            if block.start == 7:
                raise ZeroDivisionError("block 7")

        with pytest.raises(ZeroDivisionError, match="block 7"):
            blocks.for_each_block(fail, 64, 1, np)
        assert blocks._blas_threads() == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_to_do_is_done_at_once(monkeypatch, threads):
    monkeypatch.setattr(blocks, "_blas_threads", lambda: threads)
    blocks.for_each_block(pytest.fail, 0, 3, np)


def test_no_block_is_worked_on_after_one_has_failed(monkeypatch):
    monkeypatch.setattr(blocks, "_blas_threads", lambda: 2)
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def work(block):
        if block.start:
            begun.set()
            may_end.wait(5)
            ended.append(block)
        else:
            begun.wait(5)
            threading.Timer(0.1, may_end.set).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blocks.for_each_block(work, 2, 1, np)
    assert ended == [slice(1, 2)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_blocks_work_after_a_fork(monkeypatch):
    monkeypatch.setattr(blocks, "_blas_threads", lambda: 2)
    blocks.for_each_block(lambda block: None, 8, 1, np)  # the parent's threads
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # rather dead than waiting for threads that the fork left behind
        seen = []
        blocks.for_each_block(seen.append, 8, 1, np)
        os._exit(len(seen))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 8
