"""The words of the kit, for somebody whose check has just failed."""

import inspect
import traceback
from pathlib import Path

from ...spec.trials import Touched
from .showing import digits_for, name_of, result_names, side_by_side, text_of, the_call

PACKAGE = str(Path(__file__).parents[2])

# What a check is about, as the end of "what you wrote is right, but not ...".
WHEN = {
    "plain": "",
    "ties": "where several values are equal",
    "large": "for values of up to ±4000",
    "float32": "for float32 arguments",
    "memory": "for arrays that do not lie in C order, as slices and transposes do",
}
QUICKER = {  # by the task's group
    "patches": "Loop over a kernel's offsets, never over pixels.",
    "convolution": "Loop over a kernel's offsets, never over pixels.",
    "pooling": "Loop over a window's offsets, never over windows or pixels.",
    "winner-take-all": "Loop over a kernel's offsets, or index all winners at once.",
    "whitening": "One product of matrices and one eigh do it all.",
}
CHECKS = {
    "values": "the values",
    "difference quotients": "difference quotients",
    "adjoint": "the adjoint's inner products",
    "float32 kept": "float32 in, float32 out",
    "arguments untouched": "arguments left alone",
    "memory order": "any memory order",
    "first of equals": "the first of equal values",
    "large values": "large values",
    "a copy": "a copy, not a view",
    "false alarms": "no false alarms",
}


def headline(result):
    """Task, state and points: how every report begins."""
    return f"{result.task}: {result.state}, {result.points:g} of {result.max_points:g} points"


def state_report(result, state, why=""):
    """A report of one or two lines."""
    result.state = state
    return headline(result) + (f"\n  {why}" if why else "")


def passed_report(result, note="", beyond=()):
    """A report without complaint, but for a note on speed and lines of :func:`beyond_note`."""
    return "\n".join([headline(result), *(["  " + note] if note else []), *beyond])


def beyond_note(task, diagnosis):
    """A call that costs no points, since which calls do is the same for everybody."""
    head = "  All points, and yet it is wrong in a call that is not among those that count."
    return [head, *_about(task, diagnosis)]


def slow_note(task, times):
    """What to say of a call that takes so many times longer than ours."""
    advice = QUICKER.get(task.group, "Work on whole arrays, never on one element after the other.")
    return (
        f"Right, but slow: {times:.0f} times as long as with whole arrays, measured side by side.\n"
        f"  {advice}"
    )


def because_of_others(result, names):
    """The report of a function that is right as soon as those are right which it calls."""
    whose, them = " and ".join(names), "it" if len(names) == 1 else "them"
    return (
        f"{headline(result)}\n  It fails because of your {whose}: mend {them} first.\n"
        f"  With the package's {whose} in the place of yours it passes."
    )


def wrong_by_itself(report, names):
    """A report with a line that what is wrong lies in the function itself."""
    head, *lines = report.splitlines()
    whose = " and ".join(names)
    told = (
        f"  It is wrong by itself: with the package's {whose} in the place of yours it fails too."
    )
    return "\n".join([head, told, *lines])


def failed_report(task, result, failed, diagnosis):
    """What is wrong, why, and the smallest call that shows it.

    Parameters
    ----------
    task : Task
    result : TaskResult
    failed : list of (Property, Case, Exception)
        The first is what the diagnosis is about.
    diagnosis : Diagnosis, or None

    Returns
    -------
    str
    """
    prop, _, error = failed[0]
    check = prop.name
    lines = [headline(result)]
    if isinstance(error, Touched):
        lines += _lines(_mutation(task, error))
    elif diagnosis is None or diagnosis.example is None:
        lines += _lines(f"The check “{CHECKS.get(check, check)}” fails: {error}")
    else:
        lines += _about(task, diagnosis)
    lines += _the_other_checks(result, failed)
    return "\n".join(lines)


def _about(task, diagnosis):
    """The cause or what can be seen, and the smallest call that shows it."""
    example, names = diagnosis.example, result_names(task.solution)
    lines = _causes(diagnosis, example, names)
    lines += _lines(_what_differs(task, example, names))
    explained = [i for cause in diagnosis.causes for i in cause.results or diagnosis.wrong]
    if diagnosis.order and not diagnosis.causes:
        order = ", ".join(
            name_of(names, diagnosis.order.index(i), example) for i in range(len(diagnosis.order))
        )
        lines.append(f"  Observed: all results are right, but in the order {order}.")
    else:
        for i, text in diagnosis.observations:
            if i not in explained:
                lines.append(f"  Observed: {name_of(names, i, example)} {text}.")
    lines += _which_results(diagnosis, example, names)
    return [*lines, *the_call(task, example), *side_by_side(example, names)]


def _which_results(diagnosis, example, names):
    """Which of several results are wrong, where some are right."""
    count = len(example.expected.results)
    right = [i for i in range(count) if i not in diagnosis.wrong]
    if not diagnosis.wrong or not right:
        return []
    wrong, right = (
        ", ".join(name_of(names, i, example) for i in which) for which in (diagnosis.wrong, right)
    )
    return [f"  Wrong: {wrong}.  Right: {right}."]


def _lines(text, indent="  "):
    return [indent + line for line in text.splitlines()]


def _mutation(task, error):
    """Which of its arguments a function changes, by the names in its signature."""
    if error.function != task.name:
        return f"The check “arguments left alone” fails: {error}"
    parameters = list(inspect.signature(task.solution).parameters)
    names = [parameters[i] for i in error.positions]
    several = len(names) > 1
    return (
        f"Cause: it changes its argument{'s' * several} {' and '.join(names)} in place, and the "
        f"caller still needs {'them' if several else 'it'}.\nWork on "
        f"{'copies' if several else 'a copy'}, or make new arrays: {names[0]} = {names[0]}.copy()"
    )


def _causes(diagnosis, example, names):
    difference = example.difference
    is_float = not difference.kind == "dtype" or (
        example.expected.results[difference.result].dtype.kind == "f"
    )
    if difference.kind == "dtype" and not is_float:
        name = name_of(names, difference.result, example)
        return _lines(
            f"Cause: {name} has another type. It should be True and False, or whole numbers,\n"
            "since it serves as a mask or as an index."
        )
    if difference.kind == "dtype" and example.situation == "float32":
        return _lines(
            "Cause: float64 comes out for float32. Make arrays with the arguments' dtype, as in\n"
            "np.zeros(shape, x.dtype), and mind that np.float64 numbers turn float32 into float64."
        )
    if not diagnosis.causes:
        return []
    lines = []
    for cause in diagnosis.causes:
        of = " and ".join(name_of(names, i, example) for i in cause.results)
        head = f"Likely cause{f' of the wrong {of}' if of else ''}:"
        lines.append(f"  {head} {cause.mistake.sentence}")
    return lines


def _what_differs(task, example, names):
    """One sentence on the first thing that is wrong."""
    difference, found, expected = example.difference, example.found, example.expected
    when = WHEN[example.situation]
    when = f" {when}" if when else ""
    if difference.kind == "raised":
        return _what_was_raised(found.error, when)
    if difference.kind == "count":
        count, wanted = len(found.results), len(expected.results)
        returns = ", ".join(names) if len(names) == wanted else ""
        returns = f": {returns}" if returns else ""
        return f"It returns {_things(count)}; expected {_things(wanted)}{returns}."
    i = difference.result
    a, b, name = found.results[i], expected.results[i], name_of(names, i, example)
    if difference.kind == "shape":
        return f"{name} has shape {a.shape}{when}; expected {b.shape}."
    if difference.kind == "dtype":
        why = "" if b.dtype.kind == "f" else ", since it serves as an index or a mask"
        return f"{name} is {a.dtype}{when}; expected {b.dtype}{why}."
    where = f"{name}{list(difference.first)}" if difference.first else name
    yours, right = a[difference.first], b[difference.first]
    digits = digits_for(yours, right)
    sentence = f"First wrong element{when}: {where} is {text_of(yours, digits)}, "
    sentence += f"expected {text_of(right, digits)}"
    if b.size > 1:
        sentence += f" ({difference.wrong} of {b.size} are wrong)"
    return sentence + "."


def _things(count):
    return "one array" if count == 1 else f"{count} arrays"


def _what_was_raised(error, when):
    kind = type(error).__name__
    lines = [f"It raises {kind}{when}: {str(error) or 'without a message'}".rstrip()]
    if kind == "Wrong":  # our own words on what came back
        lines = [f"What comes back cannot be used{when}: {error}."]
    place = place_of(error)
    if place:
        lines.append(place)
    return "\n".join(line for text in lines for line in text.splitlines()[:3])


def place_of(error):
    """``at line 12 of solution.py: y = x[5]``, in the function that was called.

    Where it was raised further in, in a helper, that line follows.
    """
    if hasattr(error, "place"):  # it was raised elsewhere
        return error.place
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(PACKAGE) and not _is_library(f.filename)]
    if not own:
        return ""
    place = f"at {_line(own[0])}"
    return place if own[-1] is own[0] else f"{place}\nand from there at {_line(own[-1])}"


def _line(frame):
    return f"line {frame.lineno} of {Path(frame.filename).name}: {frame.line or ''}".rstrip(": ")


def _is_library(filename):
    parts = Path(filename).parts
    return "site-packages" in parts or "dist-packages" in parts or filename.startswith("<frozen")


def _the_other_checks(result, failed):
    """The names of what is fine, and of what is not and says something new."""
    fine = [CHECKS.get(name, name) for name, holds in result.checks.items() if holds]
    first = failed[0][0].name
    wrong = [
        CHECKS[prop.name]
        for prop, _, error in failed[1:]
        # What a function raises fails every check, and wrong values fail those that need them.
        if isinstance(error, AssertionError) and prop.name in CHECKS and prop.name != first
    ]
    lines = []
    if wrong:
        lines.append(f"  Fails too: {', '.join(dict.fromkeys(wrong))}.")
    if fine:
        lines.append(f"  Right already: {', '.join(fine)}.")
    return lines
