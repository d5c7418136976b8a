"""The array module: choosing it, moving arrays, and saying why CuPy cannot run."""

import ctypes
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import strict_cupy

from cae_np import backend
from cae_np.errors import BackendError

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=["numpy", "strict"])
def xp(request, fresh):
    return backend.use(request.param)


def python(code, **environment):
    """Run code in a new interpreter that finds cae_np; returns the finished process."""
    inherited = {key: value for key, value in os.environ.items() if key != "CAE_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_importing_the_package_loads_neither_cupy_nor_matplotlib():
    code = "import sys, cae_np, cae_np.backend; print({'cupy', 'matplotlib'} & {*sys.modules})"
    assert python(code).stdout == "set()\n"


def test_the_default_is_numpy_unless_the_environment_says_otherwise(fresh):
    assert backend.use() is np
    assert backend.active().name == "numpy"
    fresh.setenv("CAE_BACKEND", "strict")
    assert backend.use() is strict_cupy.xp
    assert backend.use("numpy") is np  # an explicit name beats the environment


def test_the_first_question_chooses_the_default(fresh):
    fresh.setenv("CAE_BACKEND", "strict")
    assert backend.active().name == "strict"


def test_an_unknown_name_lists_the_known_ones(fresh):
    with pytest.raises(BackendError, match="'torch'; choose one of auto, cupy, numpy, strict"):
        backend.use("torch")


def test_a_module_may_be_named_that_registers_the_backend(fresh):
    code = "from cae_np import backend; print(backend.use().__name__, backend.active().name)"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = python(code, PYTHONPATH=path, CAE_BACKEND="strict_cupy:strict")
    assert done.stdout == "cupy strict\n", done.stderr
    assert backend.use("strict_cupy:strict") is strict_cupy.xp  # known already: nothing imported
    assert backend.use("no_such_module:strict") is strict_cupy.xp
    with pytest.raises(BackendError, match="no_such_module:other: No module named"):
        backend.use("no_such_module:other")
    with pytest.raises(BackendError, match="unknown backend 'other'"):
        backend.use("strict_cupy:other")


def test_arrays_decide_and_scalars_do_not(xp):
    x = xp.zeros(3)
    assert backend.get_array_module(x) is xp
    assert backend.get_array_module(2.0, x, np.float32(1), True) is xp
    assert backend.get_array_module(1, 2.0) is np


def test_two_modules_do_not_mix(fresh):
    with pytest.raises(TypeError, match="arrays of numpy and strict"):
        backend.get_array_module(np.zeros(2), strict_cupy.xp.zeros(2))
    with pytest.raises(TypeError, match="expected an array of numpy or strict, got list"):
        backend.get_array_module([1.0, 2.0])


def test_there_and_back_again(xp):
    host = np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1]
    device = backend.to_device(host)
    assert isinstance(device, backend.active().array_type)
    assert device.dtype == np.float32 and device.shape == (2, 3)
    back = backend.to_numpy(device)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, host)
    assert backend.to_device(device) is device
    assert backend.to_device(host, np.float64).dtype == np.float64
    assert backend.to_device([1, 2]).shape == (2,)


def test_to_numpy_passes_host_values_and_refuses_others():
    x = np.zeros(2)
    assert backend.to_numpy(x) is x
    assert backend.to_numpy(1.5) == 1.5
    with pytest.raises(TypeError, match="got list"):
        backend.to_numpy([1.0])


def test_scatter_add_adds_up_equal_indices(xp):
    target = xp.zeros((2, 3), dtype=np.float32)
    rows, columns = xp.asarray([0, 0, 1, 0]), xp.asarray([2, 2, 0, 1])
    backend.scatter_add(target, (rows, columns), xp.asarray([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(backend.to_numpy(target), [[0, 8, 3], [4, 0, 0]])


def test_memory_is_free_and_total(xp):
    free, total = backend.memory()
    assert 0 < free <= total
    backend.synchronize()


class FakeEvent:
    """An event in a queue; when it was passed is known once the host has waited for it."""

    clock = 0.0

    def record(self):
        self.at = FakeEvent.clock

    def synchronize(self):
        pass


@pytest.fixture
def fake_cupy(fresh):
    """A CuPy with one device, computed by the stand-in; tests break one thing of it at a time."""
    fake, cupyx = types.ModuleType("cupy"), types.ModuleType("cupyx")
    for name in ("arange", "tanh", "float32", "ndarray", "asnumpy", "zeros"):
        setattr(fake, name, getattr(strict_cupy.xp, name))
    fake.__version__ = "14.2.0"
    fake.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    pool = types.SimpleNamespace(free_bytes=lambda: 10)
    pool.free_all_blocks = lambda: setattr(pool, "freed", True)
    fake.get_default_memory_pool = lambda: pool
    fake.cuda = types.SimpleNamespace(
        runtime=types.SimpleNamespace(
            getDeviceCount=lambda: 1,
            getDeviceProperties=lambda device: {"name": b"Test Card"},
            memGetInfo=lambda: (100, 200),
        ),
        Device=lambda: types.SimpleNamespace(id=0),
        Event=FakeEvent,
        get_elapsed_time=lambda start, stop: stop.at - start.at,
        get_current_stream=lambda: types.SimpleNamespace(synchronize=lambda: None),
    )
    cupyx.scatter_add = strict_cupy.scatter_add
    del backend._registered["strict"]
    fresh.setitem(sys.modules, "cupy", fake)
    fresh.setitem(sys.modules, "cupyx", cupyx)
    fresh.setattr(backend, "_driver_cuda_major", lambda: 12)
    return fake


def why_not_cupy():
    """The message of --backend cupy, one line; and "auto" takes NumPy instead."""
    with pytest.raises(BackendError) as caught:
        backend.use("cupy")
    assert backend.use("auto") is np
    message = str(caught.value)
    assert message.startswith("--backend cupy: ") and "\n" not in message
    return message


def fail(message, error=RuntimeError):
    def function(*args, **kwargs):
        raise error(message)

    return function


def test_no_wheel(fresh, fake_cupy):
    fresh.setitem(sys.modules, "cupy", None)
    message = why_not_cupy()
    assert "CuPy is not installed" in message
    assert "pip install 'cupy-cuda12x[ctk]'" in message


def test_no_wheel_and_no_driver_names_the_newest_wheel(fresh, fake_cupy):
    fresh.setitem(sys.modules, "cupy", None)
    fresh.setattr(backend, "_driver_cuda_major", lambda: None)
    assert "pip install 'cupy-cuda13x[ctk]'" in why_not_cupy()


def test_a_wheel_but_no_driver(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceCount = fail("cudaErrorInsufficientDriver: too old\nsecond")
    message = why_not_cupy()
    assert "no NVIDIA driver or device (cudaErrorInsufficientDriver: too old)" in message
    assert "pip install 'cupy-cuda12x[ctk]'" in message and "--backend numpy" in message


def test_a_wheel_and_a_driver_but_no_device(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceCount = lambda: 0
    message = why_not_cupy()
    assert "no NVIDIA device is visible" in message and "CUDA_VISIBLE_DEVICES" in message
    assert "pip install 'cupy-cuda12x[ctk]'" in message


@pytest.mark.parametrize("library", ["libnvrtc.so.12", "libcublas.so.12"])
def test_a_wheel_and_a_driver_but_no_cuda_libraries(fake_cupy, library):
    class WithoutProducts:
        __matmul__ = fail(f"{library}: cannot open shared object file", ImportError)

    if "nvrtc" in library:  # compiles element-wise functions; cuBLAS computes products
        fake_cupy.tanh = fail(f"{library}: cannot open shared object file", ImportError)
    else:
        fake_cupy.tanh = lambda x: WithoutProducts()
    message = why_not_cupy()
    assert f"the driver works but the CUDA libraries do not ({library}: cannot open" in message
    assert "pip install 'cupy-cuda12x[ctk]'" in message


def test_a_wheel_that_does_not_import(fresh, fake_cupy):
    fresh.setattr(backend.importlib, "import_module", fail("two wheels", ImportError))
    message = why_not_cupy()
    assert "importing CuPy failed (two wheels)" in message
    assert "pip uninstall cupy-cuda12x cupy-cuda13x" in message


@pytest.mark.parametrize("name", ["cupy", "auto"])
def test_a_device_that_works(fake_cupy, name):
    assert backend.use(name) is fake_cupy
    assert backend.active().description == "CuPy 14.2.0 on Test Card"
    assert backend.memory() == (110, 200)  # what the pool has left over counts as free
    backend.synchronize()
    assert backend.get_array_module(fake_cupy.zeros(2)) is fake_cupy
    assert backend.of_module(fake_cupy) is backend.active()
    backend.active().release()
    assert fake_cupy.get_default_memory_pool().freed


def test_a_device_measures_by_its_own_events(fake_cupy):
    backend.use("cupy")

    def step():
        FakeEvent.clock += 12.5

    assert backend.elapsed(step) == 12.5
    backend.use("numpy")
    assert 0 <= backend.elapsed(step) < 1000


@pytest.mark.parametrize(
    "driver, card, expected",
    [(12080, (9, 0), 12), (13000, (9, 0), 13), (13000, (7, 0), 12), (13010, (0, 0), 13)],
)
def test_the_wheel_fits_driver_and_card(monkeypatch, driver, card, expected):
    def set_value(pointer, value):
        pointer._obj.value = value
        return 0

    library = types.SimpleNamespace(
        cuDriverGetVersion=lambda pointer: set_value(pointer, driver),
        cuInit=lambda flags: 0,
        cuDeviceGetAttribute=lambda pointer, what, _: set_value(pointer, card[what - 75]),
    )
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert backend._driver_cuda_major() == expected
    monkeypatch.setattr(ctypes, "CDLL", fail("not found", OSError))
    assert backend._driver_cuda_major() is None


def test_the_installed_wheel_says_that_there_is_no_driver():
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("no CuPy wheel is installed")
    if backend._driver_cuda_major() is not None:
        pytest.skip("there is an NVIDIA driver")
    done = python("from cae_np import backend; backend.use('cupy')")
    last_line = done.stderr.splitlines()[-1]
    if "importing CuPy failed" in last_line:
        pytest.skip(f"the wheel is broken: {last_line}")
    assert "finds no NVIDIA driver or device" in last_line
