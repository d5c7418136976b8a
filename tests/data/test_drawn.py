"""What holds for all data sets that are drawn."""

import time

import numpy as np
import pytest

from cae_np.data import glyphs, load, shapes, solids

DRAWN = {
    "glyphs": (glyphs, (1, 28, 28)),
    "shapes": (shapes, (3, 32, 32)),
    "solids": (solids, (2, 32, 32)),
}

VALIDATION = {"glyphs": 20, "shapes": 20, "solids": 25}  # of 120


@pytest.fixture(params=DRAWN)
def name(request):
    return request.param


def test_sizes_and_types(name):
    module, shape = DRAWN[name]
    data = load(name, n_train=120, n_test=40)
    assert (data.name, data.source, data.classes) == (name, "embedded", module.CLASSES)
    assert data.train.images.shape == (120, *shape) and data.test.images.shape == (40, *shape)
    assert data.train.labels.dtype == np.int64 and data.validation == VALIDATION[name]


def test_the_seed_decides_and_the_size_does_not(name):
    draw = DRAWN[name][0].draw
    few, many = draw(30, seed=3), draw(700, seed=3)
    np.testing.assert_array_equal(few.images, many.images[:30])
    np.testing.assert_array_equal(few.labels, many.labels[:30])
    for other in (draw(30, seed=4), draw(30, seed=3, part=1)):
        assert not np.array_equal(few.images, other.images)
    # Neither do two blocks repeat each other.
    assert not np.array_equal(many.images[:200], many.images[500:])


def test_every_class_occurs_about_equally(name):
    module, _ = DRAWN[name]
    share = np.bincount(module.draw(2000, seed=0).labels) / 2000 * len(module.CLASSES)
    assert len(share) == len(module.CLASSES) and share.min() > 0.75 and share.max() < 1.25


def test_a_thousand_in_time(name):
    draw = DRAWN[name][0].draw
    draw(10, seed=0)  # the first call prepares
    start = time.process_time()
    draw(1000, seed=1)
    assert time.process_time() - start < 1.0


def test_classes_can_be_told_apart(name):
    # The nearest of 2,000 neighbours is far better than chance (10 or 20 %), and not perfect.
    draw = DRAWN[name][0].draw
    train, test = draw(2000, seed=0, part=0), draw(300, seed=0, part=1)
    known, asked = (s.batch().reshape(len(s), -1) for s in (train, test))
    if name == "shapes":  # colours say nothing: compare how rough a picture is, and where
        known, asked = (_roughness(s.batch()) for s in (train, test))
    distance = (known**2).sum(1) - 2 * asked @ known.T
    right = (train.labels[distance.argmin(1)] == test.labels).mean()
    assert (0.5 if name == "solids" else 0.3) < right < 0.999, right


def _roughness(x):
    edges = np.hypot(*np.gradient(x.mean(1), axis=(1, 2)))
    spectrum = np.abs(np.fft.rfft2(x.mean(1) - x.mean((1, 2, 3))[:, None, None]))
    spectrum = np.log1p(spectrum) / np.linalg.norm(np.log1p(spectrum), axis=(1, 2), keepdims=True)
    return np.concatenate([spectrum.reshape(len(x), -1), edges.mean((1, 2))[:, None]], axis=1)
