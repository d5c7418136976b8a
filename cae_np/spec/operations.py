"""The table of operations: how to draw arguments for each, and what its backward takes."""

from collections.abc import Callable
from dataclasses import dataclass

from ..ops import reference
from .cases import apart, away_from_zero, normal, with_ties


def _the_arguments(arguments, y, rest):
    return arguments


@dataclass(frozen=True)
class Operation:
    """One forward/backward pair, described so that a property can be written once for all.

    Attributes
    ----------
    name : str
        The forward's, in an implementation.
    draw : callable, (case, rng) -> arguments
        The forward's arguments, arrays in float64 on the host.
    arrays : tuple of int
        Which arguments have gradients, in the order of the backward's results; empty where there
        is no backward.
    saved : callable, (arguments, y, rest) -> arguments
        What the backward takes after the upstream gradient; rest is what the forward returned
        beside y.
    backward : str
        The backward's name; default: the forward's and ``_backward``.
    linear : bool
        Whether y is linear in the first argument, so that the backward is the adjoint.
    is_loss : bool
        Whether it ends the chain: its backward takes no upstream gradient.
    exponential : bool
        Whether exp or tanh of large values comes up in it.
    draw_ties : callable, (case, rng) -> arguments, optional
        Arguments with equal values, where it matters which of them is taken.
    label : str
        What reports call it; default: the name.
    copies : bool
        Whether y must be a copy where a view of the argument would hold the same values.
    """

    name: str
    draw: Callable
    arrays: tuple = (0,)
    saved: Callable = _the_arguments
    backward: str = ""
    linear: bool = False
    is_loss: bool = False
    exponential: bool = False
    draw_ties: Callable | None = None
    label: str = ""
    copies: bool = False

    @property
    def backward_name(self):
        return self.backward or f"{self.name}_backward"

    @property
    def functions(self):
        """The names of the functions that are tried."""
        return (self.name, self.backward_name) if self.arrays else (self.name,)

    def __str__(self):
        return self.label or self.name

    def run_forward(self, impl, arguments):
        """``(y, rest)`` of an implementation."""
        y = getattr(impl, self.name)(*arguments)
        return (y[0], y[1:]) if isinstance(y, tuple) else (y, ())

    def backward_arguments(self, dy, arguments, y, rest):
        """What the backward is called with."""
        upstream = () if self.is_loss else (dy,)
        return (*upstream, *self.saved(arguments, y, rest))

    def run_backward(self, impl, dy, arguments, y, rest):
        """The gradients of an implementation, as a tuple."""
        backward = getattr(impl, self.backward_name)
        gradients = backward(*self.backward_arguments(dy, arguments, y, rest))
        return gradients if isinstance(gradients, tuple) else (gradients,)


def _activation(name, draw=normal):
    return Operation(
        name,
        lambda case, rng: (draw(rng, case.maps),),
        saved=lambda arguments, y, rest: (y,),
        linear=name == "linear",
        exponential=name not in ("linear", "relu"),
    )


def _on(draw, shape, *others):
    """Draw one array for an attribute of the case, with other attributes after it."""
    return lambda case, rng: (
        draw(rng, getattr(case, shape)),
        *(getattr(case, other) for other in others),
    )


def _two(first, second):
    return lambda case, rng: (
        normal(rng, getattr(case, first)),
        normal(rng, getattr(case, second)),
    )


def _columns(case, rng):
    N, C, H, W = case.image
    OH, OW = H - case.kh + 1, W - case.kw + 1
    return normal(rng, (C, case.kh, case.kw, N, OH, OW)), case.image


def _padded(sides):
    """Draw an image with kh - 1 rows and kw - 1 columns of padding, so many times."""
    return lambda case, rng: (
        normal(
            rng,
            (case.N, case.C, case.H + sides * (case.kh - 1), case.W + sides * (case.kw - 1)),
        ),
        case.kh,
        case.kw,
    )


def _padding(name, draw, backward):
    return Operation(
        name,
        draw,
        saved=lambda arguments, y, rest: arguments[1:],
        backward=backward,
        linear=True,
    )


def _pooled(case, rng):
    y, mask = reference.max_pool(apart(rng, case.image), case.pool)
    return normal(rng, y.shape), mask, case.pool


def _winners(case, rng):
    shape = (case.N, case.K)
    return normal(rng, shape), rng.integers(0, case.H * case.W, shape), (case.H, case.W)


def _sparse_codes(case, rng):
    a, winner, image_shape = _winners(case, rng)
    return a, winner, normal(rng, case.kernel), image_shape


def _pooled_code(case, rng):
    b = 10 * normal(rng, (case.K,))  # so that whole windows lie below zero
    return normal(rng, case.image), normal(rng, case.kernel), b, case.width, case.stride


def _step(case, rng):
    p, dp, v = (normal(rng, case.kernel) for _ in range(3))
    return p, dp, v, 0.1, 0.9


def _tied(case, rng):
    shapes = case.image, case.kernel, (case.K,), (case.C,)
    return tuple(normal(rng, shape) for shape in shapes)


def _rows(case, rng):
    D, E = case.H, case.K
    return normal(rng, (case.N, D)), normal(rng, (E, D)), normal(rng, (E,))


OPERATIONS = (
    Operation(
        "im2col",
        _on(normal, "image", "kh", "kw"),
        saved=lambda arguments, y, rest: (arguments[0].shape,),
        backward="col2im",
        linear=True,
        copies=True,
    ),
    Operation(
        "col2im",
        _columns,
        saved=lambda arguments, y, rest: arguments[0].shape[1:3],
        backward="im2col",
        linear=True,
    ),
    Operation(
        "flip",
        _on(normal, "kernel"),
        saved=lambda arguments, y, rest: (),
        backward="flip",
        linear=True,
    ),
    Operation(
        "mirrored",
        _on(normal, "kernel"),
        saved=lambda arguments, y, rest: (),
        backward="mirrored",
        linear=True,
    ),
    Operation("correlate_valid", _two("image", "kernel"), arrays=(0, 1), linear=True),
    Operation("convolve_full", _two("code", "kernel"), arrays=(0, 1), linear=True),
    Operation("kernel_gradient", _two("image", "code"), arrays=()),
    Operation("correlate_same", _two("image", "kernel"), arrays=(0, 1), linear=True),
    Operation("convolve_same", _two("maps", "kernel"), arrays=(0, 1), linear=True),
    _padding("pad_same", _on(normal, "image", "kh", "kw"), "crop_same"),
    _padding("crop_same", _padded(1), "pad_same"),
    _padding("pad_full", _on(normal, "image", "kh", "kw"), "crop_full"),
    _padding("crop_full", _padded(2), "pad_full"),
    Operation(
        "add_bias",
        lambda case, rng: (normal(rng, case.maps), normal(rng, (case.K,))),
        arrays=(0, 1),
        saved=lambda arguments, y, rest: (),
    ),
    Operation("affine", _rows, arrays=(0, 1, 2)),
    _activation("linear"),
    _activation("scaled_tanh"),
    _activation("relu", away_from_zero),
    _activation("logistic"),
    _activation("softmax"),
    Operation("squared_error", _two("image", "image"), is_loss=True),
    Operation(
        "softmax_cross_entropy",
        lambda case, rng: (normal(rng, (case.N, case.W)), rng.integers(0, case.W, case.N)),
        is_loss=True,
        exponential=True,
    ),
    Operation(
        "corrupt",
        lambda case, rng: (normal(rng, case.image), rng.random(case.image) < 0.5),
        saved=lambda arguments, y, rest: arguments[1:],
        linear=True,
        label="corrupt (binomial)",
    ),
    Operation(
        "corrupt",
        _two("image", "image"),
        saved=lambda arguments, y, rest: arguments[1:],
        label="corrupt (Gaussian)",
    ),
    Operation(
        "max_pool",
        _on(apart, "image", "pool"),
        saved=lambda arguments, y, rest: (rest[0], arguments[1]),
        draw_ties=_on(with_ties, "image", "pool"),
    ),
    Operation(
        "unpool",
        _pooled,
        saved=lambda arguments, y, rest: arguments[1:],
        linear=True,
    ),
    Operation(
        "erase_non_maximal",
        _on(apart, "image", "pool"),
        saved=lambda arguments, y, rest: rest,
        draw_ties=_on(with_ties, "image", "pool"),
    ),
    Operation(
        "overlapping_max_pool",
        _on(apart, "image", "width", "stride"),
        saved=lambda arguments, y, rest: (rest[0], arguments[0].shape),
        draw_ties=_on(with_ties, "image", "width", "stride"),
    ),
    Operation(
        "winner_take_all",
        _on(apart, "maps"),
        saved=lambda arguments, y, rest: (rest[0], arguments[0].shape[2:]),
        draw_ties=_on(with_ties, "maps"),
    ),
    Operation(
        "place",
        _winners,
        saved=lambda arguments, y, rest: (arguments[1],),
        linear=True,
    ),
    Operation(
        "top_n",
        _on(apart, "maps", "top"),
        arrays=(),
        draw_ties=_on(with_ties, "maps", "top"),
    ),
    Operation(
        "global_top_k",
        _on(apart, "maps", "top"),
        arrays=(),
        draw_ties=_on(with_ties, "maps", "top"),
    ),
    Operation(
        "sparse_decode",
        _sparse_codes,
        arrays=(0, 2),
        saved=lambda arguments, y, rest: arguments[:3],
        linear=True,
    ),
    Operation(
        "encode_winners",
        _two("image", "kernel"),
        arrays=(1,),
        saved=lambda arguments, y, rest: (rest[0], arguments[0], *arguments[1].shape[2:]),
        backward="sparse_kernel_gradient",
        draw_ties=lambda case, rng: (with_ties(rng, case.image), with_ties(rng, case.kernel)),
    ),
    Operation("encode_pooled", _pooled_code, arrays=()),
    Operation("sgd_step", _step, arrays=()),
    Operation("tied_cae_gradient", _tied, arrays=()),
    Operation("zca_whiten", _on(normal, "image", "epsilon"), arrays=()),
)
