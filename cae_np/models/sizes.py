"""Sizes as callers may write them, checked."""

from numbers import Integral

from ..errors import ConfigError


def kernel_sides(kernel):
    """Height and width of a kernel.

    Parameters
    ----------
    kernel : int, or pair of int
        One number for a square kernel, or (kh, kw); in pixels, at least 1.

    Returns
    -------
    kh, kw : int

    Raises
    ------
    ConfigError
        If it is neither.
    """
    sides = [kernel, kernel] if isinstance(kernel, Integral) else kernel
    whole = isinstance(sides, (tuple, list)) and all(
        isinstance(side, Integral) and not isinstance(side, bool) and side >= 1 for side in sides
    )
    if not whole or len(sides) != 2:
        raise ConfigError(
            f"kernel {kernel!r}: expected its side, or its height and width, in whole pixels, as "
            "in kernel=7 or kernel=(7, 5)"
        )
    return int(sides[0]), int(sides[1])
