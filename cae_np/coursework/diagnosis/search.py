"""The smallest case that fails, as hypothesis finds it.

Hypothesis is imported when it is needed: where it is missing (in a browser, say) the committed
cases are all there is.
"""

import time
from dataclasses import replace
from random import Random

from ...spec.cases import drawn_cases

VALUES = 4  # draws of the values for each choice of sizes
SECONDS = 3.0  # of the processor, for making one example small


def smallest_failing(fails, known=None, examples=100, clock=time.process_time):
    """The smallest case that fails.

    Parameters
    ----------
    fails : callable, case -> bool
    known : iterable of Case
        Tried first, and taken as they are where hypothesis is missing.
    examples : int
        How many draws of hypothesis are tried; 0 does without it.
    clock : callable, () -> seconds
        Of the processor; the function may be called in another process.

    Returns
    -------
    Case, or None where nothing failed
    """
    failed = [case for case in known or () if fails(case)]
    if not examples:
        return min(failed, key=_size, default=None)
    stop = clock() + SECONDS

    def fails_in_time(case):
        # With several draws of the values, so that what fails is a matter of the sizes alone.
        for seed in range(VALUES):
            drawn = replace(case, seed=seed)
            if clock() > stop:
                return False
            if fails(drawn):
                failed.append(drawn)
                return True
        return False

    try:
        import hypothesis
    except ImportError:
        pass
    else:
        try:
            hypothesis.find(
                drawn_cases(),
                fails_in_time,
                settings=hypothesis.settings(
                    database=None,
                    deadline=None,
                    max_examples=examples,
                    suppress_health_check=list(hypothesis.HealthCheck),
                    phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
                ),
                random=Random(0),
            )
        except Exception:  # nothing found, or time ran out: what was seen to fail is in the list
            pass
    return min(failed, key=_size, default=None)


def _size(case):
    sizes = (case.N, case.C, case.K, case.H, case.W, case.kh, case.kw, case.ph, case.pw)
    return sum(sizes) + 0.1 * (case.width + case.stride + case.top), case.seed
