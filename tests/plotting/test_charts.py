"""Curves, dots, confusion matrices."""

import io

import numpy as np
import pytest

from cae_np import plotting


def pixels(figure):
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(plotting.png(figure)))


def test_curves_show_the_mean_of_the_seeds():
    y = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    (axes,) = plotting.curves({"one": (range(3), y), "other": (range(3), y[0])}, "epoch", "e").axes
    assert np.array_equal(axes.lines[0].get_ydata(), [2, 3, 4])
    assert len(axes.collections) == 1  # one band, for what has several seeds


def test_curves_over_sizes_have_a_tick_and_a_dot_at_each():
    sizes = np.array([8, 32, 128])
    lines = {f"method {i}": (sizes, sizes + i) for i in range(5)}
    (axes,) = plotting.curves(lines, "maps", "accuracy", log_x=True).axes
    assert axes.get_xscale() == "log" and axes.lines[0].get_marker() == "o"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8", "32", "128"]
    assert not len(axes.get_xticks(minor=True))


def test_dots_show_every_seed_their_mean_and_the_paper():
    (axes,) = plotting.dots({"a": [1.0, 3.0], "b": []}, "error in %", paper={"b": 2.0}).axes
    drawn = [list(line.get_xdata()) for line in axes.lines]
    assert drawn == [[1.0, 3.0], [2.0, 2.0], [], [2.0]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_equal_figures_give_equal_bytes_and_leave_no_style_behind():
    import matplotlib

    before = dict(matplotlib.rcParams)
    make = [plotting.png(plotting.dots({"a": [1.0, 2.0]}, "x")) for _ in range(2)]
    assert make[0] == make[1]
    assert dict(matplotlib.rcParams) == before
    assert pixels(plotting.filter_grid(np.ones((4, 1, 3, 3)))).shape[2] == 4


def test_a_confusion_matrix_shades_mistakes_and_writes_all_counts():
    (axes,) = plotting.matrix([[90, 4], [0, 70]], rows="class", columns="taken for").axes
    shade = np.asarray(axes.images[0].get_array())
    np.testing.assert_array_equal(shade, [[0, 1], [0, 0]])
    assert [text.get_text() for text in axes.texts] == ["90", "4", "70"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("taken for", "class")


def test_the_roofline_is_the_lower_of_the_two_bounds():
    points = {"copy": (0.1, 2.0), "product": (40.0, 90.0)}
    (axes,) = plotting.roofline(points, peak=100.0, bandwidth=20.0).axes
    bound, *marks = axes.lines
    for intensity, rate in zip(*bound.get_data(), strict=True):
        assert rate == pytest.approx(min(100.0, 20.0 * intensity))
    assert bound.get_xdata()[1] == 5.0  # the edge, where both are the same
    assert [(*mark.get_xdata(), *mark.get_ydata()) for mark in marks] == list(points.values())
    assert {text.get_text() for text in axes.texts} >= set(points)


def test_lines_that_are_alike_share_a_colour():
    lines = {f"line {i}": (range(3), range(3)) for i in range(4)}
    (axes,) = plotting.curves(lines, "x", "y", alike=2).axes
    colours = [line.get_color() for line in axes.lines]
    dashes = [line.get_linestyle() for line in axes.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert dashes == ["-", "--", "-", "--"]
