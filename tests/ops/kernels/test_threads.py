"""Blocks on several cores: the same bits, one BLAS thread each."""

import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from cae_np.ops.encode import encode_winners
from cae_np.ops.kernels import blocks
from cae_np.ops.sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient


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
