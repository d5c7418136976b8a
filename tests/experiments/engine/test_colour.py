"""Features of colour images: winner-take-all, k-means, supervised, random."""

from pathlib import Path

import numpy as np
import pytest
from experiments.facts import settings

from cae_np.backend import to_device, to_numpy
from cae_np.data import Split, shapes
from cae_np.experiments.engine import colour
from cae_np.experiments.frame.experiment import Context, DataFacts, Settings
from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.makhzani2014 import fig1, table2
from cae_np.experiments.masci2011 import kmeans_baseline
from cae_np.models.classifier import ImageClassifier
from cae_np.models.kmeans import PatchKMeans
from cae_np.models.linear import LinearSVM, SoftmaxRegression


@pytest.fixture(scope="module")
def dataset():
    return shapes.load(120, 40)


def run(cell, dataset, tmp_path):
    """A cell and those that it needs, without files."""
    needed = []
    for one in cell.needs:
        result = Result(one, {}, 1.0, Path())
        values, result.__dict__["arrays"] = run(one, dataset, tmp_path)
        needed.append(result)
    return colour.run(cell, Context(dataset, Results(needed), tmp_path / "none", ""))


def small(**changes):
    facts = DataFacts("shapes", "embedded", "c0ffee", 120, 20, 40, (3, 32, 32))
    given = {"experiment": "e", "preset": "smoke", "seeds": (0,), "data": facts}
    given |= {"paper_data": "cifar10", "backend": "numpy", "threads": 1, "dtype": "float32"}
    return Settings(**given | changes)


def test_whitening_is_learned_from_the_training_images_of_the_cell(dataset):
    config = {"images": 100, "size": 16, "whiten": True, "epsilon": 0.1}
    train, test = colour.prepared_like(dataset, config)
    assert train.images.shape == (100, 3, 16, 16) and test.images.shape == (40, 3, 16, 16)
    np.testing.assert_allclose(train.images.mean(axis=0), 0, atol=1e-4)
    assert abs(test.images.mean(axis=0)).max() > 0.1


@pytest.mark.parametrize("method", ["winner-take-all", "random", "k-means"])
def test_accuracy_is_that_of_a_read_out_of_the_filters(xp, method, dataset, tmp_path):
    given = small()
    cell = colour.filters(table2.EXPERIMENT, given, 0, method, 6)
    judging = colour.accuracy(table2.EXPERIMENT, given, cell)
    values, arrays = run(judging, dataset, tmp_path)
    assert values["test_accuracy"] == 100 - values["test_error"]
    kept = {name.split("/")[0] for name in arrays}
    assert kept == ({"layer 1", "readout"} if method == "winner-take-all" else set())
    (penalty,) = judging.config["readout"]["penalties"]
    assert values["validation_accuracy"] == {
        str(penalty): 100 - values["validation_error"][str(penalty)]
    }

    _, weights = run(cell, dataset, tmp_path)
    result = Result(cell, {}, 1.0, Path())
    result.__dict__["arrays"] = weights
    model = colour._restored(result)
    if method == "k-means":
        images = [split.images[:, :, 8:24, 8:24] / np.float32(255) for split in
                  (dataset.train, dataset.test)]  # fmt: skip
    else:
        images = [part.images for part in colour.prepared_like(dataset, cell.config)]
    features = [to_numpy(model.encode(to_device(x))).reshape(len(x), -1) for x in images]
    Readout = LinearSVM if method == "k-means" else SoftmaxRegression
    readout = Readout(features[0].shape[1], 10, penalty=penalty, scaling="feature")
    readout.fit(to_device(features[0]), dataset.train.labels, max_iterations=5)
    expected = 100 * readout.error_rate(to_device(features[1]), dataset.test.labels)
    assert values["test_error"] == pytest.approx(expected, abs=2.6)  # one image is 2.5 %
    if method == "winner-take-all":  # what is kept computes the figure by itself
        middle = [Split(split.images[:, :, 8:24, 8:24], split.labels) for split in
                  (dataset.train.take(slice(cell.config["images"])), dataset.test)]  # fmt: skip
        network = ImageClassifier.from_state(arrays, values["network"])
        network.prepare(middle[0])
        assert abs(network.count_errors(middle[1]) - values["wrong"]) <= 1


def test_random_filters_are_those_that_training_starts_from(dataset, tmp_path):
    given = small()
    random, trained = (
        run(colour.filters(table2.EXPERIMENT, given, 0, method, 4), dataset, tmp_path)[1]
        for method in ("random", "winner-take-all")
    )
    again = colour.WinnerTakeAll(3, 4, [9, 9], pool_stride=4, scale=0.01, seed=0)
    assert np.array_equal(random["w_enc"], to_numpy(again.params["w_enc"]))
    assert not np.array_equal(random["w_enc"], trained["w_enc"])


def test_supervised_network_is_judged_on_what_it_did_not_see(dataset, tmp_path):
    given = small()
    values = {}
    for tested in (True, False):
        cell = fig1.supervised(given, 0, 4, True, tested=tested)
        values[tested], _ = fig1.EXPERIMENT.run(
            cell, Context(dataset, Results(), tmp_path / "none", "")
        )
    assert "test_accuracy" in values[True] and "validation_accuracy" not in values[True]
    assert "validation_accuracy" in values[False] and "test_accuracy" not in values[False]
    # 24 images were held out, 40 are for testing.
    assert values[False]["validation_accuracy"] * 24 / 100 == pytest.approx(
        round(values[False]["validation_accuracy"] * 24 / 100)
    )


def test_kmeans_row_of_other_tables(dataset, tmp_path):
    """Learned and fitted on the labelled images alone, whatever their size."""
    given = small(preset="smoke", seeds=(0, 1))
    found = []
    make = kmeans_baseline.cells
    listed = [c for n in (50, 100) for c in make(table2.EXPERIMENT, given, n, given.seeds)]
    for cell in listed:
        values, arrays = kmeans_baseline.run(cell, Context(dataset, Results(), tmp_path, ""))
        assert arrays["centroids"].shape == (6, 108)
        found.append(Result(cell, values, 1.0, Path()))
    assert len({cell.key for cell in listed}) == 4
    rows = [kmeans_baseline.row(given, Results(found), n) for n in (50, 100)]
    assert [(row.samples, row.seeds, row.unit) for row in rows] == [
        (50, [0, 1], "%"),
        (100, [0, 1], "%"),
    ]
    assert all(0 < value < 100 for row in rows for value in row.values)
    model = PatchKMeans(6, seed=0)
    history = model.fit(dataset.labelled(50, 0), patches=500, iterations=2).history
    assert found[0].values["history"] == history


def test_a_row_takes_the_time_of_filters_and_read_out():
    given = settings(table2, seeds=[0])
    results = Results(
        Result(cell, {"test_accuracy": 70.0}, 3.0 if cell.config["stage"] == "filters" else 5.0,
               Path())
        for judging in table2.cells(given) for cell in (*judging.needs, judging)
        if cell.config["stage"] != "filters" or cell.config["method"] != "winner-take-all"
    )  # fmt: skip
    rows = {row.label: row for row in table2.rows(given, results)}
    assert rows["Untrained random filters, 512 maps"].seconds == 8.0
