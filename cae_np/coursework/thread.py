"""A student's functions put together: four networks that are trained with them.

Each project is a training loop of a few lines that calls the functions of the tasks by name.  It
runs twice, with the student's functions and with the package's, on the same digits, from the same
initial weights; what is not written yet is the package's, and named.  While the student's run goes
on, its functions are compared with the package's on the very arrays that they get, now and then,
so that the outcome can say where the two part.
"""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from .. import ops
from ..backend import to_device, to_numpy
from .grading.gate import described
from .tasks.catalogue import find_task

WATCHED = 5  # steps at the beginning, and then one of every so many:
EVERY = 100
SECONDS = 60  # for the student's run; fewer steps are made where its functions are slow
TOLERANCE = 1e-3  # of the largest value: functions that agree differ by the rounding of float32
HELD_OUT = 500  # digits that are not trained on


@dataclass
class Project:
    """What is put together at the end of a lecture.

    Attributes
    ----------
    name, title : str
    lecture : str
        File name of the lecture, without its ending.
    uses : tuple of str
        Tasks whose functions the loop calls.
    run : callable
        ``run(f, digits, steps)`` is a generator that makes one step at a time and returns
        ``(pictures, {what: per cent})``; f has the functions as attributes.
    steps : int
    """

    name: str
    title: str
    lecture: str
    uses: tuple
    run: object
    steps: int


@dataclass
class Outcome:
    """What came out of one project.

    Attributes
    ----------
    project : Project
    yours, ours : dict of str to float
        Errors in per cent, with the student's functions and with the package's.
    pictures : dict of str to array
    given : dict of str to str
        Functions that were the package's, and why.
    parted : str or None
        Where a function of the student's first answers other than the package's.
    steps : int
    """

    project: Project
    yours: dict
    ours: dict
    pictures: dict
    given: dict = field(default_factory=dict)
    parted: str | None = None
    steps: int = 0

    def __str__(self):
        mine = [name for name in self.project.uses if name not in self.given]
        lines = [
            f"{self.project.title} ({self.project.lecture}), {self.steps} steps",
            f"  yours: {', '.join(mine) or 'none yet'}",
        ]
        if self.given:
            taken = (f"{name} ({why})" for name, why in self.given.items())
            lines.append(f"  the package's: {', '.join(taken)}")
        for what, value in self.ours.items():
            mine = f"{self.yours[what]:.2f} %" if what in self.yours else "nothing"
            lines.append(f"  {what}: {mine} with yours, {value:.2f} % with the package's")
        lines.append(f"  {self.parted or 'Both agree, step for step.'}")
        return "\n".join(lines)

    def figure(self):
        """The student's pictures beside the package's, as a matplotlib figure."""
        from .. import plotting

        return plotting.filter_grid(self.pictures, columns=5)


def together(name, digits, steps=None, **functions):
    """In a notebook: train a network with your functions, and beside it with the package's.

    Prints the outcome and shows the pictures.  What you have not written is the package's.

    Parameters
    ----------
    name : str
        One of :data:`PROJECTS`: "filters", "pooling", "winners" or "classes".
    digits : cae_np.data.Split
        ``digits.train``.
    steps : int, optional
        Default: as many as the project needs, less than a minute.
    **functions : callable
        By the names of the tasks.

    Raises
    ------
    ValueError
        If there is no such project, or it does not use a function of this name.
    """
    if name not in PROJECTS:
        raise ValueError(f"there is no project {name!r}; there are {', '.join(PROJECTS)}")
    project = PROJECTS[name]
    unused = sorted(set(functions) - set(project.uses))
    if unused:
        raise ValueError(f"{name!r} does not use {unused[0]}; it uses {', '.join(project.uses)}")
    outcome = put_together(replace(project, steps=steps or project.steps), functions, digits)
    print(outcome)
    from ..lecture import show

    show(outcome.figure(), alt=f"{project.title}: what your functions learned, and the package's.")


def put_together(project, functions, digits):
    """Train a project's network with the student's functions, and beside it with the package's.

    Parameters
    ----------
    project : Project
    functions : dict of str to callable
        By the names of the tasks; whatever is missing is taken from the package.
    digits : cae_np.data.Split
        Grey images and their labels.

    Returns
    -------
    Outcome
    """
    mine = _Pieces(project.uses, functions)
    with np.errstate(all="ignore"):  # a wrong gradient may well make weights infinite
        (pictures, yours), steps = _finished(project, mine, digits, project.steps, SECONDS)
        (others, ours), _ = _finished(project, _Pieces(project.uses, {}), digits, steps)
    shown = {f"{what}, yours": p for what, p in pictures.items()}
    shown |= {f"{what}, the package's": p for what, p in others.items()}
    return Outcome(project, yours, ours, shown, mine.given, mine.parted, steps)


def _finished(project, pieces, digits, steps, seconds=None):
    """What the run returns, and how many steps it made.

    One that is too slow begins again, with the steps that it made in its time.
    """
    began, run = time.monotonic(), project.run(pieces, digits, steps)
    try:
        while seconds is None or time.monotonic() - began <= seconds:
            pieces.step = next(run)
    except StopIteration as end:
        return end.value, steps
    except _Diverged:
        where = f"At step {pieces.step} the weights are no longer finite: training diverges."
        pieces.parted = f"{pieces.parted} {where}" if pieces.parted else where
        return ({}, {}), steps
    run.close()
    return _finished(project, pieces, digits, max(pieces.step, 1))


class _Diverged(Exception):
    """The weights are infinite, or no numbers."""


class _Pieces:
    """Functions by name: the student's, or the package's where there is none."""

    def __init__(self, uses, functions):
        self.given, self.parted, self.step = {}, None, 0
        self.functions = {}
        for name in uses:
            function = functions.get(name)
            if function is None:
                self.given[name] = "not there"
            elif function is find_task(name).solution:
                self.given[name] = "taken from it"
            else:
                self.functions[name] = function
        for name in uses:
            setattr(self, name, self._watched(name))

    def _watched(self, name):
        right = find_task(name).solution

        def call(*arguments):
            function = self.functions.get(name)
            if function is None:
                return right(*arguments)
            is_watched = self.step < WATCHED or self.step % EVERY == 0
            # A function that changes its arguments must not change those of the comparison.
            copies = _copied(arguments) if is_watched and self.parted is None else None
            try:
                answer = function(*arguments)
                if copies is not None:
                    self._compare(name, answer, right(*copies))
                return answer
            except NotImplementedError:
                why = "not written yet"
            except Exception as error:
                told = described(error)
                why = f"yours raises {told['kind']}: {told['text']}"
                why += f" ({told['place']})" if told["place"] else ""
                self.parted = self.parted or f"At step {self.step}, {name} raises an error."
            del self.functions[name]
            self.given[name] = why
            return right(*(copies or arguments))

        return call

    def _compare(self, name, answer, expected):
        answers = answer if isinstance(answer, tuple) else (answer,)
        rights = expected if isinstance(expected, tuple) else (expected,)
        where = f"At step {self.step} your {name} parts from the package's: "
        if len(answers) != len(rights):
            self.parted = f"{where}it returns {len(answers)} results, {len(rights)} are expected."
            return
        for position, (mine, right) in enumerate(zip(answers, rights, strict=True)):
            mine, right = np.asarray(mine), np.asarray(right)
            which = f"result {position + 1}" if len(rights) > 1 else "its result"
            if mine.shape != right.shape:
                self.parted = f"{where}{which} has shape {mine.shape}, {right.shape} is expected."
                return
            size = max(float(np.abs(right).max(initial=0)), 1e-12)
            error = float(np.abs(mine - right.astype(float)).max(initial=0)) / size
            if not error <= TOLERANCE:
                self.parted = (
                    f"{where}{which} is off by {error:.0%} of its largest value; "
                    f"check({name!r}, {name}) says more."
                )
                return


def _copied(arguments):
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)


# --- the four projects ----------------------------------------------------------------------------


def _batches(digits, steps, size):
    """Batches of digits in an order that is the same for everybody; the last ones are held out."""
    n = len(digits) - HELD_OUT if len(digits) > 2 * HELD_OUT else len(digits)
    rng = np.random.default_rng(1)
    for step in range(steps):
        yield step, np.sort(rng.choice(n, min(size, n), replace=False))


def _new(digits):
    """Digits that no step has seen, as far as there are enough of them."""
    return digits.batch(slice(max(len(digits) - HELD_OUT, 0), None))


def _weights(seed, scale, *shape):
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


class _Descent:
    """Gradient descent of several arrays by the student's ``sgd_step``."""

    def __init__(self, f, rate, *arrays):
        self.f, self.rate, self.arrays = f, rate, list(arrays)
        self.speeds = [np.zeros_like(a) for a in arrays]

    def step(self, *gradients):
        """Move all arrays; where one is no longer finite, end the training."""
        for i, gradient in enumerate(gradients):
            self.arrays[i], self.speeds[i] = self.f.sgd_step(
                self.arrays[i], gradient, self.speeds[i], self.rate, 0.9
            )
        if not all(np.isfinite(array).all() for array in self.arrays):
            raise _Diverged


def _lost(x_hat, x):
    """Squared error in per cent of the images' own sum of squares."""
    return 100 * float(((x_hat - x) ** 2).sum() / (x * x).sum())


def _plain(f, digits, steps):
    """M11's auto-encoder of lecture 0, plain: one function has its whole gradient."""
    descent = _Descent(f, 1e-4, _weights(0, 0.02, 20, 1, 7, 7), _zeros(20), _zeros(1))
    for step, chosen in _batches(digits, steps, 10):
        yield step
        _, *gradients = f.tied_cae_gradient(digits.batch(chosen), *descent.arrays)
        descent.step(*gradients)
    w, b, c = descent.arrays
    x = _new(digits)
    h = ops.scaled_tanh(ops.add_bias(ops.correlate_valid(x, w), b))
    x_hat = ops.add_bias(ops.convolve_full(h, w), c)
    return {"filters": w}, {"lost of new digits": _lost(x_hat, x)}


def _pooled(f, digits, steps):
    """The same with max-pooling, from its parts."""
    descent = _Descent(f, 1e-4, _weights(0, 0.02, 20, 1, 7, 7), _zeros(20), _zeros(1))

    def forward(x):
        w, b, c = descent.arrays
        h = f.scaled_tanh(f.correlate_valid(x, w) + b[:, None, None])
        y, mask = f.max_pool(h, 2)
        kept = f.unpool(y, mask, 2)
        return h, mask, kept, f.convolve_full(kept, w) + c[:, None, None]

    for step, chosen in _batches(digits, steps, 10):
        yield step
        x, w = digits.batch(chosen), descent.arrays[0]
        h, mask, kept, x_hat = forward(x)
        delta_y = (x_hat - x) / len(x)
        dkept = f.correlate_valid(delta_y, w)
        dy = ops.unpool_backward(dkept, mask, 2)
        delta_h = f.scaled_tanh_backward(f.max_pool_backward(dy, mask, 2), h)
        dw = f.kernel_gradient(x, delta_h) + f.kernel_gradient(delta_y, kept)
        descent.step(dw, delta_h.sum(axis=(0, 2, 3)), delta_y.sum(axis=(0, 2, 3)))
    x = _new(digits)
    return {"filters": descent.arrays[0]}, {"lost of new digits": _lost(forward(x)[-1], x)}


def _winners(f, digits, steps):
    """M14's winner-take-all, 16 maps: training steps 1 to 4 of its algorithm."""
    w_enc, w_dec = _weights(0, 0.1, 16, 1, 7, 7), _weights(1, 0.1, 16, 1, 7, 7)
    descent = _Descent(f, 1.5e-3, w_enc, _zeros(16), w_dec, _zeros(1))

    def forward(x):
        w_enc, b, w_dec, c = descent.arrays
        padded = f.pad_same(x, 7, 7)
        a, winner = f.winner_take_all(f.correlate_valid(padded, w_enc) + b[:, None, None])
        a = np.maximum(a, 0)
        x_hat = f.sparse_decode(a, winner, w_dec, x.shape[2:]) + c[:, None, None]
        return padded, a, winner, x_hat

    for step, chosen in _batches(digits, steps, 100):
        yield step
        x = digits.batch(chosen)
        padded, a, winner, x_hat = forward(x)
        dx_hat = 2 * (x_hat - x) / len(x)
        da, dw_dec = ops.sparse.sparse_decode_backward(dx_hat, a, winner, descent.arrays[2])
        da = da * (a > 0)
        dz = f.winner_take_all_backward(da, winner, x.shape[2:])
        dw_enc = f.kernel_gradient(padded, dz)
        descent.step(dw_enc, da.sum(axis=0), dw_dec, dx_hat.sum(axis=(0, 2, 3)))
    x = _new(digits)
    return (
        {"decoder": descent.arrays[2]},
        {"lost of new digits": _lost(forward(x)[-1], x)},
    )


def _read_out(f, digits, steps):
    """Lecture 9: the classes from 16 trained maps, and from raw pixels, by the same soft-max."""
    from .. import pretrained

    layer = pretrained.load("mnist-16").network.layers[0]

    def features(x):
        return to_numpy(layer.encode(to_device(x))).reshape(len(x), -1)  # ReLU, max-pooled

    read_outs = {"16 maps": features, "raw pixels": lambda x: x.reshape(len(x), -1)}
    errors, pictures = {}, {}
    for turn, (what, of) in enumerate(read_outs.items()):
        sample = of(digits.batch(slice(0, 500)))
        mean, scale = sample.mean(axis=0), sample.std()
        descent = _Descent(f, 0.01, _weights(2, 0.0, sample.shape[1], 10), _zeros(10))
        for step, chosen in _batches(digits, steps // 2, 100):
            yield turn * (steps // 2) + step
            x = (of(digits.batch(chosen)) - mean) / scale
            z = x @ descent.arrays[0] + descent.arrays[1]
            labels = np.asarray(digits.labels)[chosen]
            f.softmax_cross_entropy(z, labels)
            dz = f.softmax_cross_entropy_backward(z, labels)
            descent.step(x.T @ dz, dz.sum(axis=0))
        new = (of(_new(digits)) - mean) / scale
        guesses = (new @ descent.arrays[0] + descent.arrays[1]).argmax(axis=1)
        right = np.asarray(digits.labels)[-len(new) :]
        errors[f"wrong classes from {what}"] = 100 * float((guesses != right).mean())
        if what == "raw pixels":
            pictures["weights of the ten classes"] = descent.arrays[0].T.reshape(10, 1, 28, 28)
    return pictures, errors


def _zeros(n):
    return np.zeros(n, np.float32)


UNITS = ("correlate_valid", "scaled_tanh", "scaled_tanh_backward")
POOLING = ("max_pool", "max_pool_backward", "unpool")
WINNING = ("winner_take_all", "winner_take_all_backward", "sparse_decode")
SOFTMAX = ("softmax_cross_entropy", "softmax_cross_entropy_backward")
PROJECTS = {
    project.name: project
    for project in (
        Project(
            "filters",
            "A convolutional auto-encoder",
            "04_convolutional_autoencoder",
            ("tied_cae_gradient", "sgd_step"),
            _plain,
            1000,
        ),
        Project(
            "pooling",
            "The same with max-pooling",
            "05_max_pooling",
            (*UNITS, *POOLING, "convolve_full", "kernel_gradient", "sgd_step"),
            _pooled,
            1000,
        ),
        Project(
            "winners",
            "Winner-take-all, 16 maps",
            "07_winner_take_all",
            ("pad_same", "correlate_valid", *WINNING, "kernel_gradient", "sgd_step"),
            _winners,
            300,
        ),
        Project(
            "classes",
            "From features to classes",
            "09_error_rates",
            (*SOFTMAX, "sgd_step"),
            _read_out,
            600,
        ),
    )
}
