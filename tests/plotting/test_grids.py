"""Grids of filters, maps and images."""

import numpy as np
import pytest

from cae_np import plotting


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


def test_filters_of_two_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels"):
        plotting.filter_grid(np.zeros((4, 2, 3, 3)))
