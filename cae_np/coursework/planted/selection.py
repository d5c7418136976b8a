"""Mistakes in choosing winners."""

import numpy as np

from ... import ops
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
