"""A second batch of wrong solutions, written after the kit was finished, to see how it does.

The labels were written before the kit was asked, and the catalogue was not touched afterwards.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .attempts import FLOAT64, IN_PLACE, into
from .attempts_layers import _correlate, _first, _pair
from .attempts_models import _conv_full, _eigen, _kernel_gradient, _laid_down, _softmax, _tied

ATTEMPTS = []
attempt = into(ATTEMPTS)


@attempt("im2col", "np.array(list of patches), one place short in both loops", "one_place_short")
def _(x, kh, kw):
    N, C, H, W = x.shape
    patches = [[x[:, :, p : p + kh, q : q + kw] for q in range(W - kw)] for p in range(H - kh)]
    col = np.zeros((C, kh, kw, N, max(H - kh, 0), max(W - kw, 0)), x.dtype)
    for p, row in enumerate(patches):
        for q, patch in enumerate(row):
            col[..., p, q] = patch.transpose(1, 2, 3, 0)
    return col


@attempt("im2col", "offsets (j, i) instead of (i, j)", "offsets_exchanged")
def _(x, kh, kw):
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))
    return windows.transpose(1, 5, 4, 0, 2, 3).copy()


@attempt("col2im", "mean instead of sum, by np.add.at and a count", "mean_of_the_patches")
def _(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x, count = np.zeros(shape, col.dtype), np.zeros(shape[2:], col.dtype)
    for i, j in np.ndindex(kh, kw):
        x[:, :, i : i + OH, j : j + OW] += col[:, i, j].swapaxes(0, 1)
        count[i : i + OH, j : j + OW] += 1
    return x / count


@attempt("col2im", "images and channels not exchanged back")
def _(col, shape):
    C, kh, kw, N, OH, OW = col.shape
    x = np.zeros((C, N, *shape[2:]), col.dtype)
    for i, j in np.ndindex(kh, kw):
        x[:, :, i : i + OH, j : j + OW] += col[:, i, j]
    return x


@attempt("correlate_valid", "max over channels instead of sum")
def _(x, w):
    return np.max([_correlate(x[:, c : c + 1], w[:, c : c + 1]) for c in range(x.shape[1])], 0)


@attempt("correlate_valid", "kernel transposed (i and j exchanged)", "kernel_transposed")
def _(x, w):
    return _correlate(x, w.swapaxes(2, 3))


@attempt("convolve_full", "one loop forgotten: only the first map", "first_map_only")
def _(h, w):
    return _conv_full(h[:, :1], w[:1])


@attempt("convolve_full", "mean over the maps", "mean_over_maps")
def _(h, w):
    return _conv_full(h, w) / h.dtype.type(len(w))


@attempt("kernel_gradient", "only image 0", "first_image_only")
def _(x, dy):
    return _kernel_gradient(x[0:1], dy[0:1])


@attempt("correlate_valid_backward", "dw sums dy alone, as if x were ones", "dw_without_x")
def _(dy, x, w):
    return _conv_full(dy, w), _kernel_gradient(np.ones_like(x), dy)


@attempt("correlate_valid_backward", "dy replaced by ones", "upstream_ignored")
def _(dy, x, w):
    ones = np.ones(dy.shape, dy.dtype)
    return _conv_full(ones, w), _kernel_gradient(x, ones)


@attempt("pad_same", "all zeros on the right and below", "all_below")
def _(x, kh, kw):
    return np.pad(x, [(0, 0), (0, 0), (0, kh - 1), (0, kw - 1)])


@attempt("add_bias_backward", "db of one image", "db_of_the_first_image")
def _(dy):
    return dy, dy[0].sum((1, 2))


@attempt("scaled_tanh", "clipped at ±1", "clipped_at_one")
def _(x):
    return np.clip(1.7159 * np.tanh(2 / 3 * x), -1, 1)


@attempt("scaled_tanh_backward", "derivative taken at y", "output_taken_for_input")
def _(dy, y):
    t = np.tanh(2 / 3 * y)
    return dy * (1.7159 * 2 / 3 * (1 - t * t))


@attempt("max_pool", "mean pooling by loops", "window_averaged")
def _(x, size):
    ph, pw = _pair(size)
    N, C, H, W = x.shape
    y, mask = np.zeros((N, C, -(-H // ph), -(-W // pw)), x.dtype), np.zeros(x.shape, bool)
    for n, c, p, q in np.ndindex(*y.shape):
        window = x[n, c, p * ph : (p + 1) * ph, q * pw : (q + 1) * pw]
        y[n, c, p, q] = window.mean()
        u, v = _first(window)
        mask[n, c, p * ph + u, q * pw + v] = True
    return y, mask


@attempt("max_pool", "(pw, ph) for a pair", "height_and_width_exchanged")
def _(x, size):
    pw, ph = _pair(size)
    N, C, H, W = x.shape
    y, mask = np.zeros((N, C, -(-H // ph), -(-W // pw)), x.dtype), np.zeros(x.shape, bool)
    for n, c, p, q in np.ndindex(*y.shape):
        window = x[n, c, p * ph : (p + 1) * ph, q * pw : (q + 1) * pw]
        u, v = _first(window)
        y[n, c, p, q], mask[n, c, p * ph + u, q * pw + v] = window[u, v], True
    return y, mask


@attempt("max_pool_backward", "dy added to the first pixel", "first_pixel_gets_the_gradient")
def _(dy, mask, size):
    ph, pw = _pair(size)
    dx = np.zeros(mask.shape, dy.dtype)
    for p, q in np.ndindex(*dy.shape[2:]):
        dx[:, :, p * ph, q * pw] = dy[:, :, p, q]
    return dx


@attempt("unpool", "x.T of the mask: rows for columns")
def _(y, mask, size):
    ph, pw = _pair(size)
    x = np.zeros(mask.shape, y.dtype)
    for n, c, u, v in zip(*np.nonzero(mask), strict=True):
        x[n, c, u, v] = y[n, c, min(v // pw, y.shape[2] - 1), min(u // ph, y.shape[3] - 1)]
    return x


@attempt("tied_cae_gradient", "only the encoder's term", "no_decoder_term")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    return (
        loss,
        _kernel_gradient(x, dh * slope),
        (dh * slope).sum((0, 2, 3)),
        delta_y.sum((0, 2, 3)),
    )


@attempt("tied_cae_gradient", "decoder's term flipped", "flipped_decoder_term")
def _(x, w, b, c):
    h, loss, delta_y, dh, slope = _tied(x, w, b, c)
    dw = _kernel_gradient(x, dh * slope) + _kernel_gradient(delta_y, h)[:, :, ::-1, ::-1]
    return loss, dw, (dh * slope).sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("tied_cae_gradient", "b added after the non-linearity", "bias_after_sigma")
def _(x, w, b, c):
    h = 1.7159 * np.tanh(2 / 3 * _correlate(x, w)) + b[:, None, None]
    delta_y = (_conv_full(h, w) + c[:, None, None] - x) / len(x)
    loss = (delta_y**2).sum() * len(x) / 2
    dh = _correlate(delta_y, w)
    delta_h = dh * 2 / 3 * (1.7159 - (h - b[:, None, None]) ** 2 / 1.7159)
    dw = _kernel_gradient(x, delta_h) + _kernel_gradient(delta_y, h)
    return loss, dw, dh.sum((0, 2, 3)), delta_y.sum((0, 2, 3))


@attempt("sgd_step", "momentum multiplies the gradient too", "momentum_on_everything")
def _(p, dp, v, rate, momentum):
    v = momentum * (v - rate * dp)
    return p + v, v


@attempt("sgd_step", "v += ... on the argument", IN_PLACE)
def _(p, dp, v, rate, momentum):
    v *= momentum
    v += -rate * dp
    return p + v, v


@attempt("corrupt", "astype(float) on the mask", FLOAT64)
def _(x, draw):
    return x * draw.astype(float) if draw.dtype == bool else x + draw


@attempt("winner_take_all", "smallest instead of largest", "smallest_wins")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.min(-1), flat.argmin(-1)


@attempt("winner_take_all", "the last of equal maxima, by reversing", "last_of_equals_wins")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.shape[-1] - 1 - flat[..., ::-1].argmax(-1)


@attempt("winner_take_all_backward", "gradient at every unit", "all_units_get_the_gradient")
def _(da, winner, map_shape):
    return np.ones(map_shape, da.dtype) * da[:, :, None, None]


@attempt("sparse_decode", "divided by H instead of W", "winner_divided_by_height", named=False)
def _(a, winner, w, image_shape):
    H, W = image_shape
    p, q = winner // H, winner % H
    kept = np.minimum(p, H - 1) * W + np.minimum(q, W - 1)
    return _laid_down(a, kept, w, image_shape)


@attempt("sparse_decode", "overwritten instead of added", "last_kernel_stays")
def _(a, winner, w, image_shape):
    (H, W), (kh, kw) = image_shape, w.shape[2:]
    x = np.zeros((len(a), w.shape[1], H + kh, W + kw), a.dtype)
    for n, k in np.ndindex(*a.shape):
        p, q = divmod(winner[n, k], W)
        x[n, :, p : p + kh, q : q + kw] = a[n, k] * w[k]
    return x[:, :, (kh - 1) // 2 :, (kw - 1) // 2 :][:, :, :H, :W]


@attempt(
    "softmax_cross_entropy", "probability instead of its logarithm", "probability_for_its_logarithm"
)
def _(z, labels):
    return -_softmax(z)[np.arange(len(z)), labels].mean()


@attempt("softmax_cross_entropy_backward", "only the right class has a gradient")
def _(z, labels):
    dz = np.zeros_like(z)
    rows = np.arange(len(z))
    dz[rows, labels] = (_softmax(z)[rows, labels] - 1) / len(z)
    return dz


@attempt("zca_whiten", "x not centred before it is rotated", "mean_not_subtracted")
def _(x, epsilon):
    rows = x.reshape(len(x), -1)
    values, vectors = np.linalg.eigh(rows.T @ rows / len(x))
    scale = np.sqrt(np.maximum(values, 0) + epsilon).astype(x.dtype)
    return (rows @ vectors / scale @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "multiplied by √(Λ + ε)", "coloured_instead")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (rows @ vectors * scale @ vectors.T).reshape(x.shape)


@attempt("zca_whiten", "covariance right, data not centred", "mean_left_in_the_images")
def _(x, epsilon):
    _, values, vectors = _eigen(x)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (x.reshape(len(x), -1) @ vectors / scale @ vectors.T).reshape(x.shape)
