"""Products with columns that are never whole in memory.

``im2col`` makes an image kh·kw times as large.  Here its columns are built for a strip of output
rows at a time, on each core one, used while they are in reach, and forgotten.  They are built of
the side that has fewer channels: where that is the other one, a product with the columns of the
image is a product with the columns of the padded maps, by :func:`~cae_np.ops.flip.mirrored`
kernels.
"""

from ...backend import get_array_module
from ..flip import mirrored
from ..im2col import col2im, im2col
from ..padding import crop_full, pad_full
from .blocks import block_bytes, for_each_block, scratch
from .layout import as_matrix, batch_last, empty_batch_last, zeros_batch_last


def kernels_times_columns(w, x):
    """W · im2col(x): every kernel times every patch.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)
    x : array, shape (N, C, H, W)

    Returns
    -------
    array, shape (N, K, OH, OW), batch last in memory
    """
    K, C, kh, kw = w.shape
    if K < C:
        return crop_full(fold_columns(mirrored(w), x), kh, kw)
    xp, x, rows = get_array_module(w, x), batch_last(x), w.reshape(K, -1)
    y = _empty_maps(xp, w, x)

    def multiply(strip):
        xp.matmul(rows, _columns_under(x, strip, kh, kw), out=as_matrix(y[:, :, strip]))

    for_each_block(multiply, y.shape[2], _strip_height(x, y.shape[3], kh, kw), xp)
    return y


def fold_columns(w, h):
    """col2im(Wᵀ · h): every kernel laid down at every pixel of its map, and added up.

    Parameters
    ----------
    w : array, shape (K, C, kh, kw)
    h : array, shape (N, K, OH, OW)

    Returns
    -------
    array, shape (N, C, OH + kh - 1, OW + kw - 1), batch last in memory
    """
    K, C, kh, kw = w.shape
    if K < C:
        return kernels_times_columns(mirrored(w), pad_full(h, kh, kw))
    xp, h, columns = get_array_module(w, h), batch_last(h), w.reshape(K, -1).T
    (N, _, OH, OW), dtype = h.shape, xp.result_type(h, w)
    x = zeros_batch_last(xp, (N, C, OH + kh - 1, OW + kw - 1), dtype)
    folded = []  # strips overlap by kh - 1 rows, so each is folded apart from the others

    def fold(strip):
        col = scratch().get("columns", (C, kh, kw, _length(strip), OW, N), dtype, xp)
        xp.matmul(columns, as_matrix(h[:, :, strip]), out=col.reshape(len(columns), -1))
        rows = _rows_under(x, strip, kh)
        folded.append((strip.start, rows, col2im(col.transpose(0, 1, 2, 5, 3, 4), rows.shape)))

    for_each_block(fold, OH, _strip_height(x, OW, kh, kw), xp)
    for _, rows, strip in sorted(folded, key=lambda one: one[0]):  # always in the same order
        rows += strip
    return x


def maps_times_columns(h, x):
    """h · im2col(x)ᵀ: every map times every patch, summed over patches and images.

    Parameters
    ----------
    h : array, shape (N, K, OH, OW)
    x : array, shape (N, C, H, W)

    Returns
    -------
    array, shape (K, C, H - OH + 1, W - OW + 1)
    """
    (_, K, OH, OW), (_, C, H, W) = h.shape, x.shape
    kh, kw = H - OH + 1, W - OW + 1
    if K < C:
        return mirrored(maps_times_columns(x, pad_full(h, kh, kw)))
    xp, x, h = get_array_module(h, x), batch_last(x), batch_last(h)

    def multiply(strip, out):
        xp.matmul(as_matrix(h[:, :, strip]), _columns_under(x, strip, kh, kw).T, out=out)

    return _sum_over_strips(multiply, x, OH, (K, C, kh, kw), xp.result_type(x, h))


def both_times_columns(w, h, x):
    """W · im2col(x) and h · im2col(x)ᵀ, for which the columns are built once.

    Parameters
    ----------
    w, h, x : as for :func:`kernels_times_columns` and :func:`maps_times_columns`

    Returns
    -------
    y : array, shape (N, K, OH, OW), batch last in memory
    dw : array, shape (K, C, kh, kw)
    """
    K, C, kh, kw = w.shape
    if K < C:
        return kernels_times_columns(w, x), maps_times_columns(h, x)
    xp, x, h, rows = get_array_module(w, h, x), batch_last(x), batch_last(h), w.reshape(K, -1)
    y = _empty_maps(xp, w, x)

    def multiply(strip, out):
        col = _columns_under(x, strip, kh, kw)
        xp.matmul(rows, col, out=as_matrix(y[:, :, strip]))
        xp.matmul(as_matrix(h[:, :, strip]), col.T, out=out)

    return y, _sum_over_strips(multiply, x, h.shape[2], w.shape, xp.result_type(x, h))


# --- strips of rows -------------------------------------------------------------------------------

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


def _length(strip):
    return strip.stop - strip.start


def _rows_under(x, strip, kh):
    """The rows of the image that the kernel touches for this strip of output rows."""
    return x[:, :, strip.start : strip.stop + kh - 1]


def _columns_under(x, strip, kh, kw):
    """The columns of a strip as a matrix, valid until the thread asks for the next."""
    (N, C, _, W), xp = x.shape, get_array_module(x)
    memory = scratch().get("columns", (C, kh, kw, _length(strip), W - kw + 1, N), x.dtype, xp)
    col = memory.transpose(0, 1, 2, 5, 3, 4)
    return as_matrix(im2col(_rows_under(x, strip, kh), kh, kw, out=col))


def _empty_maps(xp, w, x):
    (K, _, kh, kw), (N, _, H, W) = w.shape, x.shape
    return empty_batch_last(xp, (N, K, H - kh + 1, W - kw + 1), xp.result_type(x, w))


def _sum_over_strips(term, x, OH, shape, dtype):
    """The sum of what ``term(strip, out)`` writes into ``out``, a matrix with a row for each of
    the K kernels; added in the same order however many cores there are."""
    (K, _, kh, kw), xp, sums = shape, get_array_module(x), {}
    OW = x.shape[3] - kw + 1

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
