"""The same training steps written with PyTorch's automatic differentiation, for comparison only.

Each function returns a step without arguments, or None where PyTorch is not installed.  PyTorch's
faster formulation was chosen where there were several (the pooling mask: of unpooling, scattering
and comparing, comparing won).
"""

import importlib.util


def available():
    """Whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def version():
    """PyTorch's version, or None."""
    if not available():
        return None
    import torch

    return torch.__version__


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

    x = torch.from_numpy(x.copy())
    w = torch.from_numpy(w.copy()).requires_grad_()
    b = torch.zeros(len(w), requires_grad=True)
    c = torch.zeros(x.shape[1], requires_grad=True)
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
