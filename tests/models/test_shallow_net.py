"""The supervised network of figure 1(c): its gradient, its definition, and that it learns."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from scipy.special import log_softmax

from cae_np.backend import to_device, to_numpy
from cae_np.data.batches import ImageArray
from cae_np.errors import ConfigError
from cae_np.gradcheck import check_model
from cae_np.models import shallow_net
from cae_np.models.shallow_net import ShallowConvNet
from cae_np.training import Plan, train


def shaken(seed=0, **options):
    """A small network, every parameter of which tells."""
    rng = np.random.default_rng(seed)
    model = ShallowConvNet(
        (2, 6, 7), 3, (3, 2), classes=4, pool_width=3, pool_stride=2, dtype="float64", **options
    )
    for p in model.params.values():
        p += to_device(0.3 * rng.standard_normal(p.shape))
    return model, to_device(rng.standard_normal((4, 2, 6, 7))), to_device(np.array([0, 3, 1, 1]))


def test_gradients(xp):
    model, x, labels = shaken()
    assert (report := check_model(model, x, labels)).passed, report
    for _ in range(3):
        for name, gradient in model.loss_and_gradients(x, labels)[1].items():
            model.params[name] -= 0.05 * gradient
    assert (report := check_model(model, x, labels)).passed, report


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("relu_backward", lambda dy, y: dy),
        ("pad_same", lambda x, kh, kw: shallow_net_pad_same(x, kh, kw)[:, :, ::-1]),
    ],
)
def test_planted_mistakes_are_noticed(monkeypatch, name, mistake):
    model, x, labels = shaken()
    monkeypatch.setattr(shallow_net, name, mistake)
    assert not check_model(model, x, labels).passed


shallow_net_pad_same = shallow_net.pad_same


def test_it_is_what_its_sentence_says(xp):
    """Maps with scipy's correlation, pooled window by window, softmax by its formula."""
    model, x, labels = shaken()
    w, b, v, d = (to_numpy(model.params[name]) for name in "wbvd")
    images, scores = to_numpy(x), []
    for image in images:
        padded = np.pad(image, ((0, 0), (1, 1), (0, 1)))  # 3×2 kernels: 1 above, 0 to the left
        pooled = []
        for k in range(3):
            h = sum(correlate2d(padded[c], w[k, c], "valid") for c in (0, 1)) + b[k]
            h = np.maximum(h, 0)
            # 6×7 pixels, 3×4 windows of 3 every 2: one pixel of padding below; one on each side.
            pooled.append(
                [
                    [h[2 * i : 2 * i + 3, max(0, 2 * j - 1) : 2 * j + 2].max() for j in range(4)]
                    for i in range(3)
                ]
            )
        scores.append(v @ np.ravel(pooled) + d)
    np.testing.assert_allclose(
        to_numpy(model.encode(x))[-1], pooled, rtol=1e-12, err_msg="features"
    )
    loss, _ = model.loss_and_gradients(x, labels)
    expected = -log_softmax(scores, axis=1)[np.arange(4), to_numpy(labels)].mean()
    assert float(loss) == pytest.approx(expected, rel=1e-12)
    wrong = np.mean(np.argmax(scores, axis=1) != to_numpy(labels))
    assert model.error_rate(ImageArray(images), to_numpy(labels)) == wrong


def test_it_learns_to_tell_textures_apart(xp):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 60)
    x = rng.standard_normal((60, 1, 8, 8)).astype(np.float32)
    x[labels == 1] += np.tile([2.0, -2.0], 4).astype(np.float32)  # stripes
    images = ImageArray(x)
    model = ShallowConvNet((1, 8, 8), 4, (3, 3), classes=2, pool_width=3, pool_stride=2)
    train(model, images, Plan(8, 10, 0.01, optimizer="adam"), 0, labels=labels)
    assert model.error_rate(images, labels) <= 0.05
    arrays, config = model.state()
    assert all(array.dtype == np.float32 for array in arrays.values())
    twin = ShallowConvNet(**config)
    twin.load_state(arrays)
    assert twin.error_rate(images, labels) == model.error_rate(images, labels)


def test_clear_refusals():
    with pytest.raises(ConfigError, match="sizes must be at least 1"):
        ShallowConvNet((3, 8, 8), 0, (3, 3))
    with pytest.raises(ConfigError, match="pool_width 9 and pool_stride 4 on 8×8 maps"):
        ShallowConvNet((3, 8, 8), 2, (3, 3), pool_width=9)
