"""Every experiment: it runs, its cells are told apart, and what was not run leaves gaps."""

import hashlib
from pathlib import Path

import pytest
from experiments.facts import settings

from cae_np import backend, experiments, storage
from cae_np.data import preprocess
from cae_np.experiments.engine import colour, filter_copies, readout
from cae_np.experiments.frame import cells, runner
from cae_np.experiments.frame.results import Results
from cae_np.experiments.makhzani2014 import ablations, fig2, fig3, table3
from cae_np.experiments.masci2011 import cae_filters, pretraining

NAMES = [name for name in experiments.MODULES if name[:5] != "bench"]  # they measure the machine
# Rows that one seed, or this experiment alone, does not suffice for, by label or metric.
WANTING = ("stability", "M11, section 4.1", "against chance")


@pytest.mark.parametrize("name", NAMES)
def test_the_smoke_preset_runs(name, embedded_data, tmp_path):
    smoke(name, tmp_path)


OF_SECONDS = ("masci2011-fig1", "makhzani2014-fig3", "makhzani2014-fig4")  # one of each kind


@pytest.mark.parametrize(
    "name", [n if n in OF_SECONDS else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_the_smoke_preset_runs_on_every_backend(name, xp, embedded_data, tmp_path):
    if backend.active().name == "numpy":
        pytest.skip("test_the_smoke_preset_runs")
    smoke(name, tmp_path)


def smoke(name, tmp_path):
    """Run the smoke preset; nothing fails, and there is nothing that there should not be."""
    options, said = runner.Options(preset="smoke", out=tmp_path), []
    session = runner.Session(options, say=said.append)
    assert session.run(runner.prepare(experiments.find(name), options)), said
    document = storage.load_json(tmp_path / name / "results.json")
    assert document["failed"] == [] and document["backend"]["name"] == backend.active().name
    data = document["data"]
    assert data["source"] == "embedded"
    for row in document["rows"]:
        wanting = any(word in row["label"] + row["metric"] for word in WANTING)
        assert row["ours"] is not None or row["kind"] == "cited" or wanting, row
        assert row["paper"] is None or row["kind"] == "cited", row  # other data than the paper's
        assert row["kind"] != "claim" or row["verdict"] == "not decided"  # one seed
    for figure in document["figures"]:
        assert (tmp_path / name / figure["file"]).exists()
        assert figure["alt"] and data["name"] in figure["caption"]
    assert document["figures"] and document["choices"]


@pytest.mark.parametrize("preset", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("name", NAMES)
def test_cells_differ_in_what_decides_them(name, preset):
    listed = experiments.find(name).cells(settings(experiments.find(name), preset))
    assert len({cell.key for cell in listed}) == len(listed)
    assert len({str(cell) for cell in listed}) == len(listed)
    assert {cell.seed for cell in listed} == set(range(5))


CONTRAST = (preprocess, "CONTRAST", 10 / 255**2)
PENALTY = (readout, "PENALTY", 3e-3)
OF_CAES = [(cae_filters, "KERNEL", (7, 7)), (cae_filters, "HELD_OUT", 1000)]
OF_STACKS = [(pretraining, "LOOKED_AT", 500), (pretraining, "CURVE_POINTS", 10)]
OF_COLOUR = [CONTRAST, (colour, "PATCH", 6)]
OF_FILTERS = [(filter_copies, "ORIENTED", 0.5), (filter_copies, "NEAR_COPY", 0.9)]
OF_VARIANTS = [
    (ablations, "LOOKED_AT", 500),
    (ablations, "ALMOST", 0.9),
]
OF_STEREO = [
    (table3, "FIRST", {"kernel": [9, 9], "pool_width": 6, "pool_stride": 4}),
    (table3, "SECOND", {"pool_width": 3, "pool_stride": 2, "scale": 0.03}),
]
# What decides values of cells without standing in their configurations, by experiment and version.
DECIDING = {
    ("masci2011-fig1", 1): OF_CAES,
    ("masci2011-fig2", 1): OF_CAES,
    ("masci2011-table1", 1): OF_STACKS,
    ("masci2011-table2", 1): OF_STACKS,
    ("makhzani2014-fig1", 1): OF_COLOUR,
    ("makhzani2014-fig2", 1): [PENALTY, (fig2, "LOOKED_AT", 200)],
    ("makhzani2014-fig3", 1): [PENALTY, (fig3, "HELD_OUT", 1000)],
    ("makhzani2014-fig4", 1): OF_COLOUR,
    ("makhzani2014-fig5", 1): [CONTRAST, *OF_FILTERS],
    ("makhzani2014-table1", 2): [],
    ("makhzani2014-table2", 1): OF_COLOUR,
    ("makhzani2014-table3", 1): [CONTRAST, *OF_STEREO],
    ("makhzani2014-ablations", 1): [PENALTY, *OF_VARIANTS],
}


def test_constants_that_no_configuration_has_change_with_the_version_alone():
    """Otherwise cells from before would pass for new ones (--resume)."""
    assert list(DECIDING) == [(name, experiments.find(name).version) for name in NAMES]
    for (name, _), constants in DECIDING.items():
        for module, constant, value in constants:
            message = f"{constant} of {name}: raise the version of the experiment as well"
            assert getattr(module, constant) == value, message


# Of the hashes of all cells of the paper preset, with five seeds, and how many they are.
CELLS = {
    "masci2011-fig1": ("912f5eae3bdf", 47),
    "masci2011-fig2": ("e99862e9b449", 45),
    "masci2011-table1": ("c0d20100dc79", 188),
    "masci2011-table2": ("92e753a0f1d3", 107),
    "makhzani2014-fig1": ("ce96b3fc29b7", 228),
    "makhzani2014-fig2": ("c1f25dd7e79e", 12),
    "makhzani2014-fig3": ("fa70af985f9d", 22),
    "makhzani2014-fig4": ("190c1c259d3f", 5),
    "makhzani2014-fig5": ("a3607177ef4d", 21),
    "makhzani2014-table1": ("33746f8b689e", 52),
    "makhzani2014-table2": ("4da71f9d90f7", 98),
    "makhzani2014-table3": ("60af48bb034f", 113),
    "makhzani2014-ablations": ("bcc29c008e25", 73),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_kept_results_are_of_has_not_changed(name):
    """A cell with another hash is another cell: its kept numbers would not be found again.

    Who means to change a configuration runs its cells again (CONTRIBUTING.md) and changes this.
    """
    experiment, at = experiments.find(name), settings(experiments.find(name))
    jobs = cells.plan(experiment.cells(at), at, Path(), None, experiments.find)
    digest = hashlib.sha256("".join(sorted(job.hash for job in jobs)).encode()).hexdigest()
    assert (digest[:12], len(jobs)) == CELLS[name]


@pytest.mark.parametrize("name", NAMES)
def test_missing_cells_leave_gaps_and_no_errors(name):
    experiment, at, none = experiments.find(name), settings(experiments.find(name)), Results()
    assert all(row.ours is None for row in experiment.rows(at, none))
    assert experiment.figures(at, none) == {}
    assert all(choice.effect is None for choice in experiment.choices(at, none))


def test_experiments_are_registered_under_their_names():
    for name in experiments.MODULES:
        assert experiments.find(name).name == name
        assert set(experiments.find(name).seeds) == {"smoke", "quick", "paper"}
