"""Distributions: what no toy shows, the mathematics of their densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from saddlepoint.data.laws import Checkerboard, Curve, Mixture, Pinwheel


def test_a_mixture_is_the_weighted_sum_of_its_gaussians() -> None:
    centers, weights = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([0.3, 0.7])
    points = np.random.default_rng(0).uniform(-2, 3, (50, 2))
    gaussians = [multivariate_normal(center, 0.5**2 * np.eye(2)).pdf(points) for center in centers]
    np.testing.assert_allclose(Mixture(centers, weights, 0.5).density(points), weights @ gaussians, rtol=1e-12)


def test_modes_are_drawn_by_their_weights() -> None:
    mixture = Mixture(np.array([[-5.0], [5.0]]), np.array([0.9, 0.1]), 0.1)
    points, modes = mixture.draw(np.random.default_rng(0), 10_000)
    assert modes is not None
    # Four deviations of a binomial: 4 · sqrt(0.09 / 10,000) = 0.012.
    assert modes.mean() == pytest.approx(0.1, abs=0.012)
    np.testing.assert_array_equal(points[:, 0] > 0, modes == 1)


def test_a_blurred_segment_has_the_density_of_its_closed_form() -> None:
    """Uniform along x on [0, 3] plus a Gaussian, times a Gaussian along y."""
    from scipy.special import ndtr

    std = 0.2
    segment = Curve(lambda t: np.stack([3 * t, 0 * t], 1), std)
    points = np.random.default_rng(0).uniform((-0.5, -0.5), (3.5, 0.5), (200, 2))
    x, y = points.T
    along = (ndtr(x / std) - ndtr((x - 3) / std)) / 3
    across = np.exp(-0.5 * (y / std) ** 2) / (np.sqrt(2 * np.pi) * std)
    expected = along * across
    np.testing.assert_allclose(segment.density(points), expected, atol=1e-6 * expected.max())


def test_the_quadrature_does_not_see_a_jump() -> None:
    """Two segments a long way apart: each has half of the probability, and nothing lies between them."""
    jump = Curve(lambda t: np.stack([2 * t + np.where(t < 0.5, 0, 50), 0 * t], 1), 0.1)
    assert jump.density(np.array([[25.0, 0.0]]))[0] == 0
    inner = jump.density(np.array([[0.5, 0.0], [51.5, 0.0]]))
    # Half of the probability over one unit of length, at the middle of the blur.
    np.testing.assert_allclose(inner, 0.5 / (np.sqrt(2 * np.pi) * 0.1), rtol=1e-5)


def test_a_twist_of_nothing_leaves_gaussian_blades() -> None:
    flat = Pinwheel(blades=2, radial=0.3, tangential=0.1, rate=0.0)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 2))
    covariance = np.diag([0.3**2, 0.1**2])
    expected = sum(multivariate_normal((side, 0), covariance).pdf(points) for side in (1, -1)) / 2
    np.testing.assert_allclose(flat.density(points), expected, rtol=1e-9)


def test_a_checkerboard_is_even_on_dark_squares_and_nothing_elsewhere() -> None:
    board = Checkerboard(squares=4, side=2.0)
    dark = np.array([[-3.0, -3.0], [1.0, 1.0], [3.9, 3.9], [1.0, -3.0]])
    light = np.array([[-1.0, -3.0], [1.0, 3.0], [4.1, 4.1], [-4.1, 0.5], [0.0, 100.0]])
    np.testing.assert_array_equal(board.density(dark), 1 / 32)
    np.testing.assert_array_equal(board.density(light), 0)
