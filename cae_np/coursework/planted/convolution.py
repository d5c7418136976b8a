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


@planted_in("correlate_valid", "The kernel is flipped: this is a convolution, not a correlation.")
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
    "dx has the kernel the wrong way round: what was laid over x is laid down again as it was.",
)
def dx_with_unflipped_kernel(dy, x, w):
    return ops.convolve_full(dy, ops.flip(w)), ops.kernel_gradient(x, dy)


@planted_in("correlate_valid_backward", "dW comes out flipped: it has the orientation of W.")
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


@planted_in("convolve_full", "The kernel is not flipped: this is a correlation, not a convolution.")
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
