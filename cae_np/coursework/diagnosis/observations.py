"""What can be seen in wrong answers without knowing why: things that are true of all of them."""

import itertools

import numpy as np

from ...spec.answers import close


def observations(trials):
    """What is true of every wrong answer: (which result, what about it)."""
    wrong = [trial for trial in trials if trial.difference]
    if any(trial.difference.kind not in ("values", "shape") for trial in wrong):
        return []
    found = []
    results = sorted({i for trial in wrong for i in wrong_results(trial)})
    for i in results:
        pairs = [
            (trial.found.results[i], trial.expected.results[i], trial.case)
            for trial in wrong
            if i in wrong_results(trial)
        ]
        for look in (_factor, _moved_axes, _moved, _not_a_number, _one_value, _border, _batch):
            sentence = look(pairs)
            if sentence:
                found.append((i, sentence))
                break
    return found


def order_of_results(trials):
    """An order in which the results would all be right."""
    count = len(trials[0].expected.results)
    for order in list(itertools.permutations(range(count)))[1:]:
        if all(
            len(t.found.results) == count
            and all(_agree(t.found.results[j], t.expected.results[i]) for i, j in enumerate(order))
            for t in trials
        ):
            return order
    return ()


def wrong_results(trial):
    """Which results are wrong in shape or values, as far as there are any."""
    a, b = trial.found.results, trial.expected.results
    return [
        i
        for i, (p, q) in enumerate(zip(a, b, strict=False))
        if p.shape != q.shape or not close(p, q).all()
    ]


def _factor(pairs):
    """One number by which everything is too large, named after a size if it is one."""
    factors = []
    for a, b, _ in pairs:
        if a.shape != b.shape or b.dtype.kind != "f" or not np.any(b):
            return None
        if not np.isfinite(a).all():
            return None
        factor = float((a * b).sum() / (b * b).sum())
        if not np.allclose(a, factor * b, rtol=1e-6, atol=1e-9) or abs(factor) < 1e-9:
            return None
        factors.append(factor)
    if np.allclose(factors, 1, rtol=1e-3):
        return None
    if np.allclose(factors, factors[0], rtol=1e-6):
        if np.isclose(factors[0], -1):
            return "has the wrong sign everywhere"
        return f"is {_number(factors[0])} times what is expected, everywhere"
    sizes = {
        "N (the number of images)": lambda c: c.N,
        "C (the number of channels)": lambda c: c.C,
        "K (the number of maps)": lambda c: c.K,
        "H·W (the number of pixels)": lambda c: c.H * c.W,
        "C·H·W (the number of values of an image)": lambda c: c.C * c.H * c.W,
        "kh·kw (the number of weights of a kernel)": lambda c: c.kh * c.kw,
        "OH·OW (the number of places of the kernel)": lambda c: c.code[2] * c.code[3],
        "N·H·W (images times places)": lambda c: c.N * c.H * c.W,
        "N·OH·OW (images times places)": lambda c: c.N * c.code[2] * c.code[3],
        "N·C·H·W (the number of all pixels)": lambda c: c.N * c.C * c.H * c.W,
    }
    for name, size in sizes.items():
        here = np.array([size(case) for *_, case in pairs], float)
        if np.allclose(factors, here, rtol=1e-6):
            return f"is too large by the factor {name}: a division is missing"
        if np.allclose(factors, 1 / here, rtol=1e-6):
            return f"is too small by the factor {name}, as a mean in place of a sum is"
    if all(b.size == 1 for _, b, _ in pairs):
        return None  # any number is a multiple of any other
    here = _number(factors[-1])
    return f"is a multiple of what is expected: {here} times in the call below, else other factors"


def _number(value):
    for denominator in (1, 2, 3, 4):
        if np.isclose(value * denominator, round(value * denominator), rtol=1e-9):
            whole = round(value * denominator)
            return str(whole) if denominator == 1 else f"{whole}/{denominator}"
    return f"{value:.6g}"


def _moved_axes(pairs):
    """An order of the axes, or a flip, that makes all of them right."""
    axes = pairs[0][1].ndim
    if axes < 2 or any(a.ndim != axes or b.ndim != axes for a, b, _ in pairs):
        return None
    for order in _orders(axes):
        if all(_agree(a.transpose(order), b) for a, b, _ in pairs):
            names = ", ".join(str(i) for i in order)
            return f"is right once its axes are exchanged: .transpose({names}) of it is expected"
    for count in range(1, min(axes, 4) + 1):
        for flipped in itertools.combinations(range(axes), count):
            if all(_agree(np.flip(a, flipped), b) for a, b, _ in pairs):
                which = " and ".join(str(i) for i in flipped)
                return f"is right once it is reversed along axis {which}"
    return None


def _orders(axes):
    """Orders of the axes other than their own: all, or of many axes exchanges of two."""
    orders = itertools.permutations(range(axes))
    if axes > 4:
        orders = (
            [j if k == i else i if k == j else k for k in range(axes)]
            for i, j in itertools.combinations(range(axes), 2)
        )
    return [order for order in orders if list(order) != list(range(axes))]


def _moved(pairs):
    """All of the right numbers, in other places."""
    for a, b, _ in pairs:
        if a.size != b.size or not _agree(np.sort(a, axis=None), np.sort(b, axis=None)):
            return None
        if len(np.unique(b)) < max(2, b.size // 2):
            return None
    return "holds all the right numbers, in the wrong places"


def _not_a_number(pairs):
    if all(not np.isfinite(a).all() for a, *_ in pairs):
        return "holds NaN or infinity"
    return None


def _one_value(pairs):
    several = any(a.size > 1 for a, *_ in pairs)
    if several and all(a.size and (a == a.flat[0]).all() for a, *_ in pairs):
        return "holds the same number everywhere"
    return None


def _border(pairs):
    """Whether all that is wrong lies at the border of the last two axes."""
    for a, b, _ in pairs:
        if a.shape != b.shape or a.ndim < 4 or min(a.shape[-2:]) < 3:
            return None
        if not close(a, b)[..., 1:-1, 1:-1].all():
            return None
    return "is wrong at the border only"


def _batch(pairs):
    """Whether the first image is right and the others are not."""
    several = [(a, b) for a, b, case in pairs if a.shape == b.shape and a.ndim and len(a) > 1]
    if len(several) == len(pairs) and all(
        close(a[0], b[0]).all() and not close(a[1:], b[1:]).all() for a, b in several
    ):
        return "is right at index 0 of the first axis only"
    return None


def _agree(a, b):
    return a.shape == b.shape and close(a, b).all()
