"""Mistakes in biases, the fully connected map, non-linearities, losses and corruption."""

import numpy as np

from ... import ops
from ...ops.activations import AMPLITUDE, SLOPE
from .mistake import planted_in

# --- bias and affine ------------------------------------------------------------------------------


@planted_in("add_bias", "The bias is added in place: the caller's maps are changed.")
def bias_added_in_place(y, b):
    y += b[:, None, None]
    return y


@planted_in("add_bias", "The bias is subtracted.")
def bias_subtracted(y, b):
    return y - b[:, None, None]


@planted_in("add_bias_backward", "db is a mean; every place of every image adds to it.")
def db_is_a_mean(dy):
    return dy, dy.mean(axis=(0, 2, 3))


@planted_in("add_bias_backward", "db sums over the wrong axes: maps stay, images and places go.")
def db_over_the_wrong_axes(dy):
    return dy, dy.sum(axis=(1, 2, 3))


@planted_in("add_bias_backward", "db leaves the batch out of its sum.")
def db_of_the_first_image(dy):
    return dy, dy[0].sum(axis=(1, 2))


@planted_in("affine", "The bias is forgotten.")
def bias_forgotten(x, w, b):
    return x @ w.T


@planted_in("affine_backward", "dW is transposed: its shape is that of W.")
def dw_transposed(dy, x, w, b):
    return dy @ w, x.T @ dy, dy.sum(axis=0)


@planted_in("affine_backward", "db is a mean over the batch; it is the sum.")
def db_of_affine_is_a_mean(dy, x, w, b):
    return dy @ w, dy.T @ x, dy.mean(axis=0)


@planted_in("affine_backward", "dx ignores the upstream gradient, as if it were all ones.")
def dx_without_upstream(dy, x, w, b):
    return np.ones_like(dy) @ w, dy.T @ x, dy.sum(axis=0)


# --- non-linearities ------------------------------------------------------------------------------


@planted_in("linear_backward", "dx is dy times y; the derivative of y = x is 1.")
def dy_times_y(dy, y):
    return dy * y


@planted_in("scaled_tanh", "The slope 2/3 is left out: 1.7159 · tanh(2x/3).")
def slope_left_out(x):
    return AMPLITUDE * np.tanh(x)


@planted_in(
    "scaled_tanh", "All is 0, as with the slope 2 // 3, an integer division; the slope is 2 / 3."
)
def integer_division(x):
    return AMPLITUDE * np.tanh(2 // 3 * x)


@planted_in("scaled_tanh", "exp overflows for large x: use np.tanh.")
def scaled_tanh_overflows(x):
    e = np.exp(2 * SLOPE * x)
    return AMPLITUDE * (e - 1) / (e + 1)


def _cut_off(largest, beyond):
    """The scaled tanh up to some size of x, and something else beyond."""
    return lambda x: np.where(abs(x) > largest, beyond(x), ops.scaled_tanh(x)).astype(x.dtype)


@planted_in(
    "scaled_tanh",
    "Large x are cut off to 0; the function goes on to ±1.7159 there.",
    [_cut_off(largest, np.zeros_like) for largest in (5, 10, 50, 88, 100, 300, 500, 700, 709, 710)],
)
def zero_for_large_values(x):
    return _cut_off(20, np.zeros_like)(x)


@planted_in(
    "scaled_tanh_backward", "1 - y² is the derivative of the plain tanh, not of the scaled."
)
def derivative_of_the_plain_tanh(dy, y):
    return dy * (1 - y * y)


@planted_in("scaled_tanh_backward", "y is taken for x: the backward gets the forward's output.")
def output_taken_for_input(dy, y):
    return dy * SLOPE * AMPLITUDE / np.cosh(SLOPE * y) ** 2


@planted_in("relu", "Negative values are set to zero in place: the caller's array is changed.")
def relu_in_place(x):
    x[x < 0] = 0
    return x


@planted_in("relu", "The absolute value is taken; negative values become zero.")
def absolute_value(x):
    return abs(x)


@planted_in("relu_backward", "The gradient passes everywhere; where y is 0 it must not.")
def relu_lets_all_through(dy, y):
    return dy.copy()


@planted_in("relu_backward", "The derivative comes back without the upstream gradient.")
def relu_derivative_alone(dy, y):
    return (y > 0).astype(y.dtype)


@planted_in("logistic", "exp overflows for large x; write it with tanh, or by cases.")
def logistic_overflows(x):
    return np.exp(x) / (1 + np.exp(x))


@planted_in("logistic_backward", "The derivative comes back without the upstream gradient.")
def logistic_derivative_alone(dy, y):
    return y * (1 - y)


@planted_in("logistic_backward", "The logistic is applied to y again; y is its output already.")
def logistic_applied_twice(dy, y):
    s = 1 / (1 + np.exp(-y))
    return dy * s * (1 - s)


@planted_in("softmax", "Everything is normalised together; each row sums to 1 on its own.")
def softmax_over_everything(x):
    e = np.exp(x - x.max())
    return e / e.sum()


@planted_in("softmax", "exp overflows for large x: subtract the row's maximum first.")
def softmax_overflows(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


@planted_in(
    "softmax_backward", "y(1 - y) is the diagonal only: each y depends on all x of its row."
)
def diagonal_only(dy, y):
    return dy * y * (1 - y)


# --- losses ---------------------------------------------------------------------------------------


@planted_in("squared_error", "The mean is over pixels too; the error of an image is a sum.")
def mean_over_pixels(x_hat, x):
    return ((x_hat - x) ** 2).mean()


@planted_in("squared_error", "The sum over the batch is not divided by N.")
def not_divided_by_the_batch(x_hat, x):
    return ((x_hat - x) ** 2).sum()


@planted_in("squared_error_backward", "The factor 2 of the square's derivative is missing.")
def factor_two_missing(x_hat, x):
    return (x_hat - x) / len(x)


@planted_in(
    "squared_error_backward", "The sign is wrong: d/dx_hat of (x_hat - x)² is 2 (x_hat - x)."
)
def sign_reversed(x_hat, x):
    return 2 * (x - x_hat) / len(x)


@planted_in("softmax_cross_entropy", "exp overflows for large scores: subtract the row's maximum.")
def cross_entropy_overflows(z, labels):
    right = z[np.arange(len(z)), labels]
    return (np.log(np.exp(z).sum(axis=1)) - right).mean()


def _log_of(changed):
    """The cross-entropy by way of probabilities that are changed before the logarithm."""

    def cross_entropy(z, labels):
        p = ops.softmax(z)[np.arange(len(z)), labels]
        return -np.log(changed(p)).mean()

    return cross_entropy


SMALL = [1e-12, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-15, 1e-16, 1e-20, 1e-30, 1e-300]


@planted_in(
    "softmax_cross_entropy",
    "Adding a small number inside the log, or clipping p, cuts the loss off at some 30.",
    [
        _log_of(lambda p, e=e, top=top: np.clip(p, e, top) if top else p + e)
        for e in SMALL
        for top in (None, 1.0, 1 - e)
    ],
)
def loss_cut_off(z, labels):
    return _log_of(lambda p: p + 1e-12)(z, labels)


@planted_in(
    "softmax_cross_entropy",
    "The log is taken of probabilities, which are 0 far below: take log Σ exp(z) - z instead.",
)
def log_of_zero(z, labels):
    return _log_of(lambda p: p)(z, labels)


@planted_in("softmax_cross_entropy", "The losses are summed; the mean over the batch was meant.")
def cross_entropy_summed(z, labels):
    return ops.softmax_cross_entropy(z, labels) * len(z)


@planted_in("softmax_cross_entropy_backward", "The gradient is not divided by N, but the loss is.")
def gradient_not_averaged(z, labels):
    return ops.softmax_cross_entropy_backward(z, labels) * len(z)


@planted_in("softmax_cross_entropy_backward", "The 1 of the right class is not subtracted.")
def right_class_not_subtracted(z, labels):
    return ops.softmax(z) / len(z)


# --- corruption -----------------------------------------------------------------------------------


@planted_in("binomial_mask", "Pixels survive with probability p; they are switched off with it.")
def survival_taken_for_loss(rng, shape, p):
    return rng.random(shape) < p


@planted_in("binomial_mask", "One draw serves the whole batch; every image has its own.")
def one_mask_for_all(rng, shape, p):
    return np.broadcast_to(rng.random(shape[1:]) >= p, shape)


@planted_in("gaussian_noise", "sigma is taken for the variance; it is the standard deviation.")
def variance_taken(rng, shape, sigma):
    return (rng.standard_normal(shape) * np.sqrt(sigma)).astype(np.float32)


@planted_in("corrupt", "The images are corrupted in place: the clean target is lost.")
def corrupted_in_place(x, draw):
    if draw.dtype == bool:
        x *= draw
    else:
        x += draw
    return x


@planted_in("corrupt", "The mask is used the wrong way round: True means that a pixel survives.")
def mask_inverted(x, draw):
    return x * ~draw if draw.dtype == bool else x + draw


@planted_in("corrupt", "Noise is multiplied in too; only a boolean draw is, a real one is added.")
def draw_always_multiplied(x, draw):
    return x * draw


@planted_in("corrupt", "A mask is added too; a boolean draw switches off, a real one is added.")
def draw_always_added(x, draw):
    return x + draw


@planted_in("corrupt_backward", "Pixels that were switched off get a gradient; they cannot matter.")
def gradient_of_lost_pixels(dy, draw):
    return dy.copy()


# --- more of biases and non-linearities -----------------------------------------------------------


@planted_in("add_bias_backward", "You keep the summed axes in db. It should be (K,): no keepdims.")
def axes_kept(dy):
    return dy, dy.sum(axis=(0, 2, 3), keepdims=True)


@planted_in(
    "add_bias_backward",
    "You average db over the images. It should be a sum over images and places.",
    [lambda dy: (dy, dy.sum(axis=0).mean(axis=(1, 2)))],
)
def db_averaged_over_the_images(dy):
    return dy, dy.mean(axis=0).sum(axis=(1, 2))


@planted_in("add_bias_backward", "You return db, dy. It should be dy, db.")
def db_first(dy):
    return dy.sum(axis=(0, 2, 3)), dy


@planted_in(
    "add_bias_backward", "You leave the images apart in db. It should be summed over them, too."
)
def images_not_summed(dy):
    return dy, dy.sum(axis=(2, 3))


@planted_in("add_bias_backward", "You return db alone. It should be dy, db.")
def dy_not_returned(dy):
    return dy.sum(axis=(0, 2, 3))


@planted_in(
    "scaled_tanh", "You exchange the constants. It should be 1.7159 · tanh(2x/3), not 2/3 · tanh."
)
def constants_exchanged(x):
    return SLOPE * np.tanh(AMPLITUDE * x)


@planted_in("scaled_tanh", "You leave the amplitude out. It should be 1.7159 · tanh(2x/3).")
def amplitude_left_out(x):
    return np.tanh(SLOPE * x)


@planted_in(
    "scaled_tanh",
    "You round a constant. It should be 1.7159 and 2/3, as exactly as they stand there.",
    [
        lambda x, a=a, s=s: a * np.tanh(s * x)
        for a in (AMPLITUDE, 1.7, 1.71, 1.72, 1.716, 1.715)
        for s in (SLOPE, 0.6, 0.7, 0.66, 0.67, 0.666, 0.667, 0.6666, 0.6667, 0.66667)
        if (a, s) != (AMPLITUDE, SLOPE)
    ],
)
def constants_rounded(x):
    return 1.7 * np.tanh(0.67 * x)


@planted_in("scaled_tanh", "You put 3/2 for 2/3. It should be 1.7159 · tanh(2x/3).")
def slope_upside_down(x):
    return AMPLITUDE * np.tanh(3 * x / 2)


@planted_in("scaled_tanh", "You cut y off at ±1. It should go on to ±1.7159 and have no corner.")
def clipped_at_one(x):
    return np.clip(ops.scaled_tanh(x), -1, 1)


@planted_in(
    "scaled_tanh_backward",
    "You use y² where y is scaled. It should be (y/1.7159)²: y = 1.7159 · tanh.",
)
def y_not_divided(dy, y):
    return dy * (SLOPE * AMPLITUDE * (1 - y * y))


@planted_in(
    "scaled_tanh_backward",
    "You leave the amplitude out. It should be (2/3)(1.7159 - y²/1.7159).",
)
def amplitude_of_the_slope_left_out(dy, y):
    return dy * (SLOPE * (1 - (y / AMPLITUDE) ** 2))


@planted_in(
    "scaled_tanh_backward",
    "You leave the slope 2/3 out. It should be (2/3)(1.7159 - y²/1.7159).",
)
def slope_of_the_slope_left_out(dy, y):
    return dy * (AMPLITUDE - y * y / AMPLITUDE)


@planted_in(
    "scaled_tanh_backward",
    "You add y²/1.7159. It should be subtracted: the slope is smaller where |y| is large.",
)
def square_added(dy, y):
    return dy * (SLOPE * (AMPLITUDE + y * y / AMPLITUDE))


# --- more of losses -------------------------------------------------------------------------------


def _log_softmax(z, axis=1):
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


@planted_in(
    "softmax_cross_entropy", "You leave the minus out. It should be -log p, which is positive."
)
def minus_left_out(z, labels):
    return -ops.softmax_cross_entropy(z, labels)


@planted_in(
    "softmax_cross_entropy",
    "You average over the classes too. It should be divided by N alone.",
)
def mean_over_classes(z, labels):
    return ops.softmax_cross_entropy(z, labels) / z.shape[1]


EVERY_LABEL = (
    "You write p[:, labels], every row with every label. It should be p[np.arange(N), labels]."
)


@planted_in("softmax_cross_entropy", EVERY_LABEL)
def loss_of_every_label(z, labels):
    return -_log_softmax(z)[:, labels].mean()


@planted_in(
    "softmax_cross_entropy",
    "You return one loss for each image. It should be their mean, one number.",
)
def losses_not_averaged(z, labels):
    return -_log_softmax(z)[np.arange(len(z)), labels]


ALONG_THE_BATCH = (
    "You take the softmax over axis 0, the batch. It should be over axis 1, the classes."
)


@planted_in("softmax_cross_entropy", ALONG_THE_BATCH)
def loss_along_the_batch(z, labels):
    return -_log_softmax(z, 0)[np.arange(len(z)), labels].mean()


@planted_in(
    "softmax_cross_entropy",
    "You take another logarithm. It should be the natural one, np.log.",
    [lambda z, labels: ops.softmax_cross_entropy(z, labels) / np.log(10).astype(z.dtype)],
)
def another_logarithm(z, labels):
    return ops.softmax_cross_entropy(z, labels) / np.log(2).astype(z.dtype)


@planted_in(
    "softmax_cross_entropy",
    "You leave the logarithm out. It should be -log p of the right class.",
)
def probability_for_its_logarithm(z, labels):
    return -ops.softmax(z)[np.arange(len(z)), labels].mean()


@planted_in("softmax_cross_entropy_backward", EVERY_LABEL)
def every_label_in_every_row(z, labels):
    p = ops.softmax(z)
    p[:, labels] -= 1
    return p / len(z)


def _minus_one_hot(p, labels):
    p = p.copy()
    p[np.arange(len(p)), labels] -= 1
    return p


@planted_in("softmax_cross_entropy_backward", ALONG_THE_BATCH)
def gradient_along_the_batch(z, labels):
    return _minus_one_hot(np.exp(_log_softmax(z, 0)), labels) / len(z)


@planted_in(
    "softmax_cross_entropy_backward",
    "You leave the softmax out. It should be (softmax(z) - one_hot(labels)) / N.",
)
def softmax_left_out(z, labels):
    return _minus_one_hot(z, labels) / len(z)


@planted_in(
    "softmax_cross_entropy_backward",
    "You let exp overflow. It should be taken after each row's maximum is subtracted.",
)
def gradient_overflows(z, labels):
    e = np.exp(z)
    return _minus_one_hot(e / e.sum(axis=1, keepdims=True), labels) / len(z)


@planted_in(
    "softmax_cross_entropy_backward",
    "You give the gradient the wrong sign. It should be softmax minus one-hot.",
)
def one_hot_minus_softmax(z, labels):
    return -ops.softmax_cross_entropy_backward(z, labels)


@planted_in(
    "softmax_cross_entropy_backward",
    "You divide by the number of classes. It should be divided by N, the number of images.",
    [lambda z, labels: ops.softmax_cross_entropy_backward(z, labels) / z.shape[1]],
)
def divided_by_the_classes(z, labels):
    return ops.softmax_cross_entropy_backward(z, labels) * len(z) / z.shape[1]


# --- more of corruption ---------------------------------------------------------------------------


def _scaled_up(x, draw, share):
    return x * draw / x.dtype.type(share(draw)) if draw.dtype == bool else x + draw


@planted_in(
    "corrupt",
    "You scale up what stays, as drop-out does. It should stay as it is.",
    [lambda x, draw: _scaled_up(x, draw, lambda d: 0.5)],
)
def kept_pixels_scaled_up(x, draw):
    return _scaled_up(x, draw, lambda d: max(d.mean(), 0.1))


@planted_in("corrupt", "You subtract the noise. It should be added to x.")
def noise_subtracted(x, draw):
    return x * draw if draw.dtype == bool else x - draw


@planted_in("corrupt", "You clip to [0, 1]. It should be x plus the noise, whatever comes out.")
def clipped_to_intensities(x, draw):
    return x * draw if draw.dtype == bool else np.clip(x + draw, 0, 1)
