"""Training: layers and optimisers, the one loop, and what it saves, refuses and shows.

``Plan`` and ``train`` come from :mod:`.loop` when they are first asked for: whoever needs a layer
only, as graders do, loads neither data sets nor progress bars.
"""


def __getattr__(name):
    if name in ("Plan", "train"):
        from . import loop

        return getattr(loop, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
