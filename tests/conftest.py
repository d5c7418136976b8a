"""What every test shares: the array modules, and hypothesis's settings."""

import sys
from pathlib import Path

import hypothesis

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

# The same cases on every machine with the same hypothesis; no time limit on shared machines.
hypothesis.settings.register_profile(
    "cae_np", deadline=None, database=None, derandomize=True, max_examples=25
)
hypothesis.settings.load_profile("cae_np")
