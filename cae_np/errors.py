"""The four ways in which a run can end that are not a bug in the program.

Each carries a message made for its reader: what came, what was expected, what to do.
``run_experiments.py`` prints that one line and exits with code 2 where one of them is raised
before the first experiment starts.
"""


class CaeError(Exception):
    """What the errors below have in common: the message is written for the user."""


class DataError(CaeError):
    """A file is missing, damaged, or not what its name promises."""


class ConfigError(CaeError):
    """A configuration that cannot be run: an unknown name, a size that does not fit."""


class BackendError(CaeError):
    """The array module that was asked for cannot run here."""


class DivergenceError(CaeError):
    """The loss became infinite or not a number while training."""
