"""First batch of wrong solutions, written from scratch: auto-encoder to checking."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .attempts import IN_PLACE, MASK, into
from .attempts_layers import _correlate

ATTEMPTS = []
attempt = into(ATTEMPTS)


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


@attempt("corrupt", "noise clipped to [0, 1]", "clipped_to_intensities")
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


@attempt("tied_cae_gradient", "the loss as a mean over pixels", "loss_over_pixels")
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


@attempt("sgd_step", "v, p instead of p, v", "velocity_first")
def _(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return v, p + v


@attempt("sgd_step", "the rate is applied to the old velocity", "rate_and_momentum_exchanged")
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


@attempt("winner_take_all", "positions as pairs", "positions_as_pairs")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), np.stack(np.unravel_index(flat.argmax(-1), h.shape[2:]), -1)


@attempt("winner_take_all", "positions as float64", MASK)
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.argmax(-1).astype(float)


@attempt("winner_take_all", "positions counted from 1", "counted_from_one")
def _(h):
    flat = h.reshape(*h.shape[:2], -1)
    return flat.max(-1), flat.argmax(-1) + 1


@attempt("winner_take_all_backward", "ones at the winners", "gradient_of_one")
def _(da, winner, map_shape):
    dh = np.zeros((*da.shape, map_shape[0] * map_shape[1]), da.dtype)
    np.put_along_axis(dh, winner[..., None], 1, 2)
    return dh.reshape(*da.shape, *map_shape)


@attempt("winner_take_all_backward", "left flat", "maps_left_flat")
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


@attempt("sparse_decode", "kernels that stick out are left out", "sticking_out_left_out")
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


@attempt("softmax_cross_entropy", "softmax along the batch", "loss_along_the_batch")
def _(z, labels):
    return -np.log(_softmax(z, 0)[np.arange(len(z)), labels] + 1e-300).mean().astype(z.dtype)


@attempt("softmax_cross_entropy", "log to base 2", "another_logarithm")
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


@attempt("softmax_cross_entropy_backward", "one-hot minus softmax", "one_hot_minus_softmax")
def _(z, labels):
    dz = -_softmax(z)
    dz[np.arange(len(z)), labels] += 1
    return dz / len(z)


@attempt(
    "softmax_cross_entropy_backward", "divided by the number of classes", "divided_by_the_classes"
)
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


@attempt("zca_whiten", "each pixel divided by its standard deviation", "pixels_standardised")
def _(x, epsilon):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon).astype(x.dtype)


@attempt("zca_whiten", "rows of eigh taken for the eigenvectors")
def _(x, epsilon):
    rows, values, vectors = _eigen(x)
    scale = np.sqrt(values + epsilon).astype(x.dtype)
    return (rows @ vectors.T / scale @ vectors).reshape(x.shape)


@attempt("zca_whiten", "the mean image added again at the end", "mean_added_again")
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
