"""Cells of a notebook, run as Jupyter runs them, as far as that makes sense while it is graded.

IPython itself turns a cell into Python where it is installed; then magics and shell lines are calls
of ``get_ipython()``, whose stand-in here runs what is Python and leaves out what is not.
"""

import ast
import asyncio
import builtins
import inspect
import linecache
import re
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import Loader, MetaPathFinder
from importlib.util import spec_from_loader
from pathlib import PurePath
from types import SimpleNamespace

RUN = ("time", "capture", "prun")  # cell magics whose body is run in the notebook's namespace
LEFT_OUT = (  # what defines nothing in the notebook
    *("timeit", "bash", "sh", "cmd", "script", "system", "!", "sx", "perl", "ruby", "python"),
    *("python2", "python3", "pypy", "html", "HTML", "svg", "SVG", "javascript", "js", "latex"),
    "markdown",
)
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
CONTINUED = re.compile(r"^\s*(?:[\w., ]+=\s*)?[%!](?:.*\\\n)+", re.MULTILINE)
TIMEIT_OPTIONS = re.compile(r"\s*(-[oqct]+\s+|-[nrp]\s*\d+\s+)*")


def python_of(source):
    """A cell as Python, by IPython where it is installed, else by a few rules of ours.

    Parameters
    ----------
    source : str

    Returns
    -------
    str
    """
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return _by_rules(source)
    try:
        return TransformerManager().transform_cell(source)
    except SyntaxError:  # running it as it is says where
        return source


def _by_rules(source):
    source = textwrap.dedent(source)
    head, _, body = source.lstrip().partition("\n")
    if head.startswith("%%"):
        name, _, line = head[2:].partition(" ")
        return f"get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})"
    try:
        ast.parse(source)
        return source  # a line that looks like magic is part of a text or of an expression
    except (SyntaxError, ValueError):
        pass
    joined = CONTINUED.sub(lambda found: found[0].replace("\\\n", " "), source)
    return "\n".join(_line_by_rules(line) for line in joined.split("\n")) + "\n"


def _line_by_rules(line):
    if re.match(r"\s*\?|.*\?\s*$", line):
        return ""
    magic = re.match(r"(\s*)([\w., ]+=\s*)?([%!])(.*)", line)
    if not magic:
        return line
    indent, target, kind, rest = magic.groups()
    target = target or ""
    if kind == "!":
        return f"{indent}{target}get_ipython().{'getoutput' if target else 'system'}({rest!r})"
    name, _, argument = rest.partition(" ")
    return f"{indent}{target}get_ipython().run_line_magic({name!r}, {argument!r})"


class Written(MetaPathFinder, Loader):
    """Modules that cells write with ``%%writefile``: here they are kept, and found, in memory."""

    def __init__(self):
        self.sources = {}

    def keep(self, line, body):
        """What ``%%writefile line`` above ``body`` does."""
        *options, name = line.split() or [""]
        name = PurePath(name.strip("'\"")).stem
        before = self.sources.get(name, "") if options else ""  # -a appends
        self.sources[name] = before + body

    def find_spec(self, name, path=None, target=None):
        return spec_from_loader(name, self) if name in self.sources else None

    def exec_module(self, module):
        name = module.__name__
        exec(compile(self.sources[name], f"{name}.py", "exec"), module.__dict__)


class Cells:
    """What stands in for Jupyter: runs cells, and is what ``get_ipython()`` returns.

    Parameters
    ----------
    namespace : dict
        Of the notebook.
    folder : Path
        Where it lies.

    Attributes
    ----------
    problems : list of str
        Cells that cannot be run here.
    used_a_shell : bool
        Whether the cell that runs has asked for a shell command's output, which is empty here.
    """

    def __init__(self, namespace, folder):
        self.user_ns, self.problems, self.used_a_shell = namespace, [], False
        self._folder, self._title, self._source = folder, "", ""
        self._loop, self._written = None, Written()
        sys.meta_path.insert(0, self._written)
        self._out, self._in, self._last = {}, [""], None
        namespace.update(In=self._in, Out=self._out, _ih=self._in, _oh=self._out)
        builtins.get_ipython = lambda: self
        builtins.display = _nothing

    def run(self, source, title):
        """Run one cell; raises whatever it raises.

        Parameters
        ----------
        source, title : str
        """
        linecache.cache[title] = (len(source), None, source.splitlines(True), title)
        self._title, self._source, self.used_a_shell = title, source, False
        self._in.append(source)
        value = self._run_python(python_of(source))
        if value is not None:
            self._keep(value)

    def _run_python(self, source):
        """Run Python with ``await``, and return the value of an expression at its end."""
        tree = compile(source, self._title, "exec", AWAIT | ast.PyCF_ONLY_AST)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        self._awaited(compile(tree, self._title, "exec", AWAIT))
        if last is None:
            return None
        value = self._awaited(compile(last, self._title, "eval", AWAIT))
        return None if source.rstrip().endswith(";") else value

    def _awaited(self, code):
        """Run code inside of a loop of events, as a kernel does."""

        async def run():
            value = eval(code, self.user_ns)
            return await value if code.co_flags & inspect.CO_COROUTINE else value

        if asyncio._get_running_loop() is None:
            self._loop = self._loop or asyncio.new_event_loop()
            return self._loop.run_until_complete(run())
        if not code.co_flags & inspect.CO_COROUTINE:  # a cell within a cell, as %%time has
            return eval(code, self.user_ns)
        with ThreadPoolExecutor(1) as other:
            return other.submit(asyncio.run, run()).result()

    def close(self):
        """No cell comes any more."""
        if self._loop:
            self._loop.close()

    def _keep(self, value):
        """``_``, ``__``, ``___``, ``Out`` and ``_3``, unless the notebook uses ``_`` itself."""
        names, number = self.user_ns, len(self._in) - 1
        self._out[number] = names[f"_{number}"] = value
        if names.get("_") is self._last:
            names.update(___=names.get("__"), __=names.get("_"), _=value)
            self._last = value

    # --- what IPython's own shell has -------------------------------------------------------------

    def run_cell_magic(self, name, line, body):
        """Run the rest of a cell below ``%%name line``, if it is run in the notebook at all."""
        if name in RUN:
            above = self._source.partition(body.strip("\n").partition("\n")[0])[0].count("\n")
            if name == "capture":
                names = [word for word in line.split() if not word.startswith("-")]
                quiet = SimpleNamespace(stdout="", stderr="", outputs=[], show=_nothing)
                self.user_ns.update(dict.fromkeys(names[:1], quiet))
            self._run_python("\n" * above + python_of(body.lstrip("\n")))
        elif name in ("writefile", "file"):
            self._written.keep(line, body)
        elif name not in LEFT_OUT:
            self.problems.append(f"{self._title} is left out: %%{name} cannot be run here")

    def run_line_magic(self, name, line, *others):
        """``%name line``: what is Python is run; the rest concerns Jupyter alone."""
        if name in ("time", "prun"):
            return self._run_python(python_of(line))
        if name == "timeit":
            start = time.perf_counter()
            self._run_python(python_of(line[TIMEIT_OPTIONS.match(line).end() :]))
            taken = time.perf_counter() - start
            both = {"all_runs": [taken], "timings": [taken], "loops": 1, "repeat": 1}
            return SimpleNamespace(average=taken, best=taken, worst=taken, stdev=0.0, **both)
        if name == "run" and line.split():
            name = line.split()[-1]
            source = self._written.sources.get(PurePath(name).stem)
            source = source or (self._folder / name).read_bytes()
            exec(compile(source, name, "exec"), self.user_ns)
        return None

    def magic(self, line):
        """``%line``, as it was called once."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def getoutput(self, *command, **how):
        """The lines that a shell command prints: none, since it is not run."""
        self.used_a_shell = True
        return []

    def run_cell(self, source, *others, **how):
        """Run a cell that is given as text."""
        self._run_python(python_of(source))

    def push(self, names, *others, **how):
        """Set variables."""
        self.user_ns.update(names)

    def ev(self, expression):
        """The value of an expression."""
        return eval(expression, self.user_ns)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing


class _Nothing:
    """Whatever else belongs to Jupyter alone: it takes every call and attribute."""

    def __call__(self, *arguments, **options):
        # A decorator (of events, magics) gives back what it decorates.
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self


_nothing = _Nothing()
