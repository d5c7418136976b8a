"""What a student hands in, a Python file or a notebook, as functions by name."""

import contextlib
import json
import linecache
import os
import sys
import tokenize
from pathlib import Path
from types import ModuleType

from .cells import Cells, Written, python_of
from .gate import described, plain_text
from .notebook import silenced

MOST = 100_000_000  # bytes of a file


class Submission:
    """The functions of a file.

    Parameters
    ----------
    path : str or Path
        ``.py`` or ``.ipynb``.
    others : dict of str to callable, optional
        What a function of the file finds under these names in place of the file's own.

    Attributes
    ----------
    path : Path
    others : dict
    problems : list of str
        What went wrong when it was run: a syntax error, an exception of a cell.
    """

    def __init__(self, path, others=None):
        self.path = Path(path)
        self.folder = self.path.resolve().parent
        self.others = others or {}
        self.problems = []
        self._pieces, self._namespace = None, {}

    def read(self):
        """Take the file's text into memory, where nothing that runs can change it.

        Raises
        ------
        ValueError
            If it cannot be read, or is no notebook although its name says so.
        """
        self._pieces = self._read()
        if self._is_notebook:
            python_of("")  # loads IPython, once and here
        return self

    def run(self):
        """Execute the file.  A notebook goes on after a cell that fails, as a reader would."""
        name = "__main__" if self._is_notebook else "submission"
        module = ModuleType(name)
        module.__file__ = str(self.path)
        sys.modules[name] = module  # dataclasses and pickling look there
        sys.path.insert(0, str(self.folder))
        os.environ.setdefault("MPLBACKEND", "Agg")  # pictures of a notebook wait for nobody
        self._namespace, self.problems = module.__dict__, []
        with silenced():  # the checks that a notebook's own cells make are made here anyway
            self._run_pieces()
        return self

    @contextlib.contextmanager
    def imports_of_its_own(self):
        """Forget at the end what was imported from beside the file.

        The next student's file may bring a ``helpers.py`` as well, and has to get its own.
        """
        path, known, main = list(sys.path), set(sys.modules), sys.modules.get("__main__")
        finders = list(sys.meta_path)
        try:
            yield
        finally:
            sys.path[:] = path
            sys.modules["__main__"], sys.meta_path[:] = main, finders
            for name in set(sys.modules) - known:
                loader = getattr(sys.modules[name], "__loader__", None)
                if self._lies_beside(name.partition(".")[0]) or isinstance(loader, Written):
                    del sys.modules[name]

    def _lies_beside(self, name):
        """Whether a top-level module comes from the submission's folder; ours stays in any case."""
        if name == __name__.partition(".")[0]:
            return False
        return (self.folder / f"{name}.py").exists() or (self.folder / name).is_dir()

    @property
    def _is_notebook(self):
        return self.path.suffix.lower() == ".ipynb"

    def _run_pieces(self):
        cells = Cells(self._namespace, self.folder)
        with contextlib.closing(cells):
            self._run_all(cells)
        self.problems += cells.problems

    def _run_all(self, cells):
        for title, source in self.sources():
            try:
                if self._is_notebook:
                    cells.run(source, title)
                else:
                    linecache.cache[title] = (len(source), None, source.splitlines(True), title)
                    exec(compile(source, title, "exec"), self._namespace)
            except SyntaxError as error:
                self.problems.append(_no_python(error, title))
            except (Exception, SystemExit) as error:
                told = described(error)
                what = f"{told['kind']}: {told['text']} ({told['place'] or f'in {title}'})"
                what += "; shell commands are not run here" if cells.used_a_shell else ""
                self.problems.append(what)

    def sources(self):
        """Pieces of source with their titles: the file, or the code cells of a notebook."""
        if self._pieces is None:
            self.read()
        return self._pieces

    def _read(self):
        name = plain_text(self.path.name, 100)
        try:
            if self.path.stat().st_size > MOST:
                raise ValueError(f"{name} has more than {MOST:,} bytes; hand in code alone")
            if not self._is_notebook:
                with tokenize.open(self.path) as file:  # in the encoding that it says it has
                    return [(name, file.read())]
            text = self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError, SyntaxError) as error:
            raise ValueError(
                f"{plain_text(self.path)} cannot be read: {plain_text(error)}"
            ) from error
        try:
            cells = json.loads(text)["cells"]
            code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{name} is not a notebook: {plain_text(repr(error))}") from error
        return [(f"code cell {i + 1} of {name}", source) for i, source in enumerate(code)]

    def function(self, name):
        """The function of this name, or None."""
        function = self._namespace.get(name)
        self._namespace.update({n: other for n, other in self.others.items() if n != name})
        return function


def _no_python(error, title):
    """A sentence on a syntax error; it may lie in a module that the title's code imports."""
    where = title if error.filename in (None, title) else plain_text(Path(error.filename).name)
    line = plain_text((error.text or "").strip(), 200) or plain_text(error.msg)
    return f"line {error.lineno} of {where} is no Python: {line}"
