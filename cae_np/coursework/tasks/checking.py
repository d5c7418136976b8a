"""The task of writing the gradient check itself: which mistakes does it catch, and at what cost?

It is handed working layers, which it must let pass, and the backwards of the catalogue, each with
a mistake, which it must not.
"""

from random import SystemRandom

import numpy as np

from ...spec.answers import NotStarted, ask, difference
from ...spec.cases import CASES
from ...spec.implementation import implementation
from ...spec.operations import OPERATIONS
from ...spec.trials import as_a_layer, generator_of
from ..planted import MISTAKES, Mistake

CASE = CASES[0]
SHOWN = 3
MOST = 3  # mistakes of one backward


def try_gradient_check(check):
    """Count what a gradient check catches, and its false alarms.

    Parameters
    ----------
    check : callable, (forward, backward, *arrays) -> bool

    Returns
    -------
    share : float
        Share of the mistakes that it catches minus share of the right layers that it rejects, and
        0 at least.
    checks : dict of str to bool
    sentences : list of str

    Raises
    ------
    NotStarted
    """
    false_alarms, missed, errors = [], [], []
    right = [(operation, implementation()) for operation in _operations()]
    by_backward = {o.backward_name: o for o in reversed(_operations())}
    wrong = [
        (by_backward[m.operation], implementation(**{m.operation: m.mutant}), m)
        for m in (*_first_of_each(by_backward), *_off_in_one_element())
    ]
    layers = [(*layer, None) for layer in right] + wrong
    passed = [False] * len(layers)
    # In an order that nobody knows: the first 22 would be right ones.
    for i in SystemRandom().sample(range(len(layers)), len(layers)):
        operation, impl, mistake = layers[i]
        passed[i] = _passes(check, operation, impl, [] if mistake else errors)
    for (operation, _, mistake), passes in zip(layers, passed, strict=True):
        if mistake and passes:
            missed.append(mistake)
        if not mistake and not passes:
            false_alarms.append(str(operation))
    share = (1 - len(missed) / len(wrong)) - len(false_alarms) / len(right)
    sentences = [
        f"{len(wrong) - len(missed)} of {len(wrong)} wrong backwards caught, "
        f"{len(false_alarms)} false alarms at {len(right)} right ones."
    ]
    sentences += [f"Not caught: {m.operation}. {m.sentence}" for m in missed[:SHOWN]]
    sentences += [f"False alarm: {name} is right." for name in false_alarms[:SHOWN]]
    sentences += errors[:1]
    if len(missed) > SHOWN or len(false_alarms) > SHOWN:
        sentences.append("(The first of each are shown.)")
    checks = {"mistakes caught": not missed, "false alarms": not false_alarms}
    return max(0.0, share), checks, sentences


def _first_of_each(by_backward):
    """A few mistakes of each backward, so that checking a check does not take minutes."""
    taken = {name: 0 for name in by_backward}
    for mistake in MISTAKES:
        name = mistake.operation
        if taken.get(name, MOST) < MOST and _is_wrong(by_backward[name], mistake):
            taken[name] += 1
            yield mistake


def _is_wrong(operation, mistake):
    """Whether a mistake shows in the values that the check is handed."""
    arguments = operation.draw(CASE, generator_of(CASE))
    y, rest = operation.run_forward(implementation(), arguments)
    dy = np.asarray(generator_of(CASE, index=2).standard_normal(np.shape(y)))
    given = operation.backward_arguments(dy, arguments, y, rest)
    right = ask(getattr(implementation(), operation.backward_name), given)
    wrong = difference(ask(mistake.mutant, given), right)
    # What raises, or returns too few gradients, stops every check.
    return wrong is not None and wrong.kind in ("values", "shape")


def _off_in_one_element():
    """Backwards that are right but for one element, by a thousandth of the largest."""
    sentence = "One element is off by a thousandth of the largest."
    names = ("correlate_valid_backward", "add_bias_backward", "scaled_tanh_backward")
    names += ("max_pool_backward", "squared_error_backward", "sparse_decode_backward")
    return [Mistake(name, _nearly(name), sentence) for name in names]


def _nearly(name):
    def one_element_off(*arguments):
        gradients = getattr(implementation(), name)(*arguments)
        several = isinstance(gradients, tuple)
        first, *others = gradients if several else (gradients,)
        first = np.array(first)
        first.flat[first.size // 2] += 1e-3 * (abs(first).max() or 1)
        return (first, *others) if several else first

    return one_element_off


def _operations():
    """Those whose backward is a function of its own."""
    return [o for o in OPERATIONS if o.arrays and o.backward_name.endswith("_backward")]


def _passes(check, operation, impl, errors):
    """Whether the check lets a layer pass; one that raises on the check's calls does not."""
    arguments = operation.draw(CASE, generator_of(CASE))
    forward, backward, arrays, _ = as_a_layer(operation, impl, arguments)

    def tuple_of_gradients(dy, *arrays):
        return tuple(np.array(g) for g in backward(dy, *arrays))

    try:
        with np.errstate(all="ignore"):
            return bool(check(lambda *a: np.asarray(forward(*a)), tuple_of_gradients, *arrays))
    except NotImplementedError as error:
        raise NotStarted from error
    except Exception as error:
        errors.append(f"At {operation} it raises {type(error).__name__}: {error}")
        return False
