"""First batch of wrong solutions, written from scratch: patches to pooling."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .attempts import FLOAT64, into

ATTEMPTS = []
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


@attempt("im2col", "one row per patch, as other libraries lay it out", "columns_as_a_matrix")
def _(x, kh, kw):
    N, C = x.shape[:2]
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(-1, C * kh * kw)


@attempt("im2col", "row and column of the place exchanged", "places_exchanged")
def _(x, kh, kw):
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))
    return windows.transpose(1, 4, 5, 0, 3, 2).copy()


@attempt("im2col", "a view with the offsets reversed", "offsets_reversed")
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


@attempt("correlate_valid", "stride 2 left over from another exercise", "stride_of_two")
def _(x, w):
    return _correlate(x, w)[:, :, ::2, ::2]


@attempt(
    "correlate_valid", "only one of two channels' loops: c stays at the last", "last_channel_only"
)
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


@attempt("kernel_gradient", "the gradient is flipped", "gradient_flipped")
def _(x, dy):
    windows = sliding_window_view(x, dy.shape[2:], axis=(2, 3))
    return np.einsum("ncijpq,nkpq->kcij", windows, dy)[:, :, ::-1, ::-1].copy()


@attempt("convolve_full", "padded and correlated without flipping", "kernel_not_flipped")
def _(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    return _correlate(padded, w.swapaxes(0, 1))


@attempt("convolve_full", "padded by kh instead of kh - 1", "padded_too_far")
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


@attempt("pad_same", "the border is mirrored instead of zero", "image_continued")
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


@attempt("add_bias_backward", "batch not summed, shape (N, K)", "images_not_summed")
def _(dy):
    return dy, dy.sum((2, 3))


@attempt("add_bias_backward", "only db is returned", "dy_not_returned")
def _(dy):
    return dy.sum((0, 2, 3))


@attempt("scaled_tanh", "1.7159 · tanh(x)", "slope_left_out")
def _(x):
    return x.dtype.type(1.7159) * np.tanh(x)


@attempt("scaled_tanh", "tanh(3x/2)", "slope_upside_down")
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


@attempt("scaled_tanh_backward", "the slope 2/3 forgotten", "slope_of_the_slope_left_out")
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


@attempt("max_pool", "the smallest value", "smallest_value")
def _(x, size):
    return _pool(x, size, lambda window: np.unravel_index(window.argmin(), window.shape))


@attempt("max_pool", "flat positions instead of a mask", "positions_for_a_mask")
def _(x, size):
    y, mask = _pool(x, size, _first)
    return y, np.flatnonzero(mask).reshape(y.shape)


@attempt("max_pool", "search starts at 0, so negative windows give 0", "search_begun_at_zero")
def _(x, size):
    y, mask = _pool(x, size, _first)
    return np.maximum(y, 0), mask


@attempt("max_pool", "only y is returned", "mask_not_returned")
def _(x, size):
    return _pool(x, size, _first)[0]


@attempt("max_pool_backward", "every pixel of the window", "whole_window_gets_the_gradient")
def _(dy, mask, size):
    ph, pw = _pair(size)
    return dy.repeat(ph, 2).repeat(pw, 3)[:, :, : mask.shape[2], : mask.shape[3]].copy()


@attempt(
    "max_pool_backward",
    "dx[mask] = dy.ravel(), which is another order",
    "gradient_in_another_order",
)
def _(dy, mask, size):
    dx = np.zeros(mask.shape, dy.dtype)
    dx[mask] = dy.ravel()
    return dx


@attempt("max_pool_backward", "divided by the size of the window", "gradient_divided")
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
