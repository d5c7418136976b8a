"""Features that are standardised before a classifier."""

import numpy as np
import pytest
from models.clusters import READOUTS, explicitly_scaled, problem

from cae_np.backend import to_device, to_numpy
from cae_np.models.scaling import fold, fold_backward, measure_scaling


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_measured_scaling(xp, dtype):
    features = problem(N=300)[0].astype(dtype)
    features[:, 2] = 0.1  # never varies
    features[:, 3] *= 1e-3
    features[:, 3] += 1e3  # nor much
    exact = features.astype(float)
    blocks = [to_device(part) for part in np.split(features, [1, 2, 150])]
    mean, std = measure_scaling(blocks, "feature")
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.delete(std, 2), np.delete(exact.std(axis=0), 2), rtol=1e-9)
    assert std[2] == 1 and mean[2] == exact[0, 2]
    mean, std = measure_scaling(blocks, "global")
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, np.full(6, exact.std()), rtol=1e-12)
    mean, std = measure_scaling(blocks, "none")
    assert not mean.any() and (std == 1).all()
    for array in (mean, std):
        assert isinstance(array, np.ndarray) and array.dtype == np.float64


def test_folding_and_its_adjoint(xp):
    rng = np.random.default_rng(3)
    host = {"w": (4, 6), "b": (4,), "mean": (6,), "dv": (4, 6), "dc": (4,), "x": (9, 6)}
    host = {name: rng.standard_normal(shape) for name, shape in host.items()}
    host["std"] = rng.uniform(0.5, 2, 6)
    w, b, mean, std, dv, dc, x = (
        to_device(host[name]) for name in ("w", "b", "mean", "std", "dv", "dc", "x")
    )
    v, c = fold(w, b, mean, std)
    np.testing.assert_allclose(
        to_numpy(x @ v.T + c), (host["x"] - host["mean"]) / host["std"] @ host["w"].T + host["b"]
    )
    dw, db = fold_backward(dv, dc, mean, std)
    assert float((dv * v).sum() + (dc * c).sum()) == pytest.approx(
        float((dw * w).sum() + (db * b).sum())
    )


@pytest.mark.parametrize("kind", ["global", "feature"])
@pytest.mark.parametrize("Readout", READOUTS)
def test_folded_scaling_equals_explicit_scaling(xp, small_blocks, Readout, kind):
    features, labels = problem()
    scaled = to_device(explicitly_scaled(features, kind))
    explicit = Readout(6, 3, penalty=0.05, scaling="none", dtype="float64")
    explicit.fit(scaled, labels, tolerance=1e-9)
    folded = Readout(6, 3, penalty=0.05, scaling=kind, dtype="float64")
    folded.fit(to_device(features), labels, tolerance=1e-9)
    np.testing.assert_allclose(
        to_numpy(folded.scores(to_device(features))), to_numpy(explicit.scores(scaled)), atol=1e-7
    )
