"""The catalogue of planted mistakes, and the check that catches each.

``python -m cae_np.coursework.mistakes`` prints it: every operation with the mistakes that are
known, the sentence that names each, the checks that caught it, and what the first of them said.
It ends with status 1 if a mistake went unnoticed.
"""

import sys

from .. import backend, command_line
from ..errors import ConfigError
from ..spec.implementation import failures, implementation
from ..spec.trials import require_assertions
from .planted import MISTAKES, Mistake

__all__ = ["MISTAKES", "Mistake", "failures", "implementation"]


def main():
    """Print the catalogue; see the module's docstring."""
    try:
        return _print_catalogue()
    except ConfigError as error:
        return command_line.refuse("cae_np.coursework.mistakes", error)
    except BrokenPipeError:  # whoever read our lines has gone
        command_line.drop_output()
        return 1


def _print_catalogue():
    require_assertions()
    xp = backend.use("numpy")
    missed = 0
    for mistake in MISTAKES:
        impl = implementation(**{mistake.operation: mistake.mutant})
        caught = list(failures(impl, mistake.operation, xp))
        missed += not caught
        print(f"{mistake}\n    {mistake.sentence}")
        if caught:
            print(f"    caught by: {', '.join(dict.fromkeys(p.name for p, *_ in caught))}")
            print(f"    {caught[0][2]}".splitlines()[0])
        else:
            print("    MISSED")
    print(f"{len(MISTAKES)} mistakes, {len(MISTAKES) - missed} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
