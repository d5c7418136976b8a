"""What all experiments share: cells and how they are computed, rows, and ``results.json``."""
