"""Where every random number comes from: one host generator per purpose, seed and position.

Random numbers are drawn by NumPy on the host, whichever backend computes, so that both backends
see the same draws, and so that a run that was interrupted can draw step 1,000 again without
drawing the 999 steps before it.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of random numbers is for; the numbers are part of every result: append only."""

    WEIGHTS = 1
    ORDER = 2
    NOISE = 3
    SUBSET = 4
    DATA = 5
    PATCHES = 6
    TRANSLATION = 7
    PICTURE = 8
    CHECK = 9
    DIRECTIONS = 10


def generator(purpose, seed, index=0, epoch=0, step=0):
    """A generator for one purpose at one position of a run.

    Parameters
    ----------
    purpose : Purpose
    seed : int, >= 0
    index : int
        Of a layer in its stack, or of a variant.
    epoch, step : int
        Position within training.

    Returns
    -------
    numpy.random.Generator
        Always seeded with five words: shorter lists would collide, as ``[5]`` and ``[5, 0]`` are
        the same stream.
    """
    return np.random.default_rng([int(purpose), seed, index, epoch, step])
