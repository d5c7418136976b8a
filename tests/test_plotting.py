"""The pictures: what is drawn where, and that nothing of pyplot is needed for it."""

import io

import numpy as np
import pytest

from cae_np import plotting


def pixels(figure):
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(plotting.png(figure)))


def test_a_mosaic_has_its_tiles_in_reading_order_a_pixel_apart():
    tiles = np.arange(5.0).reshape(5, 1, 1, 1) / 10 * np.ones((5, 1, 2, 3))
    whole = plotting.mosaic(tiles, columns=3)
    assert whole.shape == (5, 11, 3)
    assert whole[0, 0, 0] == 0.0 and whole[0, 4, 0] == 0.1 and whole[0, 8, 2] == 0.2
    assert whole[3, 0, 1] == 0.3 and whole[3, 4, 1] == pytest.approx(0.4)
    assert np.all(whole[2] == 1) and np.all(whole[:, 3] == 1)  # lines between them
    assert np.all(whole[3:, 8:] == 1)  # an empty place


@pytest.mark.parametrize(("k", "columns"), [(1, 1), (4, 2), (20, 5), (100, 10), (128, 16), (7, 3)])
def test_mosaics_leave_no_gap_where_they_can(k, columns):
    assert plotting.mosaic(np.zeros((k, 1, 1, 1))).shape[1] == 2 * columns - 1


def test_filters_are_drawn_around_mid_grey():
    w = np.zeros((3, 1, 2, 2))
    w[0], w[1] = -2.0, 2.0
    (axes,) = plotting.filter_grid(w, columns=3).axes
    picture = np.asarray(axes.images[0].get_array())
    assert picture[0, 0, 0] == 0.0 and picture[0, 3, 0] == 1.0 and picture[0, 6, 0] == 0.5
    assert "2" in axes.get_xlabel()


def test_a_panel_for_each_title_and_colour_for_three_channels():
    rng = np.random.default_rng(0)
    panels = {f"panel {i}": rng.standard_normal((6, 3, 5, 5)) for i in range(5)}
    axes = plotting.filter_grid(panels, scale=3.0).axes
    assert [a.get_title(loc="left") for a in axes[:5]] == list(panels)
    picture = np.asarray(axes[0].images[0].get_array())
    assert picture[0, 0] == pytest.approx(np.clip(0.5 + panels["panel 0"][0, :, 0, 0] / 6, 0, 1))


def test_maps_are_black_at_zero_unless_they_have_negative_values():
    maps = {"relu": np.full((2, 1, 3, 3), 4.0), "weights": np.full((4, 1, 2, 2), -0.5)}
    maps["relu"][0] = 0.0
    maps["weights"][1:] = 0.0
    relu, weights, *rest = plotting.map_grid(maps, across=3).axes
    picture = np.asarray(relu.images[0].get_array())
    assert picture[0, 0, 0] == 0.0 and picture[0, 4, 0] == 1.0 and "white 4" in relu.get_xlabel()
    picture = np.asarray(weights.images[0].get_array())
    assert picture[0, 0, 0] == 0.0 and picture[0, 3, 0] == 0.5 and "grey 0" in weights.get_xlabel()
    assert not any(axes.images for axes in rest)  # a place without a panel stays empty


def test_images_are_clipped_and_cut_to_the_columns():
    figure = plotting.image_grid({"a": np.full((5, 1, 4, 4), 1.5), "b": np.zeros((5, 1, 4, 4))}, 3)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert shown[0].max() == 1.0 and shown[1].min() == 0.0 and shown[0].shape == (4, 14, 3)
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "b"]


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


def test_filters_of_two_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels"):
        plotting.filter_grid(np.zeros((4, 2, 3, 3)))


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
