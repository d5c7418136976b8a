"""Blocks on a device: as large as its memory allows, and halved where it does not."""

import numpy as np
import pytest
import strict_cupy

from cae_np import backend
from cae_np.backend import to_device, to_numpy
from cae_np.errors import BackendError
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.wta import WinnerTakeAll
from cae_np.ops.kernels import blocks
from cae_np.ops.kernels.workspace import Workspace
from cae_np.training import Plan, train

MB = 1 << 20


class Memory:
    """A device's memory: how much is free, and how often what is kept was given back."""

    def __init__(self):
        self.free, self.released = 1000 * MB, 0

    def __call__(self):
        return self.free, 2000 * MB

    def release(self):
        self.released += 1


@pytest.fixture
def device(monkeypatch):
    """The stand-in, with a memory of its own."""
    memory, before = Memory(), backend.active().name
    known = strict_cupy.register_stand_in()
    backend.register(
        "strict", known.module, known.array_type, known.to_numpy, known.scatter_add,
        known.synchronize, memory, release=memory.release, description="a small card",
    )  # fmt: skip
    backend.use("strict")
    monkeypatch.setattr(blocks, "_device_bytes", {})
    monkeypatch.setattr(blocks, "_of_thread", blocks.threading.local())
    yield memory
    strict_cupy.register_stand_in()
    backend.use(before)


@pytest.mark.parametrize(
    ("free", "expected"), [(160 * MB, 10 * MB), (80_000 * MB, 256 * MB), (3 * MB, MB)]
)
def test_blocks_are_a_share_of_the_free_memory(device, free, expected):
    device.free = free
    assert blocks.block_bytes(strict_cupy.xp, 7) == expected
    device.free = 0  # what we have taken ourselves since then does not count
    assert blocks.block_bytes(strict_cupy.xp, 7) == expected
    assert blocks.block_bytes(np, 7) == 7


def test_a_block_that_does_not_fit_is_halved_once(device):
    done, failing = [], [slice(4, 8)]

    def work(block):
        if block in failing:
            raise MemoryError
        done.append(block)

    blocks.for_each_block(work, 16, 4, strict_cupy.xp)
    assert done == [slice(0, 4), slice(4, 6), slice(6, 8), slice(8, 12), slice(12, 16)]
    assert device.released == 1 and blocks.block_bytes(strict_cupy.xp, 0) == 1000 * MB // 32
    failing.append(slice(6, 8))
    with pytest.raises(BackendError) as caught:
        blocks.for_each_block(work, 16, 4, strict_cupy.xp)
    message = str(caught.value)
    assert "memory of a small card does not suffice, not even for half a block" in message
    assert "1,049 of 2,097 MB are free" in message and "smaller batch size" in message


def test_other_errors_and_the_host_are_left_alone(device):
    def fail(block):
        raise MemoryError("of the host")

    with pytest.raises(MemoryError, match="of the host"):
        blocks.for_each_block(fail, 4, 1, np)
    with pytest.raises(ZeroDivisionError):
        blocks.for_each_block(lambda block: 1 / 0, 4, 1, strict_cupy.xp)
    assert device.released == 0


MODELS = {
    "cae": lambda: ConvAutoEncoder(2, 5, (3, 3), pool=2),
    "cae, full": lambda: ConvAutoEncoder(2, 5, (3, 3), mode="full"),
    "wta, sparse": lambda: WinnerTakeAll(2, 5, (3, 3)),
    "wta, dense": lambda: WinnerTakeAll(2, 5, (3, 3), path="dense"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_step_that_runs_out_of_memory_gives_what_it_gives_otherwise(device, monkeypatch, name):
    """Every allocation of scratch memory in a step fails in turn."""
    x = to_device(np.random.default_rng(0).random((6, 2, 9, 8), dtype="float32"))
    get, calls = Workspace.get, [0]

    def step(fail_at):
        calls[0] = 0

        def failing(self, *arguments):
            calls[0] += 1
            if calls[0] == fail_at:
                raise MemoryError
            return get(self, *arguments)

        monkeypatch.setattr(Workspace, "get", failing)
        loss, gradients = MODELS[name]().loss_and_gradients(x, x)
        return to_numpy(loss), {n: to_numpy(g) for n, g in gradients.items()}

    loss, gradients = step(None)
    allocations = calls[0]
    assert allocations
    for at in range(1, allocations + 1):
        device.released = 0
        found, found_gradients = step(at)
        assert device.released == 1
        np.testing.assert_allclose(found, loss, rtol=1e-6)
        for n, g in gradients.items():
            np.testing.assert_allclose(found_gradients[n], g, rtol=1e-4, atol=1e-5)


def test_training_that_runs_out_of_memory_says_what_to_do(device, monkeypatch):
    class Images:
        def __len__(self):
            return 40

        def batch(self, indices):
            return np.ones((len(indices), 2, 9, 8), "float32")

    model = MODELS["cae"]()
    message = "Out of memory allocating 800,000,000 bytes"

    def step(x, target):
        raise MemoryError(message)

    monkeypatch.setattr(model, "loss_and_gradients", step)
    with pytest.raises(BackendError) as caught:
        train(model, Images(), Plan(1, 16, 1e-3), 0, label="digits")
    text = str(caught.value)
    assert text.startswith("digits: ") and message in text and "a small card" in text
    assert "batch_size is 16, choose a smaller one" in text


def test_small_products_leave_the_other_blas_threads_asleep(monkeypatch):
    """Threads that have worked spin for milliseconds, on cores that the next blocks need."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 30, 30))
    threads = []

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            threads.append(blocks._blas_threads())
            plain = (np.asarray(i) for i in inputs)
            return getattr(ufunc, method)(*plain, **options)

    with blocks._blas().limit(limits=2):
        if blocks._blas_threads() < 2:
            pytest.skip("BLAS has one thread here")
        for small in (True, False):
            monkeypatch.setattr(blocks, "SMALL", 30**3 + small)
            np.testing.assert_array_equal(blocks.product(a.view(Watched), b), a @ b)
            assert blocks._blas_threads() == 2
    assert threads == [1, 2]
