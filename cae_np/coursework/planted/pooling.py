"""Mistakes in pooling, unpooling, and their gradients."""

import numpy as np

from ... import ops
from ...ops.pool import window_size
from .mistake import planted_in


def _upsampled(y, size, shape):
    """Every window filled with its value."""
    ph, pw = window_size(size, shape)
    return y.repeat(ph, axis=2).repeat(pw, axis=3)[:, :, : shape[2], : shape[3]]


# --- non-overlapping windows ----------------------------------------------------------------------


@planted_in("max_pool", "The mask marks every maximum of a window that has several; one must win.")
def every_maximum_marked(x, size):
    y, _ = ops.max_pool(x, size)
    return y, x == _upsampled(y, size, x.shape)


@planted_in("max_pool", "Of equal values the last wins; the first in row-major order must.")
def last_maximum_wins(x, size):
    ph, pw = window_size(size, x.shape)
    mask = np.zeros(x.shape, bool)
    y = np.zeros(ops.max_pool(x, size)[0].shape, x.dtype)
    for n, c, p, q in np.ndindex(*y.shape):
        window = x[n, c, p * ph : (p + 1) * ph, q * pw : (q + 1) * pw]
        y[n, c, p, q] = window.max()
        u, v = np.argwhere(window == window.max())[-1]
        mask[n, c, p * ph + u, q * pw + v] = True
    return y, mask


@planted_in("max_pool", "H // ph drops the last window where ph does not divide H; round up.")
def size_rounded_down(x, size):
    ph, pw = window_size(size, x.shape)
    y, mask = ops.max_pool(x, size)
    return y[:, :, : x.shape[2] // ph, : x.shape[3] // pw], mask


@planted_in("max_pool", "A window that sticks out counts the zeros outside the image as pixels.")
def padding_counted(x, size):
    ph, pw = window_size(size, x.shape)
    H, W = x.shape[2:]
    wide = np.pad(x, ((0, 0), (0, 0), (0, -H % ph), (0, -W % pw)))
    y, mask = ops.max_pool(wide, size)
    return y, mask[:, :, :H, :W]


@planted_in("max_pool", "The window is averaged; its largest value was meant.")
def window_averaged(x, size):
    y, mask = ops.max_pool(x, size)
    ones = np.ones_like(x)
    everywhere = np.ones(x.shape, bool)
    total = ops.unpool_backward(x, everywhere, size)
    return total / ops.unpool_backward(ones, everywhere, size), mask


@planted_in("max_pool", "Height and width of the window are exchanged.")
def height_and_width_exchanged(x, size):
    y, mask = ops.max_pool(x.swapaxes(2, 3), size)
    return y.swapaxes(2, 3), mask.swapaxes(2, 3)


@planted_in("max_pool_backward", "All pixels of a window get its gradient; only the winner may.")
def whole_window_gets_the_gradient(dy, mask, size):
    return _upsampled(dy, size, mask.shape)


@planted_in("max_pool_backward", "The gradient is spread evenly: that is average pooling.")
def gradient_spread_evenly(dy, mask, size):
    ones = np.ones(mask.shape, dy.dtype)
    count = ops.unpool_backward(ones, np.ones_like(mask), size)
    return _upsampled(dy / count, size, mask.shape)


@planted_in("max_pool_backward", "The first pixel of a window gets the gradient; the winner must.")
def first_pixel_gets_the_gradient(dy, mask, size):
    ph, pw = window_size(size, mask.shape)
    dx = np.zeros(mask.shape, dy.dtype)
    dx[:, :, ::ph, ::pw] = dy
    return dx


@planted_in("max_pool_backward", "The mask comes back without the upstream gradient.")
def mask_taken_for_gradient(dy, mask, size):
    return mask.astype(dy.dtype)


@planted_in("unpool", "Every pixel of a window gets its value; only the marked one may.")
def value_everywhere(y, mask, size):
    return _upsampled(y, size, mask.shape)


@planted_in(
    "unpool_backward", "A window collects from all of its pixels; only the marked one counts."
)
def whole_window_collected(dx, mask, size):
    return ops.unpool_backward(dx, np.ones_like(mask), size)


@planted_in("erase_non_maximal", "Only the image's largest pixel stays; each window keeps its own.")
def one_maximum_per_map(x, size):
    mask = x == x.max(axis=(2, 3), keepdims=True)
    return x * mask, mask


@planted_in("erase_non_maximal", "The maps are erased in place: the caller's array is changed.")
def erased_in_place(x, size):
    _, mask = ops.max_pool(x, size)
    x *= mask
    return x, mask


@planted_in("erase_non_maximal_backward", "Erased pixels get a gradient; they cannot matter.")
def erased_pixels_get_a_gradient(dy, mask):
    return dy.copy()


# --- overlapping windows --------------------------------------------------------------------------


@planted_in(
    "overlapping_max_pool", "Zeros around the image are counted as pixels; clip the windows."
)
def border_zeros_counted(x, width, stride):
    y, winner = ops.overlapping_max_pool(x, width, stride)
    H, W = x.shape[2:]
    for p, q in np.ndindex(*y.shape[2:]):
        top = p * stride - max((y.shape[2] - 1) * stride + width - H, 0) // 2
        left = q * stride - max((y.shape[3] - 1) * stride + width - W, 0) // 2
        if top < 0 or left < 0 or top + width > H or left + width > W:
            y[:, :, p, q] = np.maximum(y[:, :, p, q], 0)
    return y, winner


@planted_in(
    "overlapping_max_pool", "Windows begin at the corner; the padding is half on each side."
)
def windows_not_centred(x, width, stride):
    H, W = x.shape[2:]
    OH, OW = -(-H // stride), -(-W // stride)
    y, winner = np.zeros((*x.shape[:2], OH, OW), x.dtype), np.zeros((*x.shape[:2], OH, OW), int)
    for n, c, p, q in np.ndindex(*y.shape):
        u, v = p * stride, q * stride
        window = x[n, c, u : u + width, v : v + width]
        i, j = np.unravel_index(window.argmax(), window.shape)
        y[n, c, p, q], winner[n, c, p, q] = window[i, j], (u + i) * W + v + j
    return y, winner


@planted_in("overlapping_max_pool", "A flat position is u · W + v; here u is multiplied by H.")
def flat_position_with_height(x, width, stride):
    y, winner = ops.overlapping_max_pool(x, width, stride)
    H, W = x.shape[2:]
    return y, winner // W * H + winner % W


@planted_in(
    "overlapping_max_pool", "Of equal values the last wins; the first in row-major order must."
)
def last_of_overlapping_wins(x, width, stride):
    H, W = x.shape[2:]
    y, _ = ops.overlapping_max_pool(x, width, stride)
    OH, OW = y.shape[2:]
    top = max((OH - 1) * stride + width - H, 0) // 2
    left = max((OW - 1) * stride + width - W, 0) // 2
    winner = np.zeros(y.shape, int)
    for n, c, p, q in np.ndindex(*y.shape):
        first_row, first_column = max(p * stride - top, 0), max(q * stride - left, 0)
        window = x[
            n,
            c,
            first_row : p * stride - top + width,
            first_column : q * stride - left + width,
        ]
        i, j = np.argwhere(window == y[n, c, p, q])[-1]
        winner[n, c, p, q] = (first_row + i) * W + first_column + j
    return y, winner


@planted_in(
    "overlapping_max_pool_backward",
    "dx[winner] += dy keeps one gradient of a pixel that won several windows; add them all.",
)
def several_wins_counted_once(dy, winner, shape):
    N, C, H, W = shape
    dx = np.zeros((N * C, H * W), dy.dtype)
    dx[np.arange(N * C)[:, None], winner.reshape(N * C, -1)] += dy.reshape(N * C, -1)
    return dx.reshape(shape)


@planted_in("overlapping_max_pool_backward", "The upstream gradient is ignored: wins are counted.")
def wins_counted(dy, winner, shape):
    return ops.overlapping_max_pool_backward(np.ones_like(dy), winner, shape)


# --- more of pooling ------------------------------------------------------------------------------


@planted_in(
    "max_pool",
    "You begin the search at 0. It should be -inf, or the window's first value: all may be "
    "negative.",
    [lambda x, size: (lambda y, mask: (np.maximum(y, 0), mask & (x > 0)))(*ops.max_pool(x, size))],
)
def search_begun_at_zero(x, size):
    y, mask = ops.max_pool(x, size)
    return np.maximum(y, 0), mask


def _reshaped(x, size, fill):
    """Windows made by reshape alone."""
    ph, pw = window_size(size, x.shape)
    N, C, H, W = x.shape
    wide = np.full((N, C, -(-H // ph) * ph, -(-W // pw) * pw), fill, x.dtype)
    wide[:, :, :H, :W] = x
    windows = wide.reshape(N, C, wide.shape[2] // ph, wide.shape[3] // pw, ph, pw)
    return windows.max(axis=(4, 5)), ops.max_pool(x, size)[1]


@planted_in(
    "max_pool",
    "You reshape to (OH, OW, ph, pw) at once. It should be (OH, ph, OW, pw), with axes exchanged.",
    [lambda x, size: _reshaped(x, size, 0)],
)
def reshaped_without_exchange(x, size):
    return _reshaped(x, size, -np.inf)


@planted_in("max_pool", "You let the mask hold values. It should be True and False.")
def mask_of_values(x, size):
    y, mask = ops.max_pool(x, size)
    return y, x * mask


@planted_in(
    "max_pool", "You take the smallest value of a window. It should be the largest: argmax."
)
def smallest_value(x, size):
    y, mask = ops.max_pool(-x, size)
    return -y, mask


@planted_in(
    "max_pool", "You compare absolute values. It should be the largest value, with its sign."
)
def largest_absolute_value(x, size):
    _, mask = ops.max_pool(abs(x), size)
    return ops.unpool_backward(x, mask, size), mask


@planted_in(
    "max_pool",
    "You let the first of equals in a column win. It should be the first in row-major order.",
)
def first_in_column_order(x, size):
    pair = size if isinstance(size, int) else size[::-1]
    y, mask = ops.max_pool(x.swapaxes(2, 3), pair)
    return y.swapaxes(2, 3), mask.swapaxes(2, 3)


@planted_in("max_pool", "You return y alone. It should be y and the mask.")
def mask_not_returned(x, size):
    return ops.max_pool(x, size)[0]


@planted_in(
    "max_pool",
    "You return flat positions. It should be a mask of x's shape, True at one pixel a window.",
)
def positions_for_a_mask(x, size):
    y, mask = ops.max_pool(x, size)
    return y, np.flatnonzero(mask).reshape(y.shape)


def _in_order_of_the_image(y, mask):
    x = np.zeros(mask.shape, y.dtype)
    x[mask] = y.ravel()
    return x


ORDER = (
    "You write x[mask] = y.ravel(): a mask runs over rows of pixels. It should be over windows: "
    "repeat y to x's size, times the mask."
)


@planted_in("max_pool_backward", ORDER)
def gradient_in_another_order(dy, mask, size):
    return _in_order_of_the_image(dy, mask)


@planted_in("unpool", ORDER)
def values_in_another_order(y, mask, size):
    return _in_order_of_the_image(y, mask)


def _tiled(y, mask, size):
    wide = np.tile(y, (1, 1, *window_size(size, mask.shape)))
    return wide[:, :, : mask.shape[2], : mask.shape[3]] * mask


def _other_axes(y, mask, size):
    ph, pw = window_size(size, mask.shape)
    wide = y.repeat(pw, axis=2).repeat(ph, axis=3)
    return wide[:, :, : mask.shape[2], : mask.shape[3]] * mask


TILED = (
    "You tile the windows' values. It should be each one repeated: .repeat(ph, 2).repeat(pw, 3)."
)
EXCHANGED = "You repeat pw times along the rows. It should be .repeat(ph, 2).repeat(pw, 3)."


@planted_in("max_pool_backward", TILED)
def gradient_tiled(dy, mask, size):
    return _tiled(dy, mask, size)


@planted_in("unpool", TILED)
def values_tiled(y, mask, size):
    return _tiled(y, mask, size)


@planted_in("max_pool_backward", EXCHANGED)
def gradient_repeated_along_other_axes(dy, mask, size):
    return _other_axes(dy, mask, size)


@planted_in("unpool", EXCHANGED)
def values_repeated_along_other_axes(y, mask, size):
    return _other_axes(y, mask, size)


@planted_in(
    "max_pool_backward",
    "You divide by the size of the window. It should be the whole gradient, at the winner.",
    [
        lambda dy, mask, size: (
            _upsampled(dy, size, mask.shape) / np.prod(window_size(size, mask.shape))
        ).astype(dy.dtype)
    ],
)
def gradient_divided(dy, mask, size):
    return ops.max_pool_backward(dy, mask, size) / dy.dtype.type(
        np.prod(window_size(size, mask.shape))
    )


@planted_in(
    "unpool",
    "You put each value at its window's upper left corner. It should be where the mask is True.",
)
def values_at_the_corner(y, mask, size):
    ph, pw = window_size(size, mask.shape)
    x = np.zeros(mask.shape, y.dtype)
    x[:, :, ::ph, ::pw] = y
    return x


@planted_in("unpool", "You return the mask itself. It should be y's values where it is True.")
def mask_returned(y, mask, size):
    return mask.astype(y.dtype)
