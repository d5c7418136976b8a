"""Winners and pooled features of feature maps that are never in memory as a whole.

The maps of a batch are by far the largest arrays of a convolutional auto-encoder with many maps
(100 MNIST images, 128 maps: 40 MB).  Here those of a few images at a time are formed by one matrix
product, read while they are in the cache, and forgotten (:mod:`.kernels.maps`).
"""

from ..backend import get_array_module
from .activations import relu
from .checks import takes
from .kernels.maps import for_each_block_of_maps
from .pool import check_overlapping, largest_in_windows
from .sparsity import winner_take_all


@takes(x="N C H W", w="K C kh kw")
def encode_winners(x, w):
    """The largest unit of every map of ``correlate_same(x, w)``.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    z : array, shape (N, K)
        The winners' values before bias and non-linearity, which move no maximum.
    winner : integer array, shape (N, K)
        Γ, flat positions ``p * W + q``; of equal values the first.

    Raises
    ------
    ValueError
        If x and w differ in their channels.

    Notes
    -----
    ``winner_take_all(correlate_same(x, w))``: M14, training steps 1 and 2.  The gradient for w is
    :func:`~cae_np.ops.sparse.sparse_kernel_gradient`.
    """
    xp = get_array_module(x, w)
    shape = len(w), len(x)
    z, winner = xp.empty(shape, xp.result_type(x, w)), xp.empty(shape, "int64")

    def search(images, h):
        z[:, images], winner[:, images] = winner_take_all(h)

    for_each_block_of_maps(search, x, w)
    return z.T, winner.T


@takes(x="N C H W", w="K C kh kw")
def count_ties(x, w):
    """How many maps of ``correlate_same(x, w)`` have more than one largest unit.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)

    Returns
    -------
    ties : integer array, shape (N,)
        For each image, 0 ... K.
    """
    xp = get_array_module(x, w)
    ties = xp.empty(len(x), "int64")

    def count(images, h):
        largest = (h == h.max(axis=(2, 3), keepdims=True)).sum(axis=(2, 3))
        ties[images] = (largest > 1).sum(axis=0)

    for_each_block_of_maps(count, x, w)
    return ties


@takes(x="N C H W", w="K C kh kw", b="K")
def encode_pooled(x, w, b, width, stride):
    """ReLU maps, max-pooled over windows that overlap: M14's features.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    w : array, shape (K, C, kh, kw)
    b : array, shape (K,)
    width, stride : int
        Side of a window and step between windows in pixels; 1 <= stride <= width.

    Returns
    -------
    y : array, shape (N, K, ceil(H / stride), ceil(W / stride))
        ``overlapping_max_pool(relu(correlate_same(x, w) + b), width, stride)[0]``

    Raises
    ------
    ValueError
        If x and w differ in their channels, w and b in their maps, or width or stride is out of
        range.

    Notes
    -----
    M14, "Sparse Encoding".
    """
    xp = get_array_module(x, w)
    (N, _, H, W), K = x.shape, len(w)
    check_overlapping(width, stride, H, W)
    y = xp.empty((N, K, -(-H // stride), -(-W // stride)), xp.result_type(x, w, b))

    def pool(images, h):
        h += b[:, None, None, None]
        y[images] = largest_in_windows(relu(h, out=h), width, stride).swapaxes(0, 1)

    for_each_block_of_maps(pool, x, w)
    return y
