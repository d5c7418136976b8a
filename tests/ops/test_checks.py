"""What every public function does with arguments that are not what it takes.

The functions are found, not listed: those of ``cae_np.ops`` and of the table of operations, with
its arguments, and everything in ``cae_np.__all__``, with arguments from here.
"""

import inspect
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

import cae_np
from cae_np import ops
from cae_np.backend import to_numpy
from cae_np.data import translate
from cae_np.data.preprocess import ZCA, contrast_normalise
from cae_np.errors import ConfigError, DataError
from cae_np.models import clustering, hinge
from cae_np.models import kmeans as patches
from cae_np.spec.cases import CASES
from cae_np.spec.implementation import implementation
from cae_np.spec.operations import OPERATIONS
from cae_np.spec.trials import generator_of
from cae_np.training import optim


@dataclass(frozen=True)
class Call:
    """A public function with right arguments."""

    name: str
    function: object
    arguments: dict
    arrays: tuple = field(default=())  # those of real numbers, which may come as integers

    def __str__(self):
        return self.name

    def __call__(self, **replaced):
        """Everything that it returns, as a list of arrays on the host."""
        with np.errstate(all="ignore"):
            return flat(self.function(**self.arguments | replaced))


def flat(returned):
    if isinstance(returned, dict):
        return [a for name in sorted(returned) for a in flat(returned[name])]
    if isinstance(returned, (tuple, list)):
        return [a for one in returned for a in flat(one)]
    return [np.asarray(to_numpy(returned))]


def call(name, function, *arguments, **more):
    named = dict(zip(inspect.signature(function).parameters, arguments, strict=False)) | more
    arrays = [n for n, a in named.items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return Call(name, function, named, tuple(arrays))


def of_operations():
    impl, case = implementation(), CASES[0]
    for operation in OPERATIONS:
        rng = generator_of(case)
        arguments = operation.draw(case, rng)
        y, rest = operation.run_forward(impl, arguments)
        yield call(str(operation), getattr(impl, operation.name), *arguments)
        if operation.arrays:
            upstream = () if operation.is_loss else (rng.standard_normal(y.shape),)
            saved = operation.saved(arguments, y, rest)
            backward = getattr(impl, operation.backward_name)
            yield call(f"{operation}: {backward.__name__}", backward, *upstream, *saved)


def of_models():
    rng = np.random.default_rng(0)
    x, rows = rng.standard_normal((6, 2, 9, 8)), rng.standard_normal((20, 5))
    z, labels = rng.standard_normal((6, 3)), rng.integers(0, 3, 6)
    many = {"labels": labels}
    for loss in (hinge.squared_hinge, hinge.squared_hinge_backward):
        yield call(loss.__name__, loss, z, labels)
    yield call("adam_step", optim.adam_step, *rng.random((4, 3, 2)), 1, 0.1)
    yield call("contrast_normalise", contrast_normalise, x)
    yield call("translate", translate.translate, x, rng.standard_normal((6, 2)))

    def whitened(images):
        return ZCA().fit([images]).whiten(images)

    yield call("ZCA.fit", whitened, x)
    yield call("ZCA.whiten", ZCA().fit([x]).whiten, x)
    yield call("ZCA.unwhiten", ZCA().fit([x]).unwhiten, x)
    yield call("kmeans", clustering.kmeans, rows, 3, 4, 0)
    yield call("squared_distances", clustering.squared_distances, rows, rows[:3])
    yield call("triangle", patches.triangle, rows)
    yield call("quadrant_sums", patches.quadrant_sums, rng.random((2, 12, 3)), 3, 4)

    fitted = cae_np.PatchKMeans(3, size=4)

    fitted.fit(x, patches=40, iterations=3)
    yield call("PatchKMeans.encode", fitted.encode, x)
    for readout in (cae_np.SoftmaxRegression, cae_np.LinearSVM):
        model = readout(5, 3, dtype="float64")

        def fit(features, model=model, **labels):
            model.fit(features, labels["labels"], max_iterations=5)
            return model.weights() if hasattr(model, "weights") else model.state()[0]

        name = readout.__name__
        yield Call(f"{name}.fit", fit, {"features": rows[:6]} | many, ("features",))
        yield call(f"{name}.scores", model.scores, rows)
        yield call(f"{name}.predict", model.predict, rows)
        yield call(f"{name}.error_rate", model.error_rate, rows[:6], labels)
    for model in (
        cae_np.WinnerTakeAll(2, 3, 3, pool_width=3, pool_stride=2, dtype="float64"),
        cae_np.WinnerTakeAll(2, 3, 3, path="dense", dtype="float64"),
        cae_np.ConvAutoEncoder(2, 3, 3, pool=2, dtype="float64"),
        cae_np.ConvAutoEncoder(2, 3, 3, mode="full", dtype="float64"),
        cae_np.AutoEncoder(144, 5, dtype="float64"),
        cae_np.CaeStack([cae_np.ConvAutoEncoder(2, 3, 3, dtype="float64")]),
    ):
        for method in ("loss_and_gradients", "encode", "hidden"):
            if hasattr(model, method):
                name = f"{type(model).__name__}.{method}"
                given = x.reshape(6, 144) if isinstance(model, cae_np.AutoEncoder) else x
                yield call(name, getattr(model, method), given)
    net = cae_np.ConvNet(
        (2, 9, 8), maps=(3,), kernels=(3,), pools=(2,), hidden=4, classes=3, dtype="float64"
    )
    shallow = cae_np.ShallowConvNet((2, 9, 8), 3, 3, classes=3, dtype="float64")
    for model in (net, shallow):
        name = type(model).__name__
        yield call(f"{name}.loss_and_gradients", model.loss_and_gradients, x, labels)
    yield call("ConvNet.scores", net.scores, x)
    yield call("ShallowConvNet.encode", shallow.encode, x)


CALLS = [*of_operations(), *of_models()]


# Which take no arrays of numbers, or have tests of their own for what else they are given.
OTHERS = {
    "batch_last",  # a memory order
    "binomial_mask", "gaussian_noise",  # draw
    # Read images as users have them: test_images.py, test_estimator.py
    "Plan", "train", "ImageArray", "read_images", "Stack", "LearningWarning",
    "history_csv",
    "check_adjoint", "check_gradients", "check_model",  # test_gradcheck.py
    "to_device", "to_numpy", "use", "data", "ops", "plotting", "pretrained", "__version__",
    "exchange",  # test_exchange.py
}  # fmt: skip


def test_every_public_function_is_tried():
    tried = " ".join(map(str, CALLS))
    public = {name for name, value in vars(ops).items() if inspect.isfunction(value)}
    for name in (public | set(cae_np.__all__)) - OTHERS:
        assert re.search(rf"\b{name}\b", tried), name


every_call = pytest.mark.parametrize("one", CALLS, ids=str)


# --- integers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool"])
@every_call
def test_integers_give_what_the_same_values_in_float64_give(one, dtype):
    """Or are refused by name; nothing wraps around, nothing is truncated."""
    low, high = {"uint8": (0, 256), "int8": (-128, 128), "bool": (0, 2)}.get(dtype, (-999, 999))
    rng = np.random.default_rng(1)
    whole = {
        name: rng.integers(low, high, one.arguments[name].shape).astype(dtype)
        for name in one.arrays
    }
    if dtype == "bool":
        whole.pop("draw", None)  # a boolean one means another thing
    for names in [*([name] for name in whole), list(whole)]:
        narrow = {name: whole[name] for name in names}
        expected = one(**{name: a.astype("float64") for name, a in narrow.items()})
        try:
            found = one(**narrow)
        except (TypeError, ValueError, ConfigError) as error:
            assert any(re.search(rf"\b{name}\b", str(error)) for name in names), error
            assert dtype in str(error)
            continue
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


# --- shapes, positions, and what is no array ------------------------------------------------------

REFUSED = (TypeError, ValueError, ConfigError, DataError)


def assert_refused_by_name(one, name, wrong):
    """The call fails with one line that names the argument and what came in its place."""
    with pytest.raises(REFUSED) as caught:
        one(**{name: wrong})
    text = str(caught.value)
    assert "\n" not in text
    assert re.search(rf"\b{name}", text), f"{text!r} does not name {name}"  # or x_hat for x
    if hasattr(wrong, "shape") and "no images" not in text:
        shape = rf"{re.escape(str(wrong.shape))}"
        assert re.search(shape, text), f"{text!r} does not say the shape {wrong.shape}"


def aliases(one, name):
    """The other arguments that are arrays."""
    return [n for n in arrays_of(one) if n != name]


def any_rank(one, name, wrong):
    """Whether an argument may have any number of axes, one at least."""
    return wrong.ndim and "..." in getattr(one.function, "takes", {"images": "..."}).get(name, "")


def arrays_of(one):
    return {name: a for name, a in one.arguments.items() if isinstance(a, np.ndarray)}


@every_call
def test_wrong_numbers_of_axes_are_refused_by_name(one):
    for name, a in arrays_of(one).items():
        for wrong in (a[None], a[0], a.reshape(-1)[0], a.reshape(-1)[:0].reshape(0, 0, 0, 0, 0, 0)):
            if wrong.ndim != a.ndim and not any_rank(one, name, wrong):
                assert_refused_by_name(one, name, wrong)


@every_call
def test_lists_are_refused_by_name(one):
    for name, a in arrays_of(one).items():
        assert_refused_by_name(one, name, a.tolist())


@every_call
def test_axes_of_no_length_are_refused_by_name_or_give_something(one):
    """Of no images there are results, where there can be."""
    for name, a in arrays_of(one).items():
        for axis in range(a.ndim):
            none = np.take(a, [], axis=axis)
            try:
                one(**{name: none})
            except Exception:
                assert_refused_by_name(one, name, none)


@every_call
def test_positions_out_of_range_are_refused_by_name(one):
    for name, a in arrays_of(one).items():
        if a.dtype.kind == "i":
            for value in (-1, 10_000):
                wrong = a.copy()
                wrong.flat[-1] = value
                assert_refused_by_name(one, name, wrong)
            assert_refused_by_name(one, name, a * 1.0)


# --- NaN ------------------------------------------------------------------------------------------


def with_nan(rng, shape):
    """Ties, infinities, and a few NaN."""
    x = rng.integers(-2, 3, shape) / 2
    x[rng.random(shape) < 0.1] = np.inf
    x[rng.random(shape) < 0.1] = np.nan
    return x


def windows(x, rows, columns):
    """Every window of every map with the flat positions of its pixels, clipped to the map."""
    H, W = x.shape[2:]
    for n, c in np.ndindex(x.shape[:2]):
        for p, (top, bottom) in enumerate(rows):
            for q, (left, right) in enumerate(columns):
                u, v = np.mgrid[max(top, 0) : min(bottom, H), max(left, 0) : min(right, W)]
                at = (u * W + v).ravel()
                yield (n, c, p, q), x[n, c].ravel()[at], at


@pytest.mark.parametrize("seed", range(8))
def test_pooling_takes_the_first_nan_wherever_it_stands(xp, seed):
    """NumPy's argmax is the oracle: it takes the first NaN, else the first maximum."""
    rng = np.random.default_rng(seed)
    x = with_nan(rng, (2, 2, 7, 5))
    y, mask = (to_numpy(a) for a in ops.max_pool(xp.asarray(x), (3, 2)))
    expected = np.zeros_like(mask)
    for (n, c, p, q), values, at in windows(
        x, [(3 * p, 3 * p + 3) for p in range(3)], [(2 * q, 2 * q + 2) for q in range(3)]
    ):
        best = values.argmax()
        np.testing.assert_equal(y[n, c, p, q], values[best])
        expected[n, c].flat[at[best]] = True
    np.testing.assert_array_equal(mask, expected)
    with np.errstate(invalid="ignore"):  # infinity times zero
        erased = ops.erase_non_maximal(xp.asarray(x), (3, 2))[1]
    np.testing.assert_array_equal(to_numpy(erased), mask)

    y, winner = (to_numpy(a) for a in ops.overlapping_max_pool(xp.asarray(x), 3, 2))
    up, left = ((n - 1) * 2 + 3 - S for n, S in ((4, 7), (3, 5)))
    for place, values, at in windows(
        x,
        [(2 * p - up // 2, 2 * p - up // 2 + 3) for p in range(4)],
        [(2 * q - left // 2, 2 * q - left // 2 + 3) for q in range(3)],
    ):
        np.testing.assert_equal(y[place], values[values.argmax()])
        assert winner[place] == at[values.argmax()]


@pytest.mark.parametrize("seed", range(8))
def test_selections_keep_nan_before_any_number(xp, seed):
    rng = np.random.default_rng(seed)
    h = with_nan(rng, (3, 2, 4, 3))
    a, winner = (to_numpy(one) for one in ops.winner_take_all(xp.asarray(h)))
    np.testing.assert_array_equal(winner, h.reshape(3, 2, 12).argmax(axis=2))
    np.testing.assert_array_equal(a, h.reshape(3, 2, 12).max(axis=2))
    for name, rows in (("top_n", h.reshape(6, 12)), ("global_top_k", h.reshape(3, 24))):
        for n in (1, 3, 12):
            mask = to_numpy(getattr(ops, name)(xp.asarray(h), n)).reshape(rows.shape)
            for row, kept in zip(rows, mask, strict=True):
                rank = sorted(range(len(row)), key=lambda i: (~np.isnan(row[i]), -row[i], i))
                assert sorted(rank[:n]) == kept.nonzero()[0].tolist()


def test_the_sums_of_arithmetic_keep_nan_in_its_own_image(xp):
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 3))
    broken = x.copy()
    broken[1, 0, 2, 1] = np.nan
    zca = ZCA().fit([xp.asarray(x)])
    for prepare in (contrast_normalise, zca.whiten):
        whole, found = (to_numpy(prepare(xp.asarray(a))) for a in (x, broken))
        assert np.isnan(found[1]).all()
        np.testing.assert_allclose(found[[0, 2]], whole[[0, 2]])
