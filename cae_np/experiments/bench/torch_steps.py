"""The same training steps written with PyTorch's automatic differentiation, for comparison only.

Each function returns a step without arguments, or None where PyTorch is not installed.  PyTorch's
faster formulation was chosen where there were several (the pooling mask: of unpooling, scattering
and comparing, comparing won).
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


def cae_step(x, w, pool, rate, momentum):
    """The convolutional auto-encoder of M11 with tied kernels: forward, backward, update.

    Parameters
    ----------
    x : numpy float32 array, shape (N, C, H, W)
    w : numpy float32 array, shape (K, C, kh, kw)
    pool : int or None
    rate, momentum : float

    Returns
    -------
    step : callable
    """
    if not available():
        return None
    import torch
    import torch.nn.functional as F

    x = torch.from_numpy(x).to(device(), copy=True)
    w = torch.from_numpy(w).to(device(), copy=True).requires_grad_()
    b = torch.zeros(len(w), requires_grad=True, device=device())
    c = torch.zeros(x.shape[1], requires_grad=True, device=device())
    optimizer = torch.optim.SGD([w, b, c], lr=rate, momentum=momentum)

    def step():
        optimizer.zero_grad()
        h = 1.7159 * torch.tanh(F.conv2d(x, w, b) * (2 / 3))
        if pool:
            with torch.no_grad():
                highest = F.max_pool2d(h, pool)
                highest = highest.repeat_interleave(pool, 2).repeat_interleave(pool, 3)
                mask = highest == h
            h = h * mask
        x_hat = F.conv_transpose2d(h, w, c)
        loss = ((x_hat - x) ** 2).sum() / (2 * len(x))
        loss.backward()
        optimizer.step()

    return step


def network_step(x, labels, parameters, pools, rate, momentum):
    """M11's network: forward, backward, update.

    Parameters
    ----------
    x : numpy float32 array, shape (N, C, H, W)
    labels : numpy int64 array, shape (N,)
    parameters : list of numpy float32 arrays
        Weights and biases in turn, of the convolutions, then of two fully connected layers.
    pools : list of int or None
        After every convolution.
    rate, momentum : float

    Returns
    -------
    step : callable
    """
    if not available():
        return None
    import torch
    import torch.nn.functional as F

    x, labels = (torch.from_numpy(a).to(device(), copy=True) for a in (x, labels))
    parameters = [torch.from_numpy(p).to(device(), copy=True).requires_grad_() for p in parameters]
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=momentum)

    def sigma(z):
        return 1.7159 * torch.tanh(z * (2 / 3))

    def step():
        optimizer.zero_grad()
        h, layers = x, list(zip(parameters[::2], parameters[1::2], strict=True))
        for (w, b), pool in zip(layers, pools, strict=False):
            h = F.conv2d(h, w, b)
            h = sigma(F.max_pool2d(h, pool, ceil_mode=True) if pool else h)
        (w, b), (w_out, b_out) = layers[len(pools) :]
        z = F.linear(sigma(F.linear(h.flatten(1), w, b)), w_out, b_out)
        F.cross_entropy(z, labels).backward()
        optimizer.step()

    return step


def winner_take_all_step(x, w_enc, w_dec, rate, momentum):
    """M14's training step as automatic differentiation takes it: every map formed, one unit kept.

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

    x = torch.from_numpy(x).to(device(), copy=True)
    P, W = (
        torch.from_numpy(w.copy(order="C")).to(device()).requires_grad_() for w in (w_enc, w_dec)
    )
    b = torch.zeros(len(P), requires_grad=True, device=device())
    c = torch.zeros(x.shape[1], requires_grad=True, device=device())
    optimizer = torch.optim.SGD([P, b, W, c], lr=rate, momentum=momentum)
    padding = P.shape[2] // 2

    def step():
        optimizer.zero_grad()
        z = torch.relu(F.conv2d(x, P, b, padding=padding))
        flat = z.flatten(2)
        a, winner = flat.max(dim=2, keepdim=True)
        h = torch.zeros_like(flat).scatter(2, winner, a).view_as(z)
        x_hat = F.conv_transpose2d(h, W, c, padding=padding)
        loss = ((x_hat - x) ** 2).sum() / len(x)
        loss.backward()
        optimizer.step()

    return step


def winner_take_all_sparse_step(x, w_enc, w_dec, rate, momentum):
    """The same step from the winners alone, gradients by hand, in PyTorch's own operations.

    For honesty: what of our speed is the sparse formulation, and what is our code.  Of the ways to
    decode (adding through indices, two kinds of sparse products) the fastest one stands here.

    Parameters
    ----------
    As for :func:`winner_take_all_step`.

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
