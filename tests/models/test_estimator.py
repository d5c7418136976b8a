"""fit, transform, reconstruct, predict, save and load, of every model alike."""

import json
import warnings

import numpy as np
import pytest

import cae_np
from cae_np import storage
from cae_np.backend import to_device, to_numpy
from cae_np.errors import ConfigError, DataError
from cae_np.models.estimator import LearningWarning

C, H, W = 3, 10, 8
PLAN = cae_np.Plan(epochs=2, batch_size=10, rate=0.003, optimizer="adam")


def layer(channels, maps, **options):
    return cae_np.ConvAutoEncoder(channels, maps, 3, **options)


def cae_stack():
    return cae_np.CaeStack([layer(C, 4, pool=2), layer(4, 5)])


def wta_stack():
    options = {"pool_width": 2, "pool_stride": 2}
    layers = cae_np.WinnerTakeAll(C, 4, 3, **options), cae_np.WinnerTakeAll(4, 6, 3, **options)
    return cae_np.Stack(layers)


LEARNERS = {
    "WinnerTakeAll": lambda: cae_np.WinnerTakeAll(C, 4, (3, 5)),
    "WinnerTakeAll dense": lambda: cae_np.WinnerTakeAll(
        C, 4, 3, path="dense", sparsity="top_n", amount=2, tied=True
    ),
    "ConvAutoEncoder": lambda: layer(C, 4, pool=2, tied=False),
    "ConvAutoEncoder full": lambda: layer(C, 4, mode="full"),
    "AutoEncoder": lambda: cae_np.AutoEncoder(C * H * W, 12),
    "CaeStack": cae_stack,
    "Stack of WinnerTakeAll": wta_stack,
}
CLASSIFIERS = {
    "ConvNet": lambda: cae_np.ConvNet(
        (C, H, W), maps=(4,), kernels=(3,), pools=(2,), hidden=8, classes=3
    ),
    "ShallowConvNet": lambda: cae_np.ShallowConvNet((C, H, W), 4, 3, classes=3),
}


def pictures(n=60, seed=0):
    """Smooth colour images, uint8, channels last."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((n, 4, 4, C))
    fine = coarse.repeat(3, axis=1).repeat(2, axis=2)[:, :H, :W]
    return (255 * fine).astype(np.uint8)


def classes(n=90, seed=0):
    """Images whose class is the channel that is bright."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    x = rng.random((n, H, W, C)) * 0.5
    x[np.arange(n), :, :, labels] += 0.5
    return (255 * x).astype(np.uint8), labels


def fitted(make, images, *labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LearningWarning)
        return make().fit(images, *labels, plan=PLAN)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_does_all_that_is_promised(name, xp, tmp_path):
    images = pictures()
    model = fitted(LEARNERS[name], images)
    assert len(model.history) % 2 == 0 and model.history[-1]["loss"] < model.history[-2]["loss"]
    features = model.transform(images)
    assert isinstance(features, np.ndarray) and features.shape[0] == 60 and features.ndim == 2
    device_batch = to_device(images.transpose(0, 3, 1, 2) / np.float32(255))
    encoded = to_numpy(model.encode(device_batch)).reshape(60, -1)
    np.testing.assert_allclose(encoded, features, atol=1e-4)
    if name == "Stack of WinnerTakeAll":
        with pytest.raises(ConfigError, match=r"layers\[0\]"):
            model.reconstruct(images)
    else:
        x_hat = model.reconstruct(images)
        assert isinstance(x_hat, np.ndarray) and x_hat.shape == (60, C, H, W)
        on_device = model.reconstruct(device_batch)
        assert type(on_device) is type(device_batch)
        np.testing.assert_allclose(to_numpy(on_device), x_hat, atol=1e-4)

    model.save(tmp_path / "model.npz")
    twin = type(model).load(tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.transform(images), features)
    assert twin.history == json.loads(json.dumps(model.history))
    model.history_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert "epoch" in lines[0].split(",") and len(lines) == 1 + len(model.history)


@pytest.mark.parametrize("name", LEARNERS)
def test_filters_can_be_looked_at(name):
    from matplotlib.figure import Figure

    model = fitted(LEARNERS[name], pictures())
    figure = model.plot_filters()
    assert isinstance(figure, Figure) and len(figure.axes) == 1
    assert model.filters().ndim == 4 and isinstance(model.filters(), np.ndarray)


@pytest.mark.parametrize("factor", [1.0, 1e-4, 1e4])
def test_k_means_does_all_that_is_promised(factor, xp, tmp_path):
    images = pictures() / 255 * factor
    model = cae_np.PatchKMeans(20, size=4).fit(images, patches=1000, iterations=5)
    assert model.history[-1]["error"] < model.history[0]["error"]
    features = model.transform(images)
    assert features.shape == (60, 20 * 4)
    others = (pictures(seed=1) / 255 * factor).transpose(0, 3, 1, 2)
    more = cae_np.PatchKMeans(300, size=4).fit(images, iterations=5)
    few, many = (((m.reconstruct(others) - others) ** 2).mean() for m in (model, more))
    assert many < 0.8 * few < 0.8 * others.var()
    assert model.filters().shape == (20, C, 4, 4)
    model.save(tmp_path / "model.npz")
    twin = cae_np.PatchKMeans.load(tmp_path / "model.npz")
    np.testing.assert_allclose(twin.transform(images), features, rtol=1e-5)
    assert len(twin.plot_filters().axes) == 1


def test_k_means_gives_back_exactly_what_its_centroids_are():
    """An oracle: with a centroid for every patch there is, reconstruction is the image."""
    x = np.random.default_rng(0).random((3, 2, 6, 5), np.float32)
    model = cae_np.PatchKMeans(3 * 4 * 3, size=3, whiten=False)
    model.params = {"centroids": model._prepared_patches(x)}
    np.testing.assert_allclose(model.reconstruct(x, channels="first"), x, atol=1e-4)


@pytest.mark.parametrize("readout", ["SoftmaxRegression", "LinearSVM"])
@pytest.mark.parametrize("whiten", [False, True])
def test_a_network_from_images_to_classes_is_asked_and_saved(readout, whiten, xp, tmp_path):
    from cae_np.data.preprocess import Preprocessing
    from cae_np.models.classifier import ImageClassifier

    images, labels = classes()
    layer, D = cae_np.WinnerTakeAll(C, 4, 3), 4 * 4 * 3
    network = ImageClassifier(
        [layer], getattr(cae_np, readout)(D, 3), Preprocessing(epsilon=10) if whiten else None
    )
    if whiten:
        with pytest.raises(ConfigError, match=r"call network.prepare\(training_images\) first"):
            network.predict(images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LearningWarning)  # whitened pixels hardly depend on others
        network.fit(images, labels, plan=PLAN)
    others, theirs = classes(seed=1)
    assert network.score(others, theirs) > 0.8
    if readout == "LinearSVM":
        with pytest.raises(ConfigError, match="no probabilities: use predict"):
            network.predict_proba(others)
    else:
        np.testing.assert_allclose(network.predict_proba(others).sum(axis=1), 1, rtol=1e-5)
    network.save(tmp_path / "network.npz")
    twin = ImageClassifier.load(tmp_path / "network.npz")
    np.testing.assert_array_equal(twin.predict(others), network.predict(others))


def test_a_network_that_came_trained_can_be_asked():
    digits = cae_np.data.load("glyphs", n_train=2, n_test=50).test
    network = cae_np.pretrained.load("mnist-16").network
    asked = [digits, digits.images, digits.images[:, 0], digits.images.transpose(0, 2, 3, 1)]
    answers = [network.predict(images).tolist() for images in asked]
    assert answers.count(answers[0]) == 4
    assert network.score(digits, digits.labels) == (50 - network.count_errors(digits)) / 50
    assert network.predict_proba(digits).shape == (50, 10)
    assert network.transform(digits).shape == (50, 16 * 100)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_does_all_that_is_promised(name, xp, tmp_path):
    images, labels = classes()
    plan = cae_np.Plan(epochs=10, batch_size=10, rate=0.01, optimizer="adam")
    model = CLASSIFIERS[name]().fit(images, labels, plan=plan)
    others, theirs = classes(seed=1)
    assert model.score(others, theirs) > 0.9
    predicted, p = model.predict(others), model.predict_proba(others)
    assert isinstance(predicted, np.ndarray) and predicted.dtype.kind == "i"
    np.testing.assert_array_equal(p.argmax(axis=1), predicted)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    model.save(tmp_path / "model.npz")
    twin = type(model).load(tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.predict_proba(others), p)
    with pytest.raises(ConfigError, match="expected 0 to 2"):
        model.fit(images, labels + 1)
    with pytest.raises(ConfigError, match="expected 90 whole numbers"):
        model.fit(images, labels[:5])


@pytest.mark.parametrize("name", LEARNERS)
def test_range_and_contrast_make_no_difference(name):
    """The property behind standardising: a·x + b gives the features of x, and a·x̂ + b."""
    images = pictures().astype(np.float64)
    model = fitted(LEARNERS[name], images)
    for a, b in ((1e-6, 0.0), (1000.0, -5e5)):
        other = fitted(LEARNERS[name], a * images + b)
        np.testing.assert_allclose(
            other.transform(a * images + b), model.transform(images), atol=2e-3
        )


@pytest.fixture
def short_search(monkeypatch):
    """A tenth of the steps."""
    from cae_np.training import automatic

    monkeypatch.setattr(automatic, "SHORT", 6)
    monkeypatch.setattr(automatic, "LONG", 60)


def test_fit_alone_finds_a_rate_and_halves_the_error(xp, short_search):
    model = layer(C, 16).fit(pictures())
    assert model.history[-1]["held_out"] < 0.5
    error = (
        model.reconstruct(pictures(seed=1)) * 255 - pictures(seed=1).transpose(0, 3, 1, 2)
    ) ** 2
    assert error.mean() < pictures(seed=1).var() / 2


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_fit_alone_finds_a_rate_for_classes(name, xp, short_search):
    model = CLASSIFIERS[name]().fit(*classes())
    assert model.score(*classes(seed=1)) > 0.9


@pytest.mark.parametrize(
    ("model", "images", "message"),
    [
        (lambda: cae_np.WinnerTakeAll(C, 1, 1), pictures(), "1 winners of 1×1.*take maps="),
        (lambda: cae_np.AutoEncoder(C * H * W, 1), pictures(), "1 units are few.*take 4"),
        (
            lambda: cae_np.AutoEncoder(100, 2),
            np.random.default_rng(0).random((60, 10, 10)),
            "hardly depend on each other",
        ),
    ],
)
def test_where_little_is_learned_it_says_what_to_change(model, images, message):
    with pytest.warns(LearningWarning, match=message):
        model().fit(images, plan=PLAN)


def test_a_file_that_is_not_its_own_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    layer(C, 4).save(path)
    with pytest.raises(DataError, match="holds a ConvAutoEncoder: load it with ConvAuto"):
        cae_np.WinnerTakeAll.load(path)
    arrays = storage.load_arrays(path)
    for name, changed in {
        "record": np.frombuffer(b"{}", np.uint8),
        "w": arrays["w"][1:],
        "b": arrays["b"].astype(complex),
    }.items():
        storage.save_arrays(path, arrays | {name: changed})
        with pytest.raises(DataError, match="is no model|do not belong together"):
            cae_np.ConvAutoEncoder.load(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(DataError, match="is no model of cae_np"):
        cae_np.ConvAutoEncoder.load(path)
    with pytest.raises(DataError, match="missing"):
        cae_np.ConvAutoEncoder.load(tmp_path / "none.npz")


def test_encode_of_one_image_names_what_a_batch_is():
    for model in (cae_np.WinnerTakeAll(3, 4, 3), layer(3, 4)):
        for use in (model.encode, model.hidden):
            with pytest.raises(
                ValueError, match=r"\(10, 8, 3\).*\(N, C, H, W\).*one image is x\[None\]"
            ):
                use(np.zeros((10, 8, 3), np.float32))
