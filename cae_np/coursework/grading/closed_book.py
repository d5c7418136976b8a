"""Closed book: what a function reaches while it is called, whatever its file says.

An import costs nothing, nor does a name; what counts is whose code runs when the function under
test is called.  So nobody loses points for a data set of scikit-learn's, and no way of getting at a
function (a name put together, ``eval``, a frame) makes a difference.
"""

import ast
import inspect
import linecache
import sys
import threading
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from .gate import plain_text

PACKAGE = Path(__file__).parents[2]
# Libraries that bring the operations of the course ready-made.
LIBRARIES = ("torch", "tensorflow", "jax", "keras", "sklearn", "skimage", "cupyx", "cv2")
LIBRARY_PARTS = ("scipy.signal", "scipy.ndimage")
INNER = (  # parts of ours that nobody needs
    *("cae_np.ops.kernels", "cae_np.ops.reference", "cae_np.spec.solutions"),
    *("cae_np.spec.implementation", "cae_np.coursework.planted", "cae_np.coursework.diagnosis"),
)
ROOMS = ("cae_np.ops", "cae_np.models", "cae_np.gradcheck", "cae_np.training", "cae_np.data")
ELSEWHERE = {  # events of Python's audit that mean that something is computed elsewhere
    "subprocess.Popen": "starts another program",
    "os.system": "starts another program",
    "os.exec": "starts another program",
    "os.posix_spawn": "starts another program",
    "os.fork": "starts another process",
    "socket.connect": "asks another computer",
    "ctypes.dlopen": "calls another library",
}
IMPORT = "<frozen importlib._bootstrap>"
LONG = 300  # bytes of code; two functions of this length are not the same by chance


class Watch:
    """Looks on while a function of a submission is called: a context manager around each call.

    Parameters
    ----------
    submission : Submission
        Not run yet: threads that it starts are looked at too.
    names : collection of str
        The operations of this package that are out of bounds; the first is what is to be written.

    Attributes
    ----------
    found : str
        A sentence on the first thing that is out of bounds, or "".
    """

    def __init__(self, submission, names):
        self.found = ""
        self._folder, self._names = str(submission.folder), names
        self._sources = dict(submission.sources())
        self._copies = {_print_of(code) for code in _codes_of(names) if len(code.co_code) >= LONG}
        self._kinds, self._import = {}, None
        self._hook = self._look
        threading.setprofile(self._hook)

    def __enter__(self):
        global _watching
        self._before = sys.getprofile()
        _listen()
        sys.setprofile(self._hook)
        _watching = self

    def __exit__(self, *error):
        global _watching
        _watching = self._import = None
        if sys.getprofile() is not self._hook:
            self._note("turns off what looks on", None)
        sys.setprofile(self._before)

    def _look(self, frame, event, function):
        if self._import:  # what a library does while it is imported is nobody's answer
            if event == "return" and frame is self._import:
                self._import = None
            if event != "call" or not self._is_submitted(frame.f_code.co_filename):
                return
            self._import = None
        if self.found or _watching is not self:
            return
        if event == "call":
            code = frame.f_code
            if code.co_name == "_find_and_load" and code.co_filename == IMPORT:
                self._import = frame
            if id(code) not in self._kinds:  # which is kept, so that no other gets its id
                self._kinds[id(code)] = code, self._kind_of(code, frame.f_globals.get("__name__"))
            kind, what = self._kinds[id(code)][1]
            if kind and not (kind == "inner" and _is_ours(frame.f_back)):
                self._note(what, frame if kind == "copy" else frame.f_back)
        elif event == "c_call":
            module = _module_of(function)
            if _is_library(module):
                self._note(f"calls {function.__name__} of {module}", frame)

    def _kind_of(self, code, module):
        """``(kind, what to say)`` of code that is out of bounds, else two empty texts."""
        name, module = code.co_qualname.partition(".")[0], str(module)
        if code.co_filename.startswith(f"{PACKAGE}/"):
            if name in self._names:
                return "ours", f"takes {name} from {module}"
            is_private = name.startswith("_") and module.startswith(ROOMS)
            if is_private or module.startswith(INNER):
                return "inner", f"takes {name} from {module}"
        elif _is_library(module):
            return "library", f"calls {code.co_name} of {module}"
        elif self._copies and _print_of(code) in self._copies:
            return "copy", f"is in a copy of cae_np's {self._names[0]}"
        return "", ""

    def _note(self, what, frame):
        """Say what was found, and where the submission does it."""
        while frame and not self._is_submitted(frame.f_code.co_filename):
            if frame.f_code.co_filename == IMPORT:
                return
            frame = frame.f_back
        if frame:
            name = frame.f_code.co_filename
            line = plain_text(linecache.getline(name, frame.f_lineno).strip(), 200)
            place = f"line {frame.f_lineno} of {plain_text(Path(name).name, 100)}"
            self.found = f"{place} {what}" + (f": {line}" if line else "")
        else:
            self.found = f"{_binding(self._sources, self._names[0])} {what}"

    def _is_submitted(self, filename):
        return filename in self._sources or filename.startswith(f"{self._folder}/")


_watching = None
_is_listening = False


def _listen():
    """Hear of programs that are started during a call; a hook of this kind cannot be removed."""
    global _is_listening
    if not _is_listening:
        sys.addaudithook(_hear)
        _is_listening = True


def _hear(event, arguments):
    if _watching and event in ELSEWHERE:
        _watching._note(ELSEWHERE[event], sys._getframe(1))


def _is_ours(frame):
    """Whether this package has made a call, and not only handed it on to a submission."""
    name = frame.f_code.co_filename if frame else ""
    return name.startswith(f"{PACKAGE}/") and not name.startswith(f"{PACKAGE}/coursework/grading/")


def _is_library(module):
    name = module if isinstance(module, str) else ""
    return name.partition(".")[0] in LIBRARIES or name.startswith(LIBRARY_PARTS)


def _module_of(function):
    """The name of the module that a function written in C belongs to."""
    module, owner = getattr(function, "__module__", None), getattr(function, "__self__", None)
    if isinstance(module, str):
        return module
    if isinstance(owner, ModuleType):
        return owner.__name__
    return (owner if isinstance(owner, type) else type(owner)).__module__


def _codes_of(names):
    """The code of what has one of these names in this package."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != PACKAGE.name:
            continue
        for wanted in names:
            thing = vars(module).get(wanted)
            things = list(vars(thing).values()) if isinstance(thing, type) else [thing]
            for one in things:
                one = inspect.unwrap(one) if isinstance(one, FunctionType) else None
                if one:
                    yield one.__code__


def _print_of(code):
    """What tells code from other code, wherever it stands; its docstring does not count."""
    constants = tuple(c for c in code.co_consts if not isinstance(c, (str, CodeType)))
    return code.co_code, code.co_names, code.co_varnames, constants


def _binding(sources, name):
    """``line 3 of exercises.py``: where a submission gives a name to something last."""
    found = next(iter(sources), "the file")
    for title, source in sources.items():
        try:
            nodes = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in nodes:
            if name in _names_bound_by(node):
                found = f"line {node.lineno} of {title}"
    return found


def _names_bound_by(node):
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        module = sys.modules.get(node.module or "")
        return vars(module) if module else ()
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
