"""What a gradient check found: numbers, arrays and sentences, and no pictures."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Kink:
    """A place where the function bends, so that it has no gradient to compare with.

    Attributes
    ----------
    where : str
        The element, as in ``"x[0, 2]"``, or the random direction.
    left, right : float
        The slopes on both sides.
    """

    where: str
    left: float
    right: float

    def __str__(self):
        return (
            f"kink crossed at {self.where}: the slope is {self.left:.6g} on the left and "
            f"{self.right:.6g} on the right"
        )


@dataclass(frozen=True, repr=False)
class ArgumentReport:
    """What was found for one argument.

    Attributes
    ----------
    name : str
    analytic : numpy array, shape of the argument
        What the backward said.
    numerical : numpy array, same shape
        The difference quotients; NaN where none was taken or a kink was crossed.
    errors : numpy array, same shape
        ``|analytic - numerical| / (max(|analytic|, |numerical|) + floor)``, where the floor is a
        thousandth of the largest gradient of the argument, or what rounding lets one see if that
        is more; NaN where nothing was compared.
    along : list of (analytic, numerical, error)
        The same for random directions through the whole argument, where it has many elements.
    kinks : list of Kink
    tolerance : float
        Largest error that passes.
    problem : str
        What kept the gradient from being compared at all ("" if nothing did).
    hidden_by : float
        What rounding of y may add to a difference quotient, where that is so much that a wrong
        gradient could not be told from a right one; else 0.
    """

    name: str
    analytic: np.ndarray
    numerical: np.ndarray
    errors: np.ndarray
    along: list = field(default_factory=list)
    kinks: list = field(default_factory=list)
    tolerance: float = 1e-6
    problem: str = ""
    hidden_by: float = 0.0

    @property
    def compared(self):
        """Number of elements that were compared."""
        return int(np.isfinite(self.numerical).sum())

    @property
    def worst(self):
        """Index of the element with the largest error; None where no element was compared."""
        if not self.compared:
            return None
        position = np.argmax(np.where(np.isnan(self.errors), -1, self.errors))
        return tuple(int(i) for i in np.unravel_index(position, self.errors.shape))

    @property
    def max_error(self):
        """The largest error over elements and directions."""
        elements = [] if self.worst is None else [self.errors[self.worst]]
        return float(max([*elements, *(error for *_, error in self.along)], default=0.0))

    def _worst_place(self):
        """Where, analytic, numerical, error: of the worst element if it fails, since an element
        tells more than a direction; else of what is worst."""
        along = max(self.along, key=lambda found: found[2], default=(0, 0, -1))
        if self.worst is not None:
            error = self.errors[self.worst]
            if error > self.tolerance or along[2] <= self.tolerance:
                where = place(self.name, self.worst)
                return where, self.analytic[self.worst], self.numerical[self.worst], error
        return "a random direction", *along

    @property
    def verdict(self):
        """``"passed"``, ``"FAILED"``, or ``"undecided"`` where a kink was crossed or where
        rounding hides the gradient."""
        if self.problem or self.max_error > self.tolerance:
            return "FAILED"
        return "undecided" if self.kinks or self.hidden_by else "passed"

    @property
    def passed(self):
        """Whether it was compared and right; what is undecided is no pass."""
        return self.verdict == "passed"

    def __str__(self):
        if self.problem:
            return f"{self.name}: {self.verdict}, {self.problem}"
        line = f"{self.name}: {self.verdict}, {self.compared} of {self.errors.size} elements"
        if self.along:
            line += f" and {len(self.along)} random directions"
        if self.worst is not None or self.along:
            where, analytic, numerical, error = self._worst_place()
            line += (
                f", largest relative error {error:.1e} at {where}: "
                f"numerical {numerical:.9g}, analytic {analytic:.9g}"
            )
        shown = [f"\n    {kink}" for kink in self.kinks[:3]]
        if len(self.kinks) > 3:
            shown.append(f"\n    and {len(self.kinks) - 3} more kinks")
        if self.hidden_by:
            shown.append(
                f"\n    y is so large that its rounding alone changes a difference quotient by "
                f"{self.hidden_by:.1e}: subtract a constant from y, scale y's parts to one size, "
                "or take a larger step"
            )
        return line + "".join(shown)

    __repr__ = __str__  # what a notebook shows


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What was found for every argument; prints as one line each.

    Attributes
    ----------
    arguments : list of ArgumentReport
    """

    arguments: list

    @property
    def passed(self):
        """True where every argument passed; a kink is no pass."""
        return all(argument.passed for argument in self.arguments)

    @property
    def failed(self):
        """The lines of the arguments that did not pass."""
        return "\n".join(str(argument) for argument in self.arguments if not argument.passed)

    @property
    def kinks(self):
        """Those of all arguments."""
        return [kink for argument in self.arguments for kink in argument.kinks]

    @property
    def max_error(self):
        """The largest error of all arguments."""
        return max((argument.max_error for argument in self.arguments), default=0.0)

    def picture(self):
        """Where the errors sit, as a matplotlib figure; see :func:`.picture.error_map`."""
        from .picture import error_map

        return error_map(self)

    def __getitem__(self, name):
        """The report of the argument called ``name``."""
        for argument in self.arguments:
            if argument.name == name:
                return argument
        raise KeyError(f"{name}; the arguments are {', '.join(a.name for a in self.arguments)}")

    def __str__(self):
        return "\n".join(str(argument) for argument in self.arguments)

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class AdjointReport:
    """The two inner products that an adjoint makes equal.

    Attributes
    ----------
    left, right : float
        ``<forward(x), y>`` and ``<x, adjoint(y)>``.
    error : float
        Their difference in units of ``‖forward(x)‖·‖y‖``.
    tolerance : float
    """

    left: float
    right: float
    error: float
    tolerance: float

    @property
    def passed(self):
        """Whether the two agree within the tolerance."""
        return self.error <= self.tolerance

    def __str__(self):
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"adjoint: {verdict}, <forward(x), y> = {self.left:.9g}, "
            f"<x, adjoint(y)> = {self.right:.9g}, relative error {self.error:.1e}"
        )

    __repr__ = __str__


def place(name, index):
    """``x[0, 2]``: an element of a named array."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name
