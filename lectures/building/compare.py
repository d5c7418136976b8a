"""Is a committed notebook that of its source, and does a rebuild give the same numbers?"""

import base64
import io
import re

import numpy as np

NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
RELATIVE = 0.01  # how far numbers may lie apart; sums in another order drift apart in training
PIXELS = 0.02  # how far pictures may, as the mean over pixels of [0, 1]
VARIES = "varies"  # the tag of cells whose numbers are measured times


def source_differences(source, notebook):
    """Where the cells of a notebook are not those of its source.

    Parameters
    ----------
    source, notebook : nbformat.NotebookNode

    Returns
    -------
    list of str
        A sentence for each; empty where they agree.
    """
    if len(source.cells) != len(notebook.cells):
        return [f"the source has {len(source.cells)} cells, the notebook {len(notebook.cells)}"]
    return [
        f"cell {number} is not that of the source: {_first_line(theirs.source)!r}, "
        f"expected {_first_line(ours.source)!r}"
        for number, (ours, theirs) in enumerate(zip(source.cells, notebook.cells, strict=True))
        if (ours.cell_type, ours.source.strip()) != (theirs.cell_type, theirs.source.strip())
    ]


def output_differences(old, new):
    """Where a rebuilt notebook says something else.

    Parameters
    ----------
    old, new : nbformat.NotebookNode, of the same cells

    Returns
    -------
    list of str
        Words must be the same, numbers agree to 1 % or to one unit of their last digit, pictures in
        size and, on average, in their pixels.  Cells tagged ``varies`` are passed over.
    """
    found = []
    for number, (before, after) in enumerate(zip(old.cells, new.cells, strict=True)):
        if VARIES in before.metadata.get("tags", []):
            continue
        outputs = [_compared(cell) for cell in (before, after)]
        if len(outputs[0]) != len(outputs[1]):
            found.append(f"cell {number}: {len(outputs[0])} outputs, now {len(outputs[1])}")
            continue
        for a, b in zip(*outputs, strict=True):
            difference = _difference(a, b)
            if difference:
                found.append(f"cell {number}: {difference}")
    return found


def text_difference(a, b):
    """What is different about two texts with numbers in them; None where nothing is."""
    numbers = [NUMBER.findall(text) for text in (a, b)]
    words = [NUMBER.sub("#", text).split() for text in (a, b)]
    if words[0] != words[1]:
        return f"the text was {_first_line(a)!r}, now {_first_line(b)!r}"
    for x, y in zip(*numbers, strict=True):
        allowed = max(RELATIVE * abs(_value(x)), 1.001 * _last_digit(x), 1.001 * _last_digit(y))
        if abs(_value(x) - _value(y)) > allowed:
            return f"{x} was printed, now {y}"
    return None


# --- helpers --------------------------------------------------------------------------------------


def _compared(cell):
    """The outputs that a rebuild must give again: not what ``begin`` says of the build."""
    outputs = cell.get("outputs", [])
    return [output for output in outputs if "cae_np" not in output.get("metadata", {})]


def _difference(a, b):
    pictures = [output.get("data", {}).get("image/png") for output in (a, b)]
    if all(pictures):
        return _picture_difference(*pictures)
    texts = [_text(output) for output in (a, b)]
    return text_difference(*texts)


def _text(output):
    """What an output says; a table that a cell displays stands in its Markdown."""
    data = output.get("data", {})
    return output.get("text") or data.get("text/markdown") or data.get("text/plain", "")


def _picture_difference(a, b):
    from matplotlib.image import imread

    a, b = (imread(io.BytesIO(base64.b64decode(png)), format="png")[..., :3] for png in (a, b))
    if a.shape != b.shape:
        return f"the picture had {a.shape[:2]} pixels, now {b.shape[:2]}"
    distance = float(np.abs(a - b).mean())
    return f"the picture differs by {distance:.3f} of [0, 1]" if distance > PIXELS else None


def _value(number):
    return float(number.replace(",", "").replace("−", "-"))


def _last_digit(number):
    """The unit of the last digit that was printed: 0.01 for 3.14, nothing for integers."""
    mantissa, _, exponent = number.replace(",", "").partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if "." in mantissa or exponent else 0.0


def _first_line(text):
    return next((line for line in text.splitlines() if line.strip()), "")[:70]
