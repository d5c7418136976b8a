"""What varies in :mod:`.ablations`, and its cells."""

from ...training import Plan

MODEL = {"channels": 1, "kernel": [7, 7], "pool_width": 5, "pool_stride": 3}
PLAN = {"optimizer": "sgd", "momentum": 0.9, "rate": 1.5e-3}
ADAM = {"optimizer": "adam", "momentum": 0.0, "rate": 1e-3}
# What each variant changes, in the model and in the plan.
WINNER, FREE, UNTRAINED = "winner-take-all", "unconstrained", "untrained"
SMALL = "initial N(0, 0.03²)"
VARIANTS = {
    WINNER: {},
    "tied": {"tied": True},
    "top 2": {"path": "dense", "sparsity": "top_n", "amount": 2},
    "top 4": {"path": "dense", "sparsity": "top_n", "amount": 4},
    "global top k": {"path": "dense", "sparsity": "global_top_k"},  # amount: the number of maps
    "lifetime 20 %": {"sparsity": "lifetime", "amount": 0.2},
    "lifetime 5 %": {"sparsity": "lifetime", "amount": 0.05},
    "linear f": {"activation": "linear"},
    "logistic f": {"activation": "logistic"},
    SMALL: {"scale": 0.03},
    FREE: {"path": "dense", "sparsity": "none", "rate": 1e-4},
    UNTRAINED: {"epochs": 0},
}
WITH_ADAM = (WINNER, "tied", "top 2")  # those whose order could depend on the optimiser
STEPS = {  # whose time is taken
    FREE: {"path": "dense", "sparsity": "none"},
    "winner-take-all, dense path": {"path": "dense"},
    "winner-take-all, sparse path": {"path": "sparse"},
}
MAPS = {"smoke": 4, "quick": 8, "paper": 16}
TIMED = {"smoke": (4,), "quick": (16,), "paper": (16, 128)}
TIMED_BATCH = 100
REPEATS = {"smoke": 1, "quick": 3, "paper": 7}
IMAGES = {"smoke": 200, "quick": 2_000, "paper": 10_000}
EPOCHS = {"smoke": 1, "quick": 3, "paper": 5}
BATCH = {"smoke": 25, "quick": 25, "paper": 100}  # few digits make up in steps
JUDGED = {"smoke": 200, "quick": 1_000, "paper": 10_000}  # test digits
ITERATIONS = {"smoke": 5, "quick": 25, "paper": 50}
LOOKED_AT = 500  # held-out digits that errors and activity are measured on
ALMOST, ALWAYS, SLIGHTLY = 0.9, 0.999, 1.5  # what these words are taken to mean


def cells(experiment, settings):
    """All cells: every variant for every seed, then the times of steps.

    Parameters
    ----------
    experiment : Experiment
        Whose cells they become.
    settings : Settings

    Returns
    -------
    list of Cell
    """
    preset = settings.preset
    n = min(IMAGES[preset], settings.data.n_train - settings.data.n_validation)

    def variant_cell(name, seed, optimizer=""):
        changes = dict(VARIANTS[name])
        if changes.get("sparsity") == "global_top_k":
            changes["amount"] = MAPS[preset]
        epochs = changes.pop("epochs", EPOCHS[preset])
        plan = PLAN | {"rate": changes.pop("rate", PLAN["rate"]), "batch_size": BATCH[preset]}
        if optimizer:
            plan |= ADAM
        config = {
            "variant": name,
            "optimizer": optimizer,
            "images": n,
            "model": MODEL | {"maps": MAPS[preset]} | changes,
            "plan": Plan(epochs=epochs, **plan).as_dict() if epochs else None,
            "iterations": ITERATIONS[preset],
            "judged": JUDGED[preset],
        }
        return experiment.cell(config, seed, f"{name} {optimizer}".rstrip())

    def time_cell(maps, seed):
        config = {"timed": maps, "repeats": REPEATS[preset], "batch_size": TIMED_BATCH}
        return experiment.cell(config, seed, f"time of a step, {maps} maps")

    listed = [variant_cell(name, seed) for seed in settings.seeds for name in VARIANTS]
    listed += [time_cell(maps, seed) for seed in settings.seeds for maps in TIMED[preset]]
    if preset == "paper":
        listed += [variant_cell(name, settings.seeds[0], "Adam") for name in WITH_ADAM]
    return listed
