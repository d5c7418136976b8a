"""What students might hand in: about six wrong solutions for each chapter, written from scratch.

Every one carries what is wrong with it, and the entry of the catalogue that it amounts to, if
there is one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

FLOAT64, IN_PLACE = "float64 for float32", "argument changed in place"


@dataclass(frozen=True)
class Attempt:
    """A wrong solution.

    Attributes
    ----------
    task : str
    what : str
        What is wrong with it.
    cause : str, optional
        Name of the planted mistake that the kit should name first, :data:`FLOAT64`,
        :data:`IN_PLACE`, or None where the catalogue knows nothing of the kind.
    function : callable
    named : bool
        False where the kit does not find the cause although the catalogue has it.
    """

    task: str
    what: str
    cause: str | None
    function: object
    named: bool = True


ATTEMPTS = []


def into(attempts):
    """A decorator that notes wrong solutions in a list."""

    def attempt(task, what, cause=None, named=True):
        def note(function):
            attempts.append(Attempt(task, what, cause, function, named))
            return function

        return note

    return attempt


attempt = into(ATTEMPTS)


# --- patches --------------------------------------------------------------------------------------


@attempt("im2col", "range(H - kh) instead of range(H - kh + 1)", "one_place_short")
def _(x, kh, kw):
    N, C, H, W = x.shape
    OH, OW = H - kh, W - kw
    col = np.empty((C, kh, kw, N, OH, OW), x.dtype)
    for i in range(kh):
        for j in range(kw):
            col[:, i, j] = x[:, :, i : i + OH, j : j + OW].transpose(1, 0, 2, 3)
    return col


@attempt("im2col", "reshape where transpose was needed", "reshaped_not_transposed")
def _(x, kh, kw):
    N, C = x.shape[:2]
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))
    return np.array(windows).reshape(C, kh, kw, N, windows.shape[2], windows.shape[3])


@attempt("im2col", "one row per patch, as other libraries lay it out")
def _(x, kh, kw):
    N, C = x.shape[:2]
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(-1, C * kh * kw)


@attempt("im2col", "row and column of the place exchanged")
def _(x, kh, kw):
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))
    return windows.transpose(1, 4, 5, 0, 3, 2).copy()


@attempt("im2col", "a view with the offsets reversed")
def _(x, kh, kw):
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))
    return windows.transpose(1, 4, 5, 0, 2, 3)[:, ::-1, ::-1]


@attempt("col2im", "= instead of +=", "last_patch_wins")
def _(col, shape):
    C, kh, kw, N, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + OH, j : j + OW] = col[:, i, j].transpose(1, 0, 2, 3)
    return x


@attempt("col2im", "divided by how often a pixel was copied", "mean_of_the_patches")
def _(col, shape):
    C, kh, kw, N, OH, OW = col.shape
    x, times = np.zeros(shape, col.dtype), np.zeros(shape, col.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + OH, j : j + OW] += col[:, i, j].transpose(1, 0, 2, 3)
            times[:, :, i : i + OH, j : j + OW] += 1
    return x / times


# --- convolution ----------------------------------------------------------------------------------


def _correlate(x, w):
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("ncpqij,kcij->nkpq", windows, w)


@attempt("correlate_valid", "a true convolution: the kernel is flipped", "flipped_kernel")
def _(x, w):
    return _correlate(x, w[:, :, ::-1, ::-1])


@attempt("correlate_valid", "mean over channels", "mean_over_channels")
def _(x, w):
    return sum(
        _correlate(x[:, c : c + 1], w[:, c : c + 1]) for c in range(x.shape[1])
    ) / x.dtype.type(x.shape[1])


@attempt("correlate_valid", "np.zeros without a dtype", FLOAT64)
def _(x, w):
    N, _, H, W = x.shape
    K, _, kh, kw = w.shape
    y = np.zeros((N, K, H - kh + 1, W - kw + 1))
    for i in range(kh):
        for j in range(kw):
            patch = x[:, :, i : i + y.shape[2], j : j + y.shape[3]]
            y += np.einsum("ncpq,kc->nkpq", patch, w[:, :, i, j])
    return y


@attempt("correlate_valid", "stride 2 left over from another exercise")
def _(x, w):
    return _correlate(x, w)[:, :, ::2, ::2]


@attempt("correlate_valid", "only one of two channels' loops: c stays at the last")
def _(x, w):
    return _correlate(x[:, -1:], w[:, -1:])


@attempt("kernel_gradient", "mean over the batch", "mean_over_batch")
def _(x, dy):
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return np.einsum("ncijpq,nkpq->nkcij", windows, dy).mean(axis=0)


@attempt("kernel_gradient", "shape (C, K, kh, kw)", "maps_and_channels_exchanged")
def _(x, dy):
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return np.einsum("ncijpq,nkpq->ckij", windows, dy)


@attempt("kernel_gradient", "the gradient is flipped")
def _(x, dy):
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return np.einsum("ncijpq,nkpq->kcij", windows, dy)[:, :, ::-1, ::-1].copy()


@attempt("convolve_full", "padded and correlated without flipping", "kernel_not_flipped")
def _(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    return _correlate(padded, w.swapaxes(0, 1))


@attempt("convolve_full", "padded by kh instead of kh - 1")
def _(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kh, kh), (kw, kw)))
    return _correlate(padded, w[:, :, ::-1, ::-1].swapaxes(0, 1))


@attempt("correlate_valid_backward", "dx with the kernel not flipped", "dx_with_unflipped_kernel")
def _(dy, x, w):
    kh, kw = w.shape[2:]
    padded = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    dw = np.einsum("ncijpq,nkpq->kcij", windows, dy)
    return _correlate(padded, w.swapaxes(0, 1)), dw


@attempt("correlate_valid_backward", "dw, dx instead of dx, dw", "gradients_in_the_wrong_order")
def _(dy, x, w):
    kh, kw = w.shape[2:]
    padded = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    dw = np.einsum("ncijpq,nkpq->kcij", windows, dy)
    return dw, _correlate(padded, w[:, :, ::-1, ::-1].swapaxes(0, 1))


@attempt(
    "correlate_valid_backward",
    "two mistakes at once: dx not flipped and dw averaged",
    "dx_with_unflipped_kernel",
)
def _(dy, x, w):
    kh, kw = w.shape[2:]
    padded = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    dw = np.einsum("ncijpq,nkpq->kcij", windows, dy) / len(x)
    return _correlate(padded, w.swapaxes(0, 1)), dw


@attempt("pad_same", "kh//2 on both sides", "same_on_both_sides")
def _(x, kh, kw):
    return np.pad(x, ((0, 0), (0, 0), (kh // 2,) * 2, (kw // 2,) * 2))


@attempt("pad_same", "the larger half above", "larger_half_first")
def _(x, kh, kw):
    top, left = int(np.ceil((kh - 1) / 2)), int(np.ceil((kw - 1) / 2))
    return np.pad(x, ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left)))


@attempt("pad_same", "the border is mirrored instead of zero")
def _(x, kh, kw):
    top, left = (kh - 1) // 2, (kw - 1) // 2
    sides = ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left))
    return np.pad(x, sides, mode="symmetric")


# --- units ----------------------------------------------------------------------------------------


@attempt("add_bias_backward", "mean instead of sum", "db_is_a_mean")
def _(dy):
    return dy, dy.mean((0, 2, 3))


@attempt("add_bias_backward", "sum over axes 1, 2, 3", "db_over_the_wrong_axes")
def _(dy):
    return dy, dy.sum((1, 2, 3))


@attempt("add_bias_backward", "batch not summed, shape (N, K)")
def _(dy):
    return dy, dy.sum((2, 3))


@attempt("add_bias_backward", "only db is returned")
def _(dy):
    return dy.sum((0, 2, 3))


@attempt("scaled_tanh", "1.7159 · tanh(x)", "slope_left_out")
def _(x):
    return x.dtype.type(1.7159) * np.tanh(x)


@attempt("scaled_tanh", "tanh(3x/2)")
def _(x):
    return 1.7159 * np.tanh(3 * x / 2)


@attempt("scaled_tanh", "written with exp, which overflows", "scaled_tanh_overflows")
def _(x):
    e = np.exp(4 / 3 * x)
    return 1.7159 * (e - 1) / (e + 1)


@attempt("scaled_tanh", "2 // 3, which is 0", "integer_division")
def _(x):
    return 1.7159 * np.tanh(2 // 3 * x)


@attempt("scaled_tanh_backward", "1 - y²", "derivative_of_the_plain_tanh")
def _(dy, y):
    return dy * (1 - y**2)


@attempt("scaled_tanh_backward", "upstream gradient forgotten", "upstream_ignored")
def _(dy, y):
    return 2 / 3 * (1.7159 - y**2 / 1.7159)


@attempt("scaled_tanh_backward", "the slope 2/3 forgotten")
def _(dy, y):
    return dy * (1.7159 - y**2 / 1.7159)


# --- pooling --------------------------------------------------------------------------------------


def _pair(size):
    return (size, size) if np.isscalar(size) else size


def _pool(x, size, choose, fill=-np.inf, rest=True):
    """Pooling by loops; what the attempts below do wrong is passed in."""
    ph, pw = _pair(size)
    N, C, H, W = x.shape
    OH, OW = (-(-H // ph), -(-W // pw)) if rest else (H // ph, W // pw)
    y, mask = np.zeros((N, C, OH, OW), x.dtype), np.zeros(x.shape, bool)
    for n, c, p, q in np.ndindex(*y.shape):
        window = x[n, c, p * ph : (p + 1) * ph, q * pw : (q + 1) * pw]
        u, v = choose(window)
        y[n, c, p, q] = window[u, v]
        mask[n, c, p * ph + u, q * pw + v] = True
    return y, mask


def _first(window):
    return np.unravel_index(window.argmax(), window.shape)


@attempt("max_pool", "H // ph windows: the rest is dropped", "size_rounded_down")
def _(x, size):
    return _pool(x, size, _first, rest=False)


@attempt("max_pool", "padded with zeros to a multiple", "padding_counted")
def _(x, size):
    ph, pw = _pair(size)
    H, W = x.shape[2:]
    y, mask = _pool(np.pad(x, ((0, 0), (0, 0), (0, -H % ph), (0, -W % pw))), size, _first)
    return y, mask[:, :, :H, :W]


@attempt("max_pool", "mask = (x == maximum): every tie is marked", "every_maximum_marked")
def _(x, size):
    ph, pw = _pair(size)
    y, _ = _pool(x, size, _first)
    up = y.repeat(ph, 2).repeat(pw, 3)[:, :, : x.shape[2], : x.shape[3]]
    return y, x == up


@attempt("max_pool", ">= in the search: the last maximum wins", "last_maximum_wins")
def _(x, size):
    def last(window):
        best = (0, 0)
        for place in np.ndindex(*window.shape):
            if window[place] >= window[best]:
                best = place
        return best

    return _pool(x, size, last)


@attempt("max_pool", "the smallest value")
def _(x, size):
    return _pool(x, size, lambda window: np.unravel_index(window.argmin(), window.shape))


@attempt("max_pool", "flat positions instead of a mask")
def _(x, size):
    y, mask = _pool(x, size, _first)
    return y, np.flatnonzero(mask).reshape(y.shape)


@attempt("max_pool", "search starts at 0, so negative windows give 0")
def _(x, size):
    y, mask = _pool(x, size, _first)
    return np.maximum(y, 0), mask


@attempt("max_pool", "only y is returned")
def _(x, size):
    return _pool(x, size, _first)[0]


@attempt("max_pool_backward", "every pixel of the window", "whole_window_gets_the_gradient")
def _(dy, mask, size):
    ph, pw = _pair(size)
    return dy.repeat(ph, 2).repeat(pw, 3)[:, :, : mask.shape[2], : mask.shape[3]].copy()


@attempt("max_pool_backward", "dx[mask] = dy.ravel(), which is another order")
def _(dy, mask, size):
    dx = np.zeros(mask.shape, dy.dtype)
    dx[mask] = dy.ravel()
    return dx


@attempt("max_pool_backward", "divided by the size of the window")
def _(dy, mask, size):
    ph, pw = _pair(size)
    up = dy.repeat(ph, 2).repeat(pw, 3)[:, :, : mask.shape[2], : mask.shape[3]]
    return up * mask / dy.dtype.type(ph * pw)


@attempt("unpool", "the value everywhere in its window", "value_everywhere")
def _(y, mask, size):
    ph, pw = _pair(size)
    return y.repeat(ph, 2).repeat(pw, 3)[:, :, : mask.shape[2], : mask.shape[3]].copy()


@attempt("unpool", "np.kron with the last windows not clipped")
def _(y, mask, size):
    ph, pw = _pair(size)
    return y.repeat(ph, 2).repeat(pw, 3) * mask


# --- auto-encoder ---------------------------------------------------------------------------------


@attempt("corrupt", "mask the wrong way round", "mask_inverted")
def _(x, draw):
    if draw.dtype == bool:
        return np.where(draw, 0, x)
    return x + draw


@attempt("corrupt", "x *= draw", IN_PLACE)
def _(x, draw):
    if draw.dtype == bool:
        x *= draw
        return x
    return x + draw


@attempt("corrupt", "noise clipped to [0, 1]")
def _(x, draw):
    return x * draw if draw.dtype == bool else np.clip(x + draw, 0, 1)


def _conv_full(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    return _correlate(padded, w[:, :, ::-1, ::-1].swapaxes(0, 1))


def _kernel_gradient(x, dy):
    return np.einsum("ncijpq,nkpq->kcij", sliding_window_view(x, dy.shape[2:], axis=(2, 3)), dy)


def _tied(x, w, b, c):
    """Everything of the tied gradient that the attempts below put together."""
    h = 1.7159 * np.tanh(2 / 3 * (_correlate(x, w) + b[:, None, None]))
    error = _conv_full(h, w) + c[:, None, None] - x
    delta_y = error / len(x)
    dh = _correlate(delta_y, w)
    return h, (error**2).sum() / (2 * len(x)), delta_y, dh, 2 / 3 * (1.7159 - h * h / 1.7159)


@attempt("tied_cae_gradient", "only the decoder's term", "no_encoder_term")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    return loss, _kernel_gradient(delta_y, h), (dh * slope).sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("tied_cae_gradient", "σ' forgotten", "sigma_derivative_left_out")
def _(x, w, b, c):
    h, loss, delta_y, dh, _ = _tied(x, w, b, c)
    dw = _kernel_gradient(x, dh) + _kernel_gradient(delta_y, h)
    return loss, dw, dh.sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("tied_cae_gradient", "the half forgotten in the gradients", "gradients_without_the_half")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    dy, dh = 2 * delta_y, 2 * dh * slope
    dw = _kernel_gradient(x, dh) + _kernel_gradient(dy, h)
    return loss, dw, dh.sum((0, 2, 3)), dy.sum((0, 2, 3))


@attempt("tied_cae_gradient", "db of the gradient after σ, dw right")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    dw = _kernel_gradient(x, dh * slope) + _kernel_gradient(delta_y, h)
    return loss, dw, dh.sum((0, 2, 3)) * 1.1, delta_y.sum((0, 2, 3))


@attempt("tied_cae_gradient", "the loss as a mean over pixels")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    dw = _kernel_gradient(x, dh * slope) + _kernel_gradient(delta_y, h)
    return loss / x[0].size, dw, (dh * slope).sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("tied_cae_gradient", "σ' taken of the input's place: slope of h + b")
def _(x, w, b, c):
    h, loss, delta_y, dh, _ = _tied(x, w, b, c)
    shifted = h + b[:, None, None]
    delta_h = dh * (2 / 3 * (1.7159 - shifted**2 / 1.7159))
    dw = _kernel_gradient(x, delta_h) + _kernel_gradient(delta_y, h)
    return loss, dw, delta_h.sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("sgd_step", "v = momentum · v + dp; p - rate · v, as in PyTorch", "rate_outside")
def _(p, dp, v, rate, momentum):
    v = momentum * v + dp
    return p - rate * v, v


@attempt("sgd_step", "p + v with the old v", "old_velocity_used")
def _(p, dp, v, rate, momentum):
    new = p + v
    return new, momentum * v - rate * dp


@attempt("sgd_step", "-= and +=", IN_PLACE)
def _(p, dp, v, rate, momentum):
    v *= momentum
    v -= rate * dp
    p += v
    return p, v


@attempt("sgd_step", "v, p instead of p, v")
def _(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return v, p + v


@attempt("sgd_step", "the rate is applied to the old velocity")
def _(p, dp, v, rate, momentum):
    v = rate * v - momentum * dp
    return p + v, v


# --- winner-take-all ------------------------------------------------------------------------------


@attempt("winner_take_all", "one winner for the whole image", "one_winner_per_image")
def _(h):
    N, K, H, W = h.shape
    winner = np.repeat(h.reshape(N, -1).argmax(1)[:, None] % (H * W), K, axis=1)
    return np.take_along_axis(h.reshape(N, K, -1), winner[:, :, None], 2)[..., 0], winner


@attempt("winner_take_all", "argmax over the maps", "winner_over_channels")
def _(h):
    return h.max(axis=1), h.argmax(axis=1)


@attempt("winner_take_all", "largest absolute value", "largest_in_size_wins")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    winner = np.abs(flat).argmax(-1)
    return np.take_along_axis(flat, winner[..., None], 2)[..., 0], winner


@attempt("winner_take_all", "p · H + q", "position_with_height")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    p, q = np.unravel_index(flat.argmax(-1), h.shape[2:])
    return flat.max(-1), p * h.shape[2] + q


@attempt("winner_take_all", "positions as pairs")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), np.stack(np.unravel_index(flat.argmax(-1), h.shape[2:]), -1)


@attempt("winner_take_all", "positions as float64")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.argmax(-1).astype(float)


@attempt("winner_take_all", "positions counted from 1")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.argmax(-1) + 1


@attempt("winner_take_all_backward", "ones at the winners", "gradient_of_one")
def _(da, winner, map_shape):
    dh = np.zeros((*da.shape, map_shape[0] * map_shape[1]), da.dtype)
    np.put_along_axis(dh, winner[..., None], 1, 2)
    return dh.reshape(*da.shape, *map_shape)


@attempt("winner_take_all_backward", "left flat")
def _(da, winner, map_shape):
    dh = np.zeros((*da.shape, map_shape[0] * map_shape[1]), da.dtype)
    np.put_along_axis(dh, winner[..., None], da[..., None], 2)
    return dh


def _laid_down(a, winner, w, image_shape, corner=lambda p, q, kh, kw: (p, q)):
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    x = np.zeros((N, C, H + 2 * kh, W + 2 * kw), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = divmod(winner[n, k], W)
        u, v = corner(p, q, kh, kw)
        x[n, :, u : u + kh, v : v + kw] += a[n, k] * w[k]
    top, left = (kh - 1) // 2, (kw - 1) // 2
    return x[:, :, top : top + H, left : left + W]


@attempt("sparse_decode", "correlated: the kernels laid down flipped", "kernels_laid_flipped")
def _(a, winner, w, image_shape):
    return _laid_down(a, winner, w[:, :, ::-1, ::-1], image_shape)


@attempt("sparse_decode", "the kernel begins at the winner", "kernels_begin_at_the_winner")
def _(a, winner, w, image_shape):
    (H, W), (kh, kw) = image_shape, w.shape[2:]
    x = np.zeros((len(a), w.shape[1], H + kh, W + kw), a.dtype)
    for n, k in np.ndindex(*a.shape):
        p, q = divmod(winner[n, k], W)
        x[n, :, p : p + kh, q : q + kw] += a[n, k] * w[k]
    return x[:, :, :H, :W]


@attempt("sparse_decode", "a left out", "kernels_not_weighted")
def _(a, winner, w, image_shape):
    return _laid_down(np.ones_like(a), winner, w, image_shape)


@attempt("sparse_decode", "one pixel too far down")
def _(a, winner, w, image_shape):
    return _laid_down(a, winner, w, image_shape, lambda p, q, kh, kw: (p + 1, q))


@attempt("sparse_decode", "kernels that stick out are left out")
def _(a, winner, w, image_shape):
    (H, W), (kh, kw) = image_shape, w.shape[2:]
    p, q = winner // W - (kh - 1) // 2, winner % W - (kw - 1) // 2
    inside = (p >= 0) & (q >= 0) & (p + kh <= H) & (q + kw <= W)
    return _laid_down(a * inside, winner, w, image_shape)


# --- classification -------------------------------------------------------------------------------


def _softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@attempt("softmax_cross_entropy", "-log(exp/sum), which overflows", "cross_entropy_overflows")
def _(z, labels):
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels]).mean()


@attempt("softmax_cross_entropy", "sum over the batch", "cross_entropy_summed")
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    return (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]).sum()


@attempt("softmax_cross_entropy", "softmax along the batch")
def _(z, labels):
    return -np.log(_softmax(z, 0)[np.arange(len(z)), labels] + 1e-300).mean().astype(z.dtype)


@attempt("softmax_cross_entropy", "log to base 2")
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    loss = (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]).mean()
    return (loss / np.log(2)).astype(z.dtype)


@attempt("softmax_cross_entropy", "clipped with 1e-3 against log(0)")
def _(z, labels):
    p = _softmax(z)[np.arange(len(z)), labels]
    return -np.log(np.maximum(p, 1e-1)).mean()


@attempt("softmax_cross_entropy_backward", "not divided by N", "gradient_not_averaged")
def _(z, labels):
    dz = _softmax(z)
    dz[np.arange(len(z)), labels] -= 1
    return dz


@attempt("softmax_cross_entropy_backward", "no 1 subtracted", "right_class_not_subtracted")
def _(z, labels):
    return _softmax(z) / len(z)


@attempt("softmax_cross_entropy_backward", "one-hot minus softmax")
def _(z, labels):
    dz = -_softmax(z)
    dz[np.arange(len(z)), labels] += 1
    return dz / len(z)


@attempt("softmax_cross_entropy_backward", "divided by the number of classes")
def _(z, labels):
    dz = _softmax(z)
    dz[np.arange(len(z)), labels] -= 1
    return dz / z.shape[1]


# --- whitening ------------------------------------------------------------------------------------


def _eigen(x, ddof=0, mean=None):
    rows = x.reshape(len(x), -1)
    rows = rows - (rows.mean(0) if mean is None else mean)
    values, vectors = np.linalg.eigh(rows.T @ rows / max(len(x) - ddof, 1))
    return rows, np.maximum(values, 0), vectors


@attempt("zca_whiten", "PCA whitening: not rotated back", "not_rotated_back")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    return (rows @ vectors / np.sqrt(values + epsilon).astype(x.dtype)).reshape(x.shape)


@attempt("zca_whiten", "np.cov, which divides by N - 1", "divided_by_one_less")
def _(x, epsilon):
    rows, values, vectors = _eigen(x, ddof=1)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (rows @ vectors / scale @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "divided by Λ + ε without the root", "square_root_missing")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    return (rows @ vectors / (values + epsilon).astype(x.dtype) @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "√Λ + ε", "epsilon_outside_the_root")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    scale = (np.sqrt(values) + epsilon).astype(x.dtype)
    return (rows @ vectors / scale @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "each pixel divided by its standard deviation")
def _(x, epsilon):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon).astype(x.dtype)


@attempt("zca_whiten", "rows of eigh taken for the eigenvectors")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (rows @ vectors.T / scale @ vectors).reshape(x.shape)


@attempt("zca_whiten", "the mean image added again at the end")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (rows @ vectors / scale @ vectors.T).reshape(x.shape) + x.mean(0)


# --- checking -------------------------------------------------------------------------------------


def _quotients(forward, arrays, i, dy, step=1e-5):
    found = np.zeros(arrays[i].shape)
    for place in np.ndindex(*found.shape):
        ends = []
        for s in (step, -step):
            moved = [a.copy() for a in arrays]
            moved[i][place] += s
            ends.append((forward(*moved) * dy).sum())
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


@attempt("gradient_check", "the upstream gradient is all ones")
def _(forward, backward, *arrays):
    dy = np.ones_like(forward(*arrays))
    claims = backward(dy, *arrays)
    return all(
        g.shape == a.shape and np.allclose(g, _quotients(forward, arrays, i, dy), atol=1e-6)
        for i, (a, g) in enumerate(zip(arrays, claims, strict=True))
    )


@attempt("gradient_check", "only the first argument is checked")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    claim = backward(dy, *arrays)[0]
    if claim.shape != arrays[0].shape:
        return False
    return np.allclose(claim, _quotients(forward, arrays, 0, dy), atol=1e-6)


@attempt("gradient_check", "a tolerance of 0.5")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    return all(
        g.shape == a.shape and np.allclose(g, _quotients(forward, arrays, i, dy), atol=0.5)
        for i, (a, g) in enumerate(zip(arrays, backward(dy, *arrays), strict=True))
    )


@attempt("gradient_check", "a tolerance of 1e-12: rounding fails")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    return all(
        g.shape == a.shape and np.abs(g - _quotients(forward, arrays, i, dy)).max() < 1e-12
        for i, (a, g) in enumerate(zip(arrays, backward(dy, *arrays), strict=True))
    )


@attempt("gradient_check", "shapes are not compared, broadcasting hides it")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    for i, g in enumerate(backward(dy, *arrays)):
        if np.abs(g.sum() - _quotients(forward, arrays, i, dy).sum()) > 1e-5:
            return False
    return True


@attempt("gradient_check", "always True")
def _(forward, backward, *arrays):
    backward(np.ones_like(forward(*arrays)), *arrays)
    return True


# --- what the kit says ----------------------------------------------------------------------------


def first_words(report):
    """The line of a report that names a cause, an observation or what differs first."""
    for mark in ("Likely cause", "Cause:", "Observed:"):
        for line in report.splitlines()[1:]:
            if line.strip().startswith(mark):
                return line.strip()
    lines = report.splitlines()
    return lines[1].strip() if len(lines) > 1 else lines[0]


def row(attempt, result):
    """A line of the table: what was done, its points, what the kit says first."""
    words = first_words(result.report).replace("|", "\\|").replace("*", "\\*")
    known = "yes" if attempt.cause else "no"
    return f"| `{attempt.task}` | {attempt.what} | {known} | {result.points:g} | {words} |"
