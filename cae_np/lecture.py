"""What the cells of a lecture need around the mathematics: data, pace, pictures with words.

A lecture is written once and run in two ways: at length and on real data, for those who read it,
and in seconds, on images drawn on the fly, where ``$CAE_LECTURES`` is ``fast``, as in the tests.
"""

import os

import numpy as np

from . import __version__, backend, plotting
from .data import STAND_INS, load, load_or_stand_in

FAST = "fast"


def is_fast():
    """Whether the lecture is only tried out: ``$CAE_LECTURES`` is ``fast``."""
    return os.environ.get("CAE_LECTURES") == FAST


def amount(full, fast):
    """``full`` where the lecture is built for its readers, ``fast`` where it is only tried out."""
    return fast if is_fast() else full


def begin(data=None):
    """Begin a lecture: load its data, and say what it runs on.

    Parameters
    ----------
    data : {"mnist", "cifar10", "norb"}, optional
        From ``$CAE_DATA`` or the user's cache; the embedded data stand in if nobody said where
        the data are, and always where the lecture is only tried out.

    Returns
    -------
    cae_np.data.Dataset or None

    Notes
    -----
    Arrays are printed with four digits from here on.
    """
    backend.use()
    np.set_printoptions(precision=4, suppress=True)
    commit = os.environ.get("CAE_COMMIT")
    facts = [f"cae_np {__version__}" + (f", commit {commit}" if commit else "")]
    facts.append(backend.active().description)
    dataset = None
    if data is not None:
        dataset = _load(data)
        channels, height, width = dataset.image_shape
        facts.append(
            f"{dataset.name}: {len(dataset.train):,} + {len(dataset.test):,} images "
            f"{channels}×{height}×{width}"
        )
    record = {"data": dataset.name if dataset else None, "commit": commit}
    _display({"text/plain": "\n".join(facts)}, {"cae_np": record})
    return dataset


def show(figure, alt):
    """Show a picture, with words for those who do not see it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What is to be seen, in one or two sentences: becomes the image's alternative text.

    Raises
    ------
    ValueError
        If ``alt`` is too short to describe anything.
    """
    if len(alt) < 20:
        raise ValueError(
            f"alt = {alt!r} describes no picture; say in a sentence what is to be seen"
        )
    from IPython.display import Image, display

    width = round(96 * figure.get_size_inches()[0])  # pixels of the page; the file has more
    display(Image(plotting.png(figure), width=width, alt=alt))


def compare(mine, right):
    """Say whether an answer is right.  Never raises.

    Parameters
    ----------
    mine : anything; None where there is no answer yet
    right : number, array_like or str
    """
    if mine is None or mine is Ellipsis:
        print("Not answered yet.")
        return
    try:
        is_right = np.shape(mine) == np.shape(right) and np.allclose(mine, right, rtol=1e-3)
    except (TypeError, ValueError):
        is_right = isinstance(right, str) and mine == right
    print("Right." if is_right else f"Not yet: {mine} is not what comes out. Look again.")


class Prediction:
    """What somebody expects, kept until it is known what comes out; made by :func:`predict`."""

    def __init__(self, guess):
        self.guess = guess

    def came_out(self, outcome):
        """Print the guess and the outcome, one below the other."""
        print(f"You predicted:  {self.guess}")
        print(f"It came out:    {outcome}")


def predict(guess):
    """Write a prediction down, before the cell that decides it.

    Parameters
    ----------
    guess : anything that can be printed
        ``"…"`` where nobody has made one yet.

    Returns
    -------
    Prediction
        Its ``came_out`` shows it beside the outcome.

    Examples
    --------
    >>> guess = predict("about 10 times")
    >>> guess.came_out("36.2 times")
    You predicted:  about 10 times
    It came out:    36.2 times
    """
    return Prediction("…" if guess is Ellipsis else guess)


def _load(name):
    if is_fast():
        return load(STAND_INS[name], n_train=1200, n_test=200)
    dataset, notice = load_or_stand_in(name)
    if notice:
        print(notice)
    return dataset


def _display(bundle, metadata):
    """Show in a notebook; print where there is none."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ModuleNotFoundError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, raw=True, metadata=metadata)
