"""Write cupy_signatures.json from the CuPy wheel that is installed; no GPU is needed.

    python tests/strict_cupy/refresh_signatures.py            write the list anew
    python tests/strict_cupy/refresh_signatures.py --check    compare; exit code 1 if it differs

Most of CuPy's functions have an inspectable signature; its ufuncs, the methods of its array and a
few compiled functions tell theirs in the first line of their docstrings.
"""

import importlib
import inspect
import json
import re
import sys
import warnings
from pathlib import Path

import numpy

PATH = Path(__file__).with_name("cupy_signatures.json")
NAMESPACES = {
    "cupy": numpy,
    "cupy.linalg": numpy.linalg,
    "cupy.lib.stride_tricks": numpy.lib.stride_tricks,
    "cupyx": numpy,
}


def collect():
    """Names and signatures of the installed CuPy, in the layout of the JSON file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CuPy warns where it finds no CUDA
        modules = {name: importlib.import_module(name) for name in NAMESPACES}
    cupy = modules["cupy"]
    methods, attributes = {}, []
    for name in _public(cupy.ndarray):
        words = _words(getattr(cupy.ndarray, name))
        if words is None:
            attributes.append(name)
        else:
            methods[name] = words.removeprefix("self").lstrip()
    return {
        "made_by": "python tests/strict_cupy/refresh_signatures.py",
        "made_from": {"cupy": cupy.__version__, "numpy": numpy.__version__},
        "cupy.ndarray": {"methods": methods, "attributes": attributes},
        **{name: _namespace(modules[name], numpys) for name, numpys in NAMESPACES.items()},
    }


def _namespace(module, numpys):
    """What a module offers, sorted into NumPy's own objects, functions and everything else."""
    space = {"ufuncs": {}, "functions": {}, "numpy_s_own": [], "other": [], "synchronising": []}
    for name in _public(module):
        member = getattr(module, name)
        words = None if isinstance(member, type) else _words(member)
        same = getattr(numpys, name, numpys)
        if member is same or (isinstance(member, float) and repr(member) == repr(same)):
            space["numpy_s_own"].append(name)
        elif words is None:
            space["other"].append(name)
        else:
            space["ufuncs" if type(member).__name__ == "ufunc" else "functions"][name] = words
            if re.search(r"(may|performs)\s+(device\s+)?synchroni", member.__doc__ or ""):
                space["synchronising"].append(name)
    return space


def _public(owner):
    return sorted(name for name in dir(owner) if not name.startswith("_") and name != "annotations")


def _words(member):
    """A signature as words, or None where neither inspect nor the docstring tells one."""
    told = _words_of_docstring(member)
    try:
        parameters = inspect.signature(member).parameters.values()
    except (TypeError, ValueError):
        return told
    words = _join(parameters)
    if told and words.startswith("*args") and told.startswith("x1"):
        # A generalised ufunc: operands from the docstring, keywords from the signature.
        return told.split("/")[0] + "/ *" + words.removeprefix("*args")
    if told and words.endswith("**kwargs") and not told.endswith("**kwargs"):
        return told  # the keywords that **kwargs hides
    return words


def _join(parameters):
    words, last = [], None
    for p in parameters:
        if last is p.POSITIONAL_ONLY and p.kind is not last:
            words.append("/")
        if p.kind is p.KEYWORD_ONLY and last not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL):
            words.append("*")
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        words.append(stars + p.name + ("" if p.default is p.empty else "="))
        last = p.kind
    return " ".join([*words, "/"] if last is inspect.Parameter.POSITIONAL_ONLY else words)


def _words_of_docstring(member):
    """``add(x1, x2, /, out=None, \\*, casting='same_kind')`` -> ``x1 x2 / out= * casting=``."""
    lines = (member.__doc__ or "").strip().splitlines() if callable(member) else []
    found = re.match(r"[\w.]+\((.*)\)( -> [\w.]+)?$", lines[0] if lines else "")
    if not found:
        return None
    text = found[1].replace("\\", "").replace("[, out1, out2], / [,", ", out1=, out2=, /,")
    words = []
    for item in re.split(r",\s*(?![^(]*\))", text.replace("]", "")):
        name, default, _ = item.partition("=")
        # Cython writes a type before some names: ``Py_ssize_t axis1``.
        words += [name.split()[-1] + default] if name else []
    return " ".join(words)


def main():
    made = json.dumps(collect(), indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        PATH.write_text(made, encoding="utf-8")
    elif made != PATH.read_text(encoding="utf-8"):
        print(f"{PATH.name} differs from the installed CuPy; run {sys.argv[0]} without --check")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
