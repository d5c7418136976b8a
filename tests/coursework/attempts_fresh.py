"""A hundred more wrong solutions of a student's kind, written down before the kit was asked.

Each was written from the stub alone, as somebody does who has understood nearly everything.  What
the kit says to them is counted in ``lectures/exercises/TEACHING.md``.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .attempts import FLOAT64, MASK, into
from .attempts_layers import _correlate, _first, _pair, _pool
from .attempts_models import _conv_full, _eigen, _kernel_gradient, _quotients, _softmax

ATTEMPTS = []
attempt = into(ATTEMPTS)
A, S = 1.7159, 2 / 3


def _windows(x, kh, kw):
    return sliding_window_view(x, (kh, kw), axis=(2, 3))


# --- patches --------------------------------------------------------------------------------------


@attempt("im2col", "the batch stays in front: (N, C, kh, kw, OH, OW)", "batch_in_front")
def _(x, kh, kw):
    return _windows(x, kh, kw).transpose(0, 1, 4, 5, 2, 3).copy()


@attempt("im2col", "a matrix, (C·kh·kw, N·OH·OW)", "columns_as_a_matrix")
def _(x, kh, kw):
    col = _windows(x, kh, kw).transpose(1, 4, 5, 0, 2, 3)
    return col.reshape(x.shape[1] * kh * kw, -1)


@attempt("im2col", "patches side by side, kh and kw apart", "patches_side_by_side")
def _(x, kh, kw):
    return _windows(x, kh, kw)[:, :, ::kh, ::kw].transpose(1, 4, 5, 0, 2, 3).copy()


@attempt("im2col", "zeros around the image, so that OH = H", "image_padded")
def _(x, kh, kw):
    x = np.pad(x, ((0, 0), (0, 0), (0, kh - 1), (0, kw - 1)))
    return _windows(x, kh, kw).transpose(1, 4, 5, 0, 2, 3).copy()


@attempt("im2col", "a view that was not copied")
def _(x, kh, kw):
    return _windows(x, kh, kw).transpose(1, 4, 5, 0, 2, 3)


@attempt("im2col", "np.zeros without x's dtype", FLOAT64)
def _(x, kh, kw):
    N, C, H, W = x.shape
    col = np.zeros((C, kh, kw, N, H - kh + 1, W - kw + 1))
    for i, j in np.ndindex(kh, kw):
        col[:, i, j] = x[:, :, i : i + H - kh + 1, j : j + W - kw + 1].swapaxes(0, 1)
    return col


@attempt("col2im", "offsets counted from the other end", "folded_from_the_other_end")
def _(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i, j in np.ndindex(kh, kw):
        x[:, :, i : i + OH, j : j + OW] += col[:, kh - 1 - i, kw - 1 - j].swapaxes(0, 1)
    return x


@attempt("col2im", "i and j exchanged in the slices", "slices_exchanged")
def _(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i, j in np.ndindex(kh, kw):
        x[:, :, j : j + OH, i : i + OW] += col[:, i, j].swapaxes(0, 1)
    return x


@attempt("col2im", "reshape where the axes should be exchanged", "columns_reshaped")
def _(col, shape):
    C, kh, kw, N, OH, OW = col.shape
    x, col = np.zeros(shape, col.dtype), col.reshape(N, C, kh, kw, OH, OW)
    for i, j in np.ndindex(kh, kw):
        x[:, :, i : i + OH, j : j + OW] += col[:, :, i, j]
    return x


@attempt(
    "col2im", "the last row and column of offsets forgotten: range(kh - 1)", "last_offsets_left_out"
)
def _(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i, j in np.ndindex(max(kh - 1, 1), max(kw - 1, 1)):
        x[:, :, i : i + OH, j : j + OW] += col[:, i, j].swapaxes(0, 1)
    return x


# --- convolution ----------------------------------------------------------------------------------


@attempt(
    "correlate_valid", "the kernel upside down, but not left to right", "flipped_along_one_axis"
)
def _(x, w):
    return _correlate(x, w[:, :, ::-1])


@attempt("correlate_valid", "divided by the number of weights of a kernel", "mean_over_the_patch")
def _(x, w):
    return _correlate(x, w) / x.dtype.type(w.shape[2] * w.shape[3])


@attempt(
    "correlate_valid",
    "the last row of the kernel forgotten: range(kh - 1)",
    "last_offsets_of_the_kernel_left_out",
)
def _(x, w):
    N, _, H, W = x.shape
    K, _, kh, kw = w.shape
    y = np.zeros((N, K, H - kh + 1, W - kw + 1), x.dtype)
    for i, j in np.ndindex(kh - 1, kw):
        patch = x[:, :, i : i + y.shape[2], j : j + y.shape[3]]
        y += np.einsum("ncpq,kc->nkpq", patch, w[:, :, i, j])
    return y


@attempt(
    "correlate_valid", "zeros around the image: as many places as pixels", "padded_image_correlated"
)
def _(x, w):
    kh, kw = w.shape[2:]
    top, left = (kh - 1) // 2, (kw - 1) // 2
    sides = ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left))
    return _correlate(np.pad(x, sides), w)


@attempt(
    "correlate_valid", "= instead of += over the offsets: the last one stays", "last_offset_stays"
)
def _(x, w):
    kh, kw = w.shape[2:]
    return np.einsum("ncpq,kc->nkpq", x[:, :, kh - 1 :, kw - 1 :], w[:, :, -1, -1])


@attempt("correlate_valid", "channels summed first, and the kernel's too", "channels_summed_first")
def _(x, w):
    return _correlate(x.sum(1, keepdims=True), w.sum(1, keepdims=True))


@attempt(
    "correlate_valid", "one loop too few: the first image's answer for all", "first_image_for_all"
)
def _(x, w):
    return np.repeat(_correlate(x[:1], w), len(x), axis=0)


@attempt("kernel_gradient", "dy is flipped before it slides over x", "upstream_flipped")
def _(x, dy):
    return _kernel_gradient(x, dy[:, :, ::-1, ::-1])


@attempt("kernel_gradient", "mean over images and places", "mean_over_places")
def _(x, dy):
    return _kernel_gradient(x, dy) / x.dtype.type(len(x) * dy.shape[2] * dy.shape[3])


@attempt("kernel_gradient", "the upstream gradient left out", "upstream_left_out")
def _(x, dy):
    return _kernel_gradient(x, np.ones_like(dy))


@attempt("kernel_gradient", "rows and columns of the kernel exchanged", "gradient_transposed")
def _(x, dy):
    return _kernel_gradient(x, dy).swapaxes(2, 3).copy()


@attempt("kernel_gradient", "the channels summed: every channel gets the same", "channels_summed")
def _(x, dy):
    dw = _kernel_gradient(x.sum(1, keepdims=True), dy)
    return np.repeat(dw, x.shape[1], axis=1)


@attempt("convolve_full", "the kernel flipped along its rows only", "flipped_along_one_axis_only")
def _(h, w):
    return _conv_full(h, w[:, :, :, ::-1])


@attempt("convolve_full", "padded with kw - 1 rows and kh - 1 columns")
def _(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kw - 1, kw - 1), (kh - 1, kh - 1)))
    return _correlate(padded, w[:, :, ::-1, ::-1].swapaxes(0, 1))


@attempt("convolve_full", "cropped to the size of h", "border_cropped")
def _(h, w):
    kh, kw = w.shape[2:]
    top, left = kh // 2, kw // 2
    return _conv_full(h, w)[:, :, top : top + h.shape[2], left : left + h.shape[3]]


@attempt("convolve_full", "= instead of +=: the last kernel stays", "last_laid_stays")
def _(h, w):
    (N, _, OH, OW), (_, C, kh, kw) = h.shape, w.shape
    x = np.zeros((N, C, OH + kh - 1, OW + kw - 1), h.dtype)
    for n, k, p, q in np.ndindex(*h.shape):
        x[n, :, p : p + kh, q : q + kw] = h[n, k, p, q] * w[k]
    return x


@attempt("convolve_full", "maps and channels of w not exchanged")
def _(h, w):
    kh, kw = w.shape[2:]
    padded = np.pad(h, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    return _correlate(padded, w[:, :, ::-1, ::-1])


@attempt("correlate_valid_backward", "dw flipped", "dw_flipped")
def _(dy, x, w):
    return _conv_full(dy, w), _kernel_gradient(x, dy)[:, :, ::-1, ::-1]


@attempt("correlate_valid_backward", "dx as a valid correlation")
def _(dy, x, w):
    return _correlate(dy, w.swapaxes(0, 1)), _kernel_gradient(x, dy)


@attempt("correlate_valid_backward", "only dw comes back", "dx_not_returned")
def _(dy, x, w):
    return _kernel_gradient(x, dy)


@attempt(
    "correlate_valid_backward", "dy flipped for dw, as for a convolution", "upstream_flipped_for_dw"
)
def _(dy, x, w):
    return _conv_full(dy, w), _kernel_gradient(x, dy[:, :, ::-1, ::-1])


@attempt(
    "correlate_valid_backward",
    "dx with the kernel flipped along one axis",
    "dx_flipped_along_one_axis",
)
def _(dy, x, w):
    return _conv_full(dy, w[:, :, ::-1]), _kernel_gradient(x, dy)


@attempt("pad_same", "kh - 1 rows on both sides, as for full", "padded_for_full")
def _(x, kh, kw):
    return np.pad(x, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))


@attempt("pad_same", "kh and kw exchanged", "height_and_width_of_the_kernel_exchanged")
def _(x, kh, kw):
    top, left = (kw - 1) // 2, (kh - 1) // 2
    return np.pad(x, ((0, 0), (0, 0), (top, kw - 1 - top), (left, kh - 1 - left)))


@attempt("pad_same", "(kh - 1)//2 on both sides", "smaller_half_on_both_sides")
def _(x, kh, kw):
    top, left = (kh - 1) // 2, (kw - 1) // 2
    return np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))


# --- units ----------------------------------------------------------------------------------------


@attempt("add_bias_backward", "db keeps its axes: (1, K, 1, 1)", "axes_kept")
def _(dy):
    return dy, dy.sum((0, 2, 3), keepdims=True)


@attempt(
    "add_bias_backward",
    "db a mean over the images, a sum over places",
    "db_averaged_over_the_images",
)
def _(dy):
    return dy, dy.mean(0).sum((1, 2))


@attempt("add_bias_backward", "db, dy in the wrong order", "db_first")
def _(dy):
    return dy.sum((0, 2, 3)), dy


@attempt("scaled_tanh", "constants exchanged: (2/3)·tanh(1.7159·x)", "constants_exchanged")
def _(x):
    return S * np.tanh(A * x)


@attempt("scaled_tanh", "the amplitude forgotten", "amplitude_left_out")
def _(x):
    return np.tanh(S * x)


@attempt("scaled_tanh", "1.7159 rounded to 1.7", "constants_rounded")
def _(x):
    return 1.7 * np.tanh(S * x)


@attempt("scaled_tanh", "0.67 instead of 2/3", "constants_rounded")
def _(x):
    return A * np.tanh(0.67 * x)


@attempt(
    "scaled_tanh_backward", "the derivative's factors, but y not divided by 1.7159", "y_not_divided"
)
def _(dy, y):
    return dy * (S * A * (1 - y**2))


@attempt(
    "scaled_tanh_backward",
    "the amplitude forgotten: (2/3)(1 - (y/1.7159)²)",
    "amplitude_of_the_slope_left_out",
)
def _(dy, y):
    return dy * (S * (1 - (y / A) ** 2))


@attempt("scaled_tanh_backward", "plus instead of minus", "square_added")
def _(dy, y):
    return dy * (S * (A + y**2 / A))


# --- pooling --------------------------------------------------------------------------------------


@attempt("max_pool", "reshaped to windows without swapaxes", "reshaped_without_exchange")
def _(x, size):
    ph, pw = _pair(size)
    N, C, H, W = x.shape
    fill = np.full((N, C, -(-H // ph) * ph, -(-W // pw) * pw), -np.inf, x.dtype)
    fill[:, :, :H, :W] = x
    y = fill.reshape(N, C, fill.shape[2] // ph, fill.shape[3] // pw, ph, pw).max((4, 5))
    return y, _pool(x, size, _first)[1]


@attempt("max_pool", "the mask as floats", MASK)
def _(x, size):
    y, mask = _pool(x, size, _first)
    return y, mask.astype(x.dtype)


@attempt("max_pool", "the mask holds the values", "mask_of_values")
def _(x, size):
    y, mask = _pool(x, size, _first)
    return y, x * mask


@attempt("max_pool", "ph = pw = size, which fails for a pair")
def _(x, size):
    ph = pw = size
    N, C, H, W = x.shape
    y, mask = np.zeros((N, C, -(-H // ph), -(-W // pw)), x.dtype), np.zeros(x.shape, bool)
    for n, c, p, q in np.ndindex(*y.shape):
        window = x[n, c, p * ph : (p + 1) * ph, q * pw : (q + 1) * pw]
        u, v = _first(window)
        y[n, c, p, q], mask[n, c, p * ph + u, q * pw + v] = window[u, v], True
    return y, mask


@attempt("max_pool", "of equal values the first in a column wins", "first_in_column_order")
def _(x, size):
    def first(window):
        v, u = np.unravel_index(window.T.argmax(), window.T.shape)
        return u, v

    return _pool(x, size, first)


@attempt("max_pool", "the largest absolute value", "largest_absolute_value")
def _(x, size):
    return _pool(x, size, lambda window: _first(abs(window)))


@attempt("max_pool_backward", "repeated along the wrong axes", "gradient_repeated_along_other_axes")
def _(dy, mask, size):
    ph, pw = _pair(size)
    up = dy.repeat(pw, 2).repeat(ph, 3)[:, :, : mask.shape[2], : mask.shape[3]]
    return up * mask


@attempt("max_pool_backward", "tiled instead of repeated", "gradient_tiled")
def _(dy, mask, size):
    up = np.tile(dy, (1, 1, *_pair(size)))[:, :, : mask.shape[2], : mask.shape[3]]
    return up * mask


@attempt("max_pool_backward", "the upstream gradient divided among the window", "gradient_divided")
def _(dy, mask, size):
    ph, pw = _pair(size)
    up = dy.repeat(ph, 2).repeat(pw, 3)[:, :, : mask.shape[2], : mask.shape[3]]
    return up / dy.dtype.type(ph * pw)


@attempt("unpool", "x[mask] = y.ravel()", "values_in_another_order")
def _(y, mask, size):
    x = np.zeros(mask.shape, y.dtype)
    x[mask] = y.ravel()
    return x


@attempt("unpool", "at the upper left corner of each window", "values_at_the_corner")
def _(y, mask, size):
    ph, pw = _pair(size)
    x = np.zeros(mask.shape, y.dtype)
    x[:, :, ::ph, ::pw] = y
    return x


@attempt("unpool", "the mask itself comes back", "mask_returned")
def _(y, mask, size):
    return mask.astype(y.dtype)


# --- auto-encoder ---------------------------------------------------------------------------------


@attempt("corrupt", "what stays is scaled up, as drop-out does", "kept_pixels_scaled_up")
def _(x, draw):
    return x * draw / x.dtype.type(max(draw.mean(), 0.1)) if draw.dtype == bool else x + draw


@attempt("corrupt", "the noise multiplied", "draw_always_multiplied")
def _(x, draw):
    return x * draw


@attempt("corrupt", "x[draw] = 0, in place and the wrong way round", "mask_inverted")
def _(x, draw):
    if draw.dtype == bool:
        x[draw] = 0
        return x
    return x + draw


@attempt("corrupt", "the noise taken away", "noise_subtracted")
def _(x, draw):
    return np.where(draw, x, 0) if draw.dtype == bool else x - draw


def tied(
    x,
    w,
    b,
    c,
    encode=_correlate,
    decode=_conv_full,
    sigma=lambda z: A * np.tanh(S * z),
    slope=lambda h, z: S * (A - h * h / A),
    out=lambda y: (y, 1),
    back=_correlate,
    decoder=_kernel_gradient,
    parts=lambda parts: parts,
):
    """The tied gradient, with one piece exchanged."""
    z = encode(x, w) + b[:, None, None]
    h = sigma(z)
    x_hat, out_slope = out(decode(h, w) + c[:, None, None])
    error = x_hat - x
    delta_y = error * out_slope / len(x)
    delta_h = back(delta_y, w) * slope(h, z)
    dw = _kernel_gradient(x, delta_h) + decoder(delta_y, h)
    loss = (error**2).sum() / (2 * len(x))
    return parts((loss, dw, delta_h.sum((0, 2, 3)), delta_y.sum((0, 2, 3))))


def _flipped(w):
    return w[:, :, ::-1, ::-1]


@attempt(
    "tied_cae_gradient",
    "decoded with convolve_full(h, flip(w)), the rest as it is",
    "decoded_without_flip",
)
def _(x, w, b, c):
    return tied(x, w, b, c, decode=lambda h, w: _conv_full(h, _flipped(w)))


@attempt(
    "tied_cae_gradient",
    "equation (2) taken literally, and its right gradient",
    "decoded_without_flip",
)
def _(x, w, b, c):
    return tied(
        x,
        w,
        b,
        c,
        decode=lambda h, w: _conv_full(h, _flipped(w)),
        back=lambda delta_y, w: _correlate(delta_y, _flipped(w)),
        decoder=lambda delta_y, h: _flipped(_kernel_gradient(delta_y, h)),
    )


@attempt("tied_cae_gradient", "kernel_gradient(delta_y, flip(h))", "flipped_code")
def _(x, w, b, c):
    return tied(x, w, b, c, decoder=lambda delta_y, h: _kernel_gradient(delta_y, _flipped(h)))


@attempt("tied_cae_gradient", "σ′ at z instead of at the output", "slope_at_the_input")
def _(x, w, b, c):
    return tied(x, w, b, c, slope=lambda h, z: S * (A - z * z / A))


@attempt("tied_cae_gradient", "σ on the output too", "sigma_on_the_output")
def _(x, w, b, c):
    def out(y):
        y = A * np.tanh(S * y)
        return y, S * (A - y * y / A)

    return tied(x, w, b, c, out=out)


@attempt("tied_cae_gradient", "c forgotten in the reconstruction", "output_bias_forgotten")
def _(x, w, b, c):
    return tied(x, w, b, 0 * c)


@attempt("tied_cae_gradient", "b forgotten in the code", "code_bias_forgotten")
def _(x, w, b, c):
    return tied(x, w, 0 * b, c)


@attempt("tied_cae_gradient", "a linear code: σ forgotten", "linear_code")
def _(x, w, b, c):
    return tied(x, w, b, c, sigma=lambda z: z, slope=lambda h, z: 1)


@attempt("tied_cae_gradient", "σ forgotten in the code, its slope not", "linear_code")
def _(x, w, b, c):
    return tied(x, w, b, c, sigma=lambda z: z)


@attempt(
    "tied_cae_gradient", "the loss is not divided by N, the gradients are", "loss_not_averaged"
)
def _(x, w, b, c):
    return tied(x, w, b, c, parts=lambda p: (p[0] * len(x), *p[1:]))


@attempt("tied_cae_gradient", "x - x_hat: every gradient has the wrong sign", "error_reversed")
def _(x, w, b, c):
    return tied(x, w, b, c, parts=lambda p: (p[0], -p[1], -p[2], -p[3]))


@attempt("sgd_step", "v = m·v + rate·dp; p - v", "velocity_reversed")
def _(p, dp, v, rate, momentum):
    v = momentum * v + rate * dp
    return p - v, v


@attempt("sgd_step", "momentum · (v - rate·dp)", "momentum_on_everything")
def _(p, dp, v, rate, momentum):
    v = momentum * (v - rate * dp)
    return p + v, v


@attempt("sgd_step", "the rate a second time: p + rate·v", "rate_twice")
def _(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return p + rate * v, v


@attempt("sgd_step", "m·v + (1 - m)·dp, then p - rate·v", "mean_of_gradients")
def _(p, dp, v, rate, momentum):
    v = momentum * v + (1 - momentum) * dp
    return p - rate * v, v


@attempt("sgd_step", "only p comes back", "velocity_not_in_the_answer")
def _(p, dp, v, rate, momentum):
    return p + momentum * v - rate * dp


# --- winner-take-all ------------------------------------------------------------------------------


@attempt("winner_take_all", "flat positions column by column", "counted_down_the_columns")
def _(h):
    flat = h.swapaxes(2, 3).reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.argmax(-1)


@attempt("winner_take_all", "argmax of each row only", "winner_of_every_row")
def _(h):
    return h.max(-1), h.argmax(-1)


@attempt("winner_take_all", "maps with all but the winners zero", "whole_maps_returned")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    winner = flat.argmax(-1)
    keep = np.arange(flat.shape[-1]) == winner[..., None]
    return (flat * keep).reshape(h.shape), winner


@attempt("winner_take_all_backward", "divmod(winner, H)", "divided_by_the_height")
def _(da, winner, map_shape):
    H, W = map_shape
    dh = np.zeros((*da.shape, H, W), da.dtype)
    for n, k in np.ndindex(*da.shape):
        p, q = divmod(winner[n, k], H)
        dh[n, k, p % H, q % W] = da[n, k]
    return dh


@attempt("winner_take_all_backward", "rows and columns exchanged", "maps_transposed")
def _(da, winner, map_shape):
    H, W = map_shape
    dh = np.zeros((*da.shape, W, H), da.dtype)
    for n, k in np.ndindex(*da.shape):
        p, q = divmod(winner[n, k], W)
        dh[n, k, q, p] = da[n, k]
    return dh


@attempt(
    "sparse_decode",
    "the whole kernel inside: the border cropped from the corner",
    "cropped_by_a_whole_kernel",
)
def _(a, winner, w, image_shape):
    return _decoded(a, winner, w, image_shape, lambda kh, kw: (kh - 1, kw - 1))


def _decoded(a, winner, w, image_shape, crop, place=lambda p, q: (p, q)):
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    x = np.zeros((N, C, max(H, W) + 2 * kh + 2 * kw, max(H, W) + 2 * kw + 2 * kh), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = place(*divmod(winner[n, k], W))
        x[n, :, p : p + kh, q : q + kw] += a[n, k] * w[k]
    top, left = crop(kh, kw)
    return x[:, :, top : top + H, left : left + W]


@attempt("sparse_decode", "kernels transposed")
def _(a, winner, w, image_shape):
    return _decoded(
        a, winner, w.swapaxes(2, 3), image_shape, lambda kh, kw: ((kw - 1) // 2, (kh - 1) // 2)
    )


@attempt("sparse_decode", "row and column of the winner exchanged", "row_and_column_exchanged")
def _(a, winner, w, image_shape):
    def centred(kh, kw):
        return (kh - 1) // 2, (kw - 1) // 2

    return _decoded(a, winner, w, image_shape, centred, lambda p, q: (q, p))


# --- classification -------------------------------------------------------------------------------


@attempt("softmax_cross_entropy", "the minus forgotten", "minus_left_out")
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    return (z[np.arange(len(z)), labels] - np.log(np.exp(z).sum(1))).mean()


@attempt(
    "softmax_cross_entropy",
    "mean over all N · classes numbers of one-hot times log p",
    "mean_over_classes",
)
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -(np.eye(z.shape[1], dtype=z.dtype)[labels] * log_p).mean()


@attempt("softmax_cross_entropy", "p[:, labels]: every row with every label", "loss_of_every_label")
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -log_p[:, labels].mean()


@attempt("softmax_cross_entropy", "one loss for each image", "losses_not_averaged")
def _(z, labels):
    z = z - z.max(1, keepdims=True)
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]


@attempt("softmax_cross_entropy_backward", "p[:, labels] -= 1", "every_label_in_every_row")
def _(z, labels):
    p = _softmax(z)
    p[:, labels] -= 1
    return p / len(z)


@attempt("softmax_cross_entropy_backward", "soft-max over axis 0", "gradient_along_the_batch")
def _(z, labels):
    p = _softmax(z, 0)
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


@attempt("softmax_cross_entropy_backward", "no soft-max: z minus one-hot", "softmax_left_out")
def _(z, labels):
    dz = z.copy()
    dz[np.arange(len(z)), labels] -= 1
    return dz / len(z)


@attempt(
    "softmax_cross_entropy_backward", "exp without the largest subtracted", "gradient_overflows"
)
def _(z, labels):
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


# --- whitening ------------------------------------------------------------------------------------


def _whitened(x, rows, values, vectors):
    scale = np.sqrt(values).astype(x.dtype)
    return (rows @ vectors / scale @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "the mean not subtracted from what is rotated", "mean_left_in_the_images")
def _(x, epsilon):
    _, values, vectors = _eigen(x)
    return _whitened(x, x.reshape(len(x), -1), values + epsilon, vectors)


@attempt(
    "zca_whiten", "ε forgotten, but a tiny number against division by zero", "epsilon_left_out"
)
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    return _whitened(x, rows, values + 1e-8, vectors)


@attempt("zca_whiten", "ε² instead of ε", "epsilon_squared")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    return _whitened(x, rows, values + epsilon**2, vectors)


@attempt(
    "zca_whiten", "the singular values of the rows taken for eigenvalues", "singular_values_taken"
)
def _(x, epsilon):
    rows = x.reshape(len(x), -1)
    rows = rows - rows.mean(0)
    _, s, vt = np.linalg.svd(rows, full_matrices=False)
    return (rows @ vt.T / np.sqrt(s + epsilon).astype(x.dtype) @ vt).reshape(x.shape)


@attempt("zca_whiten", "each channel on its own", "each_channel_by_itself")
def _(x, epsilon):
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        rows, values, vectors = _eigen(x[:, c : c + 1])
        y[:, c : c + 1] = _whitened(x[:, c : c + 1], rows, values + epsilon, vectors)
    return y


# --- checking -------------------------------------------------------------------------------------


@attempt("gradient_check", "the mean of the differences, with 1e-2")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    return all(
        g.shape == a.shape and abs((g - _quotients(forward, arrays, i, dy)).mean()) < 1e-2
        for i, (a, g) in enumerate(zip(arrays, backward(dy, *arrays), strict=True))
    )


@attempt("gradient_check", "a step of 1e-12")
def _(forward, backward, *arrays):
    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*arrays)))
    return all(
        g.shape == a.shape and np.allclose(g, _quotients(forward, arrays, i, dy, 1e-12))
        for i, (a, g) in enumerate(zip(arrays, backward(dy, *arrays), strict=True))
    )
