"""``--submission FILE`` against everything that holds for this package; without it, this package.

``python -m pytest tests/coursework --submission FILE.py [--task NAME] [--closed-book]``
"""

import pytest

from cae_np.coursework.grading.grade import grade


def test_task(task, submission, note, pytestconfig):
    closed_book = pytestconfig.getoption("--closed-book")
    (result,) = grade(submission, [task], closed_book=closed_book, ready=note)
    if not result.passed:
        pytest.fail(result.report, pytrace=False)
