"""Geometries on which operations are tried, and the arrays that are drawn for them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """The sizes of one trial; every operation takes those that it needs.

    Attributes
    ----------
    N, C, K : int
        Images, channels, feature maps.
    H, W, kh, kw : int
        Image and kernel in pixels, kh <= H and kw <= W.
    ph, pw : int
        Pooling window, ph <= H and pw <= W.
    width, stride : int
        Of overlapping pooling, stride <= width <= min(H, W).
    top : int
        Units that a selection keeps, at most H·W.
    seed : int
        Of the values.
    """

    N: int
    C: int
    K: int
    H: int
    W: int
    kh: int
    kw: int
    ph: int
    pw: int
    width: int
    stride: int
    top: int
    seed: int = 0

    @property
    def image(self):
        return self.N, self.C, self.H, self.W

    @property
    def kernel(self):
        return self.K, self.C, self.kh, self.kw

    @property
    def code(self):
        """The shape of a valid correlation."""
        return self.N, self.K, self.H - self.kh + 1, self.W - self.kw + 1

    @property
    def maps(self):
        """The shape of a "same" correlation."""
        return self.N, self.K, self.H, self.W

    @property
    def epsilon(self):
        """What whitening adds to variances; the images' are about 1."""
        return 0.1

    @property
    def pool(self):
        return self.ph if self.ph == self.pw else (self.ph, self.pw)


# Few cases that between them have: rectangles, even and odd kernels, a kernel of the image's size,
# one and several images, channels and maps, windows that divide and that do not, windows that
# overlap and that stick out on both sides.
CASES = (
    Case(N=2, C=3, K=2, H=5, W=6, kh=3, kw=2, ph=2, pw=4, width=3, stride=2, top=4),
    Case(N=3, C=1, K=1, H=3, W=3, kh=3, kw=3, ph=2, pw=2, width=3, stride=1, top=2, seed=1),
    Case(N=1, C=2, K=4, H=7, W=5, kh=2, kw=4, ph=3, pw=1, width=5, stride=4, top=3, seed=2),
)


LARGEST = 4000.0  # exp overflows from 710 on, in float32 from 89 on


def normal(rng, shape):
    """Independent normal values, for operations that are smooth."""
    return rng.standard_normal(shape)


def away_from_zero(rng, shape):
    """Values of both signs and at least 0.1 in size, for operations with a kink at 0."""
    x = rng.standard_normal(shape)
    return x + np.copysign(0.1, x)


def apart(rng, shape):
    """Values that differ by 0.1 or more in random order, for maxima; a random share is negative."""
    size = int(np.prod(shape))
    return 0.1 * (rng.permutation(size) - rng.integers(size + 1) + 0.5).reshape(shape)


def large(x):
    """Values as large as the lecture and the stubs announce: up to :data:`LARGEST` in size."""
    return np.clip(1000 * x, -LARGEST, LARGEST)


def with_ties(rng, shape):
    """Three values only, so that maxima are met more than once; none is positive."""
    return rng.integers(-2, 1, shape).astype(float)


def drawn_cases():
    """Strategy of cases whose sizes fit together by construction: a kernel, and some more.

    Hypothesis is imported here, so that cases can be made where it is missing.
    """
    from hypothesis import strategies as st

    @st.composite
    def draw_case(draw):
        kh, kw = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        H, W = kh + draw(st.integers(0, 3)), kw + draw(st.integers(0, 3))
        width = draw(st.integers(1, min(H, W)))
        return Case(
            N=draw(st.integers(1, 3)),
            C=draw(st.integers(1, 3)),
            K=draw(st.integers(1, 3)),
            H=H,
            W=W,
            kh=kh,
            kw=kw,
            ph=draw(st.integers(1, H)),
            pw=draw(st.integers(1, W)),
            width=width,
            stride=draw(st.integers(1, width)),
            top=draw(st.integers(1, H * W)),
            seed=draw(st.integers(0, 1000)),
        )

    return draw_case()
