"""Optimisers: each step as a pure function, and objects that keep its state between steps."""

import numpy

from ..backend import get_array_module
from ..errors import ConfigError
from ..ops.checks import takes
from ..ops.kernels.blocks import for_each_block


@takes(p="...", dp="...", v="...")
def sgd_step(p, dp, v, rate, momentum=0.0, out=None):
    """One step of gradient descent with classical momentum.

    ``v ← momentum · v - rate · dp;  p ← p + v``

    Parameters
    ----------
    p, dp, v : arrays of one shape
        Parameter, its gradient, its velocity (zeros before the first step).
    rate : float
        Learning rate.
    momentum : float in [0, 1)
    out : pair of arrays, optional
        Take the new p and v; may be p and v themselves.

    Returns
    -------
    p, v : arrays
    """
    xp = get_array_module(p, dp, v)
    new_p, new_v = out if out else (xp.empty_like(p), xp.empty_like(v))
    xp.multiply(v, momentum, out=new_v)
    new_v -= rate * dp
    xp.add(p, new_v, out=new_p)
    return new_p, new_v


@takes(p="...", dp="...", m="...", v="...")
def adam_step(p, dp, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, out=None):
    """One step of Adam (Kingma and Ba 2015, algorithm 1), with both means corrected for bias.

    ``m ← β₁ m + (1 - β₁) dp;  v ← β₂ v + (1 - β₂) dp²``
    ``p ← p - rate · (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)``

    Parameters
    ----------
    p, dp, m, v : arrays of one shape
        Parameter, its gradient, the running means of gradient and squared gradient (zeros before
        the first step).
    t : int, >= 1
        Number of this step.
    rate, beta1, beta2, epsilon : float
    out : triple of arrays, optional
        Take the new p, m and v; may be p, m and v themselves.

    Returns
    -------
    p, m, v : arrays
    """
    xp = get_array_module(p, dp, m, v)
    new_p, new_m, new_v = out if out else (xp.empty_like(p), xp.empty_like(m), xp.empty_like(v))
    xp.multiply(m, beta1, out=new_m)
    step = dp * (1 - beta1)
    new_m += step
    xp.multiply(v, beta2, out=new_v)
    xp.multiply(dp, dp, out=step)
    step *= 1 - beta2
    new_v += step
    xp.multiply(new_v, 1 / (1 - beta2**t), out=step)
    xp.sqrt(step, out=step)
    step += epsilon
    xp.divide(new_m, step, out=step)
    step *= rate / (1 - beta1**t)
    xp.subtract(p, step, out=new_p)
    return new_p, new_m, new_v


class SGD:
    """Gradient descent with momentum over a dictionary of parameters.

    Parameters
    ----------
    momentum : float in [0, 1)
    """

    def __init__(self, momentum=0.0):
        if not 0 <= momentum < 1:
            raise ConfigError(f"momentum {momentum}: expected 0 <= momentum < 1")
        self.momentum = momentum
        self._velocity = {}

    def step(self, params, gradients, rate):
        """Update ``params`` in place.

        Parameters
        ----------
        params, gradients : dict of arrays
            Every gradient has the name and shape of its parameter.
        rate : float
        """
        for name, dp in gradients.items():
            p = params[name]
            v = self._velocity.setdefault(name, get_array_module(p).zeros_like(p))
            _update(
                p, dp, v, step=lambda p, dp, v: sgd_step(p, dp, v, rate, self.momentum, out=(p, v))
            )

    def state(self):
        """What the optimiser remembers: ``(arrays by name, settings)``."""
        arrays = {f"velocity/{name}": v for name, v in self._velocity.items()}
        return arrays, {"kind": "sgd", "momentum": self.momentum}

    def load_state(self, arrays, settings):
        """Take up where an optimiser of the same settings left off."""
        self._velocity = {name.removeprefix("velocity/"): v for name, v in arrays.items()}


class Adam:
    """Adam over a dictionary of parameters.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
    """

    def __init__(self, beta1=0.9, beta2=0.999):
        for name, value in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= value < 1:
                raise ConfigError(f"{name} {value}: expected 0 <= {name} < 1")
        self.beta1, self.beta2 = beta1, beta2
        self._means = {}
        self._t = 0

    def step(self, params, gradients, rate):
        """Update ``params`` in place; see :meth:`SGD.step`."""
        self._t += 1
        for name, dp in gradients.items():
            p = params[name]
            xp = get_array_module(p)
            m, v = self._means.setdefault(name, (xp.zeros_like(p), xp.zeros_like(p)))
            _update(
                p,
                dp,
                m,
                v,
                step=lambda p, dp, m, v: adam_step(
                    p, dp, m, v, self._t, rate, self.beta1, self.beta2, out=(p, m, v)
                ),
            )

    def state(self):
        """What the optimiser remembers: ``(arrays by name, settings)``."""
        arrays = {}
        for name, (m, v) in self._means.items():
            arrays[f"m/{name}"], arrays[f"v/{name}"] = m, v
        settings = {"kind": "adam", "beta1": self.beta1, "beta2": self.beta2, "t": self._t}
        return arrays, settings

    def load_state(self, arrays, settings):
        """Take up where an optimiser of the same settings left off."""
        names = [name.removeprefix("m/") for name in arrays if name.startswith("m/")]
        self._means = {name: (arrays[f"m/{name}"], arrays[f"v/{name}"]) for name in names}
        self._t = settings["t"]


# A step reads and writes its arrays several times: blocks of them stay in a core's cache meanwhile.
UPDATE_BYTES = 1 << 20


def _update(*arrays, step):
    """Apply ``step`` to arrays of one shape, in blocks of rows where they are large."""
    xp = get_array_module(*arrays)
    p = arrays[0]
    if xp is not numpy or p.nbytes <= UPDATE_BYTES:
        step(*arrays)
    else:
        rows = max(1, UPDATE_BYTES * len(p) // p.nbytes)
        for_each_block(lambda block: step(*(a[block] for a in arrays)), len(p), rows, xp)


# --- annealing ----------------------------------------------------------------------------------


def constant(progress):
    """The rate stays as it is."""
    return 1.0


def linear_to_zero(progress):
    """The rate falls linearly and would reach 0 one step after the last."""
    return 1.0 - progress


def exponential(progress):
    """The rate falls by the same factor every step, to a hundredth of its start."""
    return 0.01**progress


# Share of the starting rate, by the share of the steps that is done, in [0, 1).
SCHEDULES = {
    "constant": constant,
    "linear_to_zero": linear_to_zero,
    "exponential": exponential,
}
