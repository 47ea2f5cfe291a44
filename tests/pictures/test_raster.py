"""Marks drawn in numpy lie where they should, as large and as dark as they should."""

import numpy as np
import pytest

from saddlepoint.pictures import raster


def middle(coverage):
    """The center of mass (x, y) in pixels; the middle of the first pixel is 0.5."""
    y, x = np.mgrid[: coverage.shape[0], : coverage.shape[1]] + 0.5
    return (coverage * x).sum() / coverage.sum(), (coverage * y).sum() / coverage.sum()


@pytest.mark.parametrize("place", [(10.5, 7.5), (10.0, 7.0), (11.3, 8.8), (4.01, 12.99)])
def test_a_dot_lies_where_it_was_put_between_pixels(place):
    dot = raster.dots((24, 16), np.array([place]), 2.5, 0.5)
    # Edges are straight ramps, which is not quite a disk: the center may be off by a hundredth of a pixel.
    np.testing.assert_allclose(middle(dot), place, atol=0.02)
    np.testing.assert_allclose(dot.max(), 0.5)
    np.testing.assert_allclose(dot.sum() / 0.5, np.pi * 2.5**2, rtol=0.12)  # nearly its area


def test_dots_on_top_of_each_other_cover_more_but_never_all():
    place = np.array([[5.5, 5.5]])
    one, two, many = (raster.dots((11, 11), place.repeat(n, 0), 1.0, 0.5)[5, 5] for n in (1, 2, 50))
    np.testing.assert_allclose((one, two), (0.5, 0.75))
    assert two < many <= 1


def test_dots_beyond_the_edge_or_nowhere_leave_no_mark():
    away = np.array([[-9.0, 5], [5, 99], [np.nan, 3], [3, np.inf], [1e30, -1e30]])
    assert not raster.dots((10, 10), away, 2.0, 0.5).any()
    # One on the edge shows its inner half.
    edge = raster.dots((10, 10), np.array([[0.0, 5.0]]), 2.0, 1.0)
    np.testing.assert_allclose(
        edge.sum(), raster.dots((20, 10), np.array([[10.0, 5.0]]), 2.0, 1.0).sum() / 2, rtol=0.05
    )
    assert edge[:, 4:].max() == 0


def test_a_contour_is_a_line_where_the_field_crosses_the_level():
    field = np.tile(np.linspace(-1, 1, 41), (20, 1))  # 0 in column 20
    line = raster.contour(field, 0.0)
    assert line[:, 20].min() == 1
    assert line[:, :18].max() == 0
    assert line[:, 23:].max() == 0


def test_a_flat_field_at_another_level_has_no_contour():
    assert not raster.contour(np.ones((8, 8)), 0.0).any()


def test_a_coarse_field_keeps_its_place_when_enlarged():
    coarse = np.tile(np.arange(8.0), (8, 1))
    fine = raster.enlarged(coarse, (80, 80))
    # Cell 3 reaches from pixel 30 to 39; a straight slope stays straight away from the edges.
    np.testing.assert_allclose(fine[40, 34:36].mean(), 3, atol=1e-3)


def test_colors_run_from_low_over_middle_to_high():
    low, middle, high, beyond = raster.diverging(np.array([-1.0, 0, 1, 7]), "#ff0000", "#ffffff", "#0000ff")
    np.testing.assert_allclose((low, middle, high), [(1, 0, 0), (1, 1, 1), (0, 0, 1)], atol=1e-6)
    np.testing.assert_allclose(beyond, high)


def test_arrows_have_their_weight_at_the_tip():
    arrow = raster.arrows((40, 20), np.array([[5.0, 10]]), np.array([[35.0, 10]]), 1.0, 6)
    assert arrow[:, 28:36].sum() > 2 * arrow[:, 5:13].sum()
    assert arrow[:, :4].sum() == arrow[:, 37:].sum() == 0


def test_an_area_below_a_curve_is_filled():
    ends = np.array([[0.0, 4], [20, 4]])
    area = raster.curve((20, 10), ends, floor=10)
    assert area[5:, :].min() == 1
    assert area[:3].max() == 0
