"""The mathematics: pure functions in forward/backward pairs, without state and without classes.

A forward returns y, or (y, what only the forward knows).  Its backward takes the upstream gradient
first, then what the forward saved, and returns the gradients of the differentiable arguments in
their order.  Inputs are never modified; the dtype that comes in goes out; NumPy and CuPy arrays are
welcome alike, in any memory order.

>>> import numpy as np
>>> from cae_np import ops
>>> x, w = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
>>> ops.correlate_valid(x, w)[0, 0]
array([[9., 9.],
       [9., 9.]])
>>> dx, dw = ops.correlate_valid_backward(np.ones((1, 1, 2, 2)), x, w)
>>> dx.shape, dw.shape
((1, 1, 4, 4), (1, 1, 3, 3))
"""

from .activations import (
    ACTIVATIONS,
    linear,
    linear_backward,
    logistic,
    logistic_backward,
    relu,
    relu_backward,
    scaled_tanh,
    scaled_tanh_backward,
    softmax,
    softmax_backward,
)
from .affine import add_bias, add_bias_backward, affine, affine_backward
from .conv import (
    convolve_full,
    convolve_full_backward,
    correlate_valid,
    correlate_valid_backward,
    kernel_gradient,
)
from .encode import encode_pooled, encode_winners
from .flip import flip, mirrored
from .im2col import col2im, im2col
from .kernels.layout import batch_last
from .losses import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_error,
    squared_error_backward,
)
from .noise import binomial_mask, corrupt, corrupt_backward, gaussian_noise
from .padding import crop_full, crop_same, pad_full, pad_same
from .pool import (
    erase_non_maximal,
    erase_non_maximal_backward,
    max_pool,
    max_pool_backward,
    overlapping_max_pool,
    overlapping_max_pool_backward,
    unpool,
    unpool_backward,
)
from .same import convolve_same, convolve_same_backward, correlate_same, correlate_same_backward
from .sparse import sparse_decode, sparse_decode_backward, sparse_kernel_gradient
from .sparsity import (
    global_top_k,
    place,
    place_backward,
    top_n,
    winner_take_all,
    winner_take_all_backward,
)
