"""The gate through which everything passes that comes out of a submission.

Text that passes is valid, of bounded length and without control characters, so that neither a
terminal nor a file of results can be written through it.  Results are plain arrays, and errors are
of types that this package or Python defines, whatever the submission raised.
"""

import builtins
import contextlib
import time
import unicodedata

import numpy as np

from ...spec.answers import Wrong, plain_results
from ..diagnosis.wording import place_of

LONGEST = 1000  # characters of one text
LONGEST_REPORT = 20_000
NOTHING = "it returned an empty tuple"


class Escaped(BaseException):
    """What a submission raised that is no Exception: SystemExit, KeyboardInterrupt, its own."""


class Refused(BaseException):
    """The function takes what it should write; the message says what, and where."""


def plain_text(text, longest=LONGEST):
    """Text that can be shown and stored anywhere.

    Parameters
    ----------
    text : object
        What it becomes as a string is shown; if that fails, this is said.
    longest : int
        Characters; of longer texts the beginning and the end are kept.

    Returns
    -------
    str
        Without surrogates, and without control characters but newlines.
    """
    try:
        text = str.__str__(text if isinstance(text, str) else str(text))
    except BaseException:  # whatever __str__ does
        return "(a text that cannot be shown)"
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} … ({len(text):,} characters) … {text[-half:]}"
    shown = "".join(c if _can_be_shown(c) else _escaped(c) for c in text)
    return shown if len(shown) <= 2 * longest else f"{shown[: 2 * longest]} …"


def _can_be_shown(character):
    return character.isprintable() or character == "\n" or unicodedata.category(character) == "Zs"


def _escaped(character):
    return "    " if character == "\t" else character.encode("unicode_escape").decode("ascii")


def described(error):
    """What there is to say about an exception, as plain text.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    dict
        ``kind`` (the name of its type), ``text``, ``place`` (a line of the submission, or "") and
        ``escapes`` (whether it is no Exception).
    """
    try:
        place = place_of(error)
    except BaseException:  # a file name or a line that is no text
        place = ""
    try:
        kind = type(error).__name__
    except BaseException:
        kind = "an exception"
    return {
        "kind": plain_text(kind, 100),
        "text": plain_text(error),
        "place": plain_text(place),
        "escapes": not isinstance(error, Exception),
    }


def rebuilt(kind, text, place="", escapes=False):
    """An exception that says what another one said.

    Parameters
    ----------
    kind, text, place, escapes
        As of :func:`described`.

    Returns
    -------
    BaseException
        Of the type of this name where Python or NumPy has it.  Its ``place`` is the given one.
    """
    kind, text, place = plain_text(kind, 100), plain_text(text), plain_text(place)
    error = None if escapes else _known(kind, text)
    if error is None:
        error = type(kind, (Escaped if escapes else Exception,), {})(text)
    error.place = place
    return error


def _known(kind, text):
    """An exception of Python's or NumPy's of this name, or None."""
    for module in (builtins, np.linalg, np.exceptions):
        cls = getattr(module, kind, None)
        if isinstance(cls, type) and issubclass(cls, Exception):
            try:
                error = cls(text)
            except Exception:  # it wants other arguments
                return None
            return error if str(error) == text else None
    return None


def answer_of(function, arguments, says_yes_or_no=False, watch=None, notes=None):
    """Call a submission's function and take what comes back through the gate.

    Parameters
    ----------
    function : callable
    arguments : tuple
    says_yes_or_no : bool
        Whether one truth value is expected in place of arrays.
    watch : context manager, optional
        Looks on during the call; its ``found`` is "" or a sentence on what is out of bounds.
    notes : dict, optional
        Where it is noted how many seconds the call ``took``, and whether what came back is a
        ``view`` of an argument.

    Returns
    -------
    tuple of plain arrays, or a bool

    Raises
    ------
    Refused
        If the watch has found something.
    Wrong
        If it returns no arrays of numbers.
    Exception, Escaped
        As :func:`rebuilt` from what it raises.
    """
    raised = answer = None
    try:
        with watch or contextlib.nullcontext(), np.errstate(all="ignore"):
            start = time.perf_counter()
            returned = function(*arguments)
            if notes is not None:
                notes["took"] = time.perf_counter() - start
                notes["view"] = _is_view(returned, arguments)
            answer = bool(returned) if says_yes_or_no else plain_results(returned)
        if answer == ():
            raise Wrong(NOTHING)
    except BaseException as error:
        is_ours = type(error) is Wrong
        raised = Wrong(plain_text(error)) if is_ours else rebuilt(**described(error))
    if watch and watch.found:
        raise Refused(plain_text(watch.found))
    if raised:
        raise raised
    return answer


def _is_view(returned, arguments):
    """Whether an array that came back shares memory with one that was passed."""
    if type(returned) is not np.ndarray:
        return False
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    return any(np.may_share_memory(returned, a) for a in arrays)


class Gated:
    """A function of a submission behind the gate."""


class Tamed(Gated):
    """One that is called in this process.

    Parameters
    ----------
    function, says_yes_or_no, watch
        As of :func:`answer_of`.

    Attributes
    ----------
    calls : int
        How often it was called.
    notes : dict
        As of :func:`answer_of`, of the last call.
    """

    def __init__(self, function, says_yes_or_no=False, watch=None):
        self._function, self._how, self.calls = function, (says_yes_or_no, watch), 0
        self.notes = {}

    def __call__(self, *arguments):
        self.calls += 1
        answer = answer_of(self._function, arguments, *self._how, self.notes)
        return answer[0] if isinstance(answer, tuple) and len(answer) == 1 else answer
