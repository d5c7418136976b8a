"""What an entry of the catalogue of mistakes is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A function that does almost what it should.

    Attributes
    ----------
    operation : str
        The function of an implementation that it takes the place of.
    mutant : callable
        Its signature is that of the operation.
    sentence : str
        Names the mistake to the person who made it.
    others : tuple of callables
        The same mistake with other constants, or seen in another way: the same words are due.
    """

    operation: str
    mutant: Callable
    sentence: str
    others: tuple = ()

    def __str__(self):
        return f"{self.operation}: {self.mutant.__name__.replace('_', ' ')}"


def planted_in(operation, sentence, others=()):
    """Make the decorated function an entry of the catalogue."""
    return lambda mutant: Mistake(operation, mutant, sentence, tuple(others))
