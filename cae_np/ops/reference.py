"""The operations as plain nested loops: what they mean, one number at a time.

The names, arguments and results are those of :mod:`cae_np.ops`.  These functions are the oracle of
the tests and pages of a lecture, never part of a model: NumPy arrays only, no checks, and thousands
of times slower.

An operation that is a sum of products has its gradient in the same loop: where the forward does
``y += x * w``, the backward does ``dx += dy * w`` and ``dw += dy * x``, for every one of them.
"""

from itertools import product
from math import exp, log, tanh

from numpy import ndindex, result_type, zeros, zeros_like
from numpy.linalg import svd

# --- patches ------------------------------------------------------------------------------------


def im2col(x, kh, kw):
    """``col[c, i, j, n, p, q] = x[n, c, p + i, q + j]``."""
    N, C, H, W = x.shape
    col = zeros((C, kh, kw, N, H - kh + 1, W - kw + 1), x.dtype)
    for c, i, j, n, p, q in ndindex(*col.shape):
        col[c, i, j, n, p, q] = x[n, c, p + i, q + j]
    return col


def col2im(col, shape):
    """``x[n, c, p + i, q + j] += col[c, i, j, n, p, q]``."""
    x = zeros(shape, col.dtype)
    for c, i, j, n, p, q in ndindex(*col.shape):
        x[n, c, p + i, q + j] += col[c, i, j, n, p, q]
    return x


# --- correlation and convolution ------------------------------------------------------------------


def flip(w):
    """``flipped[k, c, i, j] = w[k, c, kh - 1 - i, kw - 1 - j]``."""
    flipped = zeros_like(w)
    for k, c, i, j in ndindex(*w.shape):
        flipped[k, c, i, j] = w[k, c, w.shape[2] - 1 - i, w.shape[3] - 1 - j]
    return flipped


def correlate_valid(x, w):
    """``y[n, k, p, q] = Σ_{c, i, j} x[n, c, p + i, q + j] · w[k, c, i, j]``."""
    N, C, H, W = x.shape
    K, C, kh, kw = w.shape
    y = zeros((N, K, H - kh + 1, W - kw + 1), result_type(x, w))
    for n, k, p, q in ndindex(*y.shape):
        for c, i, j in ndindex(C, kh, kw):
            y[n, k, p, q] += x[n, c, p + i, q + j] * w[k, c, i, j]
    return y


def correlate_valid_backward(dy, x, w):
    """Every product of the forward gives ``dx += dy · w`` and ``dw += dy · x``."""
    dx, dw = zeros_like(x), zeros_like(w)
    for n, k, p, q in ndindex(*dy.shape):
        for c, i, j in ndindex(*w.shape[1:]):
            dx[n, c, p + i, q + j] += dy[n, k, p, q] * w[k, c, i, j]
            dw[k, c, i, j] += dy[n, k, p, q] * x[n, c, p + i, q + j]
    return dx, dw


def convolve_full(h, w):
    """``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i, v - j] · w[k, c, i, j]``, where h has a unit."""
    N, K, OH, OW = h.shape
    K, C, kh, kw = w.shape
    x = zeros((N, C, OH + kh - 1, OW + kw - 1), result_type(h, w))
    for n, c, u, v in ndindex(*x.shape):
        for k, i, j in ndindex(K, kh, kw):
            if 0 <= u - i < OH and 0 <= v - j < OW:
                x[n, c, u, v] += h[n, k, u - i, v - j] * w[k, c, i, j]
    return x


def convolve_full_backward(dx, h, w):
    """Every product of the forward gives ``dh += dx · w`` and ``dw += dx · h``."""
    dh, dw = zeros_like(h), zeros_like(w)
    for n, k, p, q in ndindex(*h.shape):
        for c, i, j in ndindex(*w.shape[1:]):
            dh[n, k, p, q] += dx[n, c, p + i, q + j] * w[k, c, i, j]
            dw[k, c, i, j] += dx[n, c, p + i, q + j] * h[n, k, p, q]
    return dh, dw


def kernel_gradient(x, dy):
    """``dw[k, c, i, j] = Σ_{n, p, q} dy[n, k, p, q] · x[n, c, p + i, q + j]``."""
    N, C, H, W = x.shape
    N, K, OH, OW = dy.shape
    dw = zeros((K, C, H - OH + 1, W - OW + 1), result_type(x, dy))
    for k, c, i, j in ndindex(*dw.shape):
        for n, p, q in ndindex(N, OH, OW):
            dw[k, c, i, j] += dy[n, k, p, q] * x[n, c, p + i, q + j]
    return dw


def correlate_same(x, w):
    """As valid, with the kernel (kh - 1)//2 up and (kw - 1)//2 left; no pixel, no product."""
    N, C, H, W = x.shape
    K, C, kh, kw = w.shape
    y = zeros((N, K, H, W), result_type(x, w))
    for n, k, p, q in ndindex(*y.shape):
        for c, i, j in ndindex(C, kh, kw):
            u, v = p + i - (kh - 1) // 2, q + j - (kw - 1) // 2
            if 0 <= u < H and 0 <= v < W:
                y[n, k, p, q] += x[n, c, u, v] * w[k, c, i, j]
    return y


def correlate_same_backward(dy, x, w):
    """Every product of the forward gives ``dx += dy · w`` and ``dw += dy · x``."""
    (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
    dx, dw = zeros_like(x), zeros_like(w)
    for n, k, p, q in ndindex(*dy.shape):
        for c, i, j in ndindex(*w.shape[1:]):
            u, v = p + i - (kh - 1) // 2, q + j - (kw - 1) // 2
            if 0 <= u < H and 0 <= v < W:
                dx[n, c, u, v] += dy[n, k, p, q] * w[k, c, i, j]
                dw[k, c, i, j] += dy[n, k, p, q] * x[n, c, u, v]
    return dx, dw


def convolve_same(h, w):
    """``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i + top, v - j + left] · w[k, c, i, j]``."""
    N, K, H, W = h.shape
    K, C, kh, kw = w.shape
    x = zeros((N, C, H, W), result_type(h, w))
    for n, c, u, v in ndindex(*x.shape):
        for k, i, j in ndindex(K, kh, kw):
            p, q = u - i + (kh - 1) // 2, v - j + (kw - 1) // 2
            if 0 <= p < H and 0 <= q < W:
                x[n, c, u, v] += h[n, k, p, q] * w[k, c, i, j]
    return x


def convolve_same_backward(dx, h, w):
    """Every product of the forward gives ``dh += dx · w`` and ``dw += dx · h``."""
    (H, W), (kh, kw) = h.shape[2:], w.shape[2:]
    dh, dw = zeros_like(h), zeros_like(w)
    for n, k, p, q in ndindex(*h.shape):
        for c, i, j in ndindex(*w.shape[1:]):
            u, v = p + i - (kh - 1) // 2, q + j - (kw - 1) // 2
            if 0 <= u < H and 0 <= v < W:
                dh[n, k, p, q] += dx[n, c, u, v] * w[k, c, i, j]
                dw[k, c, i, j] += dx[n, c, u, v] * h[n, k, p, q]
    return dh, dw


def mirrored(w):
    """``mirrored[c, k, i, j] = w[k, c, kh - 1 - i, kw - 1 - j]``."""
    K, C, kh, kw = w.shape
    back = zeros((C, K, kh, kw), w.dtype)
    for k, c, i, j in ndindex(*w.shape):
        back[c, k, i, j] = w[k, c, kh - 1 - i, kw - 1 - j]
    return back


def pad_same(x, kh, kw):
    """(kh - 1)//2 rows of zeros above and kh - 1 in all; columns likewise."""
    return _padded(x, (kh - 1) // 2, (kw - 1) // 2, kh - 1, kw - 1)


def crop_same(x, kh, kw):
    """Without the (kh - 1)//2 rows above and kh - 1 in all; columns likewise."""
    return _cropped(x, (kh - 1) // 2, (kw - 1) // 2, kh - 1, kw - 1)


def pad_full(x, kh, kw):
    """kh - 1 rows of zeros above and below; columns likewise."""
    return _padded(x, kh - 1, kw - 1, 2 * (kh - 1), 2 * (kw - 1))


def crop_full(x, kh, kw):
    """Without the kh - 1 rows above and below; columns likewise."""
    return _cropped(x, kh - 1, kw - 1, 2 * (kh - 1), 2 * (kw - 1))


def _padded(x, top, left, rows, columns):
    """``padded[n, c, u + top, v + left] = x[n, c, u, v]``, 0 elsewhere."""
    N, C, H, W = x.shape
    padded = zeros((N, C, H + rows, W + columns), x.dtype)
    for n, c, u, v in ndindex(*x.shape):
        padded[n, c, u + top, v + left] = x[n, c, u, v]
    return padded


def _cropped(x, top, left, rows, columns):
    """``cropped[n, c, u, v] = x[n, c, u + top, v + left]``."""
    N, C, H, W = x.shape
    cropped = zeros((N, C, H - rows, W - columns), x.dtype)
    for n, c, u, v in ndindex(*cropped.shape):
        cropped[n, c, u, v] = x[n, c, u + top, v + left]
    return cropped


# --- bias and the fully connected map -------------------------------------------------------------


def add_bias(y, b):
    """``out[n, k, p, q] = y[n, k, p, q] + b[k]``."""
    out = zeros_like(y)
    for n, k, p, q in ndindex(*y.shape):
        out[n, k, p, q] = y[n, k, p, q] + b[k]
    return out


def add_bias_backward(dy):
    """Every sum of the forward gives ``db += dy``."""
    db = zeros(dy.shape[1], dy.dtype)
    for n, k, p, q in ndindex(*dy.shape):
        db[k] += dy[n, k, p, q]
    return dy, db


def affine(x, w, b):
    """``y[n, e] = Σ_d x[n, d] · w[e, d] + b[e]``."""
    y = zeros((len(x), len(w)), result_type(x, w, b))
    for n, e in ndindex(*y.shape):
        y[n, e] = b[e]
        for d in range(x.shape[1]):
            y[n, e] += x[n, d] * w[e, d]
    return y


def affine_backward(dy, x, w, b):
    """Every product of the forward gives ``dx += dy · w`` and ``dw += dy · x``."""
    dx, dw, db = zeros_like(x), zeros_like(w), zeros_like(b)
    for n, e in ndindex(*dy.shape):
        db[e] += dy[n, e]
        for d in range(x.shape[1]):
            dx[n, d] += dy[n, e] * w[e, d]
            dw[e, d] += dy[n, e] * x[n, d]
    return dx, dw, db


# --- maxima ---------------------------------------------------------------------------------------


def _first_maximum(image, pixels):
    """The first of the pixels (u, v) that has their largest value."""
    best = None
    for u, v in pixels:
        if best is None or image[u, v] > image[best]:
            best = u, v
    return best


def _window(p, size, limit):
    """Positions of window p along one side, clipped to the image."""
    return range(p * size, min((p + 1) * size, limit))


def max_pool(x, size):
    """``y[n, c, p, q]`` is the largest pixel of window (p, q), the first in row-major order."""
    N, C, H, W = x.shape
    ph, pw = (size, size) if isinstance(size, int) else size
    y, mask = zeros((N, C, -(-H // ph), -(-W // pw)), x.dtype), zeros(x.shape, bool)
    for n, c, p, q in ndindex(*y.shape):
        u, v = _first_maximum(x[n, c], product(_window(p, ph, H), _window(q, pw, W)))
        y[n, c, p, q] = x[n, c, u, v]
        mask[n, c, u, v] = True
    return y, mask


def unpool(y, mask, size):
    """``x[n, c, u, v] = y[n, c, u // ph, v // pw]`` where the mask is True, else 0."""
    ph, pw = (size, size) if isinstance(size, int) else size
    x = zeros(mask.shape, y.dtype)
    for n, c, u, v in ndindex(*mask.shape):
        if mask[n, c, u, v]:
            x[n, c, u, v] = y[n, c, u // ph, v // pw]
    return x


max_pool_backward = unpool  # a window's gradient goes to where its value came from


def unpool_backward(dx, mask, size):
    """``dy[n, c, u // ph, v // pw] = dx[n, c, u, v]`` where the mask is True."""
    ph, pw = (size, size) if isinstance(size, int) else size
    N, C, H, W = mask.shape
    dy = zeros((N, C, -(-H // ph), -(-W // pw)), dx.dtype)
    for n, c, u, v in ndindex(*mask.shape):
        if mask[n, c, u, v]:
            dy[n, c, u // ph, v // pw] += dx[n, c, u, v]
    return dy


def erase_non_maximal(x, size):
    """Each window's maximum where it was, zeros elsewhere."""
    y, mask = max_pool(x, size)
    return unpool(y, mask, size), mask


def erase_non_maximal_backward(dy, mask):
    """The gradient where the mask is True, else 0."""
    dx = zeros_like(dy)
    for place in ndindex(*dy.shape):
        if mask[place]:
            dx[place] = dy[place]
    return dx


def overlapping_max_pool(x, width, stride):
    """The largest of the real pixels in each of ceil(S / stride) centred windows along a side."""
    N, C, H, W = x.shape
    OH, OW = -(-H // stride), -(-W // stride)
    top = max((OH - 1) * stride + width - H, 0) // 2
    left = max((OW - 1) * stride + width - W, 0) // 2
    y, winner = zeros((N, C, OH, OW), x.dtype), zeros((N, C, OH, OW), int)
    for n, c, p, q in ndindex(*y.shape):
        rows = range(max(p * stride - top, 0), min(p * stride - top + width, H))
        columns = range(max(q * stride - left, 0), min(q * stride - left + width, W))
        u, v = _first_maximum(x[n, c], product(rows, columns))
        y[n, c, p, q], winner[n, c, p, q] = x[n, c, u, v], u * W + v
    return y, winner


def overlapping_max_pool_backward(dy, winner, shape):
    """Every window adds its gradient to the pixel that won it."""
    dx = zeros(shape, dy.dtype)
    for n, c, p, q in ndindex(*dy.shape):
        u, v = divmod(winner[n, c, p, q], shape[3])
        dx[n, c, u, v] += dy[n, c, p, q]
    return dx


# --- selections -----------------------------------------------------------------------------------


def winner_take_all(h):
    """The largest unit of each map, and its flat position, the first in row-major order."""
    N, K, H, W = h.shape
    a, winner = zeros((N, K), h.dtype), zeros((N, K), int)
    for n, k in ndindex(N, K):
        p, q = _first_maximum(h[n, k], ndindex(H, W))
        a[n, k], winner[n, k] = h[n, k, p, q], p * W + q
    return a, winner


def place(a, winner, map_shape):
    """``h[n, k]`` is 0 but for the value ``a[n, k]`` at the winner."""
    h = zeros((*a.shape, *map_shape), a.dtype)
    for n, k in ndindex(*a.shape):
        p, q = divmod(winner[n, k], map_shape[1])
        h[n, k, p, q] = a[n, k]
    return h


winner_take_all_backward = place  # a winner's gradient goes to where its value came from


def place_backward(dh, winner):
    """``da[n, k]`` is the value of dh at the winner."""
    da = zeros(winner.shape, dh.dtype)
    for n, k in ndindex(*winner.shape):
        p, q = divmod(winner[n, k], dh.shape[3])
        da[n, k] = dh[n, k, p, q]
    return da


def sparse_decode(a, winner, w, image_shape):
    """Place the winners, and convolve."""
    return convolve_same(place(a, winner, image_shape), w)


def sparse_decode_backward(dx, a, winner, w):
    """The gradients of the convolution, that for the maps read at the winners."""
    dh, dw = convolve_same_backward(dx, place(a, winner, dx.shape[2:]), w)
    return place_backward(dh, winner), dw


def encode_winners(x, w):
    """Correlate, and take the winners."""
    return winner_take_all(correlate_same(x, w))


def sparse_kernel_gradient(a, winner, x, kh, kw):
    """The kernels' gradient of the correlation, where only the winners of its maps have one."""
    w = zeros((a.shape[1], x.shape[1], kh, kw), x.dtype)  # only its shape counts
    return correlate_same_backward(place(a, winner, x.shape[2:]), x, w)[1]


def encode_pooled(x, w, b, width, stride):
    """Correlate, add the bias, cut at zero, pool."""
    return overlapping_max_pool(relu(add_bias(correlate_same(x, w), b)), width, stride)[0]


def top_n(h, n):
    """True for the units of a map before which fewer than n others come in order of size."""
    mask = zeros(h.shape, bool)
    for image, k in ndindex(*h.shape[:2]):
        for unit in ndindex(*h.shape[2:]):
            mask[image, k][unit] = _rank(h[image, k], unit) < n
    return mask


def global_top_k(h, k):
    """True for the units of an image before which fewer than k others come in order of size."""
    mask = zeros(h.shape, bool)
    for image in range(len(h)):
        for unit in ndindex(*h.shape[1:]):
            mask[image][unit] = _rank(h[image], unit) < k
    return mask


def _rank(values, unit):
    """How many units are larger, or equal and earlier in row-major order."""
    before = 0
    for other in ndindex(*values.shape):
        is_earlier = values[other] == values[unit] and other < unit
        before += bool(values[other] > values[unit] or is_earlier)
    return before


# --- non-linearities, losses, corruption ----------------------------------------------------------


def _each(function, *arrays):
    """function(a, b, ...) of the elements at every place."""
    y = zeros_like(arrays[0])
    for index in ndindex(*y.shape):
        y[index] = function(*(array[index] for array in arrays))
    return y


def linear(x):
    return _each(lambda x: x, x)


def linear_backward(dy, y):
    return _each(lambda dy: dy, dy)


def scaled_tanh(x):
    return _each(lambda x: 1.7159 * tanh(2 * x / 3), x)


def scaled_tanh_backward(dy, y):
    return _each(lambda dy, y: dy * 2 / 3 * 1.7159 * (1 - (y / 1.7159) ** 2), dy, y)


def relu(x):
    return _each(lambda x: x if x > 0 else 0, x)


def relu_backward(dy, y):
    return _each(lambda dy, y: dy if y > 0 else 0, dy, y)


def logistic(x):
    return _each(lambda x: (1 + tanh(x / 2)) / 2, x)  # 1 / (1 + exp(-x)) without its overflow


def logistic_backward(dy, y):
    return _each(lambda dy, y: dy * y * (1 - y), dy, y)


def softmax(x):
    """``y[..., i] = exp(x[..., i]) / Σ_j exp(x[..., j])``."""
    y = zeros_like(x)
    for row in ndindex(*x.shape[:-1]):
        largest = max(x[row])  # nothing overflows when it is subtracted, and y stays the same
        total = sum(exp(value - largest) for value in x[row])
        for i, value in enumerate(x[row]):
            y[(*row, i)] = exp(value - largest) / total
    return y


def softmax_backward(dy, y):
    """``∂y_j/∂x_i = y_j · ([i = j] - y_i)``, summed over j with the weights dy_j."""
    dx = zeros_like(y)
    for *row, i, j in ndindex(*y.shape, y.shape[-1]):
        dx[(*row, i)] += dy[(*row, j)] * y[(*row, j)] * ((i == j) - y[(*row, i)])
    return dx


def squared_error(x_hat, x):
    """``(1/N) Σ (x_hat - x)²``."""
    return sum((x_hat[place] - x[place]) ** 2 for place in ndindex(*x.shape)) / len(x)


def squared_error_backward(x_hat, x):
    return _each(lambda pixel_hat, pixel: 2 * (pixel_hat - pixel) / len(x), x_hat, x)


def softmax_cross_entropy(z, labels):
    """``(1/N) Σ_n (log Σ_j exp(z[n, j]) - z[n, labels[n]])``."""
    loss = 0.0
    for row, label in zip(z, labels, strict=True):
        largest = max(row)
        loss += largest + log(sum(exp(value - largest) for value in row)) - row[label]
    return loss / len(z)


def softmax_cross_entropy_backward(z, labels):
    """``(softmax(z) - one_hot(labels)) / N``."""
    dz = softmax(z)
    for n, label in enumerate(labels):
        dz[n, label] -= 1
    return _each(lambda dz: dz / len(z), dz)


def corrupt(x, draw):
    """A boolean draw keeps the pixels where it is True; a real one is added."""
    if draw.dtype == bool:
        return _each(lambda x, keep: x if keep else 0, x, draw)
    return _each(lambda x, noise: x + noise, x, draw)


def corrupt_backward(dy, draw):
    if draw.dtype == bool:
        return _each(lambda dy, keep: dy if keep else 0, dy, draw)
    return _each(lambda dy: dy, dy)


# --- training -------------------------------------------------------------------------------------


def sgd_step(p, dp, v, rate, momentum):
    """``v = momentum · v - rate · dp``, then ``p = p + v``."""
    v = _each(lambda v, dp: momentum * v - rate * dp, v, dp)
    return _each(lambda p, v: p + v, p, v), v


def tied_cae_gradient(x, w, b, c):
    """Forward, then back through both uses of w, one after the other."""
    h = scaled_tanh(add_bias(correlate_valid(x, w), b))
    x_hat = add_bias(convolve_full(h, w), c)
    delta_y, dc = add_bias_backward(squared_error_backward(x_hat, x) / 2)
    dh, dw_decoder = convolve_full_backward(delta_y, h, w)
    delta_h, db = add_bias_backward(scaled_tanh_backward(dh, h))
    _, dw_encoder = correlate_valid_backward(delta_h, x, w)
    return squared_error(x_hat, x) / 2, dw_encoder + dw_decoder, db, dc


def zca_whiten(x, epsilon):
    """From the singular values of the images: no covariance, no loop, another road."""
    rows = x.reshape(len(x), -1)
    u, s, vt = svd(rows - sum(rows) / len(rows), full_matrices=False)
    return (u * (s / (s**2 / len(rows) + epsilon) ** 0.5) @ vt).reshape(x.shape)
