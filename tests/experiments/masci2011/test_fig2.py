"""Figure 2: filters on CIFAR-10."""

from pathlib import Path

import numpy as np
import pytest
from experiments.facts import all_cells, settings

from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.masci2011 import cae_filters, fig2
from cae_np.models.cae import ConvAutoEncoder


def fig2_values(config, agrees):
    """Pooling changes shapes, noise magnitudes; or the other way round."""
    pooled, noisy = config["pool"] is not None, config["plan"]["amount"] > 0
    effect = pooled if agrees else noisy
    names = [value for value, _, _ in cae_filters.METRICS]
    measures = dict.fromkeys([*names, "denoising_error"], 1.0)
    measures["smoothness"] = 0.1 + 0.5 * effect if agrees else 0.6 - 0.2 * pooled + 0.3 * noisy
    measures["identity_share"] = 0.9 - 0.2 * pooled if agrees else 0.2 + 0.2 * pooled
    measures["norm"] = 1.0 + noisy * agrees
    return {"before": measures, "after": measures}


@pytest.mark.parametrize("agrees", [True, False])
def test_claims_of_figure_2_go_either_way(agrees):
    found = Results(
        Result(cell, fig2_values(cell.config, agrees), 1.0, Path()) for cell in all_cells(fig2)
    )
    claims = [r for r in fig2.EXPERIMENT.rows(settings(fig2), found) if r.kind == "claim"]
    verdicts = {r.statement: r.verdict for r in claims}
    assert verdicts == dict.fromkeys(verdicts, "holds" if agrees else "does not hold")
    assert len(verdicts) == 12


def test_what_filters_add_to_pixels_sums_to_the_reconstruction():
    rng = np.random.default_rng(0)
    for mode in ("valid", "full"):
        model = ConvAutoEncoder(3, 4, (3, 3), mode=mode, pool=2)
        x = rng.random((2, 3, 8, 8), dtype="float32")
        parts = cae_filters._contributions(model, x)
        assert parts.shape == (2, 4, 3, 8, 8)
        np.testing.assert_allclose(parts.sum(axis=1), model.reconstruct(x), atol=1e-5)
