"""Whole pieces of work: the contenders compute the same, and each is measured."""

import pytest

from cae_np.errors import CaeError
from cae_np.experiments.bench import contest, work_cases

SAME = {"features": 1e-5, "epoch, cae-fig1": 0.05, "k-means": 0.05, "softmax": 0.05}


@pytest.mark.parametrize("case", SAME)
def test_contenders_reach_the_same(case):
    make, _, _, rivals = work_cases.CASES[case]
    contenders = make(200)
    assert list(contenders) == [work_cases.OURS, *rivals]
    for name, prepare in contenders.items():
        if name != work_cases.OURS:
            pytest.importorskip(work_cases.NEEDS[name.split(",")[0]])
        work, judge = prepare()
        result = judge(work())
        if name == work_cases.OURS:
            ours = result
        assert result == pytest.approx(ours, rel=SAME[case]), name


def test_a_contest_is_held_in_a_process_of_its_own():
    found = contest.held("features", 100, 2, 1, "numpy", work_cases.OURS)
    assert len(found["seconds"][work_cases.OURS]) == 2
    assert found["peak_bytes"] > 20e6 and found["result"][work_cases.OURS] > 0


def test_a_contest_that_fails_says_why():
    with pytest.raises(CaeError, match="nobody"):
        contest.held("features", 100, 1, 1, "numpy", "nobody")
