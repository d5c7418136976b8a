"""The tasks of the course: what is to be written, how it is called, and what it is worth.

A task is one pure function.  Its properties are those that hold for this package's own
(:mod:`.properties`); what it is called with in each *situation* is described here, so that a
student's answer, the right one and a planted mistake's can be compared with each other.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...spec.cases import CASES, Case, large
from ...spec.implementation import implementation
from ...spec.operations import OPERATIONS
from ...spec.properties import properties_of
from ...spec.trials import batch_last, every_second, generator_of, reversed_axes, transposed
from .checking import try_gradient_check

# The points of a task come from these cases alone.  Draws of hypothesis differ from version to
# version; it only searches on and makes failing examples small.
SCORED = (
    *CASES,
    Case(N=2, C=2, K=3, H=4, W=4, kh=2, kw=2, ph=2, pw=2, width=2, stride=2, top=1, seed=3),
    Case(N=4, C=1, K=2, H=4, W=3, kh=3, kw=1, ph=3, pw=2, width=3, stride=1, top=2, seed=4),
)
LARGE = Case(N=4, C=2, K=16, H=14, W=14, kh=3, kw=3, ph=2, pw=2, width=3, stride=2, top=4, seed=5)
POINTS = 10
FOR_VALUES = 0.7  # share of the points that right values earn; care earns the rest


@dataclass(frozen=True)
class Task:
    """One function to write.

    Attributes
    ----------
    name : str
        Of the function.
    group : str
        The chapter that it belongs to.
    operations : tuple of Operation
        How to draw its arguments (``corrupt`` has two kinds of draw).
    is_backward : bool
        Whether it is the operations' backward.
    same_as : str
        Another function of this package that does the same ("" if there is none); in a
        closed-book task that is out of bounds too.
    points : int
    trial : callable, (function) -> (share, checks, sentences), optional
        How to try it where it is no operation.
    """

    name: str
    group: str
    operations: tuple = ()
    is_backward: bool = False
    same_as: str = ""
    points: int = POINTS
    trial: Callable | None = None

    @property
    def solution(self):
        """This package's function."""
        return getattr(implementation(), self.name)

    @property
    def properties(self):
        """What must be true of the function, as ``(those about its values, the others)``."""
        subjects = [str(operation) for operation in self.operations]
        own = [p for p in properties_of(self.name) if p.subject in subjects]
        about_values = "backward equals the loops" if self.is_backward else "equals the loops"
        values = [p for p in own if p.name == about_values]
        # What the other direction returns says nothing about this one.
        other = [p for p in own if p not in values and p.name != "backward equals the loops"]
        return values, other

    def arguments(self, case, situation="plain", operation=None):
        """What the function is called with.

        Parameters
        ----------
        case : Case
        situation : {"plain", "ties", "large", "float32", "memory"}
        operation : Operation, optional
            One of the task's; default: the first.

        Returns
        -------
        arguments : tuple; arrays on the host, float64 except in the situation "float32"
        """
        operation = operation or self.operations[0]
        draw = operation.draw_ties if situation == "ties" else operation.draw
        arguments = draw(case, generator_of(case))
        if situation == "large":
            arguments = (large(arguments[0]), *arguments[1:])
        if self.is_backward:
            y, rest = operation.run_forward(implementation(), arguments)
            dy = np.asarray(generator_of(case, index=2).standard_normal(np.shape(y)))
            upstream = () if operation.is_loss else (dy,)
            arguments = (*upstream, *operation.saved(arguments, np.asarray(y), rest))
        return arranged(arguments, situation)

    def has(self, situation):
        """Whether the situation makes sense here."""
        if situation == "ties":
            return all(operation.draw_ties for operation in self.operations)
        return situation != "large" or all(o.exponential for o in self.operations)


def arranged(arguments, situation):
    """Copies of a call's arguments in the dtype or memory order of the situation."""
    return tuple(_arranged(a, situation) if isinstance(a, np.ndarray) else a for a in arguments)


def _arranged(a, situation):
    if situation == "float32" and a.dtype.kind == "f":
        return a.astype(np.float32)
    if situation == "memory" and a.ndim:
        # By the number of axes, so that the arguments of one call lie differently.
        return (batch_last, transposed, reversed_axes, every_second)[a.ndim % 4](np, a)
    return a.copy()


# What fails wherever the values are wrong, and says nothing new then.
NEED_VALUES = (
    "difference quotients",
    "adjoint",
    "first of equals",
    "memory order",
    "large values",
    "a copy",
)

# Which situation shows what a property complains about.
SITUATION = {
    "equals the loops": "plain",
    "backward equals the loops": "plain",
    "difference quotients": "plain",
    "adjoint": "plain",
    "first of equals": "ties",
    "large values": "large",
    "float32 kept": "float32",
    "memory order": "memory",
    "arguments untouched": "plain",
    "a copy": "plain",
}


def _tasks():
    operations = {}
    for operation in OPERATIONS:
        operations.setdefault(operation.name, []).append(operation)

    def task(group, name, same_as=""):
        is_backward = name.removesuffix("_backward") in operations and name not in operations
        forward = name.removesuffix("_backward") if is_backward else name
        return Task(name, group, tuple(operations[forward]), is_backward, same_as)

    groups = {
        "patches": ("im2col", "col2im"),
        "convolution": (
            "correlate_valid",
            "kernel_gradient",
            "convolve_full",
            "correlate_valid_backward",
            "pad_same",
        ),
        "units": ("add_bias_backward", "scaled_tanh", "scaled_tanh_backward"),
        "pooling": ("max_pool", "max_pool_backward", "unpool"),
        "auto-encoder": ("corrupt", "tied_cae_gradient", "sgd_step"),
        "winner-take-all": ("winner_take_all", "winner_take_all_backward", "sparse_decode"),
        "classification": ("softmax_cross_entropy", "softmax_cross_entropy_backward"),
        "whitening": ("zca_whiten",),
    }
    same = {
        "max_pool_backward": "unpool",
        "unpool": "max_pool_backward",
        "winner_take_all_backward": "place",
        "tied_cae_gradient": "ConvAutoEncoder",
        "zca_whiten": "ZCA",
        "sgd_step": "SGD",
    }
    return (
        *(task(group, name, same.get(name, "")) for group in groups for name in groups[group]),
        Task("gradient_check", "checking", same_as="check_gradients", trial=try_gradient_check),
    )


TASKS = _tasks()


def find_task(name):
    """The task of this name.

    Raises
    ------
    ValueError
        If there is none; the message names one like it, or lists those that there are.
    """
    for task in TASKS:
        if task.name == name:
            return task
    names = [task.name for task in TASKS]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the tasks are {', '.join(names)}"
    raise ValueError(f"there is no task {name!r}; {hint}")
