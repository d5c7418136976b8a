"""Models in PyTorch and back: the same features and reconstructions, from real PyTorch."""

import warnings

import numpy as np
import pytest

import cae_np
from cae_np import exchange
from cae_np.errors import ConfigError

C, K, H, W = 3, 5, 12, 11
SIGMA = {"scaled_tanh": lambda z: 1.7159 * (2 / 3 * z).tanh(), "relu": lambda z: z.relu()}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def loaded(torch, layer, tensors, name):
    """A layer of PyTorch with strict loading of what stands under its name."""
    part = {k.removeprefix(f"{name}."): torch.tensor(v) for k, v in tensors.items() if name in k}
    layer.load_state_dict(part, strict=True)
    return layer


def images(n=4):
    return np.random.default_rng(0).random((n, C, H, W), np.float32)


def fitted(model):
    plan = cae_np.Plan(epochs=1, batch_size=10, rate=0.003, optimizer="adam")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cae_np.LearningWarning)
        return model.fit(40 + 3 * np.random.default_rng(1).random((30, C, H, W)), plan=plan)


@pytest.mark.parametrize("kernel", [3, (4, 5)])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("activation", SIGMA)
def test_a_convolutional_auto_encoder(torch, kernel, tied, mode, activation):
    options = {"mode": mode, "tied": tied, "activation": activation}
    for train in (lambda model: model, fitted):
        model = train(cae_np.ConvAutoEncoder(C, K, kernel, **options))
        x = images() if model.scale is None else 40 + 3 * images()
        tensors = exchange.to_torch(model)
        there, back = torch.nn.Conv2d, torch.nn.ConvTranspose2d
        if mode == "full":
            there, back = back, there
        encoder = loaded(torch, there(C, K, kernel), tensors, "encoder")
        decoder = loaded(torch, back(K, C, kernel), tensors, "decoder")
        scale = tensors.get("scale.mean", 0), tensors.get("scale.std", 1)
        mean, std = map(float, scale)
        with torch.no_grad():
            h = SIGMA[activation](encoder((torch.tensor(x) - mean) / std))
            x_hat = decoder(h) * std + mean
        np.testing.assert_allclose(model.encode(x), h.numpy(), atol=1e-5)
        np.testing.assert_allclose(model.reconstruct(x), x_hat.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel", [3, 4, (5, 2)])
def test_a_winner_take_all_auto_encoder(torch, kernel):
    import torch.nn.functional as F

    model = cae_np.WinnerTakeAll(C, K, kernel, pool_width=3, pool_stride=3)
    tensors = exchange.to_torch(model)
    kh, kw = model.config["kernel"]
    before = (kh - 1) // 2, (kw - 1) // 2
    encoder = loaded(torch, torch.nn.Conv2d(C, K, (kh, kw)), tensors, "encoder")
    decoder = loaded(torch, torch.nn.ConvTranspose2d(K, C, (kh, kw)), tensors, "decoder")
    x = images()
    with torch.no_grad():
        padded = F.pad(
            torch.tensor(x), (before[1], kw - 1 - before[1], before[0], kh - 1 - before[0])
        )
        z = encoder(padded)
        flat = z.flatten(2)
        winner = torch.zeros_like(flat).scatter(2, flat.argmax(2, keepdim=True), 1)
        h = (flat.relu() * winner).reshape(z.shape)
        top, left = before
        x_hat = decoder(h)[:, :, top : top + H, left : left + W]
    np.testing.assert_allclose(model.hidden(x), h.numpy(), atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), x_hat.numpy(), atol=1e-5)


def test_a_fully_connected_one_and_a_network(torch):
    x = images()
    model = cae_np.AutoEncoder(C * H * W, K, activation="relu")
    tensors = exchange.to_torch(model)
    encoder = loaded(torch, torch.nn.Linear(C * H * W, K), tensors, "encoder")
    decoder = loaded(torch, torch.nn.Linear(K, C * H * W), tensors, "decoder")
    with torch.no_grad():
        h = encoder(torch.tensor(x).flatten(1)).relu()
        np.testing.assert_allclose(model.encode(x), h.numpy(), atol=1e-5)
        np.testing.assert_allclose(
            model.reconstruct(x).reshape(4, -1), decoder(h).numpy(), atol=1e-5
        )
    net = cae_np.ConvNet(
        (C, H, W), maps=(4, 6), kernels=(3, 2), pools=(2, None), hidden=7, activation="relu"
    )
    tensors = exchange.to_torch(net)
    nn = torch.nn
    parts = {
        "conv.0": nn.Conv2d(C, 4, 3), "conv.1": nn.Conv2d(4, 6, 2),
        "hidden": nn.Linear(6 * 4 * 4, 7), "classes": nn.Linear(7, 10),
    }  # fmt: skip
    one, two, hidden, classes = (loaded(torch, p, tensors, n) for n, p in parts.items())
    with torch.no_grad():
        y = nn.functional.max_pool2d(one(torch.tensor(x)), 2, ceil_mode=True).relu()
        z = classes(hidden(two(y).relu().flatten(1)).relu())
    np.testing.assert_allclose(net.scores(x), z.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda s: cae_np.ConvAutoEncoder(C, K, 3, seed=s),
        lambda s: cae_np.ConvAutoEncoder(C, K, 3, tied=False, seed=s),
        lambda s: cae_np.WinnerTakeAll(C, K, 3, seed=s),
        lambda s: cae_np.AutoEncoder(C * H * W, K, seed=s),
        lambda s: cae_np.CaeStack(
            [
                cae_np.ConvAutoEncoder(C, K, 3, pool=2, seed=s),
                cae_np.ConvAutoEncoder(K, 4, 2, seed=s),
            ]
        ),
    ],
)
def test_there_and_back_again_is_the_same_model(make, xp):
    one, other = make(0), make(1)
    x = images()
    assert not np.allclose(one.transform(x), other.transform(x))
    tensors = exchange.to_torch(one)
    exchange.from_torch(other, tensors)
    np.testing.assert_array_equal(other.transform(x), one.transform(x))
    name = next(iter(tensors))
    for changed in (
        {k: v for k, v in tensors.items() if k != name},
        tensors | {"more": np.zeros(3)},
        tensors | {name: tensors[name][1:]},
    ):
        with pytest.raises(ConfigError, match="tensor '.*': found shape"):
            exchange.from_torch(other, changed)


def test_tied_weights_stay_tied_and_other_models_are_refused():
    model = cae_np.ConvAutoEncoder(C, K, 3)
    tensors = exchange.to_torch(model)
    with pytest.raises(ConfigError, match="tied=False"):
        exchange.from_torch(model, tensors | {"decoder.weight": 2 * tensors["decoder.weight"]})
    with pytest.raises(ConfigError, match="PatchKMeans"):
        exchange.to_torch(cae_np.PatchKMeans(3))
