"""``python -m cae_np`` is ``run_experiments.py``, from any folder."""

import sys

from .experiments.main import main

if __name__ == "__main__":
    sys.exit(main())
