"""The auto-encoders of Masci et al. 2011: gradients, identities and configurations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_model
from cae_np.models.autoencoder import AutoEncoder
from cae_np.models.cae import ConvAutoEncoder
from cae_np.training.optim import SGD


def shaken(model, rng):
    """The model with every parameter moved: biases that are not zero, weights that tell."""
    for p in model.params.values():
        p += to_device(rng.standard_normal(p.shape) * 0.3, p.dtype)
    return model


def trained(model, x, target, steps=3):
    optimizer = SGD(0.9)
    for _ in range(steps):
        _, gradients = model.loss_and_gradients(x, target)
        optimizer.step(model.params, gradients, 1e-3)
    return model


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pool", [None, 2])
@pytest.mark.parametrize("output", ["linear", "scaled_tanh", "logistic"])
def test_cae_gradients(xp, mode, tied, pool, output):
    rng = np.random.default_rng([1, mode == "full", tied])
    model = shaken(
        ConvAutoEncoder(
            2, 3, (3, 2), mode=mode, tied=tied, pool=pool, output=output, dtype="float64"
        ),
        rng,
    )
    x, target = (to_device(rng.random((2, 2, 6, 7))) for _ in range(2))
    assert (report := check_model(model, x, target, elements=12, directions=2)).passed, report
    trained(model, x, target)
    assert (report := check_model(model, x, target, elements=12, directions=2)).passed, report


@given(
    channels=st.integers(1, 2),
    maps=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    extra=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    mode=st.sampled_from(["valid", "full"]),
    pool=st.sampled_from([None, 1, 2]),
    activation=st.sampled_from(["scaled_tanh", "logistic", "linear"]),
)
def test_cae_gradients_for_any_shape(channels, maps, kernel, extra, mode, pool, activation):
    rng = np.random.default_rng(2)
    shape = (2, channels, kernel[0] + extra[0], kernel[1] + extra[1])
    model = ConvAutoEncoder(
        channels, maps, kernel, mode=mode, pool=pool, activation=activation, dtype="float64"
    )
    x, target = rng.random(shape), rng.random(shape)
    report = check_model(shaken(model, rng), x, target, elements=6, directions=2)
    assert report.passed, report


def test_cae_is_what_the_paper_writes():
    """h = σ(x ∗ W + b) and y = σ(Σ_k h_k ∗ W̃_k + c), map by map, with scipy's convolutions."""
    rng = np.random.default_rng(3)
    model = shaken(ConvAutoEncoder(2, 3, (3, 4), output="scaled_tanh", dtype="float64"), rng)
    w, b, c = (to_numpy(model.params[name]) for name in "wbc")
    x = rng.random((1, 2, 6, 7))

    def sigma(z):
        return 1.7159 * np.tanh(2 * z / 3)

    h = [
        sigma(sum(correlate2d(x[0, c], w[k, c], "valid") for c in (0, 1)) + b[k]) for k in range(3)
    ]
    y = [sigma(sum(convolve2d(h[k], w[k, ch]) for k in range(3)) + c[ch]) for ch in (0, 1)]
    np.testing.assert_allclose(model.hidden(x)[0], h, rtol=1e-12)
    np.testing.assert_allclose(model.reconstruct(x)[0], y, rtol=1e-12)
    loss, _ = model.loss_and_gradients(x)
    np.testing.assert_allclose(loss, ((np.array(y) - x[0]) ** 2).sum() / 2, rtol=1e-12)


def test_tied_gradient_is_the_sum_of_both_untied_ones(xp):
    """∂E/∂W = x ∗ δh + h̃ ∗ δy: the untied model with equal kernels has one term for each."""
    rng = np.random.default_rng(4)
    tied = shaken(ConvAutoEncoder(1, 4, (3, 3), pool=2, dtype="float64"), rng)
    untied = ConvAutoEncoder(1, 4, (3, 3), pool=2, tied=False, dtype="float64")
    arrays, _ = tied.state()
    untied.load_state(arrays | {"w_dec": arrays["w"]})
    x = to_device(rng.random((3, 1, 7, 7)))
    loss, together = tied.loss_and_gradients(x)
    same_loss, apart = untied.loss_and_gradients(x)
    assert float(loss) == float(same_loss)
    np.testing.assert_allclose(
        to_numpy(together["w"]), to_numpy(apart["w"] + apart["w_dec"]), rtol=1e-12
    )
    assert float(abs(apart["w_dec"]).max()) > 0 < float(abs(apart["w"]).max())


def test_pooled_code_keeps_one_unit_a_window():
    model = ConvAutoEncoder(1, 5, (3, 3), pool=2)
    x = np.random.default_rng(5).random((4, 1, 10, 10), dtype="float32")
    h, code = model.hidden(x), model.encode(x)
    assert h.shape == (4, 5, 8, 8) and code.shape == (4, 5, 4, 4)
    assert (h != 0).mean() == 0.25
    np.testing.assert_array_equal(h.reshape(4, 5, 4, 2, 4, 2).sum(axis=(3, 5)), code)


def test_corrupted_input_is_compared_with_the_clean_target():
    model = ConvAutoEncoder(1, 2, (3, 3), dtype="float64")
    rng = np.random.default_rng(6)
    x, clean = rng.random((2, 1, 6, 6)), rng.random((2, 1, 6, 6))
    loss, _ = model.loss_and_gradients(x, clean)
    np.testing.assert_allclose(loss, ((model.reconstruct(x) - clean) ** 2).sum() / 4)


@pytest.mark.parametrize("model", [ConvAutoEncoder(1, 2, (3, 3)), AutoEncoder(36, 2)])
def test_inputs_and_parameters_are_left_alone_and_dtype_is_kept(model):
    x = np.random.default_rng(7).random((2, 1, 6, 6), dtype="float32")
    before = x.copy(), {name: p.copy() for name, p in model.params.items()}
    loss, gradients = model.loss_and_gradients(x)
    assert loss.dtype == np.float32
    assert {g.dtype for g in gradients.values()} == {np.dtype("float32")}
    assert {n: g.shape for n, g in gradients.items()} == {
        n: p.shape for n, p in model.params.items()
    }
    assert model.reconstruct(x).shape == x.shape
    np.testing.assert_array_equal(x, before[0])
    for name, p in model.params.items():
        np.testing.assert_array_equal(p, before[1][name])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("output", ["linear", "logistic"])
@pytest.mark.parametrize("k", [None, 2])
def test_autoencoder_gradients(xp, tied, output, k):
    rng = np.random.default_rng(8)
    model = shaken(AutoEncoder(12, 5, tied=tied, output=output, k=k, dtype="float64"), rng)
    x, target = (to_device(rng.random((4, 1, 3, 4))) for _ in range(2))
    assert (report := check_model(model, x, target)).passed, report
    trained(model, x, target)
    assert (report := check_model(model, x, target)).passed, report


def test_k_sparse_code_keeps_the_largest_units_of_each_input(xp):
    rng = np.random.default_rng(10)
    model = shaken(AutoEncoder(6, 9, activation="linear", k=3, dtype="float64"), rng)
    x = rng.standard_normal((5, 6))
    w, b, c = (to_numpy(model.params[name]) for name in "wbc")
    z = x @ w.T + b
    h = np.zeros_like(z)
    for one, code in zip(z, h, strict=True):
        for e in sorted(range(9), key=lambda e: -one[e])[:3]:
            code[e] = one[e]
    np.testing.assert_allclose(to_numpy(model.hidden(to_device(x))), h, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(model.reconstruct(to_device(x))), h @ w + c, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(model.encode(to_device(x))), z, rtol=1e-12)
    loss, _ = model.loss_and_gradients(to_device(x))
    assert float(loss) == pytest.approx(((h @ w + c - x) ** 2).sum() / 10)


def test_all_units_kept_is_no_constraint():
    x = np.random.default_rng(11).standard_normal((4, 6))
    (loss, free), (same_loss, kept) = (
        AutoEncoder(6, 5, k=k, dtype="float64").loss_and_gradients(x) for k in (None, 5)
    )
    assert loss == same_loss and all(np.array_equal(free[name], kept[name]) for name in free)


def test_state_makes_an_equal_model(xp):
    rng = np.random.default_rng(9)
    for model in (ConvAutoEncoder(1, 3, (3, 3), tied=False, pool=2), AutoEncoder(49, 3)):
        shaken(model, rng)
        arrays, config = model.state()
        assert all(isinstance(a, np.ndarray) for a in arrays.values())
        twin = type(model)(**config)
        twin.load_state(arrays)
        x = to_device(rng.random((2, 1, 7, 7)), "float32")
        np.testing.assert_array_equal(to_numpy(twin.reconstruct(x)), to_numpy(model.reconstruct(x)))
        with pytest.raises(ConfigError, match="are not those of this model"):
            twin.load_state({"w": arrays["w"]})


def test_seed_and_stage_decide_the_weights():
    same, other, deeper = (
        ConvAutoEncoder(1, 2, (3, 3), **k) for k in ({}, {"seed": 1}, {"layer": 1})
    )
    again = ConvAutoEncoder(1, 2, (3, 3)).params["w"]
    np.testing.assert_array_equal(same.params["w"], again)
    assert (other.params["w"] != again).all() and (deeper.params["w"] != again).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvAutoEncoder(1, 2, (3, 3), mode="same"), "'valid' or 'full'"),
        (lambda: ConvAutoEncoder(1, 2, (3, 3), output="tanh"), "choose one of linear"),
        (lambda: ConvAutoEncoder(1, 0, (3, 3)), "at least 1"),
        (lambda: ConvAutoEncoder(1, 2, (3, 3), pool=0), "at least 1"),
        (lambda: AutoEncoder(4, 2, activation="sigmoid"), "choose one of linear"),
        (lambda: AutoEncoder(4, 0), "at least 1"),
        (lambda: AutoEncoder(4, 3, k=4), "k = 4 of 3 hidden units: expected 1 to 3"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
