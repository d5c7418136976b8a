"""Figure 1: filters on MNIST."""

from pathlib import Path

import numpy as np
import pytest
from experiments.facts import all_cells, settings

from cae_np.experiments.frame.results import Result, Results
from cae_np.experiments.masci2011 import cae_filters, fig1

FIG1_MEASURES = {  # of (a) to (d), where everything is as the paper says, and where nothing is
    True: {
        "identity_share": (1.0, 0.4, 0.5, 0.4),
        "peak_share": (0.9, 0.9, 0.1, 0.3),
        "smoothness": (0.1, 0.1, 0.6, 0.6),
        "radius": (3.0, 2.0, 2.0, 1.0),
        "filters_per_pixel": (9.0, 9.0, 5.0, 5.0),
    },
    False: {
        "identity_share": (0.4, 0.4, 0.5, 0.4),
        "peak_share": (0.1, 0.1, 0.3, 0.3),
        "smoothness": (0.6, 0.6, 0.3, 0.3),
        "radius": (1.0, 2.0, 1.0, 2.0),
        "filters_per_pixel": (5.0, 5.0, 9.0, 9.0),
    },
}


def fig1_values(config, agrees):
    which = "abcd".index(config["variant"])
    after = {name: numbers[which] for name, numbers in FIG1_MEASURES[agrees].items()}
    names = [value for value, _, _ in cae_filters.METRICS]
    return {
        "before": dict.fromkeys(names, 0.0),
        "after": dict.fromkeys([*names, "denoising_error"], 1.0) | after,
    }


@pytest.mark.parametrize("agrees", [True, False])
def test_claims_of_figure_1_go_either_way(agrees):
    found = Results(
        Result(cell, fig1_values(cell.config, agrees), 1.0, Path()) for cell in all_cells(fig1)
    )
    claims = [r for r in fig1.EXPERIMENT.rows(settings(fig1), found) if r.kind == "claim"]
    verdicts = {r.statement: r.verdict for r in claims}
    assert verdicts == dict.fromkeys(verdicts, "holds" if agrees else "does not hold")
    assert len(verdicts) == len(claims) == 18


def test_a_picture_shows_one_seed():
    found = []
    for cell in all_cells(fig1, "smoke"):
        if (cell.config["variant"], cell.seed) == ("b", 0):
            continue  # it failed
        result = Result(cell, fig1_values(cell.config, True), 1.0, Path())
        w = np.full((4, 1, 7, 7), 1.0 + cell.seed, np.float32)
        images = np.zeros((8, 1, 28, 28), np.float32)
        result.__dict__["arrays"] = {"w": w, "images": images, "inputs": images} | {
            "reconstructions": images
        }
        found.append(result)
    picture = fig1.figures(settings(fig1, "smoke"), Results(found))["filters-4.png"]
    assert "(a) plain" in picture.alt and "(b)" not in picture.alt
    assert picture.caption.endswith("seed 0.")
