"""Claims on MNIST hold where the numbers are as the paper says, and only there."""

import pytest
from experiments.facts import results_where, settings

from cae_np.experiments.makhzani2014 import ablations, fig2, fig3


def fig2_values(config, agrees):
    free = config["variant"] == "unconstrained"
    names = [value for value, _, _ in fig2.METRICS]
    after = {name: float(free == agrees) for name in names}
    after["error"] = 1 - after["error"]  # the only one that the paper says is lower
    return {"before": dict.fromkeys(names, 0.5), "after": after}


def fig3_values(config, agrees):
    values = {value: 0.0 for value, _, _ in fig3.METRICS}
    deep = config["layer"] == 2
    better = deep if config["first"] == 16 else not deep
    return values | {"readout_error": 1.0 if better == agrees else 2.0}


def ablations_values(config, agrees):
    if "timed" in config:
        # Unconstrained, dense, sparse; the last one has no part in the claim.
        times = (10.0, 12.0, 90.0) if agrees else (10.0, 18.0, 1.0)
        return dict(zip(ablations.STEPS, times, strict=True))
    errors = {"winner-take-all": 1.0, "untrained": 3.0, "unconstrained": 4.0}
    error = errors.get(config["variant"], 2.0)
    busiest = config["variant"] == "global top k"
    yes = {
        "readout_error": error if agrees else 5 - error,
        "readout_error_on": 9.0 if agrees else 0.0,
        "dead": float(busiest) if agrees else 1.0 - busiest,  # a single one is one too many
        "unlearned": float(busiest) if agrees else 1.0 - busiest,
        "least_active": 1.0 if agrees else 0.9,
        "busiest_share": 0.95 if agrees else 0.5,
        "busiest_peak_share": 1.0 if agrees else 0.0,
        "radius": float((config["variant"] == "top 4") == agrees),
    }
    return dict.fromkeys((value for value, _, _ in ablations.METRICS), 0.5) | yes


@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize(
    ("module", "values"), [(fig2, fig2_values), (fig3, fig3_values), (ablations, ablations_values)]
)
def test_claims_hold_where_the_numbers_are_as_the_paper_says_and_only_there(module, values, agrees):
    found = results_where(
        module.EXPERIMENT.cells(settings(module)), lambda config: values(config, agrees)
    )
    claims = [r for r in module.EXPERIMENT.rows(settings(module), found) if r.kind == "claim"]
    verdicts = {row.statement: row.verdict for row in claims}
    assert verdicts == dict.fromkeys(verdicts, "holds" if agrees else "does not hold")
    assert len(verdicts) == len(claims) >= 2
