"""Mistakes in what training is made of: the auto-encoder's gradient, the step, whitening."""

import numpy as np

from ... import ops
from ...ops.sparse import sparse_decode, sparse_decode_backward
from ...spec.solutions import zca_whiten
from ...training.optim import sgd_step
from .mistake import planted_in

# --- the tied gradient ----------------------------------------------------------------------------


def _encoded(x, w, b):
    return ops.scaled_tanh(ops.add_bias(ops.correlate_valid(x, w), b))


def _tied_parts(x, w, b, c):
    """The code, and what comes back: h, loss, delta_y, dh."""
    h = _encoded(x, w, b)
    x_hat = ops.add_bias(ops.convolve_full(h, w), c)
    delta_y = (x_hat - x) / len(x)
    return h, ops.squared_error(x_hat, x) / 2, delta_y, ops.correlate_valid(delta_y, w)


def _assembled(x, h, loss, delta_y, delta_h):
    dw = ops.kernel_gradient(x, delta_h) + ops.kernel_gradient(delta_y, h)
    return loss, dw, delta_h.sum(axis=(0, 2, 3)), delta_y.sum(axis=(0, 2, 3))


def _right(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    return _assembled(x, h, loss, delta_y, ops.scaled_tanh_backward(dh, h))


def _twice_flipped(h, w):
    return ops.convolve_full(h, ops.flip(w))


def _tied_with(
    x,
    w,
    b,
    c,
    sigma=ops.scaled_tanh,
    slope=lambda dh, h, z: ops.scaled_tanh_backward(dh, h),
    decode=ops.convolve_full,
    out=lambda y: (y, 1),
    back=ops.correlate_valid,
    encoder=ops.kernel_gradient,
    decoder=ops.kernel_gradient,
    code_bias=True,
    image_bias=True,
    reversed_error=False,
):
    """The tied gradient with one of its pieces exchanged."""
    z = ops.correlate_valid(x, w)
    z = ops.add_bias(z, b) if code_bias else z
    h = sigma(z)
    y = decode(h, w)
    x_hat, out_slope = out(ops.add_bias(y, c) if image_bias else y)
    delta_y = (x_hat - x) * out_slope / len(x)
    delta_y = -delta_y if reversed_error else delta_y
    delta_h = slope(back(delta_y, w), h, z)
    dw = encoder(x, delta_h) + decoder(delta_y, h)
    loss = ops.squared_error(x_hat, x) / 2
    return loss, dw, delta_h.sum(axis=(0, 2, 3)), delta_y.sum(axis=(0, 2, 3))


@planted_in(
    "tied_cae_gradient", "The encoder's term x ∗ δh is missing from dw: w is used twice, add both."
)
def no_encoder_term(x, w, b, c):
    h, _, delta_y, _ = _tied_parts(x, w, b, c)
    loss, _, db, dc = _right(x, w, b, c)
    return loss, ops.kernel_gradient(delta_y, h), db, dc


@planted_in(
    "tied_cae_gradient", "The decoder's term h̃ ∗ δy is missing from dw: w is used twice, add both."
)
def no_decoder_term(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    _, _, db, dc = _right(x, w, b, c)
    return loss, ops.kernel_gradient(x, ops.scaled_tanh_backward(dh, h)), db, dc


@planted_in("tied_cae_gradient", "The decoder's term of dw comes out flipped; both have w's order.")
def flipped_decoder_term(x, w, b, c):
    h, _, delta_y, _ = _tied_parts(x, w, b, c)
    loss, dw, db, dc = _right(x, w, b, c)
    term = ops.kernel_gradient(delta_y, h)
    return loss, dw - term + ops.flip(term), db, dc


@planted_in("tied_cae_gradient", "The encoder's term of dw comes out flipped; both have w's order.")
def flipped_encoder_term(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    term = ops.kernel_gradient(x, ops.scaled_tanh_backward(dh, h))
    _, dw, db, dc = _right(x, w, b, c)
    return loss, dw - term + ops.flip(term), db, dc


@planted_in("tied_cae_gradient", "The decoder's term of dw is subtracted; the two are added.")
def decoder_term_subtracted(x, w, b, c):
    h, _, delta_y, _ = _tied_parts(x, w, b, c)
    loss, dw, db, dc = _right(x, w, b, c)
    return loss, dw - 2 * ops.kernel_gradient(delta_y, h), db, dc


@planted_in("tied_cae_gradient", "The two terms of dw are averaged; they are added.")
def terms_averaged(x, w, b, c):
    loss, dw, db, dc = _right(x, w, b, c)
    return loss, dw / 2, db, dc


@planted_in("tied_cae_gradient", "σ' is left out on the way back: δh is dh times σ'(h).")
def sigma_derivative_left_out(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    return _assembled(x, h, loss, delta_y, dh)


@planted_in("tied_cae_gradient", "1 - h² is the derivative of the plain tanh, not of the scaled.")
def sigma_derivative_of_plain_tanh(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    return _assembled(x, h, loss, delta_y, dh * (1 - h * h))


@planted_in(
    "tied_cae_gradient",
    "You let dh come back through flipped kernels. It should be correlate_valid(delta_y, w).",
)
def came_back_through_flipped_kernels(x, w, b, c):
    h, loss, delta_y, _ = _tied_parts(x, w, b, c)
    dh = ops.correlate_valid(delta_y, ops.flip(w))
    return _assembled(x, h, loss, delta_y, ops.scaled_tanh_backward(dh, h))


@planted_in("tied_cae_gradient", "db sums over the wrong axes: maps stay, images and places go.")
def tied_db_over_the_wrong_axes(x, w, b, c):
    h, loss, delta_y, dh = _tied_parts(x, w, b, c)
    loss, dw, _, dc = _right(x, w, b, c)
    return loss, dw, ops.scaled_tanh_backward(dh, h).sum(axis=(1, 2, 3)), dc


@planted_in("tied_cae_gradient", "db and dc are means over batch and places; they are sums.")
def tied_biases_averaged(x, w, b, c):
    h, _, delta_y, dh = _tied_parts(x, w, b, c)
    loss, dw, _, _ = _right(x, w, b, c)
    delta_h = ops.scaled_tanh_backward(dh, h)
    return loss, dw, delta_h.mean(axis=(0, 2, 3)), delta_y.mean(axis=(0, 2, 3))


@planted_in("tied_cae_gradient", "The half is missing: M11's loss is 1/(2N) times the sum.")
def half_missing(x, w, b, c):
    return tuple(2 * part for part in _right(x, w, b, c))


@planted_in("tied_cae_gradient", "The gradients are twice too large: the half cancels the 2.")
def gradients_without_the_half(x, w, b, c):
    loss, *gradients = _right(x, w, b, c)
    return loss, *(2 * gradient for gradient in gradients)


@planted_in("tied_cae_gradient", "Nothing is divided by N, the number of images.")
def not_averaged_over_the_batch(x, w, b, c):
    return tuple(len(x) * part for part in _right(x, w, b, c))


@planted_in("tied_cae_gradient", "The gradients are not divided by N, but the loss is.")
def gradients_not_averaged(x, w, b, c):
    loss, *gradients = _right(x, w, b, c)
    return loss, *(len(x) * gradient for gradient in gradients)


@planted_in(
    "tied_cae_gradient",
    "You decode with the kernels the other way round. It should be convolve_full(h, w), which "
    "flips once by itself: with flip(w) it flips twice.",
    [
        lambda x, w, b, c, back=back, turn=turn: _tied_with(
            x, w, b, c, decode=_twice_flipped, back=back, decoder=turn
        )
        for back in (ops.correlate_valid, lambda d, w: ops.correlate_valid(d, ops.flip(w)))
        for turn in (ops.kernel_gradient, lambda d, h: ops.flip(ops.kernel_gradient(d, h)))
    ],
)
def decoded_without_flip(x, w, b, c):
    h = _encoded(x, w, b)
    x_hat = ops.add_bias(ops.convolve_full(h, ops.flip(w)), c)
    delta_y = (x_hat - x) / len(x)
    dh = ops.correlate_valid(delta_y, w)
    loss = ops.squared_error(x_hat, x) / 2
    return _assembled(x, h, loss, delta_y, ops.scaled_tanh_backward(dh, h))


# --- the step -------------------------------------------------------------------------------------


@planted_in("sgd_step", "The parameter goes uphill: the gradient is subtracted.")
def uphill(p, dp, v, rate, momentum):
    v = momentum * v + rate * dp
    return p + v, v


@planted_in("sgd_step", "Momentum is ignored: the old velocity has to be carried on.")
def momentum_ignored(p, dp, v, rate, momentum):
    return p - rate * dp, -rate * dp


@planted_in("sgd_step", "The parameter moves by the old velocity; it moves by the new one.")
def old_velocity_used(p, dp, v, rate, momentum):
    return p + v, momentum * v - rate * dp


@planted_in("sgd_step", "The rate multiplies the whole velocity; it belongs to the gradient alone.")
def rate_outside(p, dp, v, rate, momentum):
    v = momentum * v + dp
    return p - rate * v, v


@planted_in("sgd_step", "The gradient is weighted with 1 - momentum; that is a running mean.")
def running_mean(p, dp, v, rate, momentum):
    v = momentum * v - rate * (1 - momentum) * dp
    return p + v, v


@planted_in("sgd_step", "The rate is missing: the gradient goes into the velocity at full size.")
def rate_missing(p, dp, v, rate, momentum):
    v = momentum * v - dp
    return p + v, v


@planted_in("sgd_step", "The old velocity is returned; the next step needs the new one.")
def velocity_not_returned(p, dp, v, rate, momentum):
    return p + momentum * v - rate * dp, v.copy()


@planted_in("sgd_step", "Nesterov's step is taken; the classical one moves by the new velocity.")
def nesterov(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return p + momentum * v - rate * dp, v


@planted_in("sgd_step", "Parameter and velocity are changed in place; new arrays must come back.")
def stepped_in_place(p, dp, v, rate, momentum):
    v *= momentum
    v -= rate * dp
    p += v
    return p, v


# --- decoding through winners ---------------------------------------------------------------------


@planted_in(
    "sparse_decode",
    "You lay the kernels down flipped. It should be w[k] as it is, with its centre at the winner.",
)
def kernels_laid_flipped(a, winner, w, image_shape):
    return sparse_decode(a, winner, np.ascontiguousarray(ops.flip(w)), image_shape)


@planted_in("sparse_decode", "Kernels begin at the winner; they are centred: (kh - 1)//2 above it.")
def kernels_begin_at_the_winner(a, winner, w, image_shape):
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    x_hat = np.zeros((N, C, H + kh - 1, W + kw - 1), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = divmod(winner[n, k], W)
        x_hat[n, :, p : p + kh, q : q + kw] += a[n, k] * w[k]
    return x_hat[:, :, :H, :W]


@planted_in("sparse_decode", "An even kernel has (kh - 1)//2 rows above its winner, not kh//2.")
def larger_half_above_the_winner(a, winner, w, image_shape):
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    x_hat = np.zeros((N, C, H + kh - 1, W + kw - 1), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = divmod(winner[n, k], W)
        x_hat[n, :, p : p + kh, q : q + kw] += a[n, k] * w[k]
    return x_hat[:, :, kh // 2 : kh // 2 + H, kw // 2 : kw // 2 + W]


@planted_in("sparse_decode", "Where kernels overlap the last one stays; they have to be added.")
def last_kernel_stays(a, winner, w, image_shape):
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    x_hat = np.zeros((N, C, H + kh - 1, W + kw - 1), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = divmod(winner[n, k], W)
        x_hat[n, :, p : p + kh, q : q + kw] = a[n, k] * w[k]
    return ops.crop_same(x_hat, kh, kw)


@planted_in("sparse_decode", "The winners' values are left out: each kernel is weighted by a.")
def kernels_not_weighted(a, winner, w, image_shape):
    return sparse_decode(np.ones_like(a), winner, w, image_shape)


@planted_in("sparse_decode", "A flat position is divided by the height; rows are W units long.")
def winner_divided_by_height(a, winner, w, image_shape):
    H, W = image_shape
    return sparse_decode(a, winner % H * W + winner // H, w, image_shape)


@planted_in("sparse_decode", "The maps are averaged; the reconstruction is the sum over all maps.")
def mean_over_winners(a, winner, w, image_shape):
    return sparse_decode(a, winner, w, image_shape) / a.dtype.type(a.shape[1])


@planted_in("sparse_decode_backward", "da is summed over the map; only the winner's place counts.")
def da_summed_over_the_map(dx, a, winner, w):
    da = ops.correlate_same(dx, w).sum(axis=(2, 3))
    return da, sparse_decode_backward(dx, a, winner, w)[1]


@planted_in("sparse_decode_backward", "dw leaves the winners' values out: it is weighted by a.")
def dw_not_weighted(dx, a, winner, w):
    da, _ = sparse_decode_backward(dx, a, winner, w)
    return da, sparse_decode_backward(dx, np.ones_like(a), winner, w)[1]


# --- whitening ------------------------------------------------------------------------------------


def _whitened(x, epsilon, mean=None, count=None, power=-0.5, back=True, sphere=None):
    """Whitening with one thing different."""
    rows = x.reshape(len(x), -1)
    rows = rows - (rows.mean(axis=0) if mean is None else mean)
    centred = rows - rows.mean(axis=0) if mean is None else rows
    values, vectors = np.linalg.eigh(centred.T @ centred / (count or len(x)))
    scale = (values + epsilon) ** power if sphere is None else sphere(values)
    whitened = rows @ (vectors * scale.astype(x.dtype))
    return (whitened @ vectors.T if back else whitened).reshape(x.shape)


@planted_in("zca_whiten", "The rotation back, Vᵀ, is missing: that is PCA whitening.")
def not_rotated_back(x, epsilon):
    return _whitened(x, epsilon, back=False)


@planted_in("zca_whiten", "The square root is missing: divide by √(Λ + ε).")
def square_root_missing(x, epsilon):
    return _whitened(x, epsilon, power=-1)


@planted_in("zca_whiten", "ε is added after the square root; it belongs to the eigenvalues.")
def epsilon_outside_the_root(x, epsilon):
    return _whitened(x, epsilon, sphere=lambda v: 1 / (np.sqrt(np.maximum(v, 0)) + epsilon))


@planted_in(
    "zca_whiten",
    "ε is left out of it: weak directions are blown up to noise.",
    [lambda x, epsilon, e=e: _whitened(x, e) for e in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-15)],
)
def epsilon_left_out(x, epsilon):
    return _whitened(x, 1e-12)


@planted_in("zca_whiten", "The mean over everything is subtracted; each pixel has its own mean.")
def one_mean_for_all(x, epsilon):
    return _whitened(x, epsilon, mean=x.mean())


@planted_in("zca_whiten", "Each image's own mean is subtracted; it is the mean image, axis 0.")
def mean_of_each_image(x, epsilon):
    return _whitened(x, epsilon, mean=x.reshape(len(x), -1).mean(axis=1, keepdims=True))


@planted_in("zca_whiten", "The mean is not subtracted.")
def mean_not_subtracted(x, epsilon):
    return _whitened(x, epsilon, mean=0 * x.reshape(len(x), -1)[0])


@planted_in("zca_whiten", "The covariance is divided by N - 1 (as np.cov does); here it is by N.")
def divided_by_one_less(x, epsilon):
    return _whitened(x, epsilon, count=max(len(x) - 1, 1))


@planted_in("zca_whiten", "The covariance is not divided by N, the number of images.")
def covariance_not_divided(x, epsilon):
    return _whitened(x, epsilon, count=1)


@planted_in("zca_whiten", "The directions are multiplied by √(Λ + ε); they are divided by it.")
def coloured_instead(x, epsilon):
    return _whitened(x, epsilon, power=0.5)


@planted_in("zca_whiten", "The images are centred in place: the caller's array is changed.")
def centred_in_place(x, epsilon):
    whitened = zca_whiten(x, epsilon)
    x -= x.mean(axis=0)
    return whitened


@planted_in("sgd_step", "float64 comes out for float32: an array was made without a dtype.")
def step_in_float64(p, dp, v, rate, momentum):
    new_p, new_v = sgd_step(p, dp, v, rate, momentum)
    return new_p.astype(float), new_v.astype(float)


# --- more of the tied gradient --------------------------------------------------------------------


@planted_in(
    "tied_cae_gradient",
    "You flip h before the decoder's term. It should be kernel_gradient(delta_y, h), which needs "
    "no flip.",
)
def flipped_code(x, w, b, c):
    return _tied_with(x, w, b, c, decoder=lambda d, h: ops.kernel_gradient(d, ops.flip(h)))


@planted_in(
    "tied_cae_gradient",
    "You take σ' at z, the input. It should be computed from the output h.",
    [
        lambda x, w, b, c: _tied_with(
            x, w, b, c, slope=lambda dh, h, z: ops.scaled_tanh_backward(dh, z - b[:, None, None])
        ),
    ],
)
def slope_at_the_input(x, w, b, c):
    return _tied_with(x, w, b, c, slope=lambda dh, h, z: ops.scaled_tanh_backward(dh, z))


def _scaled_output(y):
    y = ops.scaled_tanh(y)
    return y, ops.scaled_tanh_backward(np.ones_like(y), y)


def _logistic_output(y):
    y = ops.logistic(y)
    return y, y * (1 - y)


@planted_in(
    "tied_cae_gradient",
    "You put a non-linearity on the output. It should be linear here: x_hat = convolve_full(h, w) "
    "+ c.",
    [
        lambda x, w, b, c, out=out, slope=slope: _tied_with(
            x, w, b, c, out=lambda y: (out(y)[0], out(y)[1] if slope else 1)
        )
        for out in (_scaled_output, _logistic_output)
        for slope in (True, False)
    ],
)
def sigma_on_the_output(x, w, b, c):
    return _tied_with(x, w, b, c, out=_scaled_output)


@planted_in(
    "tied_cae_gradient",
    "You leave c out of the reconstruction. It should be convolve_full(h, w) + c.",
)
def output_bias_forgotten(x, w, b, c):
    return _tied_with(x, w, b, c, image_bias=False)


@planted_in(
    "tied_cae_gradient",
    "You leave b out of the code. It should be σ(correlate_valid(x, w) + b).",
)
def code_bias_forgotten(x, w, b, c):
    return _tied_with(x, w, b, c, code_bias=False)


@planted_in(
    "tied_cae_gradient",
    "You add b after the non-linearity. It should be σ(correlate_valid(x, w) + b).",
)
def bias_after_sigma(x, w, b, c):
    shift = b[:, None, None]
    parts = _tied_with(
        x,
        w,
        b,
        c,
        sigma=lambda z: ops.scaled_tanh(z) + shift,
        slope=lambda dh, h, z: ops.scaled_tanh_backward(dh, h - shift),
        code_bias=False,
    )
    h = ops.scaled_tanh(ops.correlate_valid(x, w)) + shift
    delta_y = (ops.add_bias(ops.convolve_full(h, w), c) - x) / len(x)
    return (*parts[:2], ops.correlate_valid(delta_y, w).sum(axis=(0, 2, 3)), parts[3])


@planted_in(
    "tied_cae_gradient",
    "You leave σ out of the code. It should be h = scaled_tanh(correlate_valid(x, w) + b).",
    [
        lambda x, w, b, c: _tied_with(x, w, b, c, sigma=lambda z: z),
        lambda x, w, b, c: _tied_with(
            x, w, b, c, sigma=lambda z: z, slope=lambda dh, h, z: dh * (1 - h * h)
        ),
    ],
)
def linear_code(x, w, b, c):
    return _tied_with(x, w, b, c, sigma=lambda z: z, slope=lambda dh, h, z: dh)


@planted_in(
    "tied_cae_gradient",
    "You take another non-linearity for σ. It should be the scaled tanh, 1.7159 · tanh(2z/3).",
    [
        lambda x, w, b, c: _tied_with(
            x, w, b, c, sigma=np.tanh, slope=lambda dh, h, z: dh * (1 - h * h)
        ),
        lambda x, w, b, c: _tied_with(x, w, b, c, sigma=np.tanh),
        lambda x, w, b, c: _tied_with(
            x, w, b, c, sigma=ops.relu, slope=lambda dh, h, z: dh * (h > 0)
        ),
    ],
)
def another_nonlinearity(x, w, b, c):
    return _tied_with(
        x, w, b, c, sigma=ops.logistic, slope=lambda dh, h, z: ops.logistic_backward(dh, h)
    )


@planted_in(
    "tied_cae_gradient",
    "You divide the gradients by N and the loss not. It should be 1/(2N) times the sum, too.",
)
def loss_not_averaged(x, w, b, c):
    loss, *gradients = _right(x, w, b, c)
    return loss * len(x), *gradients


@planted_in(
    "tied_cae_gradient",
    "You give every gradient the wrong sign. It should be x_hat - x, not x - x_hat.",
)
def error_reversed(x, w, b, c):
    return _tied_with(x, w, b, c, reversed_error=True)


@planted_in(
    "tied_cae_gradient",
    "You average the loss over the pixels too. It should be the sum over pixels, the mean over "
    "images.",
    [lambda x, w, b, c: (_right(x, w, b, c)[0] * 2 / x[0].size, *_right(x, w, b, c)[1:])],
)
def loss_over_pixels(x, w, b, c):
    loss, *gradients = _right(x, w, b, c)
    return loss / x[0].size, *gradients


@planted_in(
    "tied_cae_gradient",
    "You sum dh for db. It should be delta_h, the gradient before the non-linearity.",
)
def db_after_sigma(x, w, b, c):
    _, _, _, dh = _tied_parts(x, w, b, c)
    loss, dw, _, dc = _right(x, w, b, c)
    return loss, dw, dh.sum(axis=(0, 2, 3)), dc


@planted_in(
    "tied_cae_gradient",
    "You return the gradients alone. It should be loss, dw, db, dc, four results.",
)
def loss_not_returned(x, w, b, c):
    return _right(x, w, b, c)[1:]


# --- more of the step -----------------------------------------------------------------------------


@planted_in(
    "sgd_step",
    "You count v the other way round: m·v + rate·dp, then p - v. It should be m·v - rate·dp, then "
    "p + v.",
    [lambda p, dp, v, rate, momentum: (p + momentum * v - rate * dp, rate * dp - momentum * v)],
)
def velocity_reversed(p, dp, v, rate, momentum):
    v = momentum * v + rate * dp
    return p - v, v


@planted_in(
    "sgd_step",
    "You multiply the gradient by the momentum too. It should be momentum · v - rate · dp.",
)
def momentum_on_everything(p, dp, v, rate, momentum):
    v = momentum * (v - rate * dp)
    return p + v, v


@planted_in(
    "sgd_step",
    "You apply the rate twice. It should be p + v, since v has the rate in it.",
    [lambda p, dp, v, rate, momentum: (p + rate * momentum * v - rate * dp, momentum * v - dp)],
)
def rate_twice(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return p + rate * v, v


@planted_in(
    "sgd_step",
    "You take a running mean of the gradient. It should be momentum · v - rate · dp, then p + v.",
)
def mean_of_gradients(p, dp, v, rate, momentum):
    v = momentum * v + (1 - momentum) * dp
    return p - rate * v, v


@planted_in("sgd_step", "You return p alone. It should be p, v: the next step needs the velocity.")
def velocity_not_in_the_answer(p, dp, v, rate, momentum):
    return p + momentum * v - rate * dp


@planted_in("sgd_step", "You return v, p. It should be p, v.")
def velocity_first(p, dp, v, rate, momentum):
    v = momentum * v - rate * dp
    return v, p + v


@planted_in(
    "sgd_step",
    "You exchange rate and momentum. It should be momentum · v - rate · dp.",
)
def rate_and_momentum_exchanged(p, dp, v, rate, momentum):
    v = rate * v - momentum * dp
    return p + v, v


# --- more of decoding -----------------------------------------------------------------------------


def _laid(a, winner, w, image_shape, crop, place=lambda p, q: (p, q)):
    """Kernels laid down below and right of a place, and a crop of the whole."""
    (N, K), (_, C, kh, kw), (H, W) = a.shape, w.shape, image_shape
    side = max(H, W) + 2 * max(kh, kw)
    x_hat = np.zeros((N, C, side, side), a.dtype)
    for n, k in np.ndindex(N, K):
        p, q = place(*divmod(winner[n, k], W))
        x_hat[n, :, p : p + kh, q : q + kw] += a[n, k] * w[k]
    top, left = crop
    return x_hat[:, :, top : top + H, left : left + W]


def _centre(w):
    return (w.shape[2] - 1) // 2, (w.shape[3] - 1) // 2


@planted_in(
    "sparse_decode",
    "You crop kh - 1 rows off the top. It should be (kh - 1)//2: kernels are centred at winners.",
)
def cropped_by_a_whole_kernel(a, winner, w, image_shape):
    return _laid(a, winner, w, image_shape, (w.shape[2] - 1, w.shape[3] - 1))


@planted_in(
    "sparse_decode",
    "You lay the kernels down transposed. It should be w[k, c, i, j] with i downwards.",
)
def kernels_transposed(a, winner, w, image_shape):
    w = w.swapaxes(2, 3)
    return _laid(a, winner, w, image_shape, _centre(w))


@planted_in(
    "sparse_decode",
    "You exchange row and column of the winner. It should be p, q = divmod(winner, W).",
)
def row_and_column_exchanged(a, winner, w, image_shape):
    return _laid(a, winner, w, image_shape, _centre(w), lambda p, q: (q, p))


@planted_in(
    "sparse_decode",
    "You leave out kernels that stick out. It should be cut off at the border, not left out.",
)
def sticking_out_left_out(a, winner, w, image_shape):
    (H, W), (kh, kw), (top, left) = image_shape, w.shape[2:], _centre(w)
    p, q = winner // W - top, winner % W - left
    inside = (p >= 0) & (q >= 0) & (p + kh <= H) & (q + kw <= W)
    return sparse_decode(a * inside.astype(a.dtype), winner, w, image_shape)


# --- more of whitening ----------------------------------------------------------------------------


@planted_in(
    "zca_whiten",
    "You rotate the images with their mean. It should be subtracted from them, too.",
)
def mean_left_in_the_images(x, epsilon):
    return _whitened_about(x, epsilon, lambda rows: rows)


def _whitened_about(x, epsilon, centred):
    rows = x.reshape(len(x), -1)
    away = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(away.T @ away / len(x))
    scale = (1 / np.sqrt(np.maximum(values, 0) + epsilon)).astype(x.dtype)
    return (centred(rows) @ vectors * scale @ vectors.T).reshape(x.shape)


@planted_in(
    "zca_whiten",
    "You add the mean again at the end. It should stay away: what is whitened has the mean 0.",
)
def mean_added_again(x, epsilon):
    return zca_whiten(x, epsilon) + x.mean(axis=0)


@planted_in("zca_whiten", "You square ε. It should be added to the eigenvalues as it is.")
def epsilon_squared(x, epsilon):
    return _whitened(x, epsilon**2)


@planted_in(
    "zca_whiten",
    "You take singular values for eigenvalues. It should be s²/N + ε under the root.",
)
def singular_values_taken(x, epsilon):
    return _by_singular_values(x, lambda s: s, epsilon)


def _by_singular_values(x, variance, epsilon):
    rows = x.reshape(len(x), -1)
    rows = rows - rows.mean(axis=0)
    _, s, vectors = np.linalg.svd(rows, full_matrices=False)
    scale = (1 / np.sqrt(variance(s) + epsilon)).astype(x.dtype)
    return (rows @ vectors.T * scale @ vectors).reshape(x.shape)


@planted_in(
    "zca_whiten",
    "You whiten every channel by itself. It should be one covariance of all C·H·W values.",
)
def each_channel_by_itself(x, epsilon):
    each = [zca_whiten(x[:, c : c + 1].copy(), epsilon) for c in range(x.shape[1])]
    return np.concatenate(each, axis=1)


@planted_in(
    "zca_whiten",
    "You only scale each pixel by its own deviation. It should be rotated: V (Λ + ε)^(-1/2) Vᵀ.",
    [lambda x, epsilon: (x - x.mean(axis=0)) / (x.std(axis=0) + epsilon)],
)
def pixels_standardised(x, epsilon):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon).astype(x.dtype)
