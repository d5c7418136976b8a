"""Figure 4: filters on CIFAR-10."""

from experiments.facts import settings

from cae_np.experiments.makhzani2014 import fig1, fig4


def test_figure_4_shows_filters_of_figure_1():
    (cell,) = fig4.cells(settings(fig4, seeds=[0]))
    needed = [one for each in fig1.cells(settings(fig1, seeds=[0])) for one in each.needs]
    assert cell in needed and cell.config["maps"] == 128 and not cell.config["whiten"]
