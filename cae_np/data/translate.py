"""Translated images, M11's only enlargement of a training set (section 4.1: "5% translations")."""

import numpy as np

from ..ops.checks import takes


@takes(x="N C H W", offsets="N ...")
def translate(x, offsets):
    """Move every image by its own offset, a fraction of a pixel included.

    ``y[n, c, p, q] = x[n, c, p - offsets[n, 0], q - offsets[n, 1]]``, between pixels interpolated
    linearly, beyond the border the nearest pixel.

    Parameters
    ----------
    x : numpy array of floats, shape (N, C, H, W)
    offsets : numpy array, shape (N, 2)
        Down and to the right, in pixels.

    Returns
    -------
    y : numpy array, shape (N, C, H, W), in x's dtype

    Raises
    ------
    ValueError
        If there is not one pair of offsets for each image.
    """
    if offsets.shape != (len(x), 2):
        raise ValueError(
            f"offsets have shape {offsets.shape}; {len(x)} images need {(len(x), 2)}: one pair each"
        )
    y = _moved_down(x, offsets[:, 0])
    return _moved_down(y.swapaxes(2, 3), offsets[:, 1]).swapaxes(2, 3)


def random_translations(share):
    """A function that moves images at random, for :func:`cae_np.training.train` to augment with.

    Parameters
    ----------
    share : float in [0, 1)
        Largest offset in either direction, as a share of the image's side: M11's 5 % are 0.05,
        which is 1.6 of 32 pixels.

    Returns
    -------
    callable, (x, rng) -> y
        Offsets are uniform in ±share, down and to the right each on its own.

    Raises
    ------
    ValueError
        If ``share`` is out of its range.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share = {share}: expected a part of the image's side, in [0, 1)")

    def moved(x, rng):
        return translate(x, rng.uniform(-share, share, (len(x), 2)) * x.shape[2:])

    return moved


def _moved_down(x, offset):
    """Every image moved down by its own offset, of shape (N,)."""
    H = x.shape[2]
    source = np.clip(np.arange(H) - offset[:, None], 0, H - 1)  # (N, H), rows of x
    above = np.floor(source).astype(int)
    below = np.minimum(above + 1, H - 1)
    share = (source - above).astype(x.dtype)[:, None, :, None]
    rows = np.arange(len(x))[:, None]
    picked = x.swapaxes(1, 2)  # (N, H, C, W): rows of all channels are picked together
    return (picked[rows, above].swapaxes(1, 2) * (1 - share)) + (
        picked[rows, below].swapaxes(1, 2) * share
    )
