"""What tables 1 and 2 of Masci et al. 2011 share: networks with and without pre-training.

Every table is made of three kinds of small cells:

layer
    trains one auto-encoder of a stack on the code of those below it, which it needs;
fine-tune
    trains the network on labelled images, from random weights or from a stack, and tests it once;
svm
    reads the stack's top activations out with a linear support vector machine.

A fourth kind is the baseline of :mod:`.kmeans_baseline`.

Cells of one seed share the labelled images, their order, and the weights that no stack sets, so
that every comparison is paired.  Choices are made on validation images; test images are looked at
when a cell has nothing left to decide.  What cells do stands in :mod:`.pretraining_run`, what their
numbers become in :mod:`.pretraining_report` and beside it.
"""

from dataclasses import dataclass

from ...training import Plan
from . import kmeans_baseline

# Sizes of the network where they are not M11's.
NETWORKS = {
    "smoke": {"maps": [3, 4, 5], "hidden": 8},
    "quick": {"maps": [40, 60, 80], "hidden": 100},
    "paper": {},
}
PENALTIES = {"smoke": (1e-2,), "quick": (1e-3, 1e-2), "paper": (1e-4, 1e-3, 1e-2, 1e-1)}
ITERATIONS = {"smoke": 5, "quick": 50, "paper": 200}


@dataclass(frozen=True)
class Table:
    """What tells one table from the other; numbers by preset where they are dictionaries of it.

    Attributes
    ----------
    paper : dict of str to dict of int to float
        The paper's test errors in per cent, of "pre-trained" and "random", by labelled images.
    samples : dict of str to tuple of int
        Numbers of labelled images.
    most_seeds : dict of int to int
        For some of them: only so many of the seeds are run.
    unlabelled : dict of str to int
        "All" images that a stack may see.
    passes : dict of str to int
        Images that pass through a layer while it is trained: so many epochs of a smaller set
        that every stack takes the same number of steps.
    layer_plan : dict
        Training of every auto-encoder, :class:`~cae_np.training.Plan` but for its epochs.
    auto_encoder : dict
        Options of :meth:`~cae_np.models.stack.CaeStack.like`.
    plan : dict
        Fine-tuning, but for its epochs.
    epochs : dict of str to dict of int to int
        Of fine-tuning, by preset and labelled images.
    translation : float
        Largest translation in fine-tuning, as a share of the image's side.
    intensities : tuple of float
        What black and white become.
    alternatives : dict of str to dict
        Other answers to open questions, by name: changes to ``layer_plan``, ``auto_encoder``,
        ``plan``, ``epochs`` (a number), ``translation`` or ``intensities``; ``erasing``, whether
        auto-encoders that pool erase units while they are trained; ``rescaled``, whether
        pre-trained kernels get the spread of random ones; ``spread``, the standard deviation of
        all weights that no stack sets, whatever their fan-in; ``start``, unless it is
        "pre-trained"; and ``seeds``, how many try it, unless it is ``alternative_seeds``.
    alternative_seeds : int
        How many of the seeds try them, with the fewest labelled images.
    """

    paper: dict
    samples: dict
    most_seeds: dict
    unlabelled: dict
    passes: dict
    layer_plan: dict
    auto_encoder: dict
    plan: dict
    epochs: dict
    translation: float
    intensities: tuple
    alternatives: dict
    alternative_seeds: int = 2


# --- cells ----------------------------------------------------------------------------------------


def cells(experiment, table, settings):
    """All cells of a table, cheap and telling ones first.

    Parameters
    ----------
    experiment : Experiment
    table : Table
    settings : Settings

    Returns
    -------
    list of Cell
    """
    make = _Maker(experiment, table, settings)
    first, *larger = table.samples[settings.preset]
    listed = make.of_size(first)
    for n in larger[:1]:
        listed += make.of_size(n)
    listed += make.alternatives(first)
    for n in larger[1:]:
        listed += make.of_size(n)
    return listed


class _Maker:
    """Makes the cells of one table under the settings of one run."""

    def __init__(self, experiment, table, settings):
        self.experiment, self.table, self.settings = experiment, table, settings
        self.preset = settings.preset
        self.all = all_images(table, settings)

    def of_size(self, n):
        """The cells of one column, by how much they cost: random, pre-trained on all, on n."""
        seeds = seeds_of(self.table, self.settings, n)
        listed = [self.fine_tune(n, seed, "random") for seed in seeds]
        stacks = {seed: self.layers(self.all, seed) for seed in seeds}
        for seed in seeds:
            listed.append(self.fine_tune(n, seed, "pre-trained", self.all, stacks[seed]))
            listed.append(self.svm(n, seed, "pre-trained", self.all, stacks[seed]))
            listed.append(self.svm(n, seed, "random"))
        listed += kmeans_baseline.cells(self.experiment, self.settings, n, seeds)
        if n < self.all:
            for seed in seeds:
                own = self.layers(n, seed)
                listed.append(self.fine_tune(n, seed, "pre-trained", n, own))
        return listed

    def alternatives(self, n):
        """What the paper leaves open, tried with the fewest labels."""
        if self.preset != "paper":
            return []
        listed = []
        for name, changes in self.table.alternatives.items():
            start = changes.get("start", "pre-trained")
            tried_with = changes.get("seeds", self.table.alternative_seeds)
            for seed in self.settings.seeds[:tried_with]:
                stack = self.layers(self.all, seed, changes) if start == "pre-trained" else ()
                images = self.all if stack else None
                listed.append(self.fine_tune(n, seed, start, images, stack, name, changes))
        return listed

    def layers(self, images, seed, changes=None):
        """The cells of a stack, each needing those below it."""
        changes = changes or {}
        plan = layer_plan(self.table, self.settings, images, changes.get("layer_plan", {}))
        config = self._shared(changes) | {
            "stage": "layer",
            "images": images,
            "auto_encoder": self.table.auto_encoder | changes.get("auto_encoder", {}),
            "erasing": changes.get("erasing", True),
            "plan": plan.as_dict(),
        }
        made = []
        for layer in range(3):
            label = f"layer {layer + 1} on {images:,} images"
            made.append(self.experiment.cell(config | {"layer": layer}, seed, label, needs=made))
        return made

    def fine_tune(self, n, seed, start, images=None, stack=(), alternative="", changes=None):
        changes = changes or {}
        epochs = changes.get("epochs", self.table.epochs[self.preset][n])
        plan = self.table.plan | changes.get("plan", {})
        config = self._shared(changes) | {
            "stage": "fine-tune",
            "start": start,
            "samples": n,
            "images": images,
            "plan": Plan(epochs=epochs, **plan).as_dict(),
            "translation": changes.get("translation", self.table.translation),
            "rescaled": changes.get("rescaled", False),
            "spread": changes.get("spread"),
            "alternative": alternative,
        }
        return self.experiment.cell(config, seed, self._label(start, n, images, alternative), stack)

    def svm(self, n, seed, start, images=None, stack=()):
        config = self._shared({}) | {
            "stage": "svm",
            "start": start,
            "samples": n,
            "images": images,
            "penalties": list(PENALTIES[self.preset]),
            "iterations": ITERATIONS[self.preset],
        }
        label = f"SVM, {self._label(start, n, images, '')}"
        return self.experiment.cell(config, seed, label, stack)

    def _shared(self, changes):
        intensities = changes.get("intensities", self.table.intensities)
        return {"network": NETWORKS[self.preset], "intensities": list(intensities)}

    def _label(self, start, n, images, alternative):
        of = f"{start} on {images:,}" if images else start
        return ", ".join(filter(None, (f"{n:,} labels", of, alternative)))


def all_images(table, settings):
    """How many images a stack may see."""
    return min(table.unlabelled[settings.preset], settings.data.n_train)


def holds_out(table, settings):
    """Whether validation images are none of those that a stack may see."""
    return all_images(table, settings) <= settings.data.n_train - settings.data.n_validation


def layer_plan(table, settings, images, changes=None):
    """How an auto-encoder is trained on so many images: always for as many steps."""
    epochs = max(1, round(table.passes[settings.preset] / images))
    return Plan(**{"epochs": epochs} | table.layer_plan | (changes or {}))


def seeds_of(table, settings, n):
    """The seeds that are run with n labelled images."""
    return settings.seeds[: table.most_seeds.get(n)]
