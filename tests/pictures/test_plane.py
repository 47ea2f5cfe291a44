"""What is drawn of the plane and of the line: marks at the right places, the same axes in all frames."""

import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageColor

from saddlepoint.pictures import plane
from saddlepoint.pictures.negatives import View

from ..toys.plane import LINE, TRUTH, line_view, view


def amount(image, color, box=None):
    """How much of a picture has nearly this color, in pixels."""
    pixels = np.asarray(image.crop(box) if box else image, float)
    return int((np.abs(pixels - ImageColor.getrgb(color)).max(-1) < 60).sum())


def heaviest(image, color):
    """The middle (x, y) of the pixels that have nearly this color, as parts of the picture."""
    pixels = np.asarray(image, float)
    y, x = np.nonzero(np.abs(pixels - ImageColor.getrgb(color)).max(-1) < 60)
    return (x.mean() + 0.5) / image.width, (y.mean() + 0.5) / image.height


@pytest.mark.parametrize("place", [(1.0, 0.5), (-1.5, 1.0), (0.3, -1.9)])
def test_a_point_is_drawn_at_its_place_with_y_upward(place):
    image = plane.portrait(TRUTH, np.tile(np.array([place], np.float32), (40, 1)), side=400)
    x, y = heaviest(image, plane.FAKE)
    # Half a pixel of 400 is 0.00125.
    np.testing.assert_allclose((4 * x - 2, 2 - 4 * y), place, atol=0.02)


def test_the_density_and_the_points_of_the_data_lie_on_each_other():
    image = plane.portrait(TRUTH, np.zeros((0, 2), np.float32), side=400)
    pixels = np.asarray(image, float)
    blue = pixels[..., 2] - pixels[..., 0] > 60
    y, x = np.nonzero(blue[:, 250:])  # the mode at (1, 0)
    np.testing.assert_allclose(((x.mean() + 250.5) / 100 - 2, 2 - (y.mean() + 0.5) / 100), (1, 0), atol=0.05)


def test_points_that_are_not_finite_or_far_away_are_left_out():
    wild = np.array([[np.nan, 0], [np.inf, 1], [1e30, 0], [-50, 3]], np.float32)
    calm = np.zeros((0, 2), np.float32)
    assert plane.portrait(TRUTH, wild).tobytes() == plane.portrait(TRUTH, calm).tobytes()


def test_a_step_has_every_panel_where_the_step_before_had_it():
    before, after = (plane.draw(TRUTH, view(step)) for step in (0, 1000))
    assert before.size == after.size == (plane.SIDE, plane.SIDE)
    half = plane.SIDE // 2
    # The discriminator is the same in both, so its panel is too; the samples have moved.
    right, left = (half, 0, plane.SIDE, half), (0, 0, half, half)
    assert before.crop(right).tobytes() == after.crop(right).tobytes()
    assert before.crop(left).tobytes() != after.crop(left).tobytes()


def test_the_surface_is_orange_where_scores_are_low_and_blue_where_they_are_high():
    image = plane.draw(TRUTH, view(0)).crop((plane.SIDE // 2, 60, plane.SIDE, plane.SIDE // 2 - 20))
    assert heaviest(image, plane.FAKE)[0] < 0.4
    assert heaviest(image, plane.REAL)[0] > 0.6


def test_bars_stand_for_the_modes_that_are_hit():
    box = (plane.SIDE // 2, plane.SIDE // 2 + 40, plane.SIDE, plane.SIDE)
    none, half = (plane.draw(TRUTH, view(step)).crop(box) for step in (0, 1000))
    assert amount(none, plane.FAKE) == 0
    assert amount(half, plane.FAKE) > 4000
    assert heaviest(half, plane.FAKE)[0] < 0.5  # the first two of four


def test_modes_that_are_hit_are_circled_in_ink():
    some = view(1000)
    points = np.zeros((0, 2), np.float32)
    found, missing = plane.portrait(TRUTH, points, hits=some.hits), plane.portrait(TRUTH, points)
    change = np.abs(np.asarray(found, float) - np.asarray(missing, float)).sum(-1)
    y, x = np.nonzero(change > 30)
    hit = np.hypot((x + 0.5) / 120 - 2 - 1, 2 - (y + 0.5) / 120) < 0.3
    assert hit.any()
    assert (hit | (np.hypot((x + 0.5) / 120 - 2, 2 - (y + 0.5) / 120 - 1) < 0.3)).all()  # around (1, 0) and (0, 1)


def test_a_diverged_game_can_still_be_drawn():
    some = view(500)
    broken = replace(some.opinion, surface=np.full_like(some.opinion.surface, np.nan), pushes=np.full((45, 2), np.nan))
    plane.draw(TRUTH, replace(some, points=np.full_like(some.points, np.nan), opinion=broken))
    flat = replace(some.opinion, surface=np.zeros_like(some.opinion.surface), pushes=np.zeros((45, 2)))
    plane.draw(TRUTH, replace(some, opinion=flat))


def test_a_step_without_a_discriminator_or_modes_shows_the_data():
    image = plane.draw(replace(TRUTH, centers=None, weights=None), View(0, view(0).points))
    box = (plane.SIDE // 2, plane.SIDE // 2 + 40, plane.SIDE, plane.SIDE)
    assert amount(image, plane.REAL, box) > 300


def test_on_the_line_the_curve_of_the_samples_stands_where_they_are():
    image = plane.portrait(LINE, np.full((500, 1), 1.0, np.float32), side=400)
    pixels = np.asarray(image, float)[: image.height // 2]
    _, x = np.nonzero(np.abs(pixels - ImageColor.getrgb(plane.FAKE)).max(-1) < 60)
    np.testing.assert_allclose((x.mean() + 0.5) / 100 - 2, 1, atol=0.08)  # two cells of 32


def test_smoothed_samples_are_a_density():
    values = np.random.default_rng(0).normal(0, 1, 200_000)
    density = plane.smoothed(values, np.array([-5.0, 5.0]), 500)
    np.testing.assert_allclose(density.sum() * 10 / 500, 1, atol=1e-3)
    # The blur has 0.08 of deviation, which lowers the peak by 0.3 %; 2,000 samples in a cell leave 2 %, averaged to 1.
    np.testing.assert_allclose(density.max(), 1 / np.sqrt(2 * np.pi), rtol=0.03)


def test_on_the_line_every_step_has_one_size():
    first, last = (plane.draw(LINE, line_view(step)) for step in (0, 1000))
    assert first.size == last.size == (plane.SIDE, plane.SIDE)
    assert first.tobytes() != last.tobytes()


def test_a_view_of_2500_samples_is_drawn_quickly():
    many = replace(view(500), points=np.random.default_rng(0).normal(0, 0.7, (2500, 2)).astype(np.float32))
    plane.draw(TRUTH, many)
    began = time.process_time()
    plane.draw(TRUTH, many)
    assert time.process_time() - began < 1.0  # takes 0.11 s of a slow core
