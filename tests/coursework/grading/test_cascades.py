"""One wrong function fails those that call it, and each says whose mistake it is."""

import pytest

from cae_np.coursework.grading.cascades import others_called
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.grading.submission import Submission
from cae_np.coursework.tasks.catalogue import find_task

SOURCE = """
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    def im2col(x, kh, kw):
        col = sliding_window_view(x, (kh, kw), axis=(2, 3)).transpose(1, 4, 5, 0, 2, 3)
        return {im2col}

    def product(x, kernels, kh, kw):
        return np.tensordot(kernels, im2col(x, kh, kw), ([1, 2, 3], [0, 1, 2])).swapaxes(0, 1)

    def correlate_valid(x, w):
        return {correlate_valid}

    def convolve_full(h, w):
        kh, kw = w.shape[2:]
        h = np.pad(h, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        return correlate_valid(h, w[:, :, ::-1, ::-1].swapaxes(0, 1))

    def scaled_tanh(x):
        return np.tanh(x)
"""
PIECES = {"im2col": "col.copy()", "correlate_valid": "product(x, w, *w.shape[2:])"}
NAMES = ("im2col", "correlate_valid", "convolve_full", "scaled_tanh")
TASKS = tuple(find_task(name) for name in NAMES)


def reports(submit, isolate, **wrong):
    graded = grade(submit(SOURCE.format(**PIECES | wrong)), TASKS, isolate=isolate, examples=0)
    return {result.task: result for result in graded}


@pytest.mark.parametrize("isolate", [True, False])
def test_a_wrong_helper_is_named(submit, isolate):
    """It alone has a cause; those that call it, through whatever, are told to wait."""
    graded = reports(submit, isolate, im2col="col[:, ::-1].copy()")
    assert "because of" not in graded["im2col"].report
    assert "It fails because of your im2col: mend it first." in graded["correlate_valid"].report
    assert "because of your im2col: mend it first" in graded["convolve_full"].report
    assert "Likely cause" not in graded["convolve_full"].report
    assert graded["correlate_valid"].points == 0  # for what was handed in


def test_one_that_is_wrong_by_itself_is_told_so(submit):
    graded = reports(submit, None, correlate_valid="2 * product(x, w, *w.shape[2:])")
    assert graded["im2col"].passed
    assert "wrong by itself: with the package's im2col" in graded["correlate_valid"].report
    assert "2 times what is expected" in graded["correlate_valid"].report
    assert "because of your correlate_valid" in graded["convolve_full"].report


def test_nothing_is_said_of_functions_that_call_none(submit):
    graded = reports(submit, None)
    assert all(graded[name].passed for name in NAMES[:3])
    assert "by itself" not in graded["scaled_tanh"].report


def test_what_is_called_is_read_from_the_text(submit):
    submission = Submission(submit(SOURCE.format(**PIECES))).read()
    called = [task.name for task in others_called(submission, "convolve_full")]
    assert called == ["im2col", "correlate_valid"]
    assert others_called(submission, "scaled_tanh") == []
