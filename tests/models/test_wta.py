"""The winner-take-all auto-encoder: both paths agree, and the paper's remarks hold."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.winners import model, twin
from scipy.signal import convolve2d, correlate2d

from cae_np import ops
from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_model
from cae_np.models.wta import WinnerTakeAll
from cae_np.training.optim import SGD


def assert_same_step(one, other, x, target, tolerance=1e-10):
    loss, gradients = one.loss_and_gradients(x, target)
    other_loss, others = other.loss_and_gradients(x, target)
    np.testing.assert_allclose(to_numpy(loss), to_numpy(other_loss), atol=tolerance)
    assert set(gradients) == set(others) == set(one.params)
    for name, gradient in gradients.items():
        assert gradient.shape == others[name].shape == one.params[name].shape
        np.testing.assert_allclose(
            to_numpy(gradient), to_numpy(others[name]), rtol=0, atol=tolerance, err_msg=name
        )
    for method in ("hidden", "_reconstruct"):
        np.testing.assert_allclose(
            to_numpy(getattr(one, method)(x)), to_numpy(getattr(other, method)(x)), atol=tolerance
        )


@given(
    N=st.integers(1, 4),
    C=st.sampled_from([1, 2, 17]),
    K=st.integers(1, 4),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    activation=st.sampled_from(["relu", "linear", "logistic"]),
    tied=st.booleans(),
    lifetime=st.sampled_from([None, 0.3, 1.0]),
    seed=st.integers(0, 1000),
)
def test_sparse_is_dense(xp, N, C, K, kernel, extra, activation, tied, lifetime, seed):
    sparsity = "lifetime" if lifetime else "winner"
    options = {"activation": activation, "tied": tied, "sparsity": sparsity, "amount": lifetime}
    sparse = model(C, K, kernel, seed=seed, **options)
    rng = np.random.default_rng(seed + 1)
    shape = (N, C, kernel[0] + extra[0], kernel[1] + extra[1])
    x, target = (to_device(rng.standard_normal(shape)) for _ in range(2))
    assert_same_step(sparse, twin(sparse, path="dense"), x, target)


@pytest.mark.parametrize("tied", [True, False])
def test_sparse_is_dense_where_units_tie(xp, tied):
    """Small whole numbers tie exactly, and an image of zeros ties everywhere."""
    rng = np.random.default_rng(1)
    sparse = WinnerTakeAll(2, 6, (3, 2), tied=tied, dtype="float64")
    for p in sparse.params.values():
        p[...] = to_device(rng.integers(-1, 2, p.shape).astype("float64"))
    x = rng.integers(-1, 2, (8, 2, 5, 6)).astype("float64")
    x[3] = 0
    assert_same_step(sparse, twin(sparse, path="dense"), to_device(x), to_device(x[::-1].copy()))
    ties = sparse.telemetry()["ties"]
    assert 1 / 8 < ties < 1
    nothing = to_device(np.zeros((2, 2, 5, 6)))
    assert_same_step(sparse, twin(sparse, path="dense"), nothing, nothing)
    assert sparse.telemetry()["ties"] == 1


def test_winners_on_the_border(xp):
    """A bright frame around a dark image: every winner's kernel hangs over the edge."""
    x = np.ones((3, 1, 7, 8))
    x[:, :, 1:-1, 1:-1] = -1
    sparse = model(1, 5, (3, 5))
    sparse.params["w_enc"][...] = 0
    sparse.params["w_enc"][:, :, 1, 2] = 1  # maps are the image itself
    x = to_device(x + 0.1 * np.random.default_rng(2).random(x.shape))
    assert_same_step(sparse, twin(sparse, path="dense"), x, x)
    border = to_numpy(sparse.hidden(x))[:, :, 1:-1, 1:-1]
    assert (border == 0).all()


@pytest.mark.parametrize("path", ["sparse", "dense"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("activation", ["relu", "linear", "logistic"])
def test_gradients(xp, path, tied, activation):
    rng = np.random.default_rng(3)
    found = model(2, 3, (3, 2), path=path, tied=tied, activation=activation)
    x, target = (to_device(rng.random((3, 2, 5, 6))) for _ in range(2))
    options = {"elements": 12, "directions": 2}
    assert (report := check_model(found, x, target, **options)).passed, report
    optimizer = SGD(0.9)
    for _ in range(3):
        optimizer.step(found.params, found.loss_and_gradients(x, target)[1], 1e-3)
    assert (report := check_model(found, x, target, **options)).passed, report


def test_it_is_what_the_paper_writes():
    """z_i = f(P_i ∗ x + b_i), all but the largest zero, x̂ = Σ W_i ∗ z_i + b', E = ‖x̂ - x‖²."""
    found = model(2, 3, (3, 5), seed=6)
    x = np.random.default_rng(6).standard_normal((1, 2, 6, 7))
    P, b, W, c = (found.params[name] for name in ("w_enc", "b", "w_dec", "c"))
    x_hat = np.zeros((2, 6, 7))
    for i in range(3):
        z = np.maximum(sum(correlate2d(x[0, ch], P[i, ch], "same") for ch in (0, 1)) + b[i], 0)
        z[z < z.max()] = 0
        x_hat += [convolve2d(z, W[i, ch], "same") for ch in (0, 1)]
    x_hat += c[:, None, None]
    np.testing.assert_allclose(found.reconstruct(x)[0], x_hat, rtol=1e-12)
    np.testing.assert_allclose(
        found.loss_and_gradients(x)[0], ((x_hat - x[0]) ** 2).sum(), rtol=1e-12
    )


@pytest.mark.parametrize("path", ["sparse", "dense"])
@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_given_the_winners_the_network_is_linear(path, activation):
    """M14, section 2.1.  The images that share their winners are a convex set: on the line between
    two of them the reconstruction moves along a line; with ReLU as long as the winners are
    positive.  Elsewhere it does not."""
    rng = np.random.default_rng(7)
    found = model(2, 6, (3, 3), path=path, activation=activation)
    found.params["b"][...] = 5
    x = rng.standard_normal((4, 2, 7, 7))
    near, far = x + 1e-3 * rng.standard_normal(x.shape), rng.standard_normal(x.shape)

    def bend(y):
        middle = found.reconstruct(0.3 * x + 0.7 * y)
        return abs(middle - 0.3 * found.reconstruct(x) - 0.7 * found.reconstruct(y)).max()

    def winners(y):
        return found.hidden(y) != 0

    assert (winners(x) == winners(near)).all() and winners(x).sum() == 4 * 6
    assert (winners(x) != winners(far)).any()
    assert bend(near) < 1e-12 < 1e-3 < bend(far)


def test_winners_do_not_depend_on_the_non_linearity():
    x = np.random.default_rng(8).standard_normal((5, 2, 6, 6))
    linear = model(2, 4, (3, 3), activation="linear")
    logistic = twin(linear, activation="logistic")
    np.testing.assert_array_equal(linear.hidden(x) != 0, logistic.hidden(x) != 0)


def test_encode_is_pooled_relu_without_the_constraint(xp):
    found = model(2, 4, (3, 3), activation="linear", pool_width=5, pool_stride=3)
    x = to_device(np.random.default_rng(11).standard_normal((3, 2, 28, 28)))
    z = ops.add_bias(ops.correlate_same(x, found.params["w_enc"]), found.params["b"])
    features = found.encode(x)
    assert features.shape == (3, 4, 10, 10)
    expected, _ = ops.overlapping_max_pool(ops.relu(z), 5, 3)
    np.testing.assert_allclose(to_numpy(features), to_numpy(expected), atol=1e-12)


def test_a_step_needs_little_memory():
    """M14's layer on 100 MNIST images: the maps alone would take 40 MB."""
    found, x = (
        WinnerTakeAll(1, 128, (7, 7)),
        np.random.default_rng(0).random((100, 1, 28, 28), np.float32),
    )
    found.loss_and_gradients(x)
    tracemalloc.start()
    try:
        found.loss_and_gradients(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6


def test_inputs_and_parameters_are_left_alone_and_dtype_is_kept():
    for path in ("sparse", "dense"):
        found = WinnerTakeAll(1, 3, (3, 3), path=path)
        x = np.random.default_rng(12).random((4, 1, 6, 6), dtype="float32")
        before = x.copy(), {name: p.copy() for name, p in found.params.items()}
        loss, gradients = found.loss_and_gradients(x)
        assert {loss.dtype, *(g.dtype for g in gradients.values())} == {np.dtype("float32")}
        assert found.reconstruct(x).dtype == found.encode(x).dtype == np.float32
        np.testing.assert_array_equal(x, before[0])
        for name, p in found.params.items():
            np.testing.assert_array_equal(p, before[1][name])


def test_kernels_and_gradients_have_the_channels_last_in_memory():
    """Else every pass would copy the kernels, and the optimiser walk through memory crosswise."""
    found = WinnerTakeAll(20, 3, (3, 3))
    assert found.params["w_enc"].transpose(0, 2, 3, 1).flags.c_contiguous
    x = np.random.default_rng(13).random((4, 20, 6, 6), dtype="float32")
    for name, gradient in found.loss_and_gradients(x)[1].items():
        assert gradient.strides == found.params[name].strides


def test_seed_and_stage_decide_the_weights():
    same, other, deeper = (
        WinnerTakeAll(1, 2, (3, 3), **k) for k in ({}, {"seed": 1}, {"layer": 1})
    )
    again = WinnerTakeAll(1, 2, (3, 3)).params
    np.testing.assert_array_equal(same.params["w_enc"], again["w_enc"])
    assert (other.params["w_enc"] != again["w_enc"]).all()
    assert (deeper.params["w_enc"] != again["w_enc"]).all()
    assert (again["w_dec"] != again["w_enc"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "fast"}, "choose one of sparse, dense"),
        ({"activation": "tanh"}, "choose one of relu"),
        ({"sparsity": "top_n", "amount": 2}, "choose path='dense'"),
        ({"sparsity": "top_n", "path": "dense"}, "a whole number of units"),
        ({"sparsity": "lifetime", "amount": 5}, r"a share in \(0, 1\]"),
        ({"amount": 5}, "takes no amount"),
        ({"pool_width": 2, "pool_stride": 3}, "leaves pixels out"),
        ({"scale": -1}, "not negative"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        WinnerTakeAll(1, 2, (3, 3), **options)
