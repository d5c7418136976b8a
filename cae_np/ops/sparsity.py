"""Sparsity by selection: which units of the feature maps stay, all others being set to zero.

M14, section 2.1.  A selection is not differentiable where units tie; elsewhere its derivative is
the selection itself: what was set to zero gets no gradient.  Of equal values the first in
row-major order wins, and a NaN counts as larger than any number, so that it is kept and is seen
in what follows instead of disappearing; on both backends.
"""

from ..backend import get_array_module
from .checks import takes


@takes(h="N K H W, kept")
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
    xp = get_array_module(h)
    N, K, H, W = h.shape
    flat = h.reshape(N, K, H * W)
    winner = flat.argmax(axis=2)
    return xp.take_along_axis(flat, winner[:, :, None], axis=2)[:, :, 0], winner


@takes(winner="N K, below H W", map_shape="(H, W)", da="N K, kept")
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
    return place(da, winner, map_shape)


@takes(a="N K, kept", winner="N K, below H W", map_shape="(H, W)")
def place(a, winner, map_shape):
    """Maps that are zero but for one unit each: the dense view of winners.

    Parameters
    ----------
    a : array, shape (N, K)
    winner : integer array, shape (N, K), flat positions within a map
    map_shape : tuple (H, W)

    Returns
    -------
    h : array, shape (N, K, H, W)

    Notes
    -----
    M14, training step 2: z_i with all units but Γ_i set to zero.
    """
    xp = get_array_module(a, winner)
    N, K = a.shape
    h = xp.zeros((N * K, map_shape[0] * map_shape[1]), a.dtype)
    h[xp.arange(N * K), winner.ravel()] = a.ravel()
    return h.reshape(N, K, *map_shape)


@takes(winner="N K, below H W", dh="N K H W, kept")
def place_backward(dh, winner):
    """Gradient of :func:`place`: the values of dh at the winners.

    Parameters
    ----------
    dh : array, shape (N, K, H, W)
    winner : integer array, shape (N, K)

    Returns
    -------
    da : array, shape (N, K)
    """
    xp = get_array_module(dh, winner)
    N, K, H, W = dh.shape
    flat = dh.reshape(N, K, H * W)
    return xp.take_along_axis(flat, winner[:, :, None], axis=2)[:, :, 0]


@takes(h="N K H W, kept")
def top_n(h, n):
    """The n largest units of every feature map.

    Parameters
    ----------
    h : array, shape (N, K, H, W)
    n : int, 1 <= n <= H·W

    Returns
    -------
    mask : boolean array, shape (N, K, H, W), with exactly n True a map
        Of equal values the first are kept; NaN before any number.

    Raises
    ------
    ValueError
        If n is out of range.

    Notes
    -----
    M14, section 2.1: "relaxed the winner-take-all constraint to a 'top-n' constraint".  The
    masked maps are ``h * mask`` and their backward is ``dh * mask``.
    """
    N, K, H, W = h.shape
    return _largest(h.reshape(N * K, H * W), n, f"units of a {H}×{W} map").reshape(h.shape)


@takes(h="N K H W, kept")
def global_top_k(h, k):
    """The k largest units of an image over all of its feature maps.

    Parameters
    ----------
    h : array, shape (N, K, H, W)
    k : int, 1 <= k <= K·H·W

    Returns
    -------
    mask : boolean array, shape (N, K, H, W), with exactly k True an image
        Of equal values the first are kept; NaN before any number.

    Raises
    ------
    ValueError
        If k is out of range.

    Notes
    -----
    M14, section 2.1: the constraint that leaves filters dead.
    """
    N, K, H, W = h.shape
    return _largest(h.reshape(N, K * H * W), k, "units of an image").reshape(h.shape)


def _largest(rows, n, what):
    """Boolean mask of the n largest entries of each row, the first of equals."""
    xp = get_array_module(rows)
    if not 1 <= n <= rows.shape[1]:
        raise ValueError(
            f"{n} of the {rows.shape[1]} {what} were asked for; expected 1 to {rows.shape[1]}"
        )
    # The last n of a growing order of reversed rows: of equals the first, and NaN before all.
    D = rows.shape[1]
    order = D - 1 - xp.argsort(rows[:, ::-1], axis=1, kind="stable")[:, D - n :]
    mask = xp.zeros(rows.shape, dtype=bool)
    mask[xp.arange(len(rows))[:, None], order] = True
    return mask
