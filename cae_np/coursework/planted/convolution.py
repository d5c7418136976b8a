"""Mistakes in columns, correlations, convolutions, and their gradients."""

import numpy as np

from ... import ops
from .mistake import planted_in

# --- columns --------------------------------------------------------------------------------------


@planted_in(
    "im2col", "The patches are reshaped to the order of the columns; they must be transposed."
)
def reshaped_not_transposed(x, kh, kw):
    patches = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    N, C, OH, OW, kh, kw = patches.shape
    return patches.reshape(C, kh, kw, N, OH, OW)


@planted_in("im2col", "One patch is missing along each side: a kernel has H - kh + 1 places.")
def one_place_short(x, kh, kw):
    return ops.im2col(x, kh, kw)[..., :-1, :-1]


@planted_in("col2im", "A pixel keeps the last of its patches; it must collect the sum of them all.")
def last_patch_wins(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + OH, j : j + OW] = col[:, i, j].swapaxes(0, 1)
    return x


@planted_in("col2im", "A pixel gets the mean of its patches; the adjoint of a copy is a sum.")
def mean_of_the_patches(col, shape):
    return ops.col2im(col, shape) / ops.col2im(np.ones_like(col), shape)


@planted_in("flip", "The kernel is flipped along one axis only; W̃ reverses rows and columns.")
def one_axis_only(w):
    return w[:, :, ::-1]


@planted_in(
    "flip", "Maps and channels are reversed with the pixels; only the last two axes may be."
)
def all_four_axes(w):
    return w[::-1, ::-1, ::-1, ::-1]


@planted_in("mirrored", "The kernels are not flipped; only maps and channels have changed places.")
def exchanged_but_not_flipped(w):
    return w.swapaxes(0, 1)


@planted_in("mirrored", "Maps and channels keep their places; on the way back they are exchanged.")
def flipped_but_not_exchanged(w):
    return ops.flip(w)


# --- correlate_valid ------------------------------------------------------------------------------


@planted_in(
    "correlate_valid",
    "You flip the kernel. It should lie on x as it is: a correlation never flips.",
)
def flipped_kernel(x, w):
    return ops.correlate_valid(x, ops.flip(w))


@planted_in("correlate_valid", "The channels are averaged; a map is the sum over all channels.")
def mean_over_channels(x, w):
    return ops.correlate_valid(x, w) / x.dtype.type(x.shape[1])


@planted_in("correlate_valid", "Only the first channel is looked at; sum over c as well.")
def first_channel_only(x, w):
    return ops.correlate_valid(x[:, :1], w[:, :1])


@planted_in("correlate_valid", "float64 comes out for float32: an array was made without a dtype.")
def always_float64(x, w):
    y = np.zeros(ops.correlate_valid(x, w).shape)
    y += ops.correlate_valid(x, w)
    return y


@planted_in(
    "correlate_valid", "The images' memory is read as if it were contiguous; it need not be."
)
def memory_taken_for_contiguous(x, w):
    base = x if x.base is None or x.base.size != x.size else x.base
    return ops.correlate_valid(base.reshape(x.shape), w)


@planted_in(
    "correlate_valid_backward",
    "You correlate the padded dy with w as it is. It should be flipped for that, once: dx is the "
    "convolution convolve_full(dy, w).",
)
def dx_with_unflipped_kernel(dy, x, w):
    return ops.convolve_full(dy, ops.flip(w)), ops.kernel_gradient(x, dy)


@planted_in(
    "correlate_valid_backward",
    "You return dw flipped. It should lie as w does: kernel_gradient(x, dy) never flips.",
)
def dw_flipped(dy, x, w):
    return ops.convolve_full(dy, w), ops.flip(ops.kernel_gradient(x, dy))


@planted_in(
    "correlate_valid_backward", "The arguments of dW are exchanged: it is dy that slides over x."
)
def dw_arguments_exchanged(dy, x, w):
    return ops.convolve_full(dy, w), ops.kernel_gradient(dy, x)


@planted_in("correlate_valid_backward", "The upstream gradient is ignored, as if it were all ones.")
def upstream_ignored(dy, x, w):
    return ops.correlate_valid_backward(np.ones_like(dy), x, w)


@planted_in("correlate_valid_backward", "The gradients are in the wrong order: dx first, then dW.")
def gradients_in_the_wrong_order(dy, x, w):
    dx, dw = ops.correlate_valid_backward(dy, x, w)
    return dw, dx


@planted_in("kernel_gradient", "dW is averaged over the batch; it is the sum (a loss may average).")
def mean_over_batch(x, dy):
    return ops.kernel_gradient(x, dy) / x.dtype.type(len(x))


@planted_in(
    "kernel_gradient", "Maps and channels are exchanged in dW: its shape is (K, C, kh, kw)."
)
def maps_and_channels_exchanged(x, dy):
    return ops.kernel_gradient(x, dy).swapaxes(0, 1)


@planted_in("kernel_gradient", "Only the first image counts; every image of the batch adds to dW.")
def first_image_only(x, dy):
    return ops.kernel_gradient(x[:1], dy[:1])


# --- convolve_full --------------------------------------------------------------------------------


@planted_in(
    "convolve_full",
    "You correlate the padded maps with w as it is. It should be flipped for that, once.",
)
def kernel_not_flipped(h, w):
    return ops.convolve_full(h, ops.flip(w))


@planted_in("convolve_full", "The maps are averaged; the reconstruction is the sum over all maps.")
def mean_over_maps(h, w):
    return ops.convolve_full(h, w) / h.dtype.type(h.shape[1])


@planted_in("convolve_full_backward", "dh convolves dx with W; it is the correlation with W.")
def dh_with_flipped_kernel(dx, h, w):
    return ops.correlate_valid(dx, ops.flip(w)), ops.kernel_gradient(dx, h)


@planted_in(
    "convolve_full_backward", "dW comes out flipped, because h was flipped and slid over dx."
)
def dw_of_full_flipped(dx, h, w):
    dh, dw = ops.convolve_full_backward(dx, h, w)
    return dh, ops.flip(dw)


@planted_in(
    "convolve_full_backward", "The arguments of dW are exchanged: it is h that slides over dx."
)
def dw_of_full_arguments_exchanged(dx, h, w):
    return ops.correlate_valid(dx, w), ops.kernel_gradient(h, dx)


# --- same -----------------------------------------------------------------------------------------


@planted_in("correlate_same", "An even kernel has (kh - 1)//2 rows above it, not kh//2.")
def larger_half_above(x, w):
    (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
    padded = np.zeros((*x.shape[:2], H + kh - 1, W + kw - 1), x.dtype)
    padded[:, :, kh // 2 : kh // 2 + H, kw // 2 : kw // 2 + W] = x
    return ops.correlate_valid(padded, w)


@planted_in("correlate_same", "The border is repeated outside the image; there must be zeros.")
def border_repeated(x, w):
    kh, kw = w.shape[2:]
    top, left = (kh - 1) // 2, (kw - 1) // 2
    sides = ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left))
    return ops.correlate_valid(np.pad(x, sides, mode="edge"), w)


@planted_in(
    "correlate_same_backward",
    "dx pads dy like the forward pads x; with an even kernel the adjoint pads the other half.",
)
def padded_like_the_forward(dy, x, w):
    dx = ops.correlate_same(dy, ops.flip(w).swapaxes(0, 1))
    return dx, ops.correlate_same_backward(dy, x, w)[1]


@planted_in("correlate_same_backward", "dW misses the border: x must be padded as in the forward.")
def dw_of_the_inside_only(dy, x, w):
    kh, kw = w.shape[2:]
    inside = ops.crop_same(dy, kh, kw)
    return ops.convolve_same(dy, w), ops.kernel_gradient(x, inside)


@planted_in("convolve_same", "An even kernel's crop takes (kh - 1)//2 rows off the top, not kh//2.")
def larger_half_cropped(h, w):
    (H, W), (kh, kw) = h.shape[2:], w.shape[2:]
    return ops.convolve_full(h, w)[:, :, kh // 2 : kh // 2 + H, kw // 2 : kw // 2 + W]


@planted_in("convolve_same_backward", "dh convolves dx with W; it is the correlation with W.")
def dh_of_same_convolved(dx, h, w):
    return (
        ops.convolve_same(dx, w.swapaxes(0, 1)),
        ops.convolve_same_backward(dx, h, w)[1],
    )


@planted_in("pad_same", "All the zeros are put below and to the right; half of them belong above.")
def all_below(x, kh, kw):
    N, C, H, W = x.shape
    padded = np.zeros((N, C, H + kh - 1, W + kw - 1), x.dtype)
    padded[:, :, :H, :W] = x
    return padded


@planted_in("pad_same", "An even kernel has (kh - 1)//2 rows above it, not kh//2.")
def larger_half_first(x, kh, kw):
    top, left = kh // 2, kw // 2
    return np.pad(x, ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left)))


@planted_in("pad_same", "kh//2 rows are put on both sides; an even kernel needs one less, kh - 1.")
def same_on_both_sides(x, kh, kw):
    return np.pad(x, ((0, 0), (0, 0), (kh // 2, kh // 2), (kw // 2, kw // 2)))


@planted_in("crop_same", "The crop begins at the corner; it must take off what padding put there.")
def cropped_at_the_corner(x, kh, kw):
    return x[:, :, : x.shape[2] - kh + 1, : x.shape[3] - kw + 1]


@planted_in("pad_full", "kh rows are put on each side; a kernel that touches has kh - 1 outside.")
def one_row_too_many(x, kh, kw):
    return np.pad(x, ((0, 0), (0, 0), (kh, kh), (kw, kw)))


@planted_in("crop_full", "Half as much is taken off as was put on; that is the crop of same.")
def half_of_it_cropped(x, kh, kw):
    return ops.crop_same(x, kh, kw)


# --- more of columns ------------------------------------------------------------------------------


def _windows(x, kh, kw):
    """A view of all patches, (N, C, OH, OW, kh, kw)."""
    return np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))


@planted_in(
    "im2col",
    "You keep the batch in front. It should be (C, kh, kw, N, OH, OW): a patch is a column.",
    [lambda x, kh, kw: _windows(x, kh, kw), lambda x, kh, kw: ops.im2col(x, kh, kw).swapaxes(0, 3)],
)
def batch_in_front(x, kh, kw):
    return _windows(x, kh, kw).transpose(0, 1, 4, 5, 2, 3)


@planted_in(
    "im2col",
    "You make a matrix of the patches. It should be (C, kh, kw, N, OH, OW), six axes.",
    [
        lambda x, kh, kw: ops.im2col(x, kh, kw).reshape(x.shape[1] * kh * kw, -1).T,
        lambda x, kh, kw: (
            _windows(x, kh, kw).transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * kh * kw)
        ),
        lambda x, kh, kw: (
            _windows(x, kh, kw)
            .transpose(0, 1, 4, 5, 2, 3)
            .reshape(len(x), x.shape[1] * kh * kw, -1)
        ),
    ],
)
def columns_as_a_matrix(x, kh, kw):
    return ops.im2col(x, kh, kw).reshape(x.shape[1] * kh * kw, -1)


@planted_in(
    "im2col",
    "You put the patches side by side. It should be one at every place, so that they overlap.",
)
def patches_side_by_side(x, kh, kw):
    return ops.im2col(x, kh, kw)[..., ::kh, ::kw]


@planted_in(
    "im2col",
    "You surround the image with zeros. It should stay as it is: OH = H - kh + 1.",
    [
        lambda x, kh, kw: ops.im2col(np.pad(x, ((0, 0), (0, 0), (0, kh - 1), (0, kw - 1))), kh, kw),
        lambda x, kh, kw: ops.im2col(ops.pad_full(x, kh, kw), kh, kw),
    ],
)
def image_padded(x, kh, kw):
    return ops.im2col(ops.pad_same(x, kh, kw), kh, kw)


@planted_in(
    "im2col",
    "You count the offsets from the other end. It should be col[c, i, j] = x[c, p + i, q + j].",
)
def offsets_reversed(x, kh, kw):
    return ops.im2col(x, kh, kw)[:, ::-1, ::-1]


@planted_in(
    "im2col",
    "You exchange the offsets i and j. It should be (C, kh, kw, N, OH, OW), rows before columns.",
)
def offsets_exchanged(x, kh, kw):
    return ops.im2col(x, kh, kw).swapaxes(1, 2)


@planted_in(
    "im2col",
    "You exchange the places p and q. It should be (C, kh, kw, N, OH, OW), rows before columns.",
)
def places_exchanged(x, kh, kw):
    return ops.im2col(x, kh, kw).swapaxes(4, 5)


@planted_in(
    "col2im",
    "You count the offsets from the other end. It should be x[p + i, q + j] += col[i, j, p, q].",
)
def folded_from_the_other_end(col, shape):
    return ops.col2im(col[:, ::-1, ::-1], shape)


@planted_in(
    "col2im",
    "You exchange i and j in the slices. It should be x[i : i + OH, j : j + OW].",
)
def slices_exchanged(col, shape):
    _, kh, kw, _, OH, OW = col.shape
    x = np.zeros(shape, col.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, j : j + OH, i : i + OW] += col[:, i, j].swapaxes(0, 1)
    return x


@planted_in(
    "col2im",
    "You reshape col to have the images first. It should be transposed: swap C and N.",
)
def columns_reshaped(col, shape):
    C, kh, kw, N, OH, OW = col.shape
    x, col = np.zeros(shape, col.dtype), col.reshape(N, C, kh, kw, OH, OW)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + OH, j : j + OW] += col[:, :, i, j]
    return x


def _without_the_last(rows, columns):
    def folded(col, shape):
        _, kh, kw, _, OH, OW = col.shape
        x = np.zeros(shape, col.dtype)
        for i in range(rows(kh)):
            for j in range(columns(kw)):
                x[:, :, i : i + OH, j : j + OW] += col[:, i, j].swapaxes(0, 1)
        return x

    return folded


def _one_less(k):
    return k - 1


def _one_less_if_any(k):
    return max(k - 1, 1)


@planted_in(
    "col2im",
    "You leave out the last offsets. It should be range(kh) and range(kw), all of them.",
    [
        _without_the_last(_one_less_if_any, _one_less_if_any),
        _without_the_last(_one_less, int),
        _without_the_last(int, _one_less),
    ],
)
def last_offsets_left_out(col, shape):
    return _without_the_last(_one_less, _one_less)(col, shape)


# --- more of correlation --------------------------------------------------------------------------


@planted_in(
    "correlate_valid",
    "You flip the kernel along one axis. It should lie on x as it is: a correlation never flips.",
    [lambda x, w: ops.correlate_valid(x, w[..., ::-1])],
)
def flipped_along_one_axis(x, w):
    return ops.correlate_valid(x, w[:, :, ::-1])


@planted_in(
    "correlate_valid",
    "You exchange the kernel's rows and columns. It should be w[k, c, i, j] with i downwards.",
)
def kernel_transposed(x, w):
    return ops.correlate_valid(x, w.swapaxes(2, 3))


@planted_in(
    "correlate_valid",
    "You average over the patch. It should be a sum over c, i and j.",
    [lambda x, w: ops.correlate_valid(x, w) / x.dtype.type(w[0].size)],
)
def mean_over_the_patch(x, w):
    return ops.correlate_valid(x, w) / x.dtype.type(w.shape[2] * w.shape[3])


def _part_of_the_kernel(x, w, last_row, last_column):
    """The correlation with some offsets left out."""
    kept = w.copy()
    if last_row:
        kept[:, :, -1] = 0
    if last_column:
        kept[..., -1] = 0
    return ops.correlate_valid(x, kept)


@planted_in(
    "correlate_valid",
    "You leave out the last offsets. It should be range(kh) and range(kw), all of them.",
    [
        lambda x, w: _part_of_the_kernel(x, w, False, True),
        lambda x, w: _part_of_the_kernel(x, w, True, True),
    ],
)
def last_offsets_of_the_kernel_left_out(x, w):
    return _part_of_the_kernel(x, w, True, False)


@planted_in(
    "correlate_valid",
    "You surround the image with zeros. It should stay as it is: OH = H - kh + 1.",
    [lambda x, w: ops.correlate_valid(ops.pad_full(x, *w.shape[2:]), w)],
)
def padded_image_correlated(x, w):
    return ops.correlate_same(x, w)


@planted_in(
    "correlate_valid",
    "You write = in place of += : the last offset stays. It should be the sum over all of them.",
)
def last_offset_stays(x, w):
    kh, kw = w.shape[2:]
    return ops.correlate_valid(x[:, :, kh - 1 :, kw - 1 :], w[:, :, -1:, -1:])


@planted_in(
    "correlate_valid",
    "You sum the channels before the product. It should be x[n, c] times w[k, c], then the sum.",
)
def channels_summed_first(x, w):
    return ops.correlate_valid(x.sum(axis=1, keepdims=True), w.sum(axis=1, keepdims=True))


@planted_in(
    "correlate_valid",
    "You answer every image with the first one's maps. It should be x[n] for the maps of n.",
)
def first_image_for_all(x, w):
    return np.repeat(ops.correlate_valid(x[:1], w), len(x), axis=0)


@planted_in(
    "correlate_valid",
    "You look at the last channel alone. It should be the sum over c: += in the loop.",
)
def last_channel_only(x, w):
    return ops.correlate_valid(x[:, -1:], w[:, -1:])


@planted_in("correlate_valid", "You take every second place. It should be every one: stride 1.")
def stride_of_two(x, w):
    return ops.correlate_valid(x, w)[:, :, ::2, ::2]


# --- more of kernels' gradients -------------------------------------------------------------------


@planted_in(
    "kernel_gradient",
    "You flip dy. It should slide over x as it is: a correlation never flips.",
)
def upstream_flipped(x, dy):
    return ops.kernel_gradient(x, ops.flip(dy))


@planted_in(
    "kernel_gradient",
    "You return dw flipped. It should lie as w does: kernel_gradient(x, dy) never flips.",
)
def gradient_flipped(x, dy):
    return ops.flip(ops.kernel_gradient(x, dy))


@planted_in(
    "kernel_gradient",
    "You average over places. It should be a sum over images and places.",
    [lambda x, dy: ops.kernel_gradient(x, dy) / x.dtype.type(len(x) * dy.shape[2] * dy.shape[3])],
)
def mean_over_places(x, dy):
    return ops.kernel_gradient(x, dy) / x.dtype.type(dy.shape[2] * dy.shape[3])


@planted_in(
    "kernel_gradient",
    "You leave dy out, as if it were all ones. It should be a factor of every pixel.",
)
def upstream_left_out(x, dy):
    return ops.kernel_gradient(x, np.ones_like(dy))


@planted_in(
    "kernel_gradient",
    "You exchange the kernel's rows and columns. It should be dw[k, c, i, j] with i downwards.",
)
def gradient_transposed(x, dy):
    return ops.kernel_gradient(x, dy).swapaxes(2, 3)


@planted_in(
    "kernel_gradient",
    "You sum over the channels. It should be x[n, c] alone for dw[k, c].",
    [lambda x, dy: ops.kernel_gradient(x.sum(axis=1, keepdims=True), dy)],
)
def channels_summed(x, dy):
    return np.repeat(ops.kernel_gradient(x.sum(axis=1, keepdims=True), dy), x.shape[1], axis=1)


# --- more of convolution --------------------------------------------------------------------------


@planted_in(
    "convolve_full",
    "You flip the kernel along one axis. It should be flipped along both before it is correlated.",
    [lambda h, w: ops.convolve_full(h, w[..., ::-1])],
)
def flipped_along_one_axis_only(h, w):
    return ops.convolve_full(h, w[:, :, ::-1])


@planted_in(
    "convolve_full",
    "You crop the result. It should be larger than h: H = OH + kh - 1.",
    [
        lambda h, w: ops.convolve_full(h, w)[
            :,
            :,
            (w.shape[2] - 1) // 2 : (w.shape[2] - 1) // 2 + h.shape[2],
            (w.shape[3] - 1) // 2 : (w.shape[3] - 1) // 2 + h.shape[3],
        ],
        lambda h, w: ops.convolve_full(h, w)[:, :, : h.shape[2], : h.shape[3]],
    ],
)
def border_cropped(h, w):
    top, left = w.shape[2] // 2, w.shape[3] // 2
    return ops.convolve_full(h, w)[:, :, top : top + h.shape[2], left : left + h.shape[3]]


@planted_in(
    "convolve_full",
    "You pad kh rows on each side. It should be kh - 1: a kernel that touches has one row inside.",
)
def padded_too_far(h, w):
    kh, kw = w.shape[2:]
    wide = np.pad(h, ((0, 0), (0, 0), (kh, kh), (kw, kw)))
    return ops.correlate_valid(wide, ops.mirrored(w))


@planted_in(
    "convolve_full",
    "You write = in place of += : the last kernel stays. It should be the sum of all that overlap.",
)
def last_laid_stays(h, w):
    (N, K, OH, OW), (_, C, kh, kw) = h.shape, w.shape
    x = np.zeros((N, C, OH + kh - 1, OW + kw - 1), h.dtype)
    for n, k, p, q in np.ndindex(N, K, OH, OW):
        x[n, :, p : p + kh, q : q + kw] = h[n, k, p, q] * w[k]
    return x


@planted_in(
    "convolve_full",
    "You take the first map alone. It should be the sum over k, of all maps.",
    [lambda h, w: ops.convolve_full(h[:, -1:], w[-1:])],
)
def first_map_only(h, w):
    return ops.convolve_full(h[:, :1], w[:1])


# --- more of the backward -------------------------------------------------------------------------


@planted_in(
    "correlate_valid_backward",
    "You flip dy for dw. It should slide over x as it is: kernel_gradient(x, dy) never flips.",
)
def upstream_flipped_for_dw(dy, x, w):
    return ops.convolve_full(dy, w), ops.kernel_gradient(x, ops.flip(dy))


@planted_in(
    "correlate_valid_backward",
    "You flip the kernel along one axis for dx. It should be convolve_full(dy, w), flipped once "
    "along both.",
    [lambda dy, x, w: (ops.convolve_full(dy, w[..., ::-1]), ops.kernel_gradient(x, dy))],
)
def dx_flipped_along_one_axis(dy, x, w):
    return ops.convolve_full(dy, w[:, :, ::-1]), ops.kernel_gradient(x, dy)


@planted_in(
    "correlate_valid_backward", "You return dw alone. It should be dx and dw, in this order."
)
def dx_not_returned(dy, x, w):
    return ops.kernel_gradient(x, dy)


@planted_in(
    "correlate_valid_backward", "You return dx alone. It should be dx and dw, in this order."
)
def dw_not_returned(dy, x, w):
    return ops.convolve_full(dy, w)


@planted_in(
    "correlate_valid_backward",
    "You average dw. It should be a sum over images and places (a loss may average).",
    [
        lambda dy, x, w: (
            ops.convolve_full(dy, w),
            ops.kernel_gradient(x, dy) / x.dtype.type(len(x) * dy.shape[2] * dy.shape[3]),
        ),
    ],
)
def dw_averaged(dy, x, w):
    return ops.convolve_full(dy, w), ops.kernel_gradient(x, dy) / x.dtype.type(len(x))


@planted_in(
    "correlate_valid_backward",
    "You leave x out of dw, as if it were ones. It should be dy times the pixel under it.",
)
def dw_without_x(dy, x, w):
    return ops.convolve_full(dy, w), ops.kernel_gradient(np.ones_like(x), dy)


# --- more of padding ------------------------------------------------------------------------------


@planted_in(
    "pad_same",
    "You put kh - 1 rows on both sides, which is “full”. It should be kh - 1 rows in all.",
)
def padded_for_full(x, kh, kw):
    return ops.pad_full(x, kh, kw)


@planted_in(
    "pad_same", "You exchange kh and kw. It should be kh - 1 rows and kw - 1 columns of zeros."
)
def height_and_width_of_the_kernel_exchanged(x, kh, kw):
    return ops.pad_same(x, kw, kh)


@planted_in(
    "pad_same",
    "You put (kh - 1)//2 rows on both sides. It should be one more below for an even kernel.",
)
def smaller_half_on_both_sides(x, kh, kw):
    top, left = (kh - 1) // 2, (kw - 1) // 2
    return np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))


def _surrounded(x, kh, kw, mode):
    top, left = (kh - 1) // 2, (kw - 1) // 2
    sides = ((0, 0), (0, 0), (top, kh - 1 - top), (left, kw - 1 - left))
    return np.pad(x, sides, mode=mode)


@planted_in(
    "pad_same",
    "You continue the image outside of it. It should be surrounded by zeros.",
    [
        lambda x, kh, kw, mode=mode: _surrounded(x, kh, kw, mode)
        for mode in ("symmetric", "reflect", "wrap", "mean")
    ],
)
def image_continued(x, kh, kw):
    return _surrounded(x, kh, kw, "edge")
