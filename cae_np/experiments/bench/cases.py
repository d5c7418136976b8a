"""The training steps that ``bench`` times: ours, PyTorch's, and the bare matrix product.

A case is made by a function that returns ``{name: step}``: ``ours``; ``torch``, PyTorch's automatic
differentiation of the dense step, and ``torch_sparse``, our sparse one in PyTorch's operations
(None where PyTorch is missing); ``gemm``, the encoder's matrix product on columns that lie ready,
which is the least that any dense encoder costs (for a network, the sum over its convolutions);
``products``, all matrix products that the step needs, where that is more than this one.
"""

from ...backend import active, to_device
from ...models.cae import ConvAutoEncoder
from ...models.cnn import ConvNet
from ...models.wta import WinnerTakeAll
from ...ops import batch_last
from ...rng import Purpose, generator
from ...training.optim import SGD
from . import torch_steps

RATE, MOMENTUM = 1e-6, 0.9  # small: the values must stay finite over many repetitions


def _images(shape):
    rng = generator(Purpose.DATA, 0)
    return rng.random(shape, dtype="float32")


def _products(K, D, places, *, forward=1, gradient=0, back=0):
    """Matrix products of a convolution of K maps over D values at each of its places.

    Parameters
    ----------
    K, D, places : int
    forward, gradient, back : int
        How often it takes W · col, h · colᵀ and Wᵀ · h.

    Returns
    -------
    callable
        Takes all of them, of random float32 matrices.
    """
    xp, rng = active().module, generator(Purpose.WEIGHTS, 0)
    w, col = (to_device(rng.random(shape, dtype="float32")) for shape in ((K, D), (D, places)))
    y, dw = xp.empty((K, places), "float32"), xp.empty((K, D), "float32")
    dcol = xp.empty(col.shape if back else 0, "float32")
    xp.matmul(w, col, out=y)

    def multiply():
        for _ in range(forward):
            xp.matmul(w, col, out=y)
        for _ in range(gradient):
            xp.matmul(y, col.T, out=dw)
        for _ in range(back):
            xp.matmul(w.T, y, out=dcol)

    return multiply


def _cae(maps, kernel, shape, pool):
    N, C, H, W = shape
    x = _images(shape)
    model = ConvAutoEncoder(C, maps, (kernel, kernel), pool=pool)
    optimizer = SGD(MOMENTUM)
    on_device = batch_last(to_device(x))
    w, _ = model.state()

    def step():
        _, gradients = model.loss_and_gradients(on_device)
        optimizer.step(model.params, gradients, RATE)

    sizes = maps, C * kernel * kernel, N * (H - kernel + 1) * (W - kernel + 1)
    return {
        "ours": step,
        "torch": torch_steps.step(torch_steps.cae, (w["w"], pool), (x,), RATE, MOMENTUM),
        "gemm": _products(*sizes),
        # h, x_hat; the decoder's gradient and δh; the encoder's gradient.
        "products": _products(*sizes, forward=2, gradient=2, back=1),
    }


def _winner_take_all(maps, kernel, shape):
    N, C, H, W = shape
    x = _images(shape)
    model = WinnerTakeAll(C, maps, (kernel, kernel))
    optimizer = SGD(MOMENTUM)
    on_device = batch_last(to_device(x))
    arrays, _ = model.state()
    kernels = arrays["w_enc"], arrays["w_dec"]

    def step():
        _, gradients = model.loss_and_gradients(on_device)
        optimizer.step(model.params, gradients, RATE)

    return {
        "ours": step,
        "torch": torch_steps.step(torch_steps.winner_take_all, kernels, (x,), RATE, MOMENTUM),
        "torch_sparse": torch_steps.winner_take_all_sparse_step(x, *kernels, RATE, MOMENTUM),
        "gemm": _products(maps, C * kernel * kernel, N * H * W),
    }


def _network(shape):
    N, *image = shape
    x, labels = _images(shape), generator(Purpose.DATA, 1).integers(0, 10, N)
    model = ConvNet(image)
    optimizer = SGD(MOMENTUM)
    on_device, answers = batch_last(to_device(x)), to_device(labels)
    arrays, config = model.state()

    def step():
        _, gradients = model.loss_and_gradients(on_device, answers)
        optimizer.step(model.params, gradients, RATE)

    forward, products, (C, side, _) = [], [], image
    for K, kernel, pool in zip(config["maps"], config["kernels"], config["pools"], strict=True):
        side = side - kernel + 1
        sizes = K, C * kernel * kernel, N * side * side
        forward.append(_products(*sizes))
        products.append(_products(*sizes, gradient=1, back=int(bool(products))))
        C, side = K, -(-side // (pool or 1))

    return {
        "ours": step,
        "torch": torch_steps.step(
            torch_steps.network,
            (list(arrays.values()), config["pools"]),
            (x, labels),
            RATE,
            MOMENTUM,
        ),
        "gemm": lambda: [product() for product in forward],
        "products": lambda: [product() for product in products],
    }


CASES = {
    "cae-fig1": lambda: _cae(20, 7, (100, 1, 28, 28), pool=2),
    "cae-layer2": lambda: _cae(150, 5, (100, 100, 12, 12), pool=None),
    "cnn-mnist": lambda: _network((100, 1, 28, 28)),
    "wta-mnist": lambda: _winner_take_all(128, 7, (100, 1, 28, 28)),
    "wta-cifar": lambda: _winner_take_all(512, 9, (32, 3, 32, 32)),
    "wta-deep": lambda: _winner_take_all(2048, 5, (32, 128, 10, 10)),
}
