"""The checks themselves: they pass what is right, fail what is wrong, and say so at a kink."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cae_np import backend, ops
from cae_np.backend import to_numpy
from cae_np.gradcheck import check_adjoint, check_gradients, check_model, numerical_gradient


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def cube(x):
    return x * x * x


def cube_backward(dy, x):
    return 3 * dy * x * x


# --- passing and failing --------------------------------------------------------------------------


def test_a_right_gradient_passes(xp):
    report = check_gradients(cube, cube_backward, xp.asarray(normal(3, 4)))
    assert report.passed and report.max_error < 1e-7 and not report.kinks
    assert report["x"].compared == 12
    assert "x: passed, 12 of 12 elements" in str(report)


def test_pairs_with_saved_values_need_one_lambda(xp):
    x = xp.asarray(np.random.default_rng(0).permutation(36).reshape(1, 1, 6, 6) * 0.1)
    report = check_gradients(
        lambda x: ops.max_pool(x, 2),
        lambda dy, x: ops.max_pool_backward(dy, ops.max_pool(x, 2)[1], 2),
        x,
        tolerance=1e-7,
    )
    assert report.passed, report


def test_a_layer_that_remembers_its_input():
    class Layer:
        def forward(self, x, w):
            self.x, self.w = x, w
            return x @ w

        def backward(self, dy):
            return dy @ self.w.T, self.x.T @ dy

    layer = Layer()
    report = check_gradients(
        lambda x, w: layer.forward(x, w),
        lambda dy, x, w: layer.backward(dy),
        normal(3, 4),
        normal(4, 2),
    )
    assert report.passed, report


def test_a_loss_is_an_array_without_axes(xp):
    labels = xp.asarray([0, 2, 1])
    report = check_gradients(
        lambda z: ops.softmax_cross_entropy(z, labels),
        lambda dy, z: dy * ops.softmax_cross_entropy_backward(z, labels),
        xp.asarray(normal(3, 4)),
    )
    assert report.passed, report


@pytest.mark.parametrize("shape", [(3, 4), (40, 50)], ids=["all elements", "a sample"])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda dy, x: 3 * x * x,
        lambda dy, x: 1.00001 * cube_backward(dy, x),
        lambda dy, x: cube_backward(dy, x)[::-1],
        lambda dy, x: 0 * x,
        lambda dy, x: -cube_backward(dy, x),
        lambda dy, x: cube_backward(dy, x) + 1e-4,
    ],
    ids=["upstream ignored", "factor", "order", "zero", "sign", "offset"],
)
def test_wrong_gradients_fail(wrong, shape):
    report = check_gradients(cube, wrong, normal(*shape))
    assert not report.passed and report["x"].verdict == "FAILED" and not report.kinks
    assert "FAILED" in str(report) and "x[" in str(report)


def test_each_argument_has_its_own_verdict():
    report = check_gradients(
        lambda x, w: x @ w, lambda dy, x, w: (dy @ w.T, 2 * x.T @ dy), normal(3, 4), normal(4, 2)
    )
    assert report["x"].passed and not report["w"].passed and not report.passed
    assert report.failed.startswith("w: FAILED")


def test_one_wrong_element_is_named():
    def backward(dy, x):
        dx = cube_backward(dy, x)
        dx[2, 1] *= 1.5
        return dx

    report = check_gradients(cube, backward, normal(3, 4))["x"]
    assert report.worst == (2, 1)
    assert report.errors.shape == report.numerical.shape == report.analytic.shape == (3, 4)
    assert (report.errors > report.tolerance).sum() == 1
    assert report.analytic[2, 1] == pytest.approx(1.5 * report.numerical[2, 1])
    assert "at x[2, 1]" in str(report)


def test_large_arguments_are_seen_whole_along_directions():
    """A mistake in one place of 4,000 that the sample misses is still found."""

    def backward(dy, x):
        dx = cube_backward(dy, x)
        dx[missed] += 10
        return dx

    x = normal(4000)
    sampled = check_gradients(cube, cube_backward, x, elements=20)["x"]
    assert sampled.compared == 20 and len(sampled.along) == 4
    missed = int(np.flatnonzero(np.isnan(sampled.numerical))[0])
    report = check_gradients(cube, backward, x, elements=20)["x"]
    assert not report.passed and "a random direction" in str(report)


def test_arguments_without_axes():
    """A slope that is learned, say."""
    report = check_gradients(
        lambda x, a: a * x, lambda dy, x, a: (a * dy, (dy * x).sum()), normal(4), np.asarray(0.5)
    )
    assert report.passed and "a: passed, 1 of 1 elements" in str(report)


def test_affine_maps_agree_to_1e_7():
    x, w, b = normal(5, 7), normal(3, 7, seed=1), normal(3, seed=2)
    report = check_gradients(ops.affine, ops.affine_backward, x, w, b, tolerance=1e-7)
    assert report.passed and report.max_error < 1e-8


def test_steep_functions_are_no_mistakes():
    """Where a step is not small beside the curve, it is made smaller."""
    report = check_gradients(
        lambda x: np.tanh(1000 * x),
        lambda dy, x: 1000 * dy / np.cosh(1000 * x) ** 2,
        normal(5, 5) / 1000,
    )
    assert report.passed, report


def test_zero_gradients_pass():
    assert check_gradients(lambda x: 0 * x + 3, lambda dy, x: 0 * x, normal(4)).passed
    x = normal(4, 3)
    assert check_gradients(
        lambda x: ops.softmax(x).sum(axis=-1), lambda dy, x: 0 * x, x
    ).passed  # rows sum to 1


def test_arguments_that_are_not_checked():
    report = check_gradients(
        lambda x, w: x * w, lambda dy, x, w: (dy * w, None), normal(3), normal(3)
    )
    assert report.passed and [a.name for a in report.arguments] == ["x"]


def test_arrays_are_not_modified(xp):
    x = xp.asarray(normal(3, 4))

    def in_place(x):
        x *= x
        return x

    check_gradients(in_place, lambda dy, x: dy, x)
    np.testing.assert_array_equal(to_numpy(x), normal(3, 4))


def test_the_same_seed_gives_the_same_numbers():
    first, second, third = (
        check_gradients(cube, cube_backward, normal(3), seed=seed)["x"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.numerical, second.numerical)
    assert (first.numerical != third.numerical).all()


# --- kinks ----------------------------------------------------------------------------------------


def relu_backward(dy, x):
    return dy * (x > 0)


@pytest.mark.parametrize("slope", [0, 0.5, 1])
def test_a_kink_is_named_whatever_the_gradient_there(xp, slope):
    """At 0 each slope between 0 and 1 would agree or not by luck."""
    x = normal(3, 4)
    x[1, 2] = 0

    def backward(dy, x):
        return dy * (x > 0) + slope * dy * (x == 0)

    report = check_gradients(ops.relu, backward, xp.asarray(x))
    assert not report.passed and report["x"].verdict == "undecided"
    assert [kink.where for kink in report.kinks] == ["x[1, 2]"]
    assert "kink crossed at x[1, 2]: the slope is" in str(report)
    assert np.isnan(report["x"].numerical[1, 2]) and report["x"].compared == 11


@pytest.mark.parametrize("distance", [8e-6, 4e-6, 3.3e-6, 1.65e-6, 8e-7, 3e-7, -3e-6])
def test_a_kink_within_the_step_is_stepped_out_of(distance):
    report = check_gradients(ops.relu, relu_backward, np.array([1.0, distance, -1.0]))
    assert report.passed, report


@pytest.mark.parametrize("distance", [8e-6, 4e-6, 1.65e-6, 8e-7, -3e-6])
def test_a_mistake_beside_a_kink_is_still_a_mistake(distance):
    x = np.array([1.0, distance, -1.0])
    report = check_gradients(ops.relu, lambda dy, x: 1.001 * relu_backward(dy, x), x)
    assert report["x"].verdict == "FAILED"
    assert report["x"].worst in [(0,), (1,)] and not report.kinks


def test_ties_of_a_maximum_are_kinks():
    x = np.array([[[[1.0, 1.0], [0.0, -1.0]]]])
    report = check_gradients(
        lambda x: ops.winner_take_all(x),
        lambda dy, x: ops.winner_take_all_backward(dy, ops.winner_take_all(x)[1], (2, 2)),
        x,
    )
    assert [kink.where for kink in report.kinks] == ["x[0, 0, 0, 0]", "x[0, 0, 0, 1]"]


def test_a_jump_is_a_kink():
    """Where a selection changes, the value jumps."""
    report = check_gradients(
        lambda x: x * (x > 1), lambda dy, x: dy * (x > 1), np.array([0.5, 1.0, 2.0])
    )
    assert [kink.where for kink in report.kinks] == ["x[1]"]


def test_kinks_along_directions():
    """Half of a thousand units sit on their kink: every direction crosses it."""
    x = np.where(np.arange(1000) % 2, 0.0, 1.0)
    report = check_gradients(ops.relu, relu_backward, x, elements=10)
    assert any("a random direction" in kink.where for kink in report.kinks)
    assert "more kinks" in str(report)


def test_strong_curvature_is_no_kink():
    x = np.array([1e-3, -2e-3, 5e-4])
    report = check_gradients(
        lambda x: np.cos(500 * x), lambda dy, x: -500 * dy * np.sin(500 * x), x
    )
    assert report.passed, report


# --- what cannot be checked -----------------------------------------------------------------------


def test_float32_is_refused(xp):
    with pytest.raises(ValueError, match="x is float32; .* in float64"):
        check_gradients(cube, cube_backward, xp.asarray(normal(3).astype("float32")))
    with pytest.raises(ValueError, match="forward returned is float32"):
        check_gradients(lambda x: cube(x).astype("float32"), cube_backward, xp.asarray(normal(3)))


def test_two_answers_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="two different answers"):
        check_gradients(lambda x: x * (rng.random(x.shape) < 0.5), cube_backward, normal(3))


def test_a_forward_without_a_return_is_told_so():
    with pytest.raises(ValueError, match="forward returned None; is a `return` missing"):
        check_gradients(lambda x: None, lambda dy, x: dy, np.ones((2, 2)))


def test_infinite_values_are_refused():
    with pytest.raises(
        ValueError, match=r"forward returned -?inf \(3 of 3 values are not finite\)"
    ):
        check_gradients(lambda x: x * np.inf, cube_backward, normal(3))


def test_a_missing_gradient_is_refused():
    with pytest.raises(ValueError, match="1 gradients for 2 arrays"):
        check_gradients(lambda x, w: x @ w, lambda dy, x, w: dy @ w.T, normal(3, 4), normal(4, 2))


@pytest.mark.parametrize(
    ("gradient", "problem"),
    [(lambda dy, x: dy[:2], r"the shape \(2, 4\)"), (lambda dy, x: dy * np.nan, "not finite")],
)
def test_gradients_that_cannot_be_compared_fail(gradient, problem):
    report = check_gradients(cube, gradient, normal(3, 4))
    assert not report.passed
    with pytest.raises(AssertionError, match=problem):
        assert report.passed, report


def test_lists_are_refused():
    with pytest.raises(TypeError, match="numpy.asarray"):
        check_gradients(cube, cube_backward, [1.0, 2.0])


# --- models ---------------------------------------------------------------------------------------


class Line:
    """y = w·x + b, squared error; ``slope`` spoils the gradient of w."""

    def __init__(self, xp, spoilt=0.0):
        self.params = {"w": xp.asarray(normal(2, 3)), "b": xp.asarray(normal(2, seed=1))}
        self.spoilt = spoilt

    def loss_and_gradients(self, x, target=None):
        y = ops.affine(x, self.params["w"], self.params["b"])
        dy = ops.squared_error_backward(y, target)
        _, dw, db = ops.affine_backward(dy, x, self.params["w"], self.params["b"])
        return ops.squared_error(y, target), {"w": dw * (1 + self.spoilt), "b": db}


def test_models(xp):
    x, target = xp.asarray(normal(5, 3)), xp.asarray(normal(5, 2))
    model = Line(xp)
    before = {name: to_numpy(p).copy() for name, p in model.params.items()}
    report = check_model(model, x, target, tolerance=1e-7)
    assert report.passed and [a.name for a in report.arguments] == ["w", "b"]
    for name, p in model.params.items():
        np.testing.assert_array_equal(to_numpy(p), before[name])
    report = check_model(Line(xp, spoilt=1e-3), x, target)
    assert not report["w"].passed and report["b"].passed


def test_parameters_are_put_back_when_a_model_fails():
    class Fragile(Line):
        calls = 0

        def loss_and_gradients(self, x, target=None):
            self.calls += 1
            if self.calls > 3:
                raise RuntimeError("no more")
            return super().loss_and_gradients(x, target)

    model = Fragile(np)
    with pytest.raises(RuntimeError, match="no more"):
        check_model(model, normal(5, 3), normal(5, 2))
    np.testing.assert_array_equal(model.params["w"], normal(2, 3))


def test_models_that_cannot_be_checked():
    class Forgetful(Line):
        def loss_and_gradients(self, x, target=None):
            loss, gradients = super().loss_and_gradients(x, target)
            return loss, {"w": gradients["w"]}

    x, target = normal(5, 3), normal(5, 2)
    with pytest.raises(ValueError, match=r"gradients of \['w'\] for the parameters \['b', 'w'\]"):
        check_model(Forgetful(np), x, target)
    model = Line(np)
    model.params["b"] = model.params["b"].astype("float32")
    with pytest.raises(ValueError, match="b is float32"):
        check_model(model, x, target)

    class Lost(Line):
        def loss_and_gradients(self, x, target=None):
            return np.float64("inf"), super().loss_and_gradients(x, target)[1]

    with pytest.raises(ValueError, match="the loss is inf"):
        check_model(Lost(np), x, target)


# --- adjoints and plain differences ---------------------------------------------------------------


def test_adjoints(xp):
    w = xp.asarray(normal(3, 2, 2, 2))
    x, y = xp.asarray(normal(2, 2, 4, 5)), xp.asarray(normal(2, 3, 3, 4))
    report = check_adjoint(
        lambda x: ops.correlate_valid(x, w), lambda y: ops.convolve_full(y, w), x, y
    )
    assert report.passed and report.error < 1e-14 and "adjoint: passed" in str(report)
    report = check_adjoint(
        lambda x: ops.correlate_valid(x, w), lambda y: ops.convolve_full(y, ops.flip(w)), x, y
    )
    assert not report.passed and "FAILED" in str(report)


def test_adjoints_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"adjoint\(y\) and x have the shapes \(3,\) and \(1,\)"):
        check_adjoint(lambda x: x.repeat(3), lambda y: y, normal(1), normal(3))


def test_numerical_gradient(xp):
    x = xp.asarray(normal(3, 4))
    found = numerical_gradient(lambda x: cube(x).sum(), x)
    assert type(found) is type(x)
    np.testing.assert_allclose(to_numpy(found), 3 * normal(3, 4) ** 2, atol=1e-8)
    with pytest.raises(ValueError, match="float64"):
        numerical_gradient(lambda x: x.sum(), x.astype("float32"))


def test_backends_agree():
    """The same numbers, but for rounding, whichever module computes."""
    import strict_cupy

    strict_cupy.register_stand_in()
    strict = backend.use("strict")
    try:
        found = check_gradients(cube, cube_backward, strict.asarray(normal(3)))["x"]
    finally:
        backend.use("numpy")
    expected = check_gradients(cube, cube_backward, normal(3))["x"]
    np.testing.assert_allclose(found.numerical, expected.numerical)


# --- what rounding hides --------------------------------------------------------------------------

SHAPES_OF_Y = {
    "square": (np.square, lambda z: 2 * z),
    "sine": (np.sin, np.cos),
    "identity": (lambda z: z, np.ones_like),
}


@pytest.mark.parametrize("curve", SHAPES_OF_Y)
@given(
    constant=st.one_of(st.just(0.0), st.floats(0, 15).map(lambda e: 10.0**e)),
    exponent=st.integers(-12, 12),
    wrong=st.sampled_from([0.0, -1.0, 0.5, 3.5, 1.1]),
    seed=st.integers(0, 99),
)
@settings(deadline=None, database=None, derandomize=True, max_examples=150)
def test_whatever_is_added_to_y_or_put_on_x_no_wrong_gradient_passes_and_no_right_one_fails(
    curve, constant, exponent, wrong, seed
):
    f, derivative = SHAPES_OF_Y[curve]
    factor = 10.0**exponent
    x = factor * np.random.default_rng(seed).uniform(0.5, 1.2, (2, 3))

    def forward(x):
        return f(x / factor) + constant

    def right(dy, x):
        return dy * derivative(x / factor) / factor

    report = check_gradients(forward, right, x)
    assert report["x"].verdict != "FAILED", report
    assert report.passed or constant > 100, report  # decided wherever it can be
    report = check_gradients(forward, lambda dy, x: wrong * right(dy, x), x)
    assert not report.passed, report


def test_an_undecided_check_says_why_and_what_to_do():
    x = np.array([0.7, -1.3])
    report = check_gradients(lambda x: x**2 + 1e12, lambda dy, x: 7 * dy * x, x)
    assert not report.passed and report["x"].verdict == "undecided"
    assert "undecided" in str(report) and "subtract a constant from y" in str(report)


def test_an_argument_on_which_nothing_depends_has_a_gradient_of_zero():
    x, far = np.array([0.7, -1.3]), np.array([2.0, 3.0])
    for forward in (
        lambda x, far: far + 1e12 + 0 * x,
        lambda x, far: far * 5 + np.maximum(x - 9, 0),
    ):
        backward = lambda dy, x, far: (0 * x, None)  # noqa: E731
        assert check_gradients(forward, backward, x, far).passed
