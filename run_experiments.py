"""Train the models of both papers and compare what comes out with what the papers report.

python run_experiments.py                          everything, quickly
python run_experiments.py --list                   what there is
python run_experiments.py masci2011-fig1 --preset paper --data-dir DIR --jobs 4 --resume
python run_experiments.py verify --data-dir DIR    test figures again, from trained networks

Where the package is installed, ``cae-np`` and ``python -m cae_np`` are the same program.
"""

import sys

from cae_np.experiments.main import main

if __name__ == "__main__":
    sys.exit(main())
