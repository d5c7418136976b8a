"""The experiments: one module per figure or table of the papers, all of one shape.

:mod:`.experiment` says what an experiment is and how to write one.
"""

import importlib

# Name on the command line and module, in the order in which they run and stand in the report.
MODULES = {
    "masci2011-fig1": "cae_np.experiments.masci2011_fig1",
    "masci2011-fig2": "cae_np.experiments.masci2011_fig2",
    "masci2011-table1": "cae_np.experiments.masci2011_table1",
    "masci2011-table2": "cae_np.experiments.masci2011_table2",
    "makhzani2014-fig1": "cae_np.experiments.makhzani2014_fig1",
    "makhzani2014-fig2": "cae_np.experiments.makhzani2014_fig2",
    "makhzani2014-fig3": "cae_np.experiments.makhzani2014_fig3",
    "makhzani2014-fig4": "cae_np.experiments.makhzani2014_fig4",
    "makhzani2014-fig5": "cae_np.experiments.makhzani2014_fig5",
    "makhzani2014-table1": "cae_np.experiments.makhzani2014_table1",
    "makhzani2014-table2": "cae_np.experiments.makhzani2014_table2",
    "makhzani2014-table3": "cae_np.experiments.makhzani2014_table3",
    "makhzani2014-ablations": "cae_np.experiments.makhzani2014_ablations",
    "bench": "cae_np.experiments.bench",
}


def find(name):
    """The :class:`~.experiment.Experiment` of that name; imports its module."""
    return importlib.import_module(MODULES[name]).EXPERIMENT
