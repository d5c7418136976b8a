"""Correlation and convolution as one matrix product each, and their gradients.

The two words are used literally.  A *correlation* lays the kernel on the image as it is; a
*convolution* flips it in both directions first, which is M11's ~ (W̃).  With the encoder of a
convolutional auto-encoder written as ``correlate_valid(x, w)``, its decoder with tied, flipped
kernels is ``convolve_full(h, w)``, and one is the adjoint of the other:

    <correlate_valid(x, w), h>  ==  <x, convolve_full(h, w)>        for all x, h and w,

so that ``convolve_full`` is at once M11's equation (2) and the backward of equation (1).

Every function works through the image in strips of output rows, one on each core, so that columns
take a bounded amount of memory, whatever the size of image and batch.  They cost kh·kw times the
memory of what they are made of, so they are made of the side that has fewer channels: where that
is the other one, correlating is convolving with :func:`mirrored` kernels and cropping, and
convolving is correlating the padded maps with them.
"""

from ..backend import get_array_module
from .im2col import as_matrix, batch_last, col2im, empty_batch_last, im2col, zeros_batch_last
from .kernels.blocks import block_bytes, for_each_block, scratch
from .padding import crop_full, pad_full


def flip(w):
    """W̃, M11's flip: both spatial axes of the kernels reversed.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    array, shape (K, C, kh, kw), a view
    """
    return w[:, :, ::-1, ::-1]


def mirrored(w):
    """The kernels that take the maps back: flipped, and the roles of K and C exchanged.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    array, shape (C, K, kh, kw), a view

    Notes
    -----
    ``convolve_full(h, w) == correlate_valid(pad_full(h, kh, kw), mirrored(w))``.
    """
    return flip(w).swapaxes(0, 1)


def correlate_valid(x, w):
    """Slide every kernel over every place of the image where it fits whole.

    ``y[n, k, p, q] = Σ_{c, i, j} x[n, c, p + i, q + j] · w[k, c, i, j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw), with kh <= H and kw <= W

    Returns
    -------
    y : array, shape (N, K, OH, OW), with OH = H - kh + 1 and OW = W - kw + 1

    Raises
    ------
    ValueError
        If the channels of x and w differ, or the kernel does not fit into the image.

    Notes
    -----
    The sum in M11, equation (1): h = σ(x ∗ W + b), before the bias.
    """
    xp = get_array_module(x, w)
    x = batch_last(x)
    K, C, kh, kw = w.shape
    N, OH, OW = _output_size(x, w)
    if K < C:
        return crop_full(convolve_full(x, mirrored(w)), kh, kw)
    y = empty_batch_last(xp, (N, K, OH, OW), xp.result_type(x, w))
    rows = w.reshape(K, -1)

    def correlate(strip):
        col = _columns_under(x, strip, kh, kw)
        xp.matmul(rows, col, out=as_matrix(y[:, :, strip]))

    for_each_block(correlate, OH, _strip_height(x, OW, kh, kw), xp)
    return y


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

    Raises
    ------
    ValueError
        If dy is not of the forward's output's shape.
    """
    N, OH, OW = _output_size(x, w)
    _check_upstream(dy, (N, w.shape[0], OH, OW), "dy")
    return convolve_full(dy, w), kernel_gradient(x, dy)


def convolve_full(h, w):
    """Lay every kernel down at every place of its map, weighted by the map, and add up.

    ``x[n, c, u, v] = Σ_{k, i, j} h[n, k, u - i, v - j] · w[k, c, i, j]``,
    a convolution (the indices of h and w run against each other) that contracts the K maps.

    Parameters
    ----------
    h : array, shape (N, K, OH, OW)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    x : array, shape (N, C, H, W), with H = OH + kh - 1 and W = OW + kw - 1

    Raises
    ------
    ValueError
        If h does not have K maps.

    Notes
    -----
    The sum in M11, equation (2): y = σ(Σ_k h^k ∗ W̃^k + c).  The adjoint of
    :func:`correlate_valid` for fixed kernels.
    """
    xp = get_array_module(h, w)
    h = batch_last(h)
    K, C, kh, kw = w.shape
    N, _, OH, OW = h.shape
    _check_maps(h, w)
    if K < C:
        return correlate_valid(pad_full(h, kh, kw), mirrored(w))
    dtype = xp.result_type(h, w)
    x = zeros_batch_last(xp, (N, C, OH + kh - 1, OW + kw - 1), dtype)
    columns_of = w.reshape(K, -1).T
    folded = []  # strips overlap by kh - 1 rows, so each is folded apart from the others

    def lay_down(strip):
        shape = (C, kh, kw, strip.stop - strip.start, OW, N)
        col = scratch().get("columns", shape, dtype, xp)
        xp.matmul(columns_of, as_matrix(h[:, :, strip]), out=col.reshape(C * kh * kw, -1))
        rows = _rows_under(x, strip, kh)
        folded.append((strip.start, rows, col2im(col.transpose(0, 1, 2, 5, 3, 4), rows.shape)))

    for_each_block(lay_down, OH, _strip_height(x, OW, kh, kw), xp)
    for _, rows, strip in sorted(folded, key=lambda one: one[0]):  # always in the same order
        rows += strip
    return x


def convolve_full_backward(dx, h, w):
    """Gradients of :func:`convolve_full`.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
        The upstream gradient.
    h, w : the arguments of the forward

    Returns
    -------
    dh : array, shape (N, K, OH, OW), ``correlate_valid(dx, w)``
    dw : array, shape (K, C, kh, kw), ``kernel_gradient(dx, h)``

    Notes
    -----
    Where the columns are made of dx, both products read the same ones, which are made once.
    """
    xp = get_array_module(dx, h, w)
    dx, h = batch_last(dx), batch_last(h)
    K, C, kh, kw = w.shape
    _check_maps(h, w)
    N, _, OH, OW = h.shape
    _check_upstream(dx, (N, C, OH + kh - 1, OW + kw - 1), "dx")
    if K < C:
        return correlate_valid(dx, w), kernel_gradient(dx, h)
    dh = empty_batch_last(xp, (N, K, OH, OW), xp.result_type(dx, w))
    rows = w.reshape(K, -1)

    def go_back(strip, out):
        col = _columns_under(dx, strip, kh, kw)
        xp.matmul(rows, col, out=as_matrix(dh[:, :, strip]))
        xp.matmul(as_matrix(h[:, :, strip]), col.T, out=out)

    return dh, _sum_over_strips(go_back, dx, (OH, OW), w.shape, xp.result_type(dx, h))


def kernel_gradient(x, dy):
    """How the kernel's gradient collects, at every offset, image times upstream gradient.

    ``dw[k, c, i, j] = Σ_{n, p, q} dy[n, k, p, q] · x[n, c, p + i, q + j]``

    Parameters
    ----------
    x : array, shape (N, C, H, W)
        What the kernel was laid on.
    dy : array, shape (N, K, OH, OW), with OH <= H and OW <= W
        The gradient of what came out.

    Returns
    -------
    dw : array, shape (K, C, H - OH + 1, W - OW + 1)

    Raises
    ------
    ValueError
        If the batches differ, or the maps are larger than the image.

    Notes
    -----
    Either of the two terms of M11's ∂E/∂W = x ∗ δh + h̃ ∗ δy: the first is
    ``kernel_gradient(x, delta_h)``.  In the second the kernel is laid on the *reconstruction* by
    the code h, so that the roles are exchanged: ``kernel_gradient(delta_y, h)``; flipping h and
    convolving is the same sum.
    """
    xp = get_array_module(x, dy)
    x, dy = batch_last(x), batch_last(dy)
    N, C, H, W = x.shape
    M, K, OH, OW = dy.shape
    if N != M or OH > H or OW > W:
        raise ValueError(
            f"maps of shape {dy.shape} cannot come from images of shape {x.shape}: the batch "
            "must be the same and the maps no larger than the images"
        )
    kh, kw = H - OH + 1, W - OW + 1
    if K < C:
        return mirrored(kernel_gradient(pad_full(dy, kh, kw), x))

    def collect(strip, out):
        xp.matmul(as_matrix(dy[:, :, strip]), _columns_under(x, strip, kh, kw).T, out=out)

    return _sum_over_strips(collect, x, (OH, OW), (K, C, kh, kw), xp.result_type(x, dy))


# --- strips of rows, and checks -------------------------------------------------------------------

# For M11's network 4 to 16 MB are equally fast with large batches; small ones fit into one strip,
# so that the kernel gradient is one product (batch 10, 100 → 150 maps: 3.1 ms, 5.7 ms with 4 MB).
# With few channels smaller strips can be faster: lecture 8 measures it.
STRIP_BYTES = 1 << 23  # columns of one strip
SUMS = 4  # kernel gradients that are summed side by side; each may be large


def _strip_height(x, OW, kh, kw):
    """How many output rows have columns that take at most a block's bytes; at least one."""
    N, C = x.shape[:2]
    row_bytes = C * kh * kw * OW * N * x.dtype.itemsize
    return max(1, block_bytes(get_array_module(x), STRIP_BYTES) // max(1, row_bytes))


def _rows_under(x, strip, kh):
    """The rows of the image that the kernel touches for this strip of output rows."""
    return x[:, :, strip.start : strip.stop + kh - 1]


def _columns_under(x, strip, kh, kw):
    """The columns of a strip as a matrix, valid until the thread asks for the next."""
    (N, C, _, W), xp = x.shape, get_array_module(x)
    shape = (C, kh, kw, strip.stop - strip.start, W - kw + 1, N)
    memory = scratch().get("columns", shape, x.dtype, xp)
    return as_matrix(im2col(_rows_under(x, strip, kh), kh, kw, out=memory))


def _sum_over_strips(term, x, size, shape, dtype):
    """The sum of what ``term(strip, out)`` writes into ``out``, a matrix with a row for each of
    the K kernels; added in the same order however many cores there are."""
    xp, sums, (OH, OW), (K, _, kh, kw) = get_array_module(x), {}, size, shape

    def add_up(rows):
        height = _strip_height(x, OW, kh, kw)  # lower after a device's memory has not sufficed
        total = sums[rows.start] = xp.empty(shape, dtype).reshape(K, -1)
        for top in range(rows.start, rows.stop, height):
            strip = slice(top, min(top + height, rows.stop))
            if top == rows.start:
                term(strip, total)
            else:
                one = scratch().get("kernel gradient", total.shape, dtype, xp)
                term(strip, one)
                total += one

    for_each_block(add_up, OH, max(_strip_height(x, OW, kh, kw), -(-OH // SUMS)), xp)
    first, *others = (sums[start] for start in sorted(sums))
    for other in others:
        first += other
    return first.reshape(shape)


def _output_size(x, w):
    N, C, H, W = x.shape
    _, channels, kh, kw = w.shape
    if C != channels:
        raise ValueError(
            f"x has {C} channels and w expects {channels}: shapes {x.shape} and {w.shape}"
        )
    if kh > H or kw > W:
        raise ValueError(
            f"a {kh}×{kw} kernel does not fit into {H}×{W} images; pad them or use a smaller kernel"
        )
    return N, H - kh + 1, W - kw + 1


def _check_maps(h, w):
    if h.shape[1] != w.shape[0]:
        raise ValueError(
            f"h has {h.shape[1]} maps and w has kernels for {w.shape[0]}: "
            f"shapes {h.shape} and {w.shape}"
        )


def _check_upstream(array, shape, name):
    if tuple(array.shape) != tuple(shape):
        raise ValueError(
            f"{name} has shape {array.shape}, but what it is the gradient of has {tuple(shape)}"
        )
