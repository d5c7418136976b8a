"""Counting what crosses between host and device."""

import contextlib

_watching = []


class Copies:
    """What crossed between host and device while it was watched.

    Attributes
    ----------
    to_host, to_device : list of str
        One word for each copy, or wait of the host for a value of the device: what made it.
    """

    def __init__(self):
        self.to_host = []
        self.to_device = []


@contextlib.contextmanager
def count_host_copies():
    """Watch the copies: ``with count_host_copies() as copies: ...; assert not copies.to_host``."""
    copies = Copies()
    _watching.append(copies)
    try:
        yield copies
    finally:
        _watching.remove(copies)


def note(direction, what):
    """Tell everybody who watches of a copy; direction is "to_host" or "to_device"."""
    for copies in _watching:
        getattr(copies, direction).append(what)
