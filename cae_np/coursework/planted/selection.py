"""Mistakes in choosing winners."""

import numpy as np

from ... import ops
from ...ops.encode import encode_winners
from ...ops.sparse import sparse_kernel_gradient
from .mistake import planted_in


@planted_in("winner_take_all", "One unit of the whole image wins; each feature map has its winner.")
def one_winner_per_image(h):
    best = h.reshape(len(h), -1).argmax(axis=1)
    K, size = h.shape[1], h.shape[2] * h.shape[3]
    winner = np.repeat((best % size)[:, None], K, axis=1)
    return ops.place_backward(h, winner), winner


@planted_in("winner_take_all", "The maps compete at each place; a winner is sought within a map.")
def winner_over_channels(h):
    return h.max(axis=1), h.argmax(axis=1)


@planted_in("winner_take_all", "Of equal values the last wins; the first in row-major order must.")
def last_of_equals_wins(h):
    backwards = h.reshape(*h.shape[:2], -1)[:, :, ::-1]
    winner = backwards.shape[2] - 1 - backwards.argmax(axis=2)
    return ops.place_backward(h, winner), winner


@planted_in("winner_take_all", "The largest absolute value wins; the largest value must.")
def largest_in_size_wins(h):
    winner = abs(h).reshape(*h.shape[:2], -1).argmax(axis=2)
    return ops.place_backward(h, winner), winner


@planted_in("winner_take_all", "A flat position is p · W + q; here p is multiplied by H.")
def position_with_height(h):
    a, winner = ops.winner_take_all(h)
    H, W = h.shape[2:]
    return a, winner // W * H + winner % W


@planted_in(
    "winner_take_all_backward", "Every unit of a map gets the gradient; only the winner may."
)
def all_units_get_the_gradient(da, winner, map_shape):
    return np.broadcast_to(da[:, :, None, None], (*da.shape, *map_shape)).copy()


@planted_in("winner_take_all_backward", "The winners get 1 instead of the upstream gradient.")
def gradient_of_one(da, winner, map_shape):
    return ops.place(np.ones_like(da), winner, map_shape)


@planted_in("place", "A flat position is divided by the height; rows are W units long.")
def position_divided_by_height(a, winner, map_shape):
    H, W = map_shape
    return ops.place(a, winner % H * W + winner // H, map_shape)


@planted_in("place", "The winners' values are lost: the maps hold ones.")
def ones_placed(a, winner, map_shape):
    return ops.place(np.ones_like(a), winner, map_shape)


@planted_in(
    "place_backward", "The gradient is summed over the map; only the winner's place counts."
)
def summed_over_the_map(dh, winner):
    return dh.sum(axis=(2, 3))


@planted_in("place_backward", "The map's largest gradient is taken; the one at the winner must be.")
def largest_gradient_taken(dh, winner):
    return dh.max(axis=(2, 3))


@planted_in("top_n", "All units that reach the n-th largest value stay; with ties, more than n.")
def ties_all_stay(h, n):
    flat = h.reshape(*h.shape[:2], -1)
    threshold = np.sort(flat, axis=2)[:, :, -n]
    return h >= threshold[:, :, None, None]


@planted_in("top_n", "The n largest of the whole image stay; each feature map has its own n.")
def units_of_the_image(h, n):
    return ops.global_top_k(h, n)


@planted_in("top_n", "The n smallest units stay; the order is reversed.")
def smallest_stay(h, n):
    return ops.top_n(-h, n)


@planted_in("global_top_k", "The k largest of each map stay; k units of the whole image must.")
def units_of_each_map(h, k):
    return ops.top_n(h, k)


@planted_in("global_top_k", "The k largest of the whole batch stay; each image has its own k.")
def units_of_the_batch(h, k):
    threshold = np.sort(h, axis=None)[-k]
    return h >= threshold


# --- what is read off the maps without keeping them ----------------------------------------------


@planted_in("encode_winners", "The largest absolute value wins; the largest value must.")
def largest_in_size_encoded(x, w):
    h = ops.correlate_same(x, w)
    winner = abs(h).reshape(*h.shape[:2], -1).argmax(axis=2)
    return ops.place_backward(h, winner), winner


@planted_in("encode_winners", "The kernels are flipped: the encoder correlates.")
def encoded_with_flipped_kernels(x, w):
    return encode_winners(x, ops.flip(w))


@planted_in("encode_winners", "A flat position counts in rows of the map, not of the padded image.")
def position_in_the_padded_image(x, w):
    z, winner = encode_winners(x, w)
    W, kw = x.shape[3], w.shape[3]
    return z, winner // W * (W + kw - 1) + winner % W


@planted_in("encode_winners", "Of equal values the last wins; the first in row-major order must.")
def last_of_equals_encoded(x, w):
    h = ops.correlate_same(x, w)
    backwards = h.reshape(*h.shape[:2], -1)[:, :, ::-1]
    winner = backwards.shape[2] - 1 - backwards.argmax(axis=2)
    return ops.place_backward(h, winner), winner


@planted_in("sparse_kernel_gradient", "The upstream gradient is ignored, as if it were all ones.")
def winners_counted_alike(a, winner, x, kh, kw):
    return sparse_kernel_gradient(np.ones_like(a), winner, x, kh, kw)


@planted_in("sparse_kernel_gradient", "Patches begin at the winner; they are centred on it.")
def patches_begin_at_the_winner(a, winner, x, kh, kw):
    below = np.pad(x, ((0, 0), (0, 0), (0, kh - 1), (0, kw - 1)))
    return ops.kernel_gradient(below, ops.place(a, winner, x.shape[2:]))


@planted_in("sparse_kernel_gradient", "dw comes out flipped: it has the orientation of w.")
def sparse_gradient_flipped(a, winner, x, kh, kw):
    return ops.flip(sparse_kernel_gradient(a, winner, x, kh, kw))


@planted_in("sparse_kernel_gradient", "Only the first image counts; every image adds to dw.")
def first_image_s_patches_only(a, winner, x, kh, kw):
    return sparse_kernel_gradient(a[:1], winner[:1], x[:1], kh, kw)


@planted_in("encode_pooled", "The bias is added after the ReLU; it belongs before it.")
def bias_after_the_relu(x, w, b, width, stride):
    h = ops.add_bias(ops.relu(ops.correlate_same(x, w)), b)
    return ops.overlapping_max_pool(h, width, stride)[0]


@planted_in("encode_pooled", "The ReLU is forgotten: features of windows below zero are zero.")
def relu_forgotten(x, w, b, width, stride):
    h = ops.add_bias(ops.correlate_same(x, w), b)
    return ops.overlapping_max_pool(h, width, stride)[0]


@planted_in("encode_pooled", "The first map's bias serves all maps; each has its own.")
def one_bias_for_all_maps(x, w, b, width, stride):
    h = ops.relu(ops.correlate_same(x, w) + b[0])
    return ops.overlapping_max_pool(h, width, stride)[0]


# --- more of winners ------------------------------------------------------------------------------


@planted_in(
    "winner_take_all",
    "You count positions down the columns. It should be row by row: p · W + q.",
)
def counted_down_the_columns(h):
    a, winner = ops.winner_take_all(h.swapaxes(2, 3))
    return a, winner


@planted_in(
    "winner_take_all",
    "You seek a winner in every row. It should be one in the whole map: flatten it first.",
    [lambda h: (h.max(axis=2), h.argmax(axis=2))],
)
def winner_of_every_row(h):
    return h.max(axis=3), h.argmax(axis=3)


@planted_in(
    "winner_take_all",
    "You return whole maps. It should be the winners' values alone, (N, K).",
)
def whole_maps_returned(h):
    a, winner = ops.winner_take_all(h)
    return ops.place(a, winner, h.shape[2:]), winner


@planted_in(
    "winner_take_all", "You count positions from 1. It should be from 0, as NumPy's indices."
)
def counted_from_one(h):
    a, winner = ops.winner_take_all(h)
    return a, winner + 1


@planted_in("winner_take_all", "You take the smallest unit. It should be the largest: argmax.")
def smallest_wins(h):
    a, winner = ops.winner_take_all(-h)
    return -a, winner


@planted_in(
    "winner_take_all",
    "You return pairs of row and column. It should be one flat position, p · W + q.",
)
def positions_as_pairs(h):
    a, winner = ops.winner_take_all(h)
    return a, np.stack(np.divmod(winner, h.shape[3]), axis=-1)


def _placed(da, winner, map_shape, where):
    H, W = map_shape
    dh = np.zeros((*da.shape, H, W), da.dtype)
    for n, k in np.ndindex(*da.shape):
        p, q = where(int(winner[n, k]), H, W)
        dh[n, k, p, q] = da[n, k]
    return dh


@planted_in(
    "winner_take_all_backward",
    "You divide a flat position by the height. It should be divmod(winner, W): rows are W long.",
    [lambda da, winner, s: _placed(da, winner, s, lambda i, H, W: divmod(i, H))],
)
def divided_by_the_height(da, winner, map_shape):
    return _placed(da, winner, map_shape, lambda i, H, W: (i // H % H, i % H % W))


@planted_in(
    "winner_take_all_backward",
    "You exchange rows and columns. It should be maps of (H, W) with row = winner // W.",
)
def maps_transposed(da, winner, map_shape):
    return ops.place(da, winner, map_shape).swapaxes(2, 3)


@planted_in(
    "winner_take_all_backward", "You leave the maps flat. It should be (N, K, H, W): reshape."
)
def maps_left_flat(da, winner, map_shape):
    return ops.place(da, winner, map_shape).reshape(*da.shape, -1)
