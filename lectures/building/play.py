"""The live page of the site: draw a digit, and a trained network looks at it in the browser."""

import base64
import json
import shutil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cae_np import pretrained
from cae_np.backend import to_device, to_numpy
from cae_np.data import glyphs
from cae_np.ops import softmax

from . import play_weights
from .play_weights import COLOUR, SIXTEEN, WINNERS

PAGE = Path(__file__).parent / "web" / "play"
LARGEST = 3_000_000  # bytes of the page with all that it loads
SAMPLES = 5  # of each digit


def networks():
    """What the page can look with.

    Returns
    -------
    dict of (WinnerTakeAll, LinearReadout or None)
        By "MAPS FILTERS": "128 trained", "16 trained", the same "random" and "shuffled"; "16 n" for
        those that were trained with n winners a map; "512 trained", without a read-out, for colour.
    """
    found, (extra, _) = {}, play_weights.load()
    for name in ("mnist-128", SIXTEEN, COLOUR):
        network = pretrained.load(name).network
        layer, maps = network.layers[0], network.layers[0].config["maps"]
        found[f"{maps} trained"] = layer, network.readout if name != COLOUR else None
        for kind in ("random", "shuffled") if name != COLOUR else ():
            readout = _read_out(extra, kind, network.readout) if name == SIXTEEN else None
            other = play_weights.disturbed(layer, kind)
            other.load_state(pretrained.unpack(*pretrained.pack(other.weights())))
            found[f"{maps} {kind}"] = other, readout
    layer, readout = found["16 trained"]
    for n in WINNERS:
        other = type(layer)(1, 16, 7, path="dense", **play_weights.sparsity(n))
        other.load_state({key: extra[f"{n}/{key}"] for key in layer.weights()})
        found[f"16 {n}"] = other, _read_out(extra, n, readout)
    return found


ALT = (
    "A handwritten three with an orange dot where each of 128 maps has its winner, the maps, "
    "the digit rebuilt from the winners, and bars of ten probabilities."
)


def draw_picture(path):
    """The page at a glance, for the home page: a digit, winners, maps, reconstruction, classes.

    Parameters
    ----------
    path : Path
        Is written, 1080×300 pixels; both schemes of the site can carry it.
    """
    layer, readout = networks()["128 trained"]
    split = glyphs.draw(400, part=1, seed=0)
    x = split.images[split.labels == 3][1:2].astype("float32") / 255
    layer.path = "dense"
    h = to_numpy(layer.hidden(to_device(x)))[0]
    x_hat = to_numpy(layer.reconstruct(to_device(x)))[0, 0]
    p = to_numpy(softmax(readout.scores(layer.encode(to_device(x)).reshape(1, -1))))[0]
    figure = Figure((10.8, 3), dpi=100, facecolor="#16181b")
    axes = figure.subplots(1, 4, width_ratios=[1, 2.05, 1, 0.9])
    figure.subplots_adjust(0.01, 0.03, 0.985, 0.97, wspace=0.05)
    row, column = np.unravel_index(h.reshape(len(h), -1).argmax(axis=1), h.shape[1:])
    axes[0].imshow(x[0, 0], cmap="gray")
    axes[0].plot(column, row, ".", color="#ff8c1a", markersize=5)
    tiles = np.full((8, 30, 16, 30), 0.25)
    tiles[:, :28, :, :28] = (h / h.max()).reshape(8, 16, 28, 28).transpose(0, 2, 1, 3)
    axes[1].imshow(tiles.reshape(240, 480), cmap="gray", vmin=0, vmax=1)
    axes[2].imshow(x_hat, cmap="gray", vmin=0, vmax=1)
    axes[3].barh(range(10), p, color="#6ab0f3")
    for digit in range(10):
        axes[3].text(-0.06, digit, str(digit), color="#e8e8e8", va="center", ha="right")
    axes[3].set(ylim=(9.6, -0.6), xlim=(-0.2, 1.02))
    for axis in axes:
        axis.set_axis_off()
    figure.savefig(path, metadata={"Software": None})


def write(folder):
    """Write the page, with the weights of trained networks and drawn digits.

    Parameters
    ----------
    folder : Path
        Is made; the page is its ``index.html``.
    """
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    split = glyphs.draw(400, part=1, seed=0)
    digits = [split.images[split.labels == label][:SAMPLES] for label in range(10)]
    extra, measured = play_weights.load()
    pictures = [
        {"pixels": _text(pixels, np.uint8), "whitened": _half(whitened)}
        for pixels, whitened in zip(extra["pictures"], extra["whitened"], strict=True)
    ]
    constants = {
        "WEIGHTS": {name: _packed(*network) for name, network in networks().items()},
        "DIGITS": [[_text(image, np.uint8) for image in images] for images in digits],
        "PICTURES": pictures,
        # Test digits of 10,000 that read-outs get wrong, all fitted on as many images.
        "WRONG": {name: facts["wrong"] for name, facts in measured.items()},
    }
    # A script and not JSON: browsers refuse to fetch over file://.
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in constants.items()]
    (folder / "weights.js").write_text("".join(lines), encoding="utf-8")
    draw_picture(folder / "picture.png")


def _read_out(extra, name, like):
    readout = type(like)(like.config["inputs"], like.classes)
    readout.load_state({"w": extra[f"{name}/readW"], "b": extra[f"{name}/readB"]})
    return readout


def _packed(layer, readout):
    arrays = {name: layer.weights()[name] for name in ("w_enc", "b", "w_dec", "c")}
    if readout:
        arrays |= {"readW": readout.params["w"], "readB": readout.params["b"]}
    K, C, side, _ = arrays["w_enc"].shape
    sizes = {"K": K, "C": C, "S": 28 if C == 1 else 32, "side": side}
    sizes |= {"poolWidth": layer.pool_width, "poolStride": layer.pool_stride}
    return sizes | {name: _half(array) for name, array in arrays.items()}


def _half(array):
    """Half precision between -1 and 1, and what to multiply with, as in ``cae_np.pretrained``."""
    packed, largest = pretrained.pack({"": np.asarray(array)})
    return [_text(packed[""], "<f2"), float(np.float32(largest[""]))]


def _text(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode("ascii")
