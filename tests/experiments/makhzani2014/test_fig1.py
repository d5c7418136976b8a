"""Figure 1: accuracy on CIFAR-10 over the number of maps."""

import numpy as np
import pytest
from experiments.facts import all_cells, results_where, settings

from cae_np.experiments.makhzani2014 import fig1


def fig1_values(config, agrees):
    order = {"k-means": 0, "supervised": 1, "winner-take-all": 2}
    better = config["maps"] + 30 * order.get(config.get("method"), 0)
    if (config.get("method"), config["maps"]) == ("k-means", 100):
        better = 0
    return {"test_accuracy": 50 + (better if agrees else -better) / 10}


def fig1_filters(config, agrees):
    copies = np.sin(np.arange(9) + np.arange(32)[:, None] / 5)[:, None, None] * np.ones((9, 1))
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:9, :9]
    angle = np.linspace(0, np.pi, 32, endpoint=False)[:, None, None]
    step, phase = rng.uniform(0.5, 2, (32, 1, 1)), rng.uniform(0, 6, (32, 1, 1))
    distinct = np.sin(step * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    distinct += 0.4 * rng.standard_normal(distinct.shape)
    if (config["stage"] == "patch filters") == agrees:
        return {"w_dec": copies}
    return {"w_dec": distinct[:, None]}


@pytest.mark.parametrize("agrees", [True, False])
def test_claims_of_figure_1(agrees):
    found = results_where(
        all_cells(fig1),
        lambda c: fig1_values(c, agrees) if "maps" in c else {},
        lambda c: fig1_filters(c, agrees),
    )
    claims = [r for r in fig1.EXPERIMENT.rows(settings(fig1), found) if r.kind == "claim"]
    verdicts = {row.statement: row.verdict for row in claims}
    assert verdicts == dict.fromkeys(verdicts, "holds" if agrees else "does not hold")
    assert len(verdicts) == len(claims) == 22
