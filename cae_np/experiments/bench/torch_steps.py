"""The same training steps written with PyTorch's automatic differentiation, for comparison only.

A step is a function without arguments, or None where PyTorch is not installed.  PyTorch's faster
formulation was chosen where there were several (the pooling mask: of unpooling, scattering and
comparing, comparing won).
"""

import importlib.util
import warnings

from ...backend import active


def available():
    """Whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def version():
    """PyTorch's version and where its steps run, or None."""
    if not available():
        return None
    import torch

    return f"{torch.__version__} on {device()}"


def device():
    """Where its steps run: on the GPU where ours do, if it sees one, else on the CPU."""
    import torch

    return "cuda" if active().name == "cupy" and torch.cuda.is_available() else "cpu"


def set_threads(threads):
    """Give PyTorch this many threads."""
    import torch

    torch.set_num_threads(threads)


def step(make, arguments, batch, rate, momentum):
    """A training step, differentiated automatically: forward, backward, update.

    Parameters
    ----------
    make : one of :func:`cae`, :func:`network`, :func:`winner_take_all`
    arguments : tuple
        Of ``make``.
    batch : tuple of numpy arrays
        What the loss is a function of.
    rate, momentum : float

    Returns
    -------
    step : callable
    """
    if not available():
        return None
    import torch

    parameters, loss = make(*arguments)
    batch = [torch.from_numpy(a).to(device(), copy=True) for a in batch]
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=momentum)

    def take():
        optimizer.zero_grad()
        loss(*batch).backward()
        optimizer.step()

    return take


def _parameters(*arrays):
    """Copies that gradients are taken for."""
    import torch

    arrays = [torch.from_numpy(a.copy(order="C")).to(device()) for a in arrays]
    return [a.requires_grad_() for a in arrays]


def _zeros(*sizes):
    import torch

    return [torch.zeros(n, requires_grad=True, device=device()) for n in sizes]


def cae(w, pool):
    """The convolutional auto-encoder of M11 with tied kernels.

    Parameters
    ----------
    w : numpy float32 array, shape (K, C, kh, kw)
    pool : int or None

    Returns
    -------
    parameters : list of tensors
    loss : callable, (x of shape (N, C, H, W)) -> tensor
    """
    import torch
    import torch.nn.functional as F

    (w,), (b, c) = _parameters(w), _zeros(*w.shape[:2])

    def loss(x):
        h = 1.7159 * torch.tanh(F.conv2d(x, w, b) * (2 / 3))
        if pool:
            with torch.no_grad():
                highest = F.max_pool2d(h, pool)
                highest = highest.repeat_interleave(pool, 2).repeat_interleave(pool, 3)
                mask = highest == h
            h = h * mask
        x_hat = F.conv_transpose2d(h, w, c)
        return ((x_hat - x) ** 2).sum() / (2 * len(x))

    return [w, b, c], loss


def network(parameters, pools):
    """M11's network.

    Parameters
    ----------
    parameters : list of numpy float32 arrays
        Weights and biases in turn, of the convolutions, then of two fully connected layers.
    pools : list of int or None
        After every convolution.

    Returns
    -------
    parameters : list of tensors
    loss : callable, (x of shape (N, C, H, W), labels of shape (N,)) -> tensor
    """
    import torch
    import torch.nn.functional as F

    parameters = _parameters(*parameters)
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))

    def sigma(z):
        return 1.7159 * torch.tanh(z * (2 / 3))

    def loss(x, labels):
        h = x
        for (w, b), pool in zip(layers, pools, strict=False):
            h = F.conv2d(h, w, b)
            h = sigma(F.max_pool2d(h, pool, ceil_mode=True) if pool else h)
        (w, b), (w_out, b_out) = layers[len(pools) :]
        z = F.linear(sigma(F.linear(h.flatten(1), w, b)), w_out, b_out)
        return F.cross_entropy(z, labels)

    return parameters, loss


def winner_take_all(w_enc, w_dec):
    """M14's auto-encoder as automatic differentiation takes it: every map formed, one unit kept.

    Parameters
    ----------
    w_enc, w_dec : numpy float32 arrays, shape (K, C, k, k) with odd k

    Returns
    -------
    parameters : list of tensors
    loss : callable, (x of shape (N, C, H, W)) -> tensor
    """
    import torch
    import torch.nn.functional as F

    (P, W), (b, c) = _parameters(w_enc, w_dec), _zeros(*w_enc.shape[:2])
    padding = P.shape[2] // 2

    def loss(x):
        z = torch.relu(F.conv2d(x, P, b, padding=padding))
        flat = z.flatten(2)
        a, winner = flat.max(dim=2, keepdim=True)
        h = torch.zeros_like(flat).scatter(2, winner, a).view_as(z)
        x_hat = F.conv_transpose2d(h, W, c, padding=padding)
        return ((x_hat - x) ** 2).sum() / len(x)

    return [P, b, W, c], loss


def winner_take_all_sparse_step(x, w_enc, w_dec, rate, momentum):
    """M14's step from the winners alone, gradients by hand, in PyTorch's own operations.

    For honesty: what of our speed is the sparse formulation, and what is our code.  Of the ways to
    decode (adding through indices, two kinds of sparse products) the fastest one stands here.

    Parameters
    ----------
    x : numpy float32 array, shape (N, C, H, W)
    w_enc, w_dec : numpy float32 arrays, shape (K, C, k, k) with odd k
    rate, momentum : float

    Returns
    -------
    step : callable
    """
    if not available():
        return None
    import torch
    import torch.nn.functional as F

    warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
    warnings.filterwarnings("ignore", "Sparse invariant checks are implicitly disabled")
    (N, C, H, W_), (K, _, k, _) = x.shape, w_enc.shape
    on = {"device": device()}
    pad, x = k // 2, torch.from_numpy(x).to(device(), copy=True)
    Hp, Wp = H + k - 1, W_ + k - 1
    # Kernels with the channels last, as rows of patches want them.
    P, W = (
        torch.from_numpy(w.transpose(0, 2, 3, 1).copy(order="C")).to(device()).requires_grad_()
        for w in (w_enc, w_dec)
    )
    b, c = (torch.zeros(n, requires_grad=True, **on) for n in (K, C))
    optimizer = torch.optim.SGD([P, b, W, c], lr=rate, momentum=momentum)
    image = torch.arange(N, **on)
    maps_at_a_time = max(1, (1 << 18) // (N * C * k * k * 4))

    def windows(x):
        """A view of every row of k·C numbers under the kernel: (N, H, W, k, k·C)."""
        x = F.pad(x, (pad, pad, pad, pad)).permute(0, 2, 3, 1).contiguous()
        return x, x.as_strided((N, H, W_, k, k * C), (*x.stride()[:3], x.stride(1), 1))

    def decode(a, winner):
        place, order = (image[:, None] * (H * W_) + winner).flatten().sort()
        starts = torch.searchsorted(place, torch.arange(N * H * W_ + 1, **on))
        S = torch.sparse_csr_tensor(starts, order % K, a.flatten()[order], (N * H * W_, K))
        x_hat = torch.zeros(N, Hp, Wp, C, **on)
        for i in range(k):
            for j in range(k):
                x_hat[:, i : i + H, j : j + W_] += (S @ W[:, i, j]).view(N, H, W_, C)
        return x_hat[:, pad : pad + H, pad : pad + W_].permute(0, 3, 1, 2) + c[:, None, None]

    @torch.no_grad()
    def step():
        optimizer.zero_grad()
        z, winner = F.conv2d(x, P.permute(0, 3, 1, 2), padding=pad).flatten(2).max(dim=2)
        a = torch.relu(z + b)
        error = decode(a, winner) - x
        error *= 2 / N
        _, error_windows = windows(error)
        padded, x_windows = windows(x)
        p, q, a = (winner // W_).T, (winner % W_).T, a.T.contiguous()
        dW, dP, da = torch.empty_like(W), torch.empty_like(P), torch.empty_like(a)
        for first in range(0, K, maps_at_a_time):
            s = slice(first, first + maps_at_a_time)
            patches = error_windows[image, p[s], q[s]].flatten(2)
            da[s] = (patches * W[s].flatten(1)[:, None]).sum(2) * (a[s] > 0)
            dW[s] = torch.bmm(a[s, None, :], patches).view_as(dW[s])
            if C < 16:
                patches = x_windows[image, p[s], q[s]].flatten(2)
                dP[s] = torch.bmm(da[s, None, :], patches).view_as(dP[s])
        if C >= 16:  # with many channels a sparse matrix times the pixels is faster
            corner = (image * (Hp * Wp) + p * Wp + q).int()
            side = torch.arange(k, **on)
            offset = (side[:, None] * Wp + side).flatten().int()
            pixel = (corner[:, None, :] + offset[:, None]).flatten()
            starts = torch.arange(0, len(pixel) + 1, N, dtype=torch.int32, **on)
            values = da[:, None, :].expand(K, k * k, N).flatten()
            T = torch.sparse_csr_tensor(starts, pixel, values, (K * k * k, N * Hp * Wp))
            dP = (T @ padded.view(-1, C)).view_as(P)
        P.grad, W.grad, b.grad, c.grad = dP, dW, da.sum(1), error.sum((0, 2, 3))
        optimizer.step()

    return step
