"""Wrong solutions as students might hand them in, and the line of the table for each."""

from dataclasses import dataclass

FLOAT64, IN_PLACE, MASK = "float64 for float32", "argument changed in place", "no mask or index"


@dataclass(frozen=True)
class Attempt:
    """A wrong solution.

    Attributes
    ----------
    task : str
    what : str
        What is wrong with it.
    cause : str, optional
        Name of the planted mistake that the kit should name first, :data:`FLOAT64`,
        :data:`IN_PLACE`, :data:`MASK`, or None where the catalogue knows nothing of the kind.
    function : callable
    named : bool
        False where the kit does not find the cause although the catalogue has it.
    """

    task: str
    what: str
    cause: str | None
    function: object
    named: bool = True


def into(attempts):
    """A decorator that notes wrong solutions in a list."""

    def attempt(task, what, cause=None, named=True):
        def note(function):
            attempts.append(Attempt(task, what, cause, function, named))
            return function

        return note

    return attempt


def first_words(report):
    """The line of a report that names a cause, an observation or what differs first."""
    for mark in ("Likely cause", "Cause:", "Observed:"):
        for line in report.splitlines()[1:]:
            if line.strip().startswith(mark):
                return line.strip()
    lines = report.splitlines()
    return lines[1].strip() if len(lines) > 1 else lines[0]


def row(attempt, result):
    """A line of the table: what was done, its points, what the kit says first."""
    words = first_words(result.report).replace("|", "\\|").replace("*", "\\*")
    known = "yes" if attempt.cause else "no"
    return f"| `{attempt.task}` | {attempt.what} | {known} | {result.points:g} | {words} |"


def verdict(report):
    """What a report comes to: "cause", "observation" (something that is true of all answers, an
    error with its line, a check by its name), "example" or "full points"."""
    words = first_words(report)
    if ": passed," in words:
        return "full points"
    if words.startswith(("Likely cause", "Cause:")):
        return "cause"
    if words.startswith(("Observed", "It raises", "The check")) or "backwards caught" in words:
        return "observation"
    return "example"
