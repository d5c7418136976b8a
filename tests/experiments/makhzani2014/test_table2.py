"""Table 2: CIFAR-10."""

import numpy as np
import pytest
from experiments.facts import all_cells, results_where, settings

from cae_np.experiments.frame.results import Results
from cae_np.experiments.makhzani2014 import table2


def distinct_filters(config):
    w = np.random.default_rng(0).standard_normal((40, 3, 9, 9))
    return {"w_dec": w}


LEARNED = {"history": [{"hidden_sparsity": 0.001}]}


def table2_values(config, agrees):
    level = {"winner-take-all": 72.0, "random": 60.0, "k-means": 73.0}[config["method"]]
    level += 5 * (config["maps"] > 512)
    level += {None: 0, 256: -1, 512: -1}.get(config.get("second"), 5)
    if not agrees:
        level = {72.0: 50.0, 60.0: 55.0, 73.0: 73.0, 71.0: 60.0}.get(level, 40.0)
    return {"test_accuracy": level, "validation_accuracy": {"0.1": 70.0}}


@pytest.mark.parametrize("agrees", [True, False])
def test_claims_of_table_2(agrees):
    found = results_where(
        all_cells(table2),
        lambda c: table2_values(c, agrees) if c["stage"] == "accuracy" else LEARNED,
        distinct_filters,
    )
    rows = table2.rows(settings(table2), found)
    claims = [row for row in rows if row.kind == "claim"]
    assert {row.verdict for row in claims} == {"holds" if agrees else "does not hold"}
    assert len(claims) == 6
    assert [row.metric for row in rows if row.paper == 0.1] == [
        "hidden units that are active in training"
    ]
    rows = [row for row in rows if row.metric == "test accuracy"]
    paper = {row.label: row.paper for row in rows if row.kind == "measured" and row.paper}
    assert paper == {
        "Triangle k-means, 1600 maps": 77.9,
        "Triangle k-means, 4000 maps": 79.6,
        "Shallow, 512 maps": 72.7,
        "Deep, 512 + 4096 maps": 78.1,
    }
    ours = {row.label: row.ours for row in rows if row.kind == "measured"}
    assert ours["Deep, 512 + 4096 maps"] is None  # too large for a CPU; not run


def test_the_ledger_of_a_preset_is_that_of_its_cells():
    for preset, pixels, patches, iterations in (
        ("paper", "3,072", "400,000", "100 iterations of L-BFGS"),
        ("smoke", "768", "500", "5 iterations of L-BFGS"),
    ):
        listed = table2.choices(settings(table2, preset), Results())
        words = " ".join(choice.chosen for choice in listed)
        assert f"all {pixels} pixels" in words and iterations in words
        assert f"{patches} patches of 6×6" in words


def test_ledger_tells_what_was_tried_on_held_out_images():
    values = {"validation_accuracy": {"0.05": 60.0, "0.1": 61.5}}
    found = results_where(all_cells(table2), lambda config: values, distinct_filters)
    effects = [choice.effect for choice in table2.choices(settings(table2), found)]
    assert effects[0].count("61.50 % (λ 0.1)") == 4 and "not whitened" in effects[0]
    assert "3 epochs: 61.50 %" in effects[1] and "3×3: 61.50 %" in effects[3]
