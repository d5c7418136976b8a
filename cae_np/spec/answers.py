"""What a function answers when it is called, and how two answers differ."""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-9
TOLERANCE_FLOAT32 = 1e-4


class NotStarted(Exception):
    """The function is missing, empty, or raises NotImplementedError."""


class Wrong(Exception):
    """What came back cannot be compared with anything; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What a function did with some arguments.

    Attributes
    ----------
    results : tuple of numpy arrays
        Copies; empty if it raised.
    error : Exception, optional
        What it raised.
    """

    results: tuple = ()
    error: BaseException | None = None


@dataclass(frozen=True)
class Difference:
    """How an answer differs from the right one: the first thing that is wrong.

    Attributes
    ----------
    kind : {"raised", "count", "shape", "dtype", "values"}
    result : int
        Which of the results.
    first : tuple of int, optional
        The first wrong element, in row-major order.
    wrong : int
        Number of wrong elements.
    """

    kind: str
    result: int = 0
    first: tuple | None = None
    wrong: int = 0


def ask(function, arguments):
    """Call a function, with arguments that are its own.

    Raises
    ------
    NotStarted
    """
    try:
        with np.errstate(all="ignore"):
            return Answer(plain_results(function(*arguments)))
    except NotStarted:
        raise
    except NotImplementedError as error:
        raise NotStarted from error
    except Exception as error:
        return Answer(error=error)


def plain_results(returned):
    """Whatever a function returned, as a tuple of plain arrays that nobody else holds.

    Raises
    ------
    Wrong
        If something in it is no array of numbers.
    """
    results = returned if isinstance(returned, tuple) else (returned,)
    return tuple(_plain(result, i, len(results)) for i, result in enumerate(results))


def _plain(result, i, count):
    what = "it returned" if count == 1 else f"result {i + 1} is"
    if result is None:
        raise Wrong(f"{what} None; is a `return` missing?")
    if type(result).__module__.split(".")[0] == "torch":
        raise Wrong(f"{what} a torch tensor; return NumPy arrays")
    try:
        array = np.array(result, subok=False)
    except Exception as error:
        raise Wrong(f"{what} no array but {type(result).__name__}: {error}") from error
    if array.dtype.kind == "c":
        raise Wrong(f"{what} complex; expected real numbers")
    if array.dtype.kind not in "biuf":
        raise Wrong(f"{what} no array of numbers but {type(result).__name__}")
    return array


def difference(found, expected, compare_dtypes=False):
    """The first thing in which an answer differs from the right one.

    Parameters
    ----------
    found, expected : Answer
    compare_dtypes : bool
        Whether float64 instead of float32 is a difference.

    Returns
    -------
    Difference, or None where there is none
    """
    if found.error is not None:
        return Difference("raised")
    if len(found.results) != len(expected.results):
        return Difference("count")
    for i, (a, b) in enumerate(zip(found.results, expected.results, strict=True)):
        if a.shape != b.shape:
            return Difference("shape", i)
        wrong = ~close(a, b)
        if wrong.any():
            place = np.unravel_index(np.argmax(wrong), wrong.shape)
            return Difference("values", i, tuple(int(j) for j in place), int(wrong.sum()))
        if compare_dtypes and b.dtype.kind == "f" and a.dtype != b.dtype:
            return Difference("dtype", i)
        if (a.dtype.kind == "f" and b.dtype.kind != "f") or (
            a.dtype != b.dtype and b.dtype == bool
        ):
            return Difference("dtype", i)  # indices and masks are no fractions, masks no integers
    return None


def same(a, b, compare_dtypes=False):
    """Whether two answers agree, what they raise and NaN included."""
    if a.error is not None or b.error is not None:
        # The words have to be the same too: errors of one type have many causes.
        return type(a.error) is type(b.error) and str(a.error) == str(b.error)
    return not difference(a, b, compare_dtypes) and not difference(b, a, compare_dtypes)


def close(a, b):
    """Where two arrays of one shape agree; NaN agrees with NaN."""
    single = np.float32 in (a.dtype, b.dtype)
    tolerance = TOLERANCE_FLOAT32 if single else TOLERANCE
    with np.errstate(all="ignore"):
        return np.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
