"""The live page of the site: draw a digit, and a trained network looks at it in the browser."""

import base64
import json
import shutil
from pathlib import Path

import numpy as np

from cae_np import pretrained
from cae_np.data import glyphs

PAGE = Path(__file__).parent / "web" / "play"
NETWORKS = ("mnist-128", "mnist-16")


def write(folder):
    """Write the page, with the weights of trained networks and ten drawn digits.

    Parameters
    ----------
    folder : Path
        Is made; the page is its ``index.html``.
    """
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    split = glyphs.draw(100, part=1, seed=0)
    samples = [split.images[np.flatnonzero(split.labels == label)[0]] for label in range(10)]
    weights = {name: _packed(pretrained.load(name).network) for name in NETWORKS}
    # A script and not JSON: browsers refuse to fetch over file://.
    (folder / "weights.js").write_text(
        f"const WEIGHTS = {json.dumps(weights)};\n"
        f"const SAMPLES = {json.dumps([_text(sample, np.uint8) for sample in samples])};\n",
        encoding="utf-8",
    )


def _packed(network):
    layer, readout = network.layers[0], network.readout
    arrays = {name: layer.weights()[name] for name in ("w_enc", "b", "w_dec", "c")}
    arrays |= {"readW": readout.params["w"], "readB": readout.params["b"]}
    sizes = {
        "S": glyphs.SIZE,
        "side": arrays["w_enc"].shape[2],
        "poolWidth": layer.pool_width,
        "poolStride": layer.pool_stride,
    }
    return sizes | {name: _text(array, "<f4") for name, array in arrays.items()}


def _text(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode("ascii")
