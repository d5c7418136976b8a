"""Make ``play_weights.npz``: what the live page needs beside ``cae_np/pretrained``.

    python -m lectures.building.play_weights --data-dir DIR

Auto-encoders of 16 maps that were *trained* with 2, 4, 16, 64 and all winners a map, each with a
softmax read-out of its own; read-outs of random and of shuffled filters; and a few colour pictures
as CIFAR-10's whitening leaves them.  Needs MNIST and CIFAR-10, and minutes.
"""

import sys
from pathlib import Path

import matplotlib.cbook
import numpy as np
from PIL import Image

from cae_np import data, pretrained, storage
from cae_np.backend import to_device, to_numpy
from cae_np.command_line import Parser, refuse
from cae_np.data import shapes
from cae_np.errors import CaeError
from cae_np.models.features import feature_matrix
from cae_np.models.linear import SoftmaxRegression
from cae_np.models.wta import WinnerTakeAll
from cae_np.rng import Purpose, generator
from cae_np.training import Plan, train

FILE = Path(__file__).with_suffix(".npz")
FACTS = FILE.with_suffix(".json")
SIXTEEN, COLOUR = "mnist-16", "cifar10-512"
ALL = 28 * 28
WINNERS = (2, 4, 16, 64, ALL)  # one winner: pretrained's own
IMAGES = 10_000  # of the training images
PLAN = Plan(epochs=6, batch_size=50, rate=2e-3, optimizer="adam")
FIGURES = ("ring", "star", "waves")  # of the embedded shapes


def main(arguments=None):
    """Run the command; returns its exit code."""
    p = Parser(prog="python -m lectures.building.play_weights", description=__doc__)
    p.add_argument("--data-dir", metavar="DIR", help="as for run_experiments.py")
    options = p.parse_args(arguments)
    try:
        digits = data.load("mnist", options.data_dir)
        colours = data.load("cifar10", options.data_dir)
    except CaeError as error:
        return refuse(p.prog, error)
    one = pretrained.load(SIXTEEN).network.layers[0]
    layers = {"1": one} | {str(n): trained(digits.train, n) for n in WINNERS}
    layers |= {kind: disturbed(one, kind) for kind in ("random", "shuffled")}
    arrays, facts = {}, {}
    for name, layer in layers.items():
        readout, wrong = read_out(layer, digits)
        kept = layer.weights() if name.isdigit() else {}
        kept |= {"readW": to_numpy(readout.params["w"]), "readB": to_numpy(readout.params["b"])}
        if name != "1":  # which is in the package, with a read-out from all images
            arrays |= {f"{name}/{key}": array for key, array in kept.items()}
        x = to_device(digits.test.batch(slice(1000)))
        error = float(((layer.reconstruct(x) - x) ** 2).sum() / len(x))
        facts[name] = {"wrong": wrong, "tested": len(digits.test), "squared_error": error}
        print(name, facts[name], flush=True)
    pictures = colour_pictures()
    network = pretrained.load(COLOUR).network
    network.prepare(colours.train)
    whitened = network.preprocessing.transform(to_device(pictures.astype("float32") / 255))
    arrays["whitened"] = to_numpy(whitened)
    packed, largest = pretrained.pack(arrays)
    storage.save_arrays(FILE, packed | {"pictures": pictures})
    storage.save_json(FACTS, {"largest": largest, "plan": PLAN.as_dict(), "measured": facts})
    return 0


def load():
    """What the command wrote.

    Returns
    -------
    arrays : dict of numpy.ndarray
        In single precision, but for the pictures, which are bytes.
    measured : dict
        For each of the networks of 16 maps how many MNIST test images its read-out gets wrong, and
        the squared error of its reconstructions; the read-outs learnt from :data:`IMAGES` images.
    """
    arrays, facts = storage.load_arrays(FILE), storage.load_json(FACTS)
    pictures = arrays.pop("pictures")
    return pretrained.unpack(arrays, facts["largest"]) | {"pictures": pictures}, facts["measured"]


def sparsity(n):
    """The options of a :class:`WinnerTakeAll` that keeps the n largest units of each map."""
    return {"sparsity": "none"} if n == ALL else {"sparsity": "top_n", "amount": n}


def trained(images, n):
    """An auto-encoder of 16 maps that learnt to use the n largest units of each map."""
    model = WinnerTakeAll(1, 16, 7, path="dense", seed=0, **sparsity(n))
    train(model, images.take(slice(IMAGES)), PLAN, seed=0)
    return model


def disturbed(layer, kind):
    """The layer with filters that know nothing of shapes; biases stay.

    Parameters
    ----------
    layer : WinnerTakeAll
    kind : {"random", "shuffled"}
        Gaussian filters, each as strong as the trained one; or the trained ones with the pixels of
        each in another order, the same for encoder and decoder.

    Returns
    -------
    WinnerTakeAll
    """
    rng, config = generator(Purpose.WEIGHTS, 0, 0), layer.config
    arrays = layer.weights()
    K, C, kh, kw = arrays["w_enc"].shape
    order = np.argsort(rng.random((K, C * kh * kw)), axis=1)
    for key in ("w_enc", "w_dec"):
        rows = arrays[key].reshape(K, -1)
        if kind == "shuffled":
            rows = np.take_along_axis(rows, order, axis=1)
        else:
            noise = rng.standard_normal(rows.shape)
            noise *= np.linalg.norm(rows, axis=1, keepdims=True) / np.linalg.norm(
                noise, axis=1, keepdims=True
            )
            rows = noise.astype(rows.dtype)
        arrays[key] = rows.reshape(K, C, kh, kw)
    names = ("pool_width", "pool_stride", "path", "sparsity", "activation")
    other = WinnerTakeAll(C, K, (kh, kw), **{name: config[name] for name in names})
    other.load_state(arrays)
    return other


def read_out(layer, digits):
    """A softmax regression on the layer's features, and how many test images it gets wrong."""
    images = digits.train.take(slice(IMAGES))
    features = feature_matrix(images, [layer])
    readout = SoftmaxRegression(features.shape[1], 10, penalty=3e-4)
    readout.fit(features, images.labels)
    tested = feature_matrix(digits.test, [layer])
    return readout, int((to_numpy(readout.predict(tested)) != digits.test.labels).sum())


def colour_pictures():
    """Grace Hopper (an official photograph in the public domain, from Matplotlib) and shapes.

    Returns
    -------
    numpy.ndarray, shape (4, 3, 32, 32), uint8
    """
    photograph = Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    width = photograph.width
    face = photograph.crop((0, 0, width, width)).resize((32, 32), Image.Resampling.LANCZOS)
    drawn = shapes.draw(200, seed=0, part=1)
    figures = [
        drawn.images[np.flatnonzero(drawn.labels == shapes.CLASSES.index(name))[0]]
        for name in FIGURES
    ]
    return np.stack([np.asarray(face).transpose(2, 0, 1), *figures])


if __name__ == "__main__":
    sys.exit(main())
