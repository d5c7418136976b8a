"""Arrays of an example as text: what was passed, what came back, what was expected."""

import inspect
import itertools

import numpy as np

from ...spec.answers import close

SHOWN_SLICES = 2  # of an array with more than two axes
SHOWN_ROWS, SHOWN_COLUMNS = 12, 10


def the_call(task, example):
    """Lines with the arguments of an example."""
    names = list(inspect.signature(task.solution).parameters)
    lines = ["  The smallest call that shows it:"]
    for name, argument in zip(names, example.arguments, strict=False):
        lines += _shown(name, argument)
    return lines


def _shown(name, value, indent="    "):
    """An argument, its last two axes as rows and columns."""
    if not isinstance(value, np.ndarray):
        return [f"{indent}{name} = {value}"]
    if value.ndim < 2 or value.size > 40:
        text = np.array2string(value, separator=", ", precision=4, threshold=12, edgeitems=3)
        head = f"{name} = " if value.ndim < 2 else f"{name}, shape {value.shape} = "
        return [indent + line for line in (head + text.replace("\n", "\n  ")).splitlines()[:8]]
    lines = []
    for index in np.ndindex(*value.shape[:-2]):
        size = "×".join(map(str, value.shape))
        head = f"{name}{list(index)} = " if index else f"{name} ({size}) = "
        rows = _rows(value[index])
        lines += [indent + (head if i == 0 else " " * len(head)) + r for i, r in enumerate(rows)]
    return lines


def side_by_side(example, names):
    """Expected and found, slice by slice, wrong elements with a star."""
    difference = example.difference
    if difference.kind in ("raised", "count"):
        return _expected_only(example, names)
    i = difference.result
    a, b, name = example.found.results[i], example.expected.results[i], name_of(names, i, example)
    if difference.kind == "dtype":
        return []
    if a.shape != b.shape:
        return [
            *_shown(f"expected {name}", b),
            *_shown(f"your {name}", a),
        ]
    wrong = ~close(a, b)
    digits = digits_for(a[difference.first], b[difference.first])
    a, b, wrong = (_at_least_2d(array) for array in (a, b, wrong))
    slices = [s for s in np.ndindex(*b.shape[:-2]) if wrong[s].any()]
    lines = []
    for s in slices[:SHOWN_SLICES]:
        title = f"{name}{list(s)}" if s else name
        left, right = _rows(b[s], None, digits), _rows(a[s], wrong[s], digits)
        width = max(len("expected"), *map(len, left)) + 4
        lines.append(f"    {title}: ".ljust(6) + "expected".ljust(width) + "yours (* is wrong)")
        pad = " " * len(f"    {title}: ")
        lines += [pad + p.ljust(width) + q for p, q in zip(left, right, strict=True)]
    if len(slices) > SHOWN_SLICES:
        lines.append(f"    … and {len(slices) - SHOWN_SLICES} more")
    return lines


def _expected_only(example, names):
    results = example.expected.results
    return [
        line
        for i, b in enumerate(results)
        for line in _shown(f"expected {name_of(names, i, example)}", b)
    ]


def _at_least_2d(a):
    return a.reshape((1, -1)) if a.ndim < 2 else a


def _rows(matrix, wrong=None, digits=5):
    """Lines of a matrix with aligned columns."""
    texts = [[text_of(v, digits) for v in row] for row in matrix]
    if wrong is not None:
        marks = [["*" if w else " " for w in row] for row in wrong]
        texts = [
            [text + mark for text, mark in zip(*both, strict=True)]
            for both in zip(texts, marks, strict=True)
        ]
    width = max((len(t) for row in texts for t in row), default=1)
    lines = ["  ".join(t.rjust(width) for t in row[:SHOWN_COLUMNS]) for row in texts[:SHOWN_ROWS]]
    lines = [line + "  …" if matrix.shape[1] > SHOWN_COLUMNS else line for line in lines]
    return lines + (["…"] if len(texts) > SHOWN_ROWS else []) or ["(empty)"]


def text_of(value, digits=5):
    """A number as text."""
    value = np.asarray(value)
    if value.dtype.kind in "biu":
        return str(value[()])
    return f"{value[()]:.{digits}g}"


def digits_for(a, b):
    """How many digits tell two numbers apart."""
    return next((d for d in (5, 9, 14) if text_of(a, d) != text_of(b, d)), 17)


def result_names(function):
    """What the Returns section of a numpydoc docstring calls the results."""
    lines = inspect.getdoc(function).splitlines()
    if "Returns" not in lines:
        return []
    section = lines[lines.index("Returns") + 2 :]
    section = itertools.takewhile(lambda line: not line.startswith("---"), section)
    heads = [line for line in section if " : " in line and not line.startswith(" ")]
    return [name for head in heads for name in head.split(" : ")[0].split(", ")]


def name_of(names, i, example):
    """What to call one of the results."""
    count = len(example.expected.results)
    if len(names) == count:
        return names[i]
    return "result" if count == 1 else f"result {i + 1}"
