"""Exercises: a convolutional auto-encoder from its parts.

Replace each ``raise NotImplementedError``.  Check what you have, all of it or one function::

    python -m cae_np.coursework grade exercises.py
    python -m cae_np.coursework grade exercises.py --task max_pool

Everywhere: arrays are NumPy's, images are (N, C, H, W), the dtype that comes in goes out, and
arguments are never changed.  Functions may call each other, and those of ``cae_np``.
"""

import numpy as np

# --- patches --------------------------------------------------------------------------------------


def im2col(x, kh, kw):
    """Lay every kh × kw patch of ``x`` out as one column.

    The order of the numbers in memory is up to you.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width in pixels; 1 <= kh <= H and 1 <= kw <= W.

    Returns
    -------
    col : array, shape (C, kh, kw, N, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1
        ``col[c, i, j, n, p, q] == x[n, c, p + i, q + j]``.  A copy, in x's dtype.

    Notes
    -----
    One strided copy; no loop over pixels.  The adjoint is :func:`col2im`.
    """
    raise NotImplementedError


def col2im(col, shape):
    """Add every column back to the pixels that it was taken from.

    Parameters
    ----------
    col : array, shape (C, kh, kw, N, OH, OW)
    shape : tuple (N, C, H, W), with H = OH + kh - 1 and W = OW + kw - 1

    Returns
    -------
    x : array, shape (N, C, H, W)
        ``x[n, c, u, v]`` is the sum of ``col[c, i, j, n, u - i, v - j]`` over all i, j for which
        the indices exist: a pixel counts as often as patches contain it.

    Notes
    -----
    Loops over kernel offsets, never over pixels.  The adjoint of :func:`im2col`:
    ``<im2col(x), col> == <x, col2im(col)>`` for all x and col.
    """
    raise NotImplementedError


# --- convolution ----------------------------------------------------------------------------------


def correlate_valid(x, w):
    """Correlate images with kernels wherever a kernel lies wholly inside the image.

    ``y[n, k, p, q] = Σ_{c, i, j} x[n, c, p + i, q + j] · w[k, c, i, j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw), with kh <= H and kw <= W

    Returns
    -------
    y : array, shape (N, K, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1

    Notes
    -----
    The sum in M11, equation (1): h = σ(x ∗ W + b), before the bias.
    """
    raise NotImplementedError


def kernel_gradient(x, dy):
    """Gradient of :func:`correlate_valid` with respect to the kernels.

    ``dw[k, c, i, j] = Σ_{n, p, q} dy[n, k, p, q] · x[n, c, p + i, q + j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
        The images that were correlated.
    dy : array, shape (N, K, OH, OW), with OH <= H and OW <= W
        The upstream gradient.

    Returns
    -------
    dw : array, shape (K, C, H - OH + 1, W - OW + 1)

    Notes
    -----
    Either of the two terms of M11's ∂E/∂W = x ∗ δh + h̃ ∗ δy: the first is
    ``kernel_gradient(x, delta_h)``.  In the second the kernel is laid on the *reconstruction* by
    the code h, so that the roles are exchanged: ``kernel_gradient(delta_y, h)``; flipping h and
    convolving is the same sum.
    """
    raise NotImplementedError


def convolve_full(h, w):
    """Convolve maps with kernels and add the K results up: the sum of all kernels, laid down.

    ``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i, v - j] · w[k, c, i, j]``,
    a convolution (the indices of h and w run against each other) that contracts the K maps.

    Parameters
    ----------
    h : array, shape (N, K, OH, OW)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    x : array, shape (N, C, H, W), with H = OH + kh - 1 and W = OW + kw - 1

    Notes
    -----
    The sum in M11, equation (2): y = σ(Σ_k h^k ∗ W̃^k + c).  The adjoint of
    :func:`correlate_valid` for fixed kernels.  Laying the kernel down at every unit, weighted by
    it, is correlating maps with flipped kernels: the maps with kh - 1 rows and kw - 1 columns of
    zeros on every side, the kernels turned by 180° and with K and C exchanged.  Here is M11's W̃.
    """
    raise NotImplementedError


def correlate_valid_backward(dy, x, w):
    """Gradients of :func:`correlate_valid`.

    Parameters
    ----------
    dy : array, shape (N, K, OH, OW)
        The upstream gradient.
    x, w : the arguments of the forward

    Returns
    -------
    dx : array, shape (N, C, H, W), ``convolve_full(dy, w)``
    dw : array, shape (K, C, kh, kw), ``kernel_gradient(x, dy)``
    """
    raise NotImplementedError


def pad_same(x, kh, kw):
    """Surround the image with the zeros that "same" needs.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width.

    Returns
    -------
    array, shape (N, C, H + kh - 1, W + kw - 1)
        (kh - 1)//2 rows above and the other kh - 1 - (kh - 1)//2 below; columns likewise.
    """
    raise NotImplementedError


# --- units ----------------------------------------------------------------------------------------


def add_bias_backward(dy):
    """Gradients of :func:`add_bias`.

    ``add_bias(y, b)`` is y with ``b[k]`` added to all of map k.

    Parameters
    ----------
    dy : array, shape (N, K, H, W)

    Returns
    -------
    dy : array, shape (N, K, H, W), the argument itself
    db : array, shape (K,), the sum over batch and positions
    """
    raise NotImplementedError


def scaled_tanh(x):
    """y = 1.7159 · tanh(2x/3), M11's σ "in all our experiments".

    Right for x of up to ±4000 too, where exp would overflow.

    Parameters
    ----------
    x : array, any shape

    Returns
    -------
    y : array, same shape, in [-1.7159, 1.7159]

    Notes
    -----
    M11, section 3; the constants are the customary ones, the paper does not print them.
    """
    raise NotImplementedError


def scaled_tanh_backward(dy, y):
    """dx = dy · (2/3) · (1.7159 - y²/1.7159).

    From the output y alone; x may have been as large as ±4000.

    Parameters
    ----------
    dy, y : arrays of one shape

    Returns
    -------
    dx : array, same shape
    """
    raise NotImplementedError


# --- pooling --------------------------------------------------------------------------------------


def max_pool(x, size):
    """The largest value of each window of a grid of non-overlapping windows.

    Of equal values the first in row-major order wins.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    size : int, or pair (ph, pw)
        Height and width of a window in pixels.  Where they do not divide H and W, the last
        windows are clipped to the image.

    Returns
    -------
    y : array, shape (N, C, ceil(H / ph), ceil(W / pw))
    mask : boolean array, shape (N, C, H, W)
        True at the one pixel of each window that y was taken from: its first maximum, or its
        first NaN.
    """
    raise NotImplementedError


def max_pool_backward(dy, mask, size):
    """Gradient of :func:`max_pool`: each window's gradient goes to the pixel that won it.

    Parameters
    ----------
    dy : array, shape (N, C, OH, OW)
    mask, size : from the forward

    Returns
    -------
    dx : array, shape (N, C, H, W)
    """
    raise NotImplementedError


def unpool(y, mask, size):
    """Put each window's value at the pixel that the mask marks, zeros elsewhere.

    Parameters
    ----------
    y : array, shape (N, C, OH, OW)
    mask : boolean array, shape (N, C, H, W), from :func:`max_pool`
    size : int, or pair (ph, pw)

    Returns
    -------
    x : array, shape (N, C, H, W)
        Of a value that is NaN or infinite the whole window becomes NaN.
    """
    raise NotImplementedError


# --- auto-encoder ---------------------------------------------------------------------------------


def corrupt(x, draw):
    """Apply noise to images: a boolean draw keeps or erases pixels, a real one is added.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    draw : array of the same shape
        Boolean, as from :func:`binomial_mask`: True where a pixel stays, False where it becomes 0
        (is switched off).  Or real, as from :func:`gaussian_noise`: added to x.

    Returns
    -------
    array, same shape, in x's dtype (float64 for integers)
    """
    raise NotImplementedError


def tied_cae_gradient(x, w, b, c):
    """M11's cost of a convolutional auto-encoder with tied kernels, and its gradient.

    ``h = scaled_tanh(correlate_valid(x, w) + b)``, ``x_hat = convolve_full(h, w) + c``,
    ``loss = 1/(2N) Σ_n ‖x_hat[n] - x[n]‖²``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)
        Used twice, to encode and (flipped, by the convolution) to decode.
    b : array, shape (K,)
    c : array, shape (C,)

    Returns
    -------
    loss : 0-d array
    dw : array, shape (K, C, kh, kw)
        The sum of two terms, one for each use of w.
    db : array, shape (K,)
    dc : array, shape (C,)

    Notes
    -----
    M11, section 3: ∂E/∂W = x ∗ δh + h̃ ∗ δy, where the δ are gradients *before* a non-linearity,
    and equation (3) for the loss.  The output is linear, so that δy = (x_hat - x) / N.
    """
    raise NotImplementedError


def sgd_step(p, dp, v, rate, momentum):
    """One step of gradient descent with classical momentum.

    ``v ← momentum · v - rate · dp;  p ← p + v``

    New arrays come back; the arguments stay as they are.

    Parameters
    ----------
    p, dp, v : arrays of one shape
        Parameter, its gradient, its velocity (zeros before the first step).
    rate : float
        Learning rate.
    momentum : float in [0, 1)

    Returns
    -------
    p, v : arrays
    """
    raise NotImplementedError


# --- winner-take-all ------------------------------------------------------------------------------


def winner_take_all(h):
    """The single largest unit of every feature map.

    Parameters
    ----------
    h : array, shape (N, K, H, W)

    Returns
    -------
    a : array, shape (N, K)
        The winners' values.
    winner : integer array, shape (N, K)
        Γ, their flat positions ``p * W + q``; of equal values the first, of a map with NaN its
        first NaN.

    Notes
    -----
    M14, training step 2: Γ_i = arg max(z_i).
    """
    raise NotImplementedError


def winner_take_all_backward(da, winner, map_shape):
    """Gradient of :func:`winner_take_all`: only the winner of a map gets one.

    Parameters
    ----------
    da : array, shape (N, K)
    winner : from the forward
    map_shape : tuple (H, W)

    Returns
    -------
    dh : array, shape (N, K, H, W)
        Zeros, but ``da[n, k]`` at ``winner[n, k]``: ``place(da, winner, map_shape)``.
    """
    raise NotImplementedError


def sparse_decode(a, winner, w, image_shape):
    """Add up the kernels, each laid down at its winner and weighted by the winner's value.

    Parameters
    ----------
    a : array, shape (N, K)
        The winners' values.
    winner : integer array, shape (N, K)
        Γ, flat positions ``p * W + q``.
    w : array, shape (K, C, kh, kw)
    image_shape : tuple (H, W)

    Returns
    -------
    x_hat : array, shape (N, C, H, W)
        Of a winner at (p, q) the kernel's element (i, j) lies on the pixel
        (p + i - (kh - 1)//2, q + j - (kw - 1)//2); what lies outside of the image is cropped.
        The same as ``convolve_same(place(a, winner, (H, W)), w)``, without the maps.

    Notes
    -----
    M14, training step 3.
    """
    raise NotImplementedError


# --- classification -------------------------------------------------------------------------------


def softmax_cross_entropy(z, labels):
    """Cross-entropy of the softmax of logits with labels, averaged over the batch.

    ``loss = (1/N) Σ_n (log Σ_j exp(z[n, j]) - z[n, labels[n]])``

    Scores may be as large as ±4000; the loss must be right there too.

    Parameters
    ----------
    z : array, shape (N, classes)
        Scores before the softmax.
    labels : integer array, shape (N,), each in [0, classes)

    Returns
    -------
    loss : 0-d array
    """
    raise NotImplementedError


def softmax_cross_entropy_backward(z, labels):
    """Gradient of :func:`softmax_cross_entropy` with respect to the logits.

    Scores may be as large as ±4000.

    Parameters
    ----------
    z : array, shape (N, classes)
    labels : integer array, shape (N,)

    Returns
    -------
    dz : array, shape (N, classes), ``(softmax(z) - one_hot(labels)) / N``
    """
    raise NotImplementedError


# --- whitening ------------------------------------------------------------------------------------


def zca_whiten(x, epsilon):
    """Make pixels uncorrelated, changing the images as little as possible.

    ``y = (x - m) V (Λ + ε)^(-1/2) Vᵀ`` with every image as a row, m the mean of the rows, and
    ``V Λ Vᵀ`` their covariance (divided by N).

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    epsilon : float, > 0
        ε, added to every eigenvalue of the covariance.

    Returns
    -------
    y : array, shape (N, C, H, W)

    Notes
    -----
    M14, sections 3.2 and 3.3.
    """
    raise NotImplementedError


# --- checking -------------------------------------------------------------------------------------


def gradient_check(forward, backward, *arrays):
    """Is this backward the gradient of that forward?

    Parameters
    ----------
    forward : callable, (*arrays) -> y
        y is an array, or a 0-d array.
    backward : callable, (dy, *arrays) -> tuple of arrays
        Claims to return, for each of the arrays, the gradient of ``(dy * y).sum()``.
    *arrays : float64 arrays
        Leave them as they are; move elements of copies.

    Returns
    -------
    agrees : bool
        True if difference quotients of forward confirm every gradient.
    """
    raise NotImplementedError
