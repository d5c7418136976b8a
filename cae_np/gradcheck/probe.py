"""One argument of a gradient check: where to step, how far, and how to tell a kink from a curve."""

from dataclasses import dataclass

import numpy as np

from .report import ArgumentReport, Kink, place

HALVINGS = 6  # a kink nearer than step/2**6 cannot be stepped out of
USUAL = 1e-3, 1e3  # largest |x| for which the step is taken as it is; others scale it
BLIND = 1e-2  # rounding of more than this share of the gradient hides what is to be compared


@dataclass(frozen=True)
class Settings:
    """How closely to look; the meanings are those of :func:`cae_np.gradcheck.check_gradients`."""

    rng: np.random.Generator
    step: float
    tolerance: float
    elements: int
    directions: int


def probe_argument(name, output_of, x, gradient, y, dy, settings):
    """Compare a gradient of ``Σ dy·output_of(x)`` with difference quotients.

    Parameters
    ----------
    name : str
    output_of : callable, numpy array of x's shape -> numpy array of y's shape
    x : numpy array
    gradient : numpy array
        The claim.
    y : numpy array, output_of(x)
    dy : numpy array, y's shape
    settings : Settings

    Returns
    -------
    ArgumentReport
    """
    tolerance, size = settings.tolerance, np.abs(x).max(initial=0)
    step = settings.step * (1 if size == 0 or USUAL[0] <= size <= USUAL[1] else size)
    empty = np.full(x.shape, np.nan)
    if gradient.shape != x.shape:
        problem = f"its gradient has the shape {gradient.shape} and it has {x.shape}"
        return ArgumentReport(name, gradient, empty, empty.copy(), problem=problem)
    if not np.isfinite(gradient).all():
        problem = "its gradient has values that are not finite"
        return ArgumentReport(name, gradient, empty, empty.copy(), problem=problem)

    probes = [np.unravel_index(i, x.shape) for i in range(x.size)]
    if x.size > settings.elements:
        sample = np.sort(settings.rng.choice(x.size, settings.elements, replace=False))
        probes = [probes[i] for i in sample]
        probes += [settings.rng.standard_normal(x.shape) for _ in range(settings.directions)]

    def quotients(probe, h):
        """Slopes of Σ dy·y on the left and on the right of x."""
        left = (dy * (y - output_of(moved(x, probe, -h)))).sum() / h
        right = (dy * (output_of(moved(x, probe, h)) - y)).sum() / h
        return left, right

    slopes = [quotients(probe, step) for probe in probes]
    # What rounding lets one see, where y sums some hundred terms; and what counts as small beside
    # the other elements.
    noise = 64 * np.finfo(float).eps * np.abs(dy * y).sum() / step
    largest = max((abs(left + right) / 2 for left, right in slopes), default=0)
    floor = max(noise / tolerance, largest / 1000, np.finfo(float).tiny)
    seen = max(largest, np.abs(gradient).max(initial=0))
    if not gradient.any() and noise > BLIND * seen:
        # It may be right that nothing depends on x here: what does y do further away?
        far = settings.rng.standard_normal(x.shape) * (size or 1)
        with np.errstate(all="ignore"):
            change = np.abs(dy * (output_of(x + far) - y)).sum() / (size or 1)
        if change == 0:
            noise = 0
        elif change <= noise * step / (size or 1):  # rounding, as of a soft-max's sum
            seen = max(seen, 1 / (size or 1))  # the slope of values around 1
        elif np.isfinite(change):
            seen = max(seen, change)
    hidden_by = noise if noise > BLIND * seen else 0

    numerical, errors, along, kinks = empty, empty.copy(), [], []
    for probe, (left, right) in zip(probes, slopes, strict=True):
        is_element = isinstance(probe, tuple)
        claim = gradient[probe] if is_element else (gradient * probe).sum()
        found = (left + right) / 2
        error = _error(claim, found, floor)
        scale = max(abs(left), abs(right)) + floor
        if not (error <= tolerance and abs(right - left) <= 1e-3 * scale):
            left, right, found = _settled(quotients, probe, step, tolerance * scale)
            if found is None:
                where = place(name, probe) if is_element else f"{name}, a random direction"
                kinks.append(Kink(where, float(left), float(right)))
                continue
            error = _error(claim, found, floor)
        if is_element:
            numerical[probe], errors[probe] = found, error
        else:
            along.append((float(claim), float(found), float(error)))
    return ArgumentReport(
        name, gradient, numerical, errors, along, kinks, tolerance, hidden_by=float(hidden_by)
    )


def _settled(quotients, probe, step, small):
    """Left and right slope at a step at which they tell a kink from a curve, and the derivative,
    or None at a kink.

    On a smooth curve the gap between the slopes is step × curvature and halves with the step; one
    halving may look like that next to a kink, two in a row cannot.
    """
    gaps = []
    for halvings in range(HALVINGS + 1):
        h = step / 2**halvings
        left, right = quotients(probe, h)
        gaps.append(abs(right - left))
        halves = halvings >= 2 and all(0.4 < gaps[-i] / gaps[-i - 1] < 0.6 for i in (1, 2))
        if gaps[-1] <= small or halves:
            # The error of a central quotient is a constant times h²; two of them get rid of it.
            return left, right, (4 * sum(quotients(probe, h / 2)) - (left + right)) / 6
    return left, right, None


def _error(claim, found, floor):
    return abs(claim - found) / (max(abs(claim), abs(found)) + floor)


def moved(x, probe, step):
    """x with one element (an index) or all of it (a direction) moved by a step."""
    if not isinstance(probe, tuple):
        return x + step * probe
    x = x.copy()
    x[probe] += step
    return x
