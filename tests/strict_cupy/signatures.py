"""The names and signatures of the real CuPy, and the binding of calls against them.

``cupy_signatures.json`` is made by ``refresh_signatures.py`` from an installed wheel.  A signature
is written as words: ``a axis= dtype= out= keepdims=`` is ``(a, axis=…, dtype=…, out=…,
keepdims=…)``; ``/``, ``*``, ``*name`` and ``**name`` mean what they mean in Python.
"""

import functools
import inspect
import json
from pathlib import Path

PATH = Path(__file__).with_name("cupy_signatures.json")
CUPY = json.loads(PATH.read_text(encoding="utf-8"))
VERSION = CUPY["made_from"]["cupy"]


@functools.cache
def parse(words):
    """The :class:`inspect.Signature` of a signature written as words."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for word in words.split():
        name = word.strip("*=")
        if word == "/":
            parameters = [p.replace(kind=p.POSITIONAL_ONLY) for p in parameters]
        elif word == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif word.startswith("**"):
            parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_KEYWORD))
        elif word.startswith("*"):
            parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL))
            kind = inspect.Parameter.KEYWORD_ONLY
        else:
            default = None if word.endswith("=") else inspect.Parameter.empty
            parameters.append(inspect.Parameter(name, kind, default=default))
    return inspect.Signature(parameters)


def bind(name, words, args, kwargs):
    """Arguments by parameter name, as CuPy would bind them.

    Raises
    ------
    TypeError
        If CuPy would not take them: the message names the argument and CuPy's signature.
    """
    try:
        return parse(words).bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{name}: {error}; CuPy {VERSION} takes ({words})") from None


def refuse_other_order(name, words, function, args):
    """Refuse a positional argument that CuPy and NumPy read as different parameters.

    Raises
    ------
    TypeError
        As for ``argmax(a, 0, b)``, where ``b`` is CuPy's ``dtype`` but NumPy's ``out``.
    """
    # Required parameters come first in both; they may be called differently (obj, object).
    for _, ours, theirs in zip(
        args, parse(words).parameters.values(), _positional(function), strict=False
    ):
        if ours.name != theirs and ours.default is not inspect.Parameter.empty:
            raise TypeError(
                f"{name}: CuPy reads this positional argument as {ours.name!r}, NumPy as "
                f"{theirs!r}; pass it by keyword"
            )


@functools.cache
def _positional(function):
    """Names of NumPy's parameters that may be positional; none where NumPy does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD)
