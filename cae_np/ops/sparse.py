"""Winner-take-all without the zeros: passes that touch one unit of each feature map.

Where every map keeps one unit (M14, section 2.1), an image has K active units instead of K·H·W.
With winner position Γ and value a[n, k], and *patch* for what a kernel covers at Γ, what is left of
the dense passes through ``place(a, winner, (H, W))`` when their zeros are left out is

    x_hat[n]  =  Σ_k a[n, k] · W_k, laid down at Γ[n, k]
    da[n, k]  =  <W_k, patch of dx at Γ[n, k]>
    dW_k      =  Σ_n a[n, k] · patch of dx at Γ[n, k]
    dP_k      =  Σ_n dz[n, k] · patch of x at Γ[n, k]        (P, the encoder's kernels)

A winner outside the maps is refused on the host; a device would have to be waited for, and there
what comes out is undefined.

Only finding the winners takes a dense product, :func:`encode_winners`.

What a patch is in memory, and which algorithm goes over them, is the business of
:mod:`.kernels.patches` alone.  Kernels are cheapest with the channels last in memory; their
gradients come in that order.
"""

from ..backend import get_array_module
from .checks import takes
from .kernels.patches import (
    as_rows,
    by_map,
    empty_kernels,
    for_each_patches,
    lay_down,
    sum_patches,
)


@takes(a="N K", winner="N K, below H W", w="K C kh kw", image_shape="(H, W)")
def sparse_decode(a, winner, w, image_shape):
    """Add up the kernels, each laid down at its winner and weighted by the winner's value.

    Parameters
    ----------
    a : array, shape (N, K)
        The winners' values.
    winner : integer array, shape (N, K)
        Γ, flat positions ``p * W + q``.
    w : array, shape (K, C, kh, kw)
    image_shape : tuple (H, W)

    Returns
    -------
    x_hat : array, shape (N, C, H, W)
        Of a winner at (p, q) the kernel's element (i, j) lies on the pixel
        (p + i - (kh - 1)//2, q + j - (kw - 1)//2); what lies outside of the image is cropped.
        The same as ``convolve_same(place(a, winner, (H, W)), w)``, without the maps.

    Notes
    -----
    M14, training step 3.
    """
    return lay_down(a, winner, w, image_shape)  # Σ_k a[n, k] · W_k, at Γ[n, k]


@takes(a="N K", winner="N K, below H W", w="K C kh kw", dx="N C H W")
def sparse_decode_backward(dx, a, winner, w, out=None):
    """Gradients of :func:`sparse_decode`.

    Parameters
    ----------
    dx : array, shape (N, C, H, W)
        The upstream gradient.
    a, winner, w : the arguments of the forward
    out : array, shape (K, C, kh, kw), channels last in memory, optional
        Takes dw.

    Returns
    -------
    da : array, shape (N, K)
    dw : array, shape (K, C, kh, kw)

    Raises
    ------
    ValueError
        If ``out`` is not as described: it would be left as it is.

    Notes
    -----
    M14, section 2.1: the error "is only backpropagated through these hidden units".  Both
    gradients read the same patches of dx, which are copied once, for a few maps at a time.
    """
    xp = get_array_module(dx, a, winner, w)
    dtype, kernels, a = xp.result_type(dx, a, w), as_rows(w), by_map(a)
    da, dw = xp.empty(a.shape, dtype), empty_kernels(xp, w.shape, dtype, out)
    dw_rows = as_rows(dw)

    def add_up(maps, patch):  # patch: (maps, N, kh·kw·C)
        da[maps] = (patch @ kernels[maps, :, None])[:, :, 0]  # <W_k, patch[n]>
        dw_rows[maps] = (a[maps, None, :] @ patch)[:, 0]  # Σ_n a[n, k] · patch[n]

    for_each_patches(add_up, dx, winner, *w.shape[2:])
    return da.T, dw


@takes(a="N K", winner="N K, below H W", x="N C H W")
def sparse_kernel_gradient(a, winner, x, kh, kw, out=None):
    """Gradient of :func:`~cae_np.ops.encode.encode_winners` with respect to the kernels.

    Parameters
    ----------
    a : array, shape (N, K)
        The gradient with respect to the winners' values.
    winner : integer array, shape (N, K)
        Γ, flat positions.
    x : array, shape (N, C, H, W)
    kh, kw : int
        Kernel height and width in pixels.
    out : array, shape (K, C, kh, kw), channels last in memory, optional
        Takes dw.

    Returns
    -------
    dw : array, shape (K, C, kh, kw)
        ``kernel_gradient(pad_same(x, kh, kw), place(a, winner, (H, W)))``

    Raises
    ------
    ValueError
        If ``out`` is not as described: it would be left as it is.
    """
    xp, shape = get_array_module(a, winner, x), (a.shape[1], x.shape[1], kh, kw)
    dw = empty_kernels(xp, shape, xp.result_type(a, x), out)
    sum_patches(a, winner, x, kh, kw, as_rows(dw))  # Σ_n a[n, k] · patch of x[n] at Γ[n, k]
    return dw
