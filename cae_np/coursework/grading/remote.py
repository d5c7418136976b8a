"""A submission's function in a process of its own: there it is called, here it is judged.

The grader sends the arguments of a call, and the child sends back what its function returned.  What
is right is known here alone, so that nothing that a submission prints, patches or sends can be a
verdict.  Every answer repeats the random word that came with its call.
"""

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from ...spec.answers import Wrong
from . import wire
from .closed_book import Watch
from .engine import is_empty
from .gate import NOTHING, Gated, Refused, answer_of, described, plain_text, rebuilt
from .isolation import Ended

MOST_PROBLEMS = 10


@dataclass
class Opening:
    """What came of running a submission, as far as one task is concerned.

    Attributes
    ----------
    is_there : bool
        False where the file has no such function, or an empty one.
    problems : list of str
        As of :class:`.submission.Submission`.
    raised : BaseException or None
        What ended the run.
    """

    is_there: bool = False
    problems: list = field(default_factory=list)
    raised: BaseException | None = None


def opened(submission, name):
    """Run a submission.

    Parameters
    ----------
    submission : Submission
    name : str
        Of a task.

    Returns
    -------
    Opening
    """
    try:
        with contextlib.suppress(OSError):
            os.chdir(submission.folder)  # as Jupyter does: what lies beside it is found by its name
        submission.run()
        function = submission.function(name)
        is_there = callable(function) and not is_empty(function)
    except BaseException as error:  # what running a file cannot survive
        return Opening(raised=rebuilt(**described(error)))
    return Opening(is_there, submission.problems[:MOST_PROBLEMS])


class Remote(Gated):
    """A function that is called in the process of its submission.

    Parameters
    ----------
    child : Child
        Which runs :func:`serve`.
    says_yes_or_no : bool
        As of :func:`.gate.answer_of`.

    Attributes
    ----------
    calls : int
        How often it was called.
    notes : dict
        As of :func:`.gate.answer_of`, of the last call.
    opening : Opening
    """

    def __init__(self, child, says_yes_or_no=False):
        self._child, self._says_yes_or_no = child, says_yes_or_no
        self.calls, self._elsewhere, self.notes = 0, 0.0, {}
        header, _ = child.receive()
        self.opening = Opening(
            header.get("is_there") is True,
            [plain_text(problem) for problem in _list(header.get("problems"))[:MOST_PROBLEMS]],
            _raised(header["raised"]) if "raised" in header else None,
        )

    def clock(self):
        """Seconds of processor time here and there."""
        return time.process_time() + self._elsewhere

    def __call__(self, *arguments):
        self.calls += 1
        places, arrays, functions = wire.sorted_out(arguments)
        word = secrets.token_hex(8)
        how = {"word": word, "places": places, "yes_or_no": self._says_yes_or_no}
        self._child.send(how, arrays)
        while True:
            header, answers = self._child.receive()
            if header.get("word") != word:
                raise Ended("vanished")  # somebody else writes there
            if "function" not in header:
                break
            self._child.send(*_asked(functions, header["function"], answers, word))
        seconds = header.get("seconds")
        self._elsewhere = float(seconds) if type(seconds) in (int, float) else self._elsewhere
        took = header.get("took")
        self.notes = {
            "took": float(took) if type(took) in (int, float) else 0.0,
            "view": header.get("view") is True,
        }
        return self._result(header, answers, arrays)

    def _result(self, header, answers, arrays):
        if "refused" in header:
            raise Refused(plain_text(header["refused"]))
        if "wrong" in header:
            raise Wrong(plain_text(header["wrong"]))
        if "raised" in header:
            raise _raised(header["raised"])
        if self._says_yes_or_no:
            return header.get("yes") is True
        changed = _list(header.get("changed"))
        results = answers[: len(answers) - len(changed)]
        for i, after in zip(changed, answers[len(results) :], strict=True):
            _write_into(arrays, i, after)
        if not results:
            raise Wrong(NOTHING)
        return results[0] if len(results) == 1 else tuple(results)


def _list(value):
    return value if isinstance(value, list) else []


def _raised(told):
    try:
        return rebuilt(told["kind"], told["text"], told["place"], told["escapes"] is True)
    except (KeyError, TypeError):
        return Ended("vanished")


def _asked(functions, which, arrays, word):
    """The answer to a child that calls one of the functions among its arguments."""
    try:
        returned = functions[which](*arrays)
    except Exception as error:
        return {"word": word, "raised": described(error)}, []
    several = isinstance(returned, tuple)
    results = [np.asarray(a) for a in (returned if several else (returned,))]
    return {"word": word, "several": several}, results


def _write_into(arrays, i, after):
    """Do to an argument here what was done to it there."""
    if type(i) is not int or not 0 <= i < len(arrays) or arrays[i].shape != after.shape:
        raise Ended("vanished")
    if arrays[i].flags.writeable:
        arrays[i][...] = after


# --- in the child ---------------------------------------------------------------------------------


def serve(line, submission, name, out_of_bounds=()):
    """Run a submission and answer the calls of one of its functions, until the line is closed.

    Parameters
    ----------
    line : Line
    submission : Submission
    name : str
    out_of_bounds : sequence of str
        Operations that it must not take from elsewhere: its own name and those that do the same.
    """
    watch = Watch(submission, out_of_bounds) if out_of_bounds else None
    with threadpool_limits(1):  # BLAS's other threads have not come along
        opening = opened(submission, name)
        told = {"is_there": opening.is_there, "problems": opening.problems}
        line.send(told | ({"raised": described(opening.raised)} if opening.raised else {}))
        function = submission.function(name)
        while True:
            line.send(*_answer(line, *line.receive(), function, watch))


def _answer(line, header, arrays, function, watch):
    """What a call gives, as a message."""
    before = [a.copy() for a in arrays]
    told = {"word": header["word"]}

    def asker(which):
        return lambda *arguments: _ask_back(line, told, which, arguments)

    arguments = wire.put_together(header["places"], arrays, asker)
    results = []
    try:
        answer = answer_of(function, arguments, header["yes_or_no"], watch, told)
        if header["yes_or_no"]:
            told["yes"] = answer
        else:
            told["changed"] = [
                i for i, a in enumerate(arrays) if a.tobytes() != before[i].tobytes()
            ]
            results = [*answer, *(arrays[i] for i in told["changed"])]
    except Refused as error:
        told["refused"] = str(error)
    except Wrong as error:
        told["wrong"] = str(error)
    except BaseException as error:
        told["raised"] = described(error)
    if sum(a.nbytes for a in results) > wire.MOST // 2:
        told["wrong"], results = "what it returned is larger than anything expected here", []
    told["seconds"] = time.process_time()
    return told, results


def _ask_back(line, told, which, arguments):
    """What a function of the grader's answers: those that a gradient check is handed."""
    line.send(told | {"function": which}, [np.array(a) for a in arguments])
    header, results = line.receive()
    if "raised" in header:
        raise rebuilt(**header["raised"])
    return tuple(results) if header["several"] else results[0]
