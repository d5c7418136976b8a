"""fit with no other argument, on images of random kinds: the error falls by half, or it is said why
not and what to change."""

import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import cae_np
from cae_np import LearningWarning
from cae_np.training import automatic


def kind_of_images(seed, largest=96, most=10_000):
    """Images (N, H, W, C) or (N, H, W), and in words what they are."""
    rng = np.random.default_rng([4711, seed])
    C, H, W = rng.choice([1, 3]), *rng.integers(8, largest + 1, 2)
    n = int(min(10 ** rng.uniform(2, np.log10(most)), 2e7 / (C * H * W)))
    subject = rng.choice(["clouds", "strokes", "blocks"])
    x = rng.standard_normal((n, H, W, C), np.float32)
    if subject == "clouds":
        x = gaussian_filter(x, (0, rng.uniform(1, 3), rng.uniform(1, 3), 0))
    elif subject == "blocks":
        side = int(rng.integers(2, 6))
        x = x[:, : -(-H // side), : -(-W // side)].repeat(side, axis=1).repeat(side, axis=2)
        x = x[:, :H, :W]
    else:  # a few bright lines on black
        x = gaussian_filter((x > 2.6).astype(np.float32), (0, rng.uniform(0.5, 2), 2, 0))
    x = (x - x.min()) / (x.max() - x.min())
    if rng.random() < 0.5:
        x, range_ = (255 * x).astype(np.uint8), "uint8"
    else:
        low, contrast = rng.choice([0, -1, 100, -1e4]), 10 ** rng.uniform(-2, 4)
        x, range_ = low + contrast * x, f"{low:g} to {low + contrast:.3g}"
    if C == 1 and rng.random() < 0.5:
        x = x[..., 0]
    return x, f"{n} {subject} of {C}×{H}×{W}, {range_}"


def models(images):
    C = images.shape[3] if images.ndim == 4 else 1
    D = int(np.prod(images.shape[1:]))
    yield cae_np.ConvAutoEncoder(C, 16, 5, pool=2)
    yield cae_np.WinnerTakeAll(C, 32, 7)
    yield cae_np.AutoEncoder(D, 64)


def outcomes(images, words):
    """What each model reached, in units of the held-out images' variance, and what it said."""
    layout = {} if images.ndim == 3 else {"channels": "last"}
    for model in models(images):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", LearningWarning)
            model.fit(images, **layout)
        said = [str(w.message) for w in said if w.category is LearningWarning]
        yield type(model).__name__, words, model.history[-1]["held_out"], said


def check(images, words):
    for name, _, error, said in outcomes(images, words):
        assert error <= 0.5 or said, f"{name}, {words}: {error}"
        assert not said or "; " in said[0]


@pytest.mark.parametrize("seed", range(4))
def test_defaults_train_or_say_what_to_change(seed, monkeypatch):
    """Small images and a third of the steps."""
    monkeypatch.setattr(automatic, "SHORT", 20)
    monkeypatch.setattr(automatic, "LONG", 200)
    check(*kind_of_images(seed, largest=12, most=200))


# The two smallest of twenty; `python tests/training/test_automatic.py 0 20` tries all.
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 13])
def test_defaults_train_on_random_kinds(seed):
    check(*kind_of_images(seed))


if __name__ == "__main__":
    import sys

    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        for line in outcomes(*kind_of_images(seed)):
            print(seed, *line, flush=True)
