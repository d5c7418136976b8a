"""Figures 1 to 4, table 2 and ablations of Makhzani & Frey: they run, their measures can fail."""

from pathlib import Path

import numpy as np
import pytest

from cae_np import storage
from cae_np.backend import to_device, to_numpy
from cae_np.experiments.engine.readout import readout_error
from cae_np.experiments.frame import runner
from cae_np.experiments.frame.experiment import DataFacts, Settings
from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.makhzani2014 import ablations, fig1, fig2, fig3, fig4, table1, table2
from cae_np.models.wta import WinnerTakeAll

MODULES = (fig1, fig2, fig3, fig4, table2, ablations)
FACTS = {
    "cifar10": DataFacts("cifar10", "--data-dir", "c0ffee", 50_000, 10_000, 10_000, (3, 32, 32)),
    "mnist": DataFacts("mnist", "--data-dir", "c0ffee", 60_000, 10_000, 10_000, (1, 28, 28)),
}


def settings(module, preset="paper", seeds=range(5)):
    data = module.EXPERIMENT.data
    name = module.EXPERIMENT.name
    return Settings(name, preset, tuple(seeds), FACTS[data], data, "numpy", 1, "float32")


# --- verdicts -----------------------------------------------------------------------------------


def results_where(module, values_of):
    """Results of the paper preset, whose values a function of the configuration gives."""
    return Results(
        Result(cell, values_of(cell.config), 1.0, Path())
        for cell in module.EXPERIMENT.cells(settings(module))
    )


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
    found = results_where(module, lambda config: values(config, agrees))
    claims = [r for r in module.EXPERIMENT.rows(settings(module), found) if r.kind == "claim"]
    verdicts = {row.statement: row.verdict for row in claims}
    assert verdicts == dict.fromkeys(verdicts, "holds" if agrees else "does not hold")
    assert len(verdicts) == len(claims) >= 2


# --- measures -----------------------------------------------------------------------------------


def images(n, channels, size, seed=0):
    """Images without any order, so that no pixel says anything about another."""
    return np.random.default_rng(seed).random((n, channels, size, size), np.float32)


def test_fig2_measures_tell_copies_from_shapes():
    model = WinnerTakeAll(3, 4, [9, 9], path="dense", sparsity="none", scale=0.0)
    flat = np.ones((4, 3, 9, 9), np.float32)
    delta = np.zeros((4, 3, 9, 9), np.float32)
    delta[np.arange(4), np.arange(4) % 3, 4, 4] = 1  # colour detectors
    x = to_device(images(20, 3, 32))
    measured = {}
    for name, w in (("delta", delta), ("flat", flat), ("moved", np.roll(delta, 2, axis=3))):
        model.params["w_enc"][...] = model.params["w_dec"][...] = to_device(w)
        measured[name] = fig2._measures(model, x)
    assert measured["delta"]["encoder_peak_share"] == measured["delta"]["decoder_peak_share"] == 1
    assert measured["delta"]["encoder_middle_share"] == 1
    assert measured["delta"]["explained_by_pixel"] == pytest.approx(1)
    assert measured["flat"]["decoder_peak_share"] == pytest.approx(1 / 81)
    assert measured["flat"]["explained_by_pixel"] < 0.1
    assert measured["moved"]["encoder_peak_share"] == 1
    assert measured["moved"]["decoder_middle_share"] == 0
    assert measured["moved"]["explained_by_pixel"] < 0.1


def test_fig2_error_is_in_per_cent_of_the_variance():
    model = WinnerTakeAll(3, 2, [3, 3], scale=0.0)
    x = to_device(images(10, 3, 8))
    model.params["c"][...] = x.mean()
    assert fig2._measures(model, x)["error"] == pytest.approx(100, rel=1e-4)


def test_centred_images_have_the_mean_taken_off():
    from cae_np.data import Split

    split = Split(np.full((3, 3, 2, 2), 255, np.uint8), np.arange(3))
    mean = np.array([0.25, 0.5, 1.0], np.float32)[:, None, None]
    batch = fig2.Centred(split, mean).batch(slice(2))
    assert batch.shape == (2, 3, 2, 2) and batch.dtype == np.float32
    assert np.array_equal(batch[:, :, 0, 0], [[0.75, 0.5, 0.0]] * 2)


def with_biases(model, biases):
    model.params["b"][...] = to_device(np.asarray(biases, np.float32))
    return model


def test_activity_and_dead_maps_are_counted():
    x = to_device(images(20, 1, 10))
    layer = with_biases(WinnerTakeAll(1, 4, [3, 3], pool_width=3, pool_stride=2), [9, 9, -99, 9])
    measured = fig3._measures(layer, x)
    assert measured["dead"] == 1 and measured["least_active"] == 0
    assert measured["active_training"] == pytest.approx(100 * 3 / 4 / 100)  # one unit of 10×10
    assert measured["active_off"] == measured["active_pooled"] == 75
    measured = ablations._measures(layer, x)
    assert measured["dead"] == 1 and measured["least_active"] == 0
    assert ablations._measures(with_biases(layer, [9] * 4), x)["least_active"] == 1


def test_the_busiest_map_is_found_under_global_top_k():
    options = {"path": "dense", "sparsity": "global_top_k", "amount": 4, "scale": 0.01}
    model = WinnerTakeAll(1, 4, [7, 7], pool_width=3, pool_stride=2, **options)
    x = to_device(images(20, 1, 10))
    model.params["w_dec"][...] = 1.0
    model.params["w_dec"][2] = 0.0
    model.params["w_dec"][2, 0, 3, 3] = 1.0
    measured = ablations._measures(with_biases(model, [0, 0, 9, 0]), x)
    assert measured["busiest_share"] == 1 and measured["dead"] == 3
    assert measured["busiest_peak_share"] == 1 and measured["decoder_peak_share"] < 0.5
    even = WinnerTakeAll(1, 4, [7, 7], pool_width=3, pool_stride=2)
    assert ablations._measures(with_biases(even, [9] * 4), x)["busiest_share"] == 0.25


def test_filters_that_training_left_as_they_were_are_counted():
    rng = np.random.default_rng(0)
    initial = rng.standard_normal((4, 1, 7, 7)).astype(np.float32)
    w = initial.copy()
    w[0] *= 0.1  # only smaller
    w[1] *= -1
    w[2] += 2 * rng.standard_normal((1, 7, 7))
    assert ablations._unlearned(w, initial) == 2
    assert ablations._unlearned(np.zeros_like(w), initial) == 0


def test_features_with_the_constraint_on_have_one_unit_a_map():
    model = with_biases(WinnerTakeAll(1, 3, [3, 3], pool_width=2, pool_stride=2), [9] * 3)
    x = to_device(images(5, 1, 8))
    on, off = (to_numpy(m.encode(x)) for m in (ablations.ConstraintOn(model), model))
    assert on.shape == off.shape and np.all((on != 0).sum(axis=(2, 3)) == 1)
    assert np.allclose(on.max(axis=(2, 3)), off.max(axis=(2, 3)))


def test_the_read_out_error_is_that_of_the_test_images():
    class Images:
        def __init__(self, x):
            self.x = x

        def __len__(self):
            return len(self.x)

        def batch(self, indices=slice(None)):
            return self.x[indices]

    class Itself:
        def encode(self, x):
            return x

    labels = np.arange(40) % 10
    x = np.zeros((40, 1, 10, 1), np.float32)
    x[np.arange(40), 0, labels] = 1
    wrong = labels.copy()
    wrong[:10] = (wrong[:10] + 1) % 10
    both = Images(x), Images(x)
    assert readout_error([Itself()], *both, (labels, labels), 50) == 0
    assert readout_error([Itself()], *both, (labels, wrong), 50) == pytest.approx(25)


def test_steps_are_timed_for_every_path():
    from cae_np.data import Split

    split = Split(np.zeros((3, 1, 9, 9), np.uint8), np.zeros(3, int))
    config = {"timed": 2, "repeats": 2, "batch_size": 3}
    times = ablations._step_times(config, 0, split)
    assert list(times) == list(ablations.STEPS) and min(times.values()) > 0


def test_deep_rows_of_table_1(embedded_data, monkeypatch, tmp_path):
    monkeypatch.setattr(table1, "BELOW", 4)
    monkeypatch.setattr(table1, "WIDTHS", {"smoke": (6, 8, 9)})
    small = {"maps": 5, "images": 100, "penalties": (1e-3, 1e-2)}
    monkeypatch.setattr(table1, "SECOND_SEARCH", small)
    options = runner.Options(preset="smoke", out=tmp_path)
    said = []
    session = runner.Session(options, say=said.append)
    assert session.run(runner.prepare(table1.EXPERIMENT, options)), said
    document = storage.load_json(tmp_path / "makhzani2014-table1" / "results.json")
    rows = {row["label"]: row for row in document["rows"] if row["kind"] != "claim"}
    for width in (6, 8, 9):
        assert 0 <= rows[f"Deep, 4 + {width} maps"]["ours"] <= 100
    for width in (6, 8):
        control = rows[f"Deep, 4 + {width} maps, the second layer untrained"]
        assert control["kind"] == "control" and control["ours"] is not None
        (judged,) = [
            row for row in document["rows"]
            if row["kind"] == "claim" and f"random ones (4 + {width} maps)" in row["statement"]
        ]  # fmt: skip
        learned = rows[f"Deep, 4 + {width} maps"]["ours"]
        assert judged["ours"] == pytest.approx(control["ours"] - learned)
    ledger = {choice["question"]: choice["effect"] for choice in document["choices"]}
    tried = next(effect for q, effect in ledger.items() if q.startswith("The second layer"))
    assert all(name in tried for name in [*table1.SECOND_PLANS, "untrained"])

    # A final cell takes what the lowest validation error took.
    folder = tmp_path / "makhzani2014-table1" / "cells"
    made = [storage.load_json(path) for path in folder.glob("*.json")]

    def of(stage):
        return [(c["inputs"]["config"], c["values"]) for c in made if stage in c["label"]]

    searched = [
        (min(values["validation_error"].values()), config["layer"], config["plan"])
        for config, values in of("search: second layer")
    ]
    lowest = min(error for error, _, plan in searched if plan)
    for config, values in of("4 + "):
        if "untrained" not in config:
            chosen = values["chosen"]
            assert chosen["validation_error"] == lowest
            assert (lowest, chosen["layer"], chosen["plan"]) in searched
        else:
            assert values["chosen"]["plan"] is None and values["history"] == []
