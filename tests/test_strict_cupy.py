"""The stand-in for CuPy refuses what it should, and computes what NumPy computes."""

import copy
import importlib.metadata
import importlib.util
import operator
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from strict_cupy import StrictArray, count_host_copies, scatter_add, xp
from strict_cupy.signatures import CUPY

HOST = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def x():
    return xp.asarray(HOST)


def same(device, host):
    assert isinstance(device, StrictArray)
    assert device.dtype == host.dtype
    np.testing.assert_array_equal(device.get(), host)


# --- names and signatures -------------------------------------------------------------------------


def test_a_name_that_cupy_lacks_is_refused():
    assert not hasattr(xp, "errstate") and hasattr(np, "errstate")
    with pytest.raises(AttributeError, match="cupy .* has no 'nonexistent'"):
        xp.nonexistent  # noqa: B018
    with pytest.raises(AttributeError, match="cupy.linalg .* has no 'multi_dot'"):
        xp.linalg.multi_dot  # noqa: B018


@pytest.mark.parametrize("name", ["ElementwiseKernel", "cuda", "random", "save", "fromfunction"])
def test_a_name_of_cupy_that_the_stand_in_cannot_check_says_so(name):
    with pytest.raises(AttributeError, match=f"cupy has '{name}', but not in a way"):
        getattr(xp, name)


def test_a_method_that_cupy_lacks_is_refused(x):
    with pytest.raises(AttributeError, match="no 'setflags'"):
        x.setflags(write=False)
    with pytest.raises(AttributeError):
        x.shape = (4, 3)


@pytest.mark.parametrize(
    "call, keyword",
    [
        (lambda x: xp.argmax(x, where=x > 0), "where"),
        (lambda x: xp.add(x, x, where=x > 0), "where"),
        (lambda x: xp.sum(x, initial=1.0), "initial"),
        (lambda x: xp.einsum("ij,ij", x, x, out=x[0, 0]), "out"),
        (lambda x: xp.lib.stride_tricks.as_strided(x, writeable=False), "writeable"),
        (lambda x: xp.linalg.norm(x, dtype=np.float64), "dtype"),
        (lambda x: x.max(initial=0), "initial"),
        (lambda x: xp.take(x, 0, mode="clip"), "mode"),
    ],
)
def test_a_keyword_that_cupy_lacks_is_refused_by_name(x, call, keyword):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{keyword}'.*CuPy"):
        call(x)


def test_a_missing_or_surplus_argument_is_refused(x):
    with pytest.raises(TypeError, match="missing a required argument: 'axis'; CuPy .* takes"):
        xp.take_along_axis(x, xp.argmax(x, axis=1, keepdims=True))
    with pytest.raises(TypeError, match="too many positional arguments"):
        xp.clip(x, 0, 1, None, None)
    with pytest.raises(TypeError, match="too many positional arguments"):
        x.item(0)


def test_an_argument_whose_position_means_another_parameter_to_cupy_is_refused(x):
    out = xp.empty(3, dtype=np.int64)
    with pytest.raises(TypeError, match="'dtype', NumPy as 'out'; pass it by keyword"):
        xp.argmax(x, 1, out)
    assert xp.argmax(x, axis=1, out=out) is out


def test_constants_and_types_are_numpys():
    assert xp.float32 is np.float32 and xp.newaxis is None and xp.pi == np.pi
    assert xp.finfo(xp.float32).eps == np.finfo(np.float32).eps
    assert isinstance(xp.zeros(2), xp.ndarray)


def test_the_list_is_what_the_installed_wheel_says():
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("no CuPy wheel is installed")
    import strict_cupy

    script = Path(strict_cupy.__file__).with_name("refresh_signatures.py")
    code = "import cupy, numpy; print(cupy.__version__, numpy.__version__)"
    versions = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if versions.stdout.split() != list(CUPY["made_from"].values()):
        pytest.skip(f"the list was made from {CUPY['made_from']}, here is {versions.stdout}")
    check = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr


# --- host and device do not mix -------------------------------------------------------------------


@pytest.mark.parametrize("name", "add sub mul truediv floordiv mod pow matmul lt eq iadd".split())
def test_operators_refuse_numpy_arrays_on_either_side(x, name):
    host = np.ones((4, 4), dtype=np.float32)[: 4 if name == "matmul" else 3]
    function = getattr(operator, name)
    for left, right in [(x, host), (host, x)]:
        with pytest.raises(TypeError, match="Unsupported type|does not support ufuncs"):
            function(left, right)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + [1.0, 2.0, 3.0, 4.0],
        lambda x: xp.maximum(x, np.zeros(4)),
        lambda x: xp.maximum(x, [0.0] * 4),
        lambda x: xp.sum([1.0, 2.0]),
        lambda x: xp.where(x > 0, x, np.zeros((3, 4))),
        lambda x: xp.concatenate([x, np.zeros((3, 4))]),
        lambda x: xp.exp(x, out=np.zeros((3, 4))),
        lambda x: xp.matmul(x, x.T, out=np.zeros((3, 3))),
        lambda x: x.dot(np.zeros(4)),
        lambda x: x.__setitem__(0, np.zeros(4)),
        lambda x: xp.copyto(x, np.zeros((3, 4))),
        lambda x: xp.ascontiguousarray(np.zeros(3)),
        lambda x: scatter_add(x, (xp.asarray([0]),), np.zeros((1, 4))),
        lambda x: x == None,  # noqa: E711
    ],
)
def test_functions_refuse_numpy_arrays_and_lists(x, call):
    with pytest.raises(TypeError, match="Unsupported type|not a list"):
        call(x)
    same(x, HOST)


@pytest.mark.parametrize(
    "call",
    [
        np.asarray,
        np.exp,
        np.sum,
        np.shape,
        lambda x: np.add(x, 1.0),
        lambda x: np.maximum(np.zeros(4), x),
        lambda x: np.array_equal(x, HOST),
        lambda x: np.testing.assert_array_equal(x, HOST),
        lambda x: np.asarray([x, x]),
        lambda x: np.zeros((3, 4)).__setitem__(slice(None), x),
        lambda x: np.exp(HOST, out=x),
        lambda x: np.random.default_rng(0).normal(0.0, x),
        lambda x: np.concatenate([HOST, x]),
    ],
)
def test_numpy_refuses_device_arrays(x, call):
    with pytest.raises(TypeError):
        call(x)


def test_numpy_refuses_a_device_array_as_an_index():
    with pytest.raises((TypeError, IndexError)):
        np.arange(3)[xp.asarray([0, 1])]
    with pytest.raises((TypeError, IndexError)):
        np.arange(3)[xp.asarray(1)]


def test_python_and_numpy_scalars_mix_and_promote_as_in_numpy_2(x):
    for scalar in (2, 2.0, True, np.float32(2), np.float64(2), np.int64(2)):
        same(x * scalar, HOST * scalar)
        same(scalar - x, scalar - HOST)
        same(xp.maximum(x, scalar), np.maximum(HOST, scalar))


def test_a_device_array_is_no_index_and_no_size_for_python(x):
    n = xp.asarray(3)
    for call in (
        lambda: xp.zeros(n),
        lambda: xp.zeros((2, n)),
        lambda: x.reshape(n, 4),
        lambda: x.reshape((n, 4)),
        lambda: xp.sum(x, axis=n - 3),
        lambda: x[:n],
        lambda: range(n),
        lambda: [1, 2, 3, 4][n],
    ):
        with pytest.raises(TypeError, match="integer|indices|index"):
            call()


def test_dtypes_that_no_device_has_are_refused(x):
    for host in (np.array([None]), np.array(["a"]), np.zeros(2, dtype=np.longdouble)):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            xp.asarray(host)
    with pytest.raises(ValueError, match="Unsupported dtype"):
        x.astype(object)


# --- results stay on the device, copies are counted -----------------------------------------------


def test_results_stay_0d_arrays_on_the_device(x):
    with count_host_copies() as copies:
        results = [
            xp.sum(x),
            x.max(),
            x[1, 2],
            x[0] @ x[1],
            xp.linalg.norm(x),
            xp.argmax(x),
            xp.allclose(x, x),
            xp.array_equal(x, x),
            xp.count_nonzero(x),
            x.mean() / 2,
            abs(xp.exp(0.0)),
            next(iter(x[0])),
        ]
    for result in results:
        assert isinstance(result, StrictArray) and result.shape == ()
    assert copies.to_host == [] and copies.to_device == []


def test_an_element_is_a_view_not_a_copy(x):
    element = x[1, 2]
    element += 100.0
    assert float(x[1, 2]) == 106.0


@pytest.mark.parametrize(
    "what, call",
    [
        ("float", float),
        ("int", int),
        ("bool", bool),
        ("complex", complex),
        ("str", str),
        ("repr", repr),
        ("format", lambda s: f"{s:.3f}"),
        ("item", lambda s: s.item()),
        ("tolist", lambda s: s.tolist()),
        ("get", lambda s: s.get()),
        ("get", xp.asnumpy),
    ],
)
def test_every_way_to_the_host_is_counted(what, call):
    scalar = xp.asarray(1.5)
    with count_host_copies() as copies:
        value = call(scalar)
    assert copies.to_host == [what]
    assert not isinstance(value, StrictArray)


@pytest.mark.parametrize(
    "what, call",
    [
        ("boolean mask", lambda x: x[x > 3]),
        ("boolean mask", lambda x: x.__setitem__(x > 3, 0.0)),
        ("nonzero", lambda x: xp.nonzero(x)),
        ("nonzero", lambda x: x.nonzero()),
        ("where", lambda x: xp.where(x > 3)),
        ("unique", lambda x: xp.unique(x)),
        ("bincount", lambda x: xp.bincount(x[0].astype(int))),
    ],
)
def test_results_whose_size_depends_on_values_count_as_copies(x, what, call):
    with count_host_copies() as copies:
        call(x)
    assert copies.to_host == [what]


def test_iteration_and_conditions_count_every_value(x):
    with count_host_copies() as copies:
        values = [float(value) for value in x[0]]
        assert values == [0.0, 1.0, 2.0, 3.0]
        if x[0, 0] < 1:
            pass
        with count_host_copies() as inner:
            max(x[0])
        xp.where(x > 0, x, 0.0)
    assert copies.to_host == ["float"] * 4 + ["bool"] * 4
    assert inner.to_host == ["bool"] * 3


def test_the_doors_in_copy_and_are_counted():
    host = HOST.copy()
    with count_host_copies() as copies:
        device = xp.asarray(host)
        also = xp.array([[1, 2], [3, 4]], dtype=np.float32)
        assert xp.asarray(device) is device
        xp.array(device)
    assert copies.to_device == ["asarray", "array"] and copies.to_host == []
    host[...] = -1.0
    same(device, HOST)
    same(also, np.array([[1, 2], [3, 4]], dtype=np.float32))
    back = device.get()
    back[...] = -1.0
    same(device, HOST)


# --- indexing -------------------------------------------------------------------------------------


def test_reading_through_index_arrays(x):
    rows, columns = np.array([0, 2, 2]), np.array([1, 1, 3])
    same(x[xp.asarray(rows), xp.asarray(columns)], HOST[rows, columns])
    same(x[..., xp.asarray(columns)], HOST[..., columns])
    same(x[xp.asarray(1)], HOST[1])
    same(x[np.int64(1), None, ::-2], HOST[1, None, ::-2])
    same(x[x > 5], HOST[HOST > 5])


@pytest.mark.parametrize("key", [np.array([0, 1]), [0, 1], (0, [1]), 1.0, True, np.array(0)])
def test_indices_are_python_integers_or_device_arrays(x, key):
    for call in (lambda: x[key], lambda: x.__setitem__(key, 0.0)):
        with pytest.raises(TypeError, match="an index is made of"):
            call()


def test_float_arrays_and_several_masks_are_no_index(x):
    with pytest.raises(TypeError, match="got float32 array"):
        x[x]
    with pytest.raises(IndexError, match="several boolean masks"):
        x[xp.ones(3, dtype=bool), xp.ones(4, dtype=bool)]


@pytest.mark.parametrize("bad", [3, -4])
def test_indices_out_of_bounds_are_refused_everywhere(x, bad):
    index = xp.asarray([0, bad])
    for call in (
        lambda: x[index],
        lambda: x.__setitem__(index, 0.0),
        lambda: xp.take(x, index, axis=0),
        lambda: x.take(index, axis=0),
        lambda: xp.take_along_axis(x, index[:, None] * xp.ones((1, 4), dtype=int), 0),
        lambda: scatter_add(x, index, 1.0),
        lambda: x[bad],
    ):
        with pytest.raises(IndexError):
            call()


def test_assigning_through_duplicate_indices_is_refused(x):
    twice = xp.asarray([1, 1])
    for key in (twice, (twice, 0), (slice(None), twice), (xp.asarray([0, -3]), 2)):
        with pytest.raises(ValueError, match="duplicate indices"):
            x[key] = 0.0
        with pytest.raises(ValueError, match="duplicate indices"):
            x[key] += 1.0
    with pytest.raises(ValueError, match="duplicate indices"):
        xp.put_along_axis(x, xp.zeros((3, 2), dtype=int), 1.0, axis=1)
    same(x, HOST)


def test_assigning_through_different_indices_works(x):
    host = HOST.copy()
    index = np.array([2, 0])
    x[xp.asarray(index), 1] = xp.asarray([5.0, 6.0])
    host[index, 1] = [5.0, 6.0]
    x[xp.asarray(index)] += 1.0
    host[index] += 1.0
    x[x > 9] = 0.0
    host[host > 9] = 0.0
    x[0, 0] = xp.asarray(3.0)
    host[0, 0] = 3.0
    xp.put_along_axis(x, xp.asarray([[0], [1], [2]]), -1.0, axis=1)
    np.put_along_axis(host, np.array([[0], [1], [2]]), -1.0, axis=1)
    same(x, host)


def test_assigning_between_overlapping_views_is_refused(x):
    with pytest.raises(ValueError, match="overlapping views"):
        x[1:] = x[:-1]
    x[::2] = x[1:2]  # neighbours, but no element is shared
    x[1:] += x[:-1]  # CuPy's ufuncs copy an argument that overlaps their output
    x[...] = x


def test_scatter_add_adds_up_and_refuses_dtypes_without_atomics(x):
    target = xp.zeros(3, dtype=np.float32)
    scatter_add(target, xp.asarray([2, 0, 2]), xp.asarray([1.0, 2.0, 4.0]))
    same(target, np.array([2, 0, 5], dtype=np.float32))
    with pytest.raises(TypeError, match="scatter_add does not support int64"):
        scatter_add(xp.zeros(3, dtype=np.int64), xp.asarray([0]), 1)
    with pytest.raises(TypeError, match="an index is made of"):
        scatter_add(x, np.array([0]), 1.0)


# --- memory and results ---------------------------------------------------------------------------


def test_fresh_memory_is_full_of_nonsense(x):
    assert bool(xp.isnan(xp.empty(3)).all())
    assert bool(xp.isnan(xp.empty_like(x)).all())
    assert bool((xp.empty((2, 2), dtype=np.int32) != 0).all())


def test_broadcast_arrays_cannot_be_written(x):
    with pytest.raises(ValueError, match="read-only"):
        xp.broadcast_to(x[0], (3, 4))[0, 0] = 1.0


def test_out_is_returned_and_views_share_memory(x):
    out = xp.empty((3, 4), dtype=np.float32)
    assert xp.multiply(x, 2.0, out=out) is out
    same(out, HOST * 2)
    assert x.astype(np.float32, copy=False) is x
    product = xp.empty((3, 3), dtype=np.float32)
    assert xp.matmul(x, x.T, out=product) is product
    y = x
    y -= 1.0
    assert y is x
    x.T[0] = 50.0
    same(x[:, 0], np.full(3, 50, dtype=np.float32))
    assert copy.deepcopy(x) is not x


def test_dot_wants_an_out_of_the_results_layout_and_dtype(x):
    for out in (xp.empty((6, 3), dtype=np.float32)[::2], xp.empty((3, 3))):
        with pytest.raises(ValueError, match="C-contiguous and of the result's dtype"):
            xp.dot(x, x.T, out=out)
        with pytest.raises(ValueError, match="C-contiguous and of the result's dtype"):
            x.dot(x.T, out=out)


def test_matmul_in_place_makes_a_new_array_as_on_cupy():
    square = before = xp.ones((2, 2))
    square @= square
    assert square is not before and float(before.sum()) == 4.0


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: m.sum(x, axis=0, keepdims=True),
        lambda m, x: x.std(axis=1),
        lambda m, x: m.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(0, 1)),
        lambda m, x: m.einsum("ij,kj->ik", x, x),
        lambda m, x: m.tensordot(x, x, axes=(0, 0)),
        lambda m, x: m.pad(x, ((1, 0), (0, 2)), mode="constant", constant_values=1.0),
        lambda m, x: m.where(x > 4, x, 0.0),
        lambda m, x: m.argsort(-x, axis=1, kind="stable"),
        lambda m, x: m.stack([x, x]).swapaxes(0, 2)[::-1],
        lambda m, x: m.frexp(x)[0],
        lambda m, x: m.linalg.svd(x.T @ x)[1],
        lambda m, x: (x.T[:, None] ** 2 // 3 % 2 != 1) & ~(x.T[:, None] > 0),
        lambda m, x: m.clip(x, 1.0, None).ravel().copy(order="F").reshape(2, -1),
        lambda m, x: m.linspace(0.0, 1.0, 5) + m.arange(5),
        lambda m, x: m.copysign(m.hypot(x, 1), -x),
    ],
)
def test_results_are_numpys(x, function):
    same(function(xp, x), function(np, HOST))


def test_shapes_and_flags_are_host_values(x):
    assert x.shape == (3, 4) and x.ndim == 2 and len(x) == 3 and x.nbytes == 48
    assert x.flags.c_contiguous and x.T.flags.f_contiguous
    assert not hasattr(x.flags, "writeable")
    assert xp.result_type(x, np.float64) == np.float64
    with pytest.raises(TypeError):
        hash(x)
    with pytest.raises(TypeError):
        len(x[0, 0])
    with pytest.raises(TypeError, match="make device arrays with"):
        xp.ndarray((2, 3))
