"""Softmax regression and the linear SVM."""

import tracemalloc

import numpy as np
import pytest
from models.clusters import READOUTS, explicitly_scaled, problem
from scipy import optimize, special

from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError, DataError, DivergenceError
from cae_np.models import scaling
from cae_np.models.lbfgs import minimize_lbfgs
from cae_np.models.linear import LinearSVM, SoftmaxRegression
from cae_np.models.scaling import SCALINGS, measure_scaling, row_blocks


def naive_value(readout, w, b, features, labels):
    """The objective, written once more and differently: whole, float64, scaled features."""
    z = explicitly_scaled(features, readout.scaling) @ w.T + b
    if isinstance(readout, SoftmaxRegression):
        loss = -special.log_softmax(z, axis=1)[np.arange(len(z)), labels].mean()
    else:
        loss = 0
        for j in range(readout.classes):
            target = np.where(labels == j, 1, -1)
            loss += (np.clip(1 - target * z[:, j], 0, None) ** 2).mean()
    return loss + readout.penalty / 2 * (w**2).sum()


def random_parameters(D=6, classes=3, seed=1):
    rng = np.random.default_rng(seed)
    return {"w": rng.standard_normal((classes, D)), "b": rng.standard_normal(classes)}


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("Readout", READOUTS)
def test_objective_and_its_gradient(xp, small_blocks, Readout, kind):
    features, labels = problem()
    readout = Readout(6, 3, penalty=0.3, scaling=kind, dtype="float64")
    on_device = to_device(features)
    assert len(row_blocks(on_device)) == 9  # the last one is not full
    mean, std = measure_scaling((on_device[rows] for rows in row_blocks(on_device)), kind)
    scaled = random_parameters()
    value, gradients = readout.objective(scaled, on_device, to_device(labels), mean, std)
    assert value == pytest.approx(naive_value(readout, **scaled, features=features, labels=labels))
    for name, p in scaled.items():
        numerical = np.empty_like(p)
        for index in np.ndindex(p.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = {**scaled, name: p.copy()}
                moved[name][index] += step
                sides.append(naive_value(readout, **moved, features=features, labels=labels))
            numerical[index] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(gradients[name], numerical, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("Readout", READOUTS)
def test_blocks_make_no_difference(xp, monkeypatch, Readout):
    features, labels = problem(N=200)
    features, labels = to_device(features), to_device(labels)
    readout = Readout(6, 3, dtype="float64")
    arguments = random_parameters(), features, labels, np.full(6, 0.5), np.full(6, 2.0)
    value, gradients = readout.objective(*arguments)
    monkeypatch.setattr(scaling, "ROW_LIMIT", 7)
    assert len(row_blocks(features)) == 29
    in_blocks, gradients_in_blocks = readout.objective(*arguments)
    assert in_blocks == pytest.approx(value, rel=1e-13)
    for name in gradients:
        np.testing.assert_allclose(gradients_in_blocks[name], gradients[name], rtol=1e-11)


def test_sums_over_many_rows_keep_their_digits(xp):
    features, labels = problem(N=60_000, D=3)
    features = features.astype(np.float32)
    readout, exact = SoftmaxRegression(3, 3), SoftmaxRegression(3, 3, dtype="float64")
    scaled = random_parameters(D=3)
    mean, std = features.mean(axis=0, dtype=float), features.std(axis=0, dtype=float)
    value, gradients = readout.objective(scaled, to_device(features), to_device(labels), mean, std)
    expected, expected_gradients = exact.objective(
        scaled, to_device(features.astype(float)), to_device(labels), mean, std
    )
    assert value == pytest.approx(expected, rel=1e-7)
    for name in gradients:
        assert gradients[name].dtype == np.float64
        np.testing.assert_allclose(gradients[name], expected_gradients[name], atol=3e-7)


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("Readout", READOUTS)
def test_minimum_is_that_of_a_naive_formulation(xp, small_blocks, Readout, kind):
    features, labels = problem()
    readout = Readout(6, 3, penalty=0.1, scaling=kind, dtype="float64")
    report = readout.fit(to_device(features), labels, max_iterations=500, tolerance=1e-7)
    assert report["converged"], report["message"]

    def naive(theta):
        return naive_value(readout, theta[3:].reshape(3, 6), theta[:3], features, labels)

    oracle = optimize.minimize(naive, np.zeros(21), method="BFGS")  # numerical gradients
    assert report["value"] == pytest.approx(oracle.fun, rel=1e-7)
    theirs = explicitly_scaled(features, kind) @ oracle.x[3:].reshape(3, 6).T + oracle.x[:3]
    ours = to_numpy(readout.scores(to_device(features)))
    if Readout is SoftmaxRegression:  # which does not notice what is added to all scores
        ours, theirs = (z - z.mean(axis=1, keepdims=True) for z in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_svm_is_one_against_the_rest(xp):
    features, labels = problem(N=90)
    features = to_device(features)
    together = LinearSVM(6, 3, penalty=0.1, dtype="float64")
    together.fit(features, labels, max_iterations=500, tolerance=1e-9)
    for j in range(3):
        alone = LinearSVM(6, 2, penalty=0.1, dtype="float64")
        alone.fit(features, (labels == j).astype(int), max_iterations=500, tolerance=1e-9)
        np.testing.assert_allclose(
            to_numpy(alone.scores(features)[:, 1]), to_numpy(together.scores(features)[:, j]),
            atol=1e-6,
        )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("Readout", READOUTS)
def test_separable_classes_are_separated(xp, Readout, dtype):
    features, labels = problem(N=120, spread=0.05)
    features = to_device(features, dtype)
    readout = Readout(6, 3, penalty=1e-4, dtype=dtype)
    before = to_numpy(features).copy()
    readout.fit(features, to_device(labels))
    assert readout.error_rate(features, labels) == 0
    wrong = labels.copy()
    wrong[:30] = (wrong[:30] + 1) % 3
    assert readout.error_rate(features, to_device(wrong)) == 0.25
    np.testing.assert_array_equal(to_numpy(readout.predict(features)), labels)
    scores = readout.scores(features)
    assert isinstance(scores, xp.ndarray) and scores.shape == (120, 3) and scores.dtype == dtype
    np.testing.assert_array_equal(to_numpy(features), before)


def test_progress_and_reasons_to_end(xp):
    features, labels = problem()
    features = to_device(features, "float32")
    seen = []
    readout = SoftmaxRegression(6, 3, penalty=0.1)
    report = readout.fit(features, labels, progress=lambda *values: seen.append(values))
    assert report["converged"] and report["gradient"] <= 1e-5
    assert report["message"].startswith("converged")
    iterations, values, gradients = zip(*seen, strict=True)
    assert iterations == tuple(range(1, report["iterations"] + 1))
    assert all(later <= earlier for earlier, later in zip(values, values[1:], strict=False))
    assert (values[-1], gradients[-1]) == (report["value"], report["gradient"])

    report = readout.fit(features, labels, max_iterations=3)
    assert report["iterations"] == 3 and not report["converged"]
    assert "max_iterations = 3" in report["message"]

    report = readout.fit(features, labels, max_iterations=500, tolerance=0)
    assert report["iterations"] < 500 and "rounding" in report["message"]
    assert report["gradient"] < 1e-5


def test_fitting_is_deterministic(xp):
    features, labels = problem()
    features = to_device(features, "float32")
    first, second = SoftmaxRegression(6, 3), SoftmaxRegression(6, 3)
    first.fit(features, labels)
    second.fit(features, labels, max_iterations=2)
    second.fit(features, labels)  # which begins anew
    for name in first.params:
        np.testing.assert_array_equal(to_numpy(first.params[name]), to_numpy(second.params[name]))


def test_divergence_is_named():
    with pytest.raises(DivergenceError, match="after 0 iterations"):
        minimize_lbfgs(lambda p: (np.nan, p), {"w": np.zeros(2)})


@pytest.mark.parametrize("Readout", READOUTS)
def test_no_second_copy_of_the_features(Readout, monkeypatch):
    monkeypatch.setattr(scaling, "HOST_BLOCK", 1 << 18)
    features, labels = problem(N=8000, D=400)
    features = features.astype(np.float32)
    features.flags.writeable = False
    readout = Readout(400, 3, scaling="feature")
    tracemalloc.start()
    readout.fit(features, labels, max_iterations=5)
    readout.error_rate(features, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A block as float64, labels and scores, and L-BFGS's vectors.
    assert peak < features.nbytes / 4, f"{peak:,} bytes beside {features.nbytes:,} of features"


def test_memory_order_and_memory_maps(tmp_path):
    features, labels = problem()
    features = features.astype(np.float32)
    np.save(tmp_path / "features.npy", features)
    expected = SoftmaxRegression(6, 3)
    expected.fit(features, labels)
    for same in (np.asfortranarray(features), np.load(tmp_path / "features.npy", mmap_mode="r")):
        readout = SoftmaxRegression(6, 3)
        readout.fit(same, labels)
        np.testing.assert_allclose(readout.params["w"], expected.params["w"], atol=1e-4)


@pytest.mark.parametrize(
    "bad",
    [
        {"inputs": 0},
        {"classes": 1},
        {"penalty": -1e-3},
        {"penalty": np.nan},
        {"penalty": np.inf},
        {"scaling": "unit"},
        {"dtype": "float16"},
    ],
)
def test_configurations_that_are_refused(bad):
    ((name, value),) = bad.items()
    with pytest.raises(ConfigError, match=name):
        SoftmaxRegression(**{"inputs": 6, "classes": 3, **bad})


@pytest.mark.parametrize("bad", [{"max_iterations": 0}, {"tolerance": -1}, {"tolerance": np.nan}])
def test_fits_that_are_refused(bad):
    features, labels = problem()
    with pytest.raises(ConfigError, match="max_iterations"):
        SoftmaxRegression(6, 3, dtype="float64").fit(features, labels, **bad)


def test_data_that_are_refused(xp, small_blocks):
    features, labels = problem()
    good = to_device(features)
    readout = SoftmaxRegression(6, 3, dtype="float64")
    cases = [
        (good.astype("float32"), labels, "float32 of shape .*; expected float64"),
        (good[:, :5], labels, r"\(43, 5\); expected .*, 6\)"),
        (good[0], labels, r"shape \(6,\)"),
        (good[:0], labels[:0], r"features has shape \(0, 6\); expected .* none may be empty"),
        (good, labels[:-1], r"labels has shape \(42,\); expected .* N = 43"),
        (good, labels.astype(float), "labels are float64"),
        (good, np.where(np.arange(43) == 17, 3, labels), "hold 3 in row 17; expected 0 to 2"),
        (good, np.where(np.arange(43) == 18, -1, labels), "hold -1 in row 18"),
    ]
    for row, column, value in ((0, 0, np.nan), (31, 5, -np.inf), (42, 1, np.nan)):
        broken = features.copy()
        broken[row, column] = value
        cases.append((to_device(broken), labels, f"feature {column} of row {row} is {value}"))
    for x, y, message in cases:
        with pytest.raises(ValueError, match=message):
            readout.fit(x, y)
    with pytest.raises(ConfigError, match="unknown scaling"):
        measure_scaling([good], "unit")
    with pytest.raises(ValueError, match="a block has shape"):
        measure_scaling([good, good[:, :5]], "none")


@pytest.mark.filterwarnings("ignore:overflow")
def test_features_too_large_to_square(xp):
    with pytest.raises(ValueError, match="squares overflow"):
        measure_scaling([to_device(np.array([[1.0], [1e200]]))], "global")


@pytest.mark.parametrize("Readout", READOUTS)
def test_state_can_be_loaded(xp, Readout):
    features, labels = problem()
    features = to_device(features, "float32")
    readout = Readout(6, 3, penalty=0.01, scaling="feature")
    readout.fit(features, labels)
    arrays, configuration = readout.state()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    again = Readout(**configuration)
    again.load_state(arrays)
    assert again.config == readout.config
    np.testing.assert_array_equal(
        to_numpy(again.scores(features)), to_numpy(readout.scores(features))
    )
    with pytest.raises(ConfigError, match="are not those"):
        Readout(7, 3).load_state(arrays)


def test_no_class_is_the_highest_of_nan(xp):
    """NumPy's argmax would answer with the first class, silently."""
    features, labels = problem()
    readout = SoftmaxRegression(6, 3, dtype="float64")
    features[4, 2] = np.nan
    for asked in (readout.predict, lambda x: readout.error_rate(x, labels)):
        with pytest.raises(ValueError, match="scores of row 4 are NaN"):
            asked(to_device(features))


def test_parameters_that_are_no_numbers_are_not_taken(xp):
    readout = SoftmaxRegression(6, 3)
    arrays, _ = readout.state()
    for name in arrays:
        for value in (np.nan, np.inf):
            broken = {n: a.copy() for n, a in arrays.items()}
            broken[name].flat[1] = value
            with pytest.raises(DataError, match=rf"'{name}'.* NaN or infinity \(1 of"):
                readout.load_state(broken)
