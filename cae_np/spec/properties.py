"""What must be true of an implementation: every property once, for the suite and for coursework.

An *implementation* is anything with the operations' functions as attributes: ``cae_np.ops``, the
loops in ``cae_np.ops.reference``, a student's module, or one of these with a mistake planted in it.
A property's ``check(impl, xp, case)`` raises AssertionError with a sentence, or whatever the
implementation raised, where the property does not hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..backend import to_numpy
from ..gradcheck import check_adjoint, check_gradients, check_model
from ..ops import reference
from .cases import large, normal
from .operations import OPERATIONS
from .trials import (
    as_a_layer,
    assert_close,
    assert_untouched,
    batch_last,
    compare_backward_with_loops,
    compare_forward_with_loops,
    contiguous,
    every_second,
    generator_of,
    host_copies,
    in_float32,
    on_device,
    reversed_axes,
    run_both_ways,
    transposed,
)


@dataclass(frozen=True)
class Property:
    """One statement about one operation.

    Attributes
    ----------
    subject : str
        The operation, as reports call it.
    name : str
        What is checked.
    functions : tuple of str
        The functions of an implementation that the check calls.
    check : callable, (impl, xp, case) -> None
    """

    subject: str
    name: str
    functions: tuple
    check: Callable

    def __str__(self):
        return f"{self.subject}: {self.name}"


def properties_of(function):
    """The properties that say something about this function."""
    return [p for p in PROPERTIES if function in p.functions]


# --- for every operation ------------------------------------------------------------------------


def agrees_with_loops(operation, impl, xp, case):
    """The forward gives what the nested loops give, in arrays of the module that computes."""
    compare_forward_with_loops(operation, impl, xp, operation.draw(case, generator_of(case)))


def backward_agrees_with_loops(operation, impl, xp, case):
    """The backward gives what the nested loops give."""
    compare_backward_with_loops(operation, impl, xp, case, operation.draw(case, generator_of(case)))


def has_its_gradient(operation, impl, xp, case):
    """The backward agrees with difference quotients of the forward."""
    arguments = on_device(xp, operation.draw(case, generator_of(case)))
    forward, backward, arrays, names = as_a_layer(operation, impl, arguments)
    report = check_gradients(
        forward,
        backward,
        *arrays,
        names=names,
        seed=case.seed,
        tolerance=1e-7,
        elements=24,
        directions=2,
    )
    assert report.passed, report.failed


def is_its_adjoint(operation, impl, xp, case):
    """``<forward(x), y> == <x, backward(y)>`` for a linear operation."""
    rng = generator_of(case)
    x, *others = on_device(xp, operation.draw(case, rng))
    y, rest = operation.run_forward(impl, (x, *others))

    def adjoint(dy):
        return operation.run_backward(impl, dy, (x, *others), y, rest)[0]

    report = check_adjoint(
        lambda x: operation.run_forward(impl, (x, *others))[0],
        adjoint,
        x,
        xp.asarray(normal(rng, y.shape)),
    )
    assert report.passed, str(report)


def keeps_float32(operation, impl, xp, case):
    """float32 comes out where float32 went in, and about the same values as in float64."""
    expected = run_both_ways(operation, impl, xp, case, contiguous)
    if operation.draw_ties:
        _assert_kinds(operation, expected, case)
    for name, found in run_both_ways(operation, impl, xp, case, in_float32).items():
        if expected[name].dtype.kind == "f":
            assert found.dtype == np.float32, f"{name} is {found.dtype} for float32 arguments"
        assert_close(name, found, expected[name], tolerance=1e-4)


def _assert_kinds(operation, found, case):
    """Masks are boolean and positions are integers, as those of the loops."""
    arguments = operation.draw(case, generator_of(case))
    y, rest = operation.run_forward(reference, arguments)
    for i, right in enumerate((y, *rest)):
        name = f"result {i + 1} of {operation.name}"
        kind = {"b": "boolean", "i": "integers"}.get(right.dtype.kind)
        same_kind = found[name].dtype.kind.replace("u", "i") == right.dtype.kind
        assert not kind or same_kind, f"{name} is {found[name].dtype}, expected {kind}"


def takes_any_memory_order(operation, impl, xp, case):
    """Results do not depend on how the arguments lie in memory."""
    expected = run_both_ways(operation, impl, xp, case, contiguous)
    for arrange in (batch_last, transposed, reversed_axes, every_second):
        for name, found in run_both_ways(operation, impl, xp, case, arrange).items():
            order = arrange.__name__.replace("_", " ")
            assert_close(f"with arguments that lie {order}, {name}", found, expected[name])


def leaves_its_arguments_alone(operation, impl, xp, case):
    """Neither direction writes into what it was given."""
    for arrange in (contiguous, batch_last):
        rng = generator_of(case)
        arguments = on_device(xp, operation.draw(case, rng), arrange)
        before = host_copies(arguments)
        y, rest = operation.run_forward(impl, arguments)
        assert_untouched(operation.name, arguments, before)
        if operation.arrays:
            dy = arrange(xp, normal(rng, y.shape)) if y.shape else None
            given = operation.backward_arguments(dy, arguments, y, rest)
            before = host_copies(given)
            getattr(impl, operation.backward_name)(*given)
            assert_untouched(operation.backward_name, given, before)


def returns_a_copy(operation, impl, xp, case):
    """y shares no memory with the first argument."""
    function = getattr(impl, operation.name)
    arguments = on_device(xp, operation.draw(case, generator_of(case)))
    y = function(*arguments)
    # A function that is called elsewhere says by itself what its copy was before it travelled.
    is_view = getattr(function, "returned_view", False) or (
        xp is np and np.may_share_memory(y, arguments[0])
    )
    assert not is_view, (
        f"{operation.name} returned a view of its argument, which changes with it; "
        "expected a copy, as .copy() makes one"
    )


def takes_the_first_of_equals(operation, impl, xp, case):
    """Of equal values the first in row-major order is taken, and it alone gets the gradient."""
    arguments = operation.draw_ties(case, generator_of(case))
    compare_forward_with_loops(operation, impl, xp, arguments)
    if operation.arrays:
        compare_backward_with_loops(operation, impl, xp, case, arguments)


def is_right_for_large_values(operation, impl, xp, case):
    """Values of up to four thousand give what they should: nothing overflows or is cut off."""
    x, *others = operation.draw(case, generator_of(case))
    arguments = (large(x), *others)
    compare_forward_with_loops(operation, impl, xp, arguments)
    compare_backward_with_loops(operation, impl, xp, case, arguments)


def _properties_of_operations():
    for operation in OPERATIONS:
        checks = {
            "equals the loops": agrees_with_loops,
            "arguments untouched": leaves_its_arguments_alone,
            "backward equals the loops": backward_agrees_with_loops,
            "difference quotients": has_its_gradient,
            "adjoint": is_its_adjoint,
            "first of equals": takes_the_first_of_equals,
            "float32 kept": keeps_float32,
            "memory order": takes_any_memory_order,
            "large values": is_right_for_large_values,
            "a copy": returns_a_copy,
        }
        if not operation.arrays:
            del checks["backward equals the loops"], checks["difference quotients"]
        if not operation.linear:
            del checks["adjoint"]
        if not operation.draw_ties:
            del checks["first of equals"]
        if not operation.exponential:
            del checks["large values"]
        if not operation.copies:
            del checks["a copy"]
        for name, check in checks.items():
            functions = operation.functions
            if name in ("equals the loops", "a copy"):
                functions = functions[:1]

            def bound(impl, xp, case, check=check, operation=operation):
                check(operation, impl, xp, case)

            yield Property(str(operation), name, functions, bound)


# --- for some -----------------------------------------------------------------------------------


def switches_off_its_share(impl, xp, case):
    """A binomial mask is False for about a share p of the pixels, for each on its own."""
    shape = (20, 2, 50, 50)
    for p in (0.0, 0.3, 1.0):
        draw = to_numpy(impl.binomial_mask(generator_of(case), shape, p))
        assert draw.shape == shape and draw.dtype == bool, f"{draw.dtype} {draw.shape}"
        off = 1 - draw.mean()
        assert abs(off - p) < 0.02, f"p = {p} switched {off:.0%} of the pixels off"
        if 0 < p < 1:
            spread = draw.mean(axis=(0, 1)).std()  # of a pixel's share over 40 draws
            assert 0.05 < spread < 0.1, "the pixels are not drawn one by one"


def has_its_standard_deviation(impl, xp, case):
    """Gaussian noise has mean 0 and standard deviation sigma, in float32."""
    for sigma in (0.0, 0.5, 3.0):
        draw = to_numpy(impl.gaussian_noise(generator_of(case), (20, 2, 50, 50), sigma))
        assert draw.dtype == np.float32, f"the noise is {draw.dtype}"
        assert abs(draw.mean()) <= 0.02 * sigma, f"the mean is {draw.mean():.3f}"
        assert abs(draw.std() - sigma) <= 0.02 * sigma, f"sigma {sigma} gave {draw.std():.3f}"


def tied_gradient_is_one(impl, xp, case):
    """The tied auto-encoder's gradient agrees with difference quotients of its loss."""
    rng = generator_of(case)
    x, w = (xp.asarray(normal(rng, shape)) for shape in (case.image, case.kernel))
    b, c = (xp.asarray(normal(rng, (size,))) for size in (case.K, case.C))
    report = check_gradients(
        lambda w, b, c: impl.tied_cae_gradient(x, w, b, c)[0],
        lambda dy, w, b, c: tuple(dy * g for g in impl.tied_cae_gradient(x, w, b, c)[1:]),
        *(w, b, c),
        seed=case.seed,
        elements=24,
        directions=2,
    )
    assert report.passed, report.failed


def cae_has_its_gradient(impl, xp, case):
    """The convolutional auto-encoder's gradients: tied or not, both modes, pooled or not."""
    for mode, tied, pool in [
        ("valid", True, None),
        ("valid", True, 2),
        ("valid", False, 2),
        ("full", True, 2),
        ("full", False, None),
    ]:
        if pool and mode == "valid" and min(case.code[2:]) < pool:
            continue
        model = impl.ConvAutoEncoder(
            case.C,
            case.K,
            (case.kh, case.kw),
            mode=mode,
            tied=tied,
            output="logistic",
            pool=pool,
            seed=case.seed,
            dtype="float64",
        )
        what = f"{mode} encoder, {'tied' if tied else 'untied'}, pooling {pool}"
        _check_model(what, model, xp, case)


def autoencoder_has_its_gradient(impl, xp, case):
    """The fully connected auto-encoder's gradients, tied and untied, k-sparse and not."""
    for tied, k in product((True, False), (None, 2)):
        model = impl.AutoEncoder(
            case.C * case.H * case.W, 5, tied=tied, k=k, seed=case.seed, dtype="float64"
        )
        what = f"{'tied' if tied else 'untied'}, {k or 'all'} units kept"
        _check_model(what, model, xp, case)


def network_has_its_gradient(impl, xp, case):
    """The gradients of a network of one convolution, pooled where there is room for it."""
    side = min(case.kh, case.kw)
    left = min(case.H, case.W) - side + 1
    for pool in (2, None):
        if pool and left < pool:
            continue
        model = impl.ConvNet(
            case.image[1:],
            maps=(case.K,),
            kernels=(side,),
            pools=(pool,),
            hidden=4,
            classes=3,
            seed=case.seed,
            dtype="float64",
        )
        labels = xp.asarray(generator_of(case, index=2).integers(0, 3, case.N))
        _check_model(f"pooling {pool}", model, xp, case, labels)


def _check_model(what, model, xp, case, target=None):
    """Check a model with random biases, as initialised and after a few steps of descent.

    Without a target it is to reconstruct other images than it sees.
    """
    rng = generator_of(case)
    x, other = (xp.asarray(normal(rng, case.image)) for _ in range(2))
    target = other if target is None else target
    for parameter in model.params.values():
        parameter += xp.asarray(0.1 * rng.standard_normal(parameter.shape))
    for steps in (0, 3):
        for _ in range(steps):
            _, gradients = model.loss_and_gradients(x, target)
            for name, parameter in model.params.items():
                parameter -= 0.01 * gradients[name]
        report = check_model(model, x, target, seed=case.seed, elements=6, directions=2)
        assert report.passed, f"{what}, after {steps} steps: {report.failed}"


PROPERTIES = (
    *_properties_of_operations(),
    Property("binomial_mask", "share", ("binomial_mask",), switches_off_its_share),
    Property("gaussian_noise", "spread", ("gaussian_noise",), has_its_standard_deviation),
    Property(
        "tied_cae_gradient", "difference quotients", ("tied_cae_gradient",), tied_gradient_is_one
    ),
    Property("ConvAutoEncoder", "difference quotients", ("ConvAutoEncoder",), cae_has_its_gradient),
    Property("AutoEncoder", "difference quotients", ("AutoEncoder",), autoencoder_has_its_gradient),
    Property("ConvNet", "difference quotients", ("ConvNet",), network_has_its_gradient),
)
