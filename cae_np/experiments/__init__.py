"""The experiments: one module per figure or table of the papers, all of one shape.

:mod:`.frame.experiment` says what an experiment is and how to write one.
"""

import importlib

# Name on the command line and module, in the order in which they run and stand in the report.
MODULES = {
    "masci2011-fig1": "cae_np.experiments.masci2011.fig1",
    "masci2011-fig2": "cae_np.experiments.masci2011.fig2",
    "masci2011-table1": "cae_np.experiments.masci2011.table1",
    "masci2011-table2": "cae_np.experiments.masci2011.table2",
    "makhzani2014-fig1": "cae_np.experiments.makhzani2014.fig1",
    "makhzani2014-fig2": "cae_np.experiments.makhzani2014.fig2",
    "makhzani2014-fig3": "cae_np.experiments.makhzani2014.fig3",
    "makhzani2014-fig4": "cae_np.experiments.makhzani2014.fig4",
    "makhzani2014-fig5": "cae_np.experiments.makhzani2014.fig5",
    "makhzani2014-table1": "cae_np.experiments.makhzani2014.table1",
    "makhzani2014-table2": "cae_np.experiments.makhzani2014.table2",
    "makhzani2014-table3": "cae_np.experiments.makhzani2014.table3",
    "makhzani2014-ablations": "cae_np.experiments.makhzani2014.ablations",
    "bench": "cae_np.experiments.bench.steps",
    "bench-work": "cae_np.experiments.bench.work",
}


def find(name):
    """The :class:`~.frame.experiment.Experiment` of that name; imports its module."""
    return importlib.import_module(MODULES[name]).EXPERIMENT
