"""What a winner-take-all auto-encoder can be besides the one of the paper's algorithm box."""

from ..backend import get_array_module
from ..errors import ConfigError
from ..ops import global_top_k, place, top_n, winner_take_all

CHOICES = {
    "path": ("sparse", "dense"),
    "activation": ("relu", "linear", "logistic"),
    "sparsity": ("winner", "top_n", "global_top_k", "none", "lifetime"),
}


def kept_units(z, f, sparsity, amount):
    """Which units stay under the sparsities that are not the paper's.

    Parameters
    ----------
    z : array, shape (N, K, H, W)
        The maps before f.
    f : callable
        The non-linearity.
    sparsity, amount
        As :class:`~cae_np.models.wta.WinnerTakeAll` takes them.

    Returns
    -------
    mask : array, shape (N, K, H, W), of 0 and 1, or False and True
    """
    if sparsity == "lifetime":
        a, winner = winner_take_all(z)
        return place(strongest_of_batch(f(a), amount), winner, z.shape[2:])
    if sparsity == "none":
        return get_array_module(z).ones_like(z)
    return {"top_n": top_n, "global_top_k": global_top_k}[sparsity](z, amount)


def strongest_of_batch(a, share):
    """Lifetime sparsity: of each map's winners in a batch the strongest.

    Parameters
    ----------
    a : array, shape (N, K)
    share : float in (0, 1]

    Returns
    -------
    kept : array, shape (N, K), of 0 and 1
    """
    n = max(1, round(share * len(a)))
    return top_n(a.T[None, :, :, None], n)[0, :, :, 0].T.astype(a.dtype)


def check_options(config):
    """Raise :class:`ConfigError` unless this is a configuration that can be computed.

    Parameters
    ----------
    config : dict
        As :class:`~cae_np.models.wta.WinnerTakeAll` keeps it.
    """

    def require(condition, what):
        if not condition:
            raise ConfigError(f"winner-take-all auto-encoder: {what}")

    for name, known in CHOICES.items():
        require(config[name] in known, f"{name} {config[name]!r}: choose one of {', '.join(known)}")
    sizes = [config[name] for name in ("channels", "maps", "pool_width", "pool_stride")]
    require(
        min(sizes + config["kernel"]) >= 1 and config["scale"] >= 0,
        f"channels, maps, pool_width and pool_stride are {sizes}, kernel {config['kernel']}, scale "
        f"{config['scale']}: sizes must be at least 1 and the scale not negative",
    )
    require(
        config["pool_stride"] <= config["pool_width"],
        f"pool_stride {config['pool_stride']} leaves pixels out; choose at most "
        f"pool_width = {config['pool_width']}",
    )
    sparsity, amount = config["sparsity"], config["amount"]
    require(
        config["path"] == "dense" or sparsity in ("winner", "lifetime"),
        f"sparsity {sparsity!r} keeps more than one unit a map: choose path='dense'",
    )
    if sparsity in ("top_n", "global_top_k"):
        require(
            isinstance(amount, int) and amount >= 1,
            f"sparsity {sparsity!r} with amount {amount!r}: expected a whole number of units",
        )
    elif sparsity == "lifetime":
        require(
            amount is not None and 0 < amount <= 1,
            f"sparsity 'lifetime' with amount {amount!r}: expected a share in (0, 1]",
        )
    else:
        require(amount is None, f"sparsity {sparsity!r} takes no amount, got {amount!r}")
