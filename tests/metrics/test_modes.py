"""Modes: the protocol's edges, and the numbers that the data themselves would get."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.data import toys
from saddlepoint.errors import UsageError
from saddlepoint.metrics.modes import modes, modes_of_labels, perfect, perfect_labels

CORNERS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_samples_go_to_the_nearest_mode_and_count_strictly_within_three_deviations() -> None:
    points = torch.tensor([[0.125, 0.0], [0.0, -0.125], [1.125, 0.0], [0.375, 1.0], [0.374, 1.0], [5.0, 5.0]])
    found = modes(points, CORNERS, std=0.125)
    assert found.histogram.tolist() == [2, 1, 1, 0]
    assert found.count == 3
    assert found.high_quality == pytest.approx(4 / 6)
    assert found.reverse_kl == pytest.approx(math.log(4) - 1.5 * math.log(2))


def test_samples_of_low_quality_are_not_in_the_histogram() -> None:
    """As in PacGAN's code: 90 stray samples beside one mode do not make its share larger."""
    points = torch.cat([CORNERS.repeat(5, 1), torch.full((90, 2), 2.0)])
    found = modes(points, CORNERS, std=0.01)
    assert found.histogram.tolist() == [5, 5, 5, 5]
    assert found.reverse_kl == 0
    assert found.high_quality == pytest.approx(20 / 110)


def test_a_collapsed_generator_has_quality_but_no_modes() -> None:
    found = modes(torch.zeros(100, 2), CORNERS, std=0.01)
    assert (found.count, found.high_quality) == (1, 1)
    assert found.reverse_kl == pytest.approx(math.log(4))


def test_a_generator_that_hits_nothing_is_infinitely_far() -> None:
    for points in (torch.full((10, 2), 9.0), torch.full((10, 2), math.nan)):
        found = modes(points, CORNERS, std=0.01)
        assert (found.count, found.high_quality, found.reverse_kl) == (0, 0, math.inf)


def test_modes_of_unequal_weights_are_judged_by_them() -> None:
    line = torch.tensor([[0.0], [1.0]])
    points = torch.cat([line[:1].repeat(9, 1), line[1:]])
    assert modes(points, line, 0.1, torch.tensor([0.9, 0.1])).reverse_kl == pytest.approx(0, abs=1e-12)
    assert modes(points, line, 0.1).reverse_kl > 0.3


def test_any_number_of_points_is_judged_in_blocks() -> None:
    points = CORNERS.repeat(10_000, 1)
    assert modes(points, CORNERS, 0.1).histogram.tolist() == [10_000] * 4


def test_points_that_fit_no_modes_are_refused() -> None:
    for points in (torch.zeros(0, 2), torch.zeros(5, 1), torch.zeros(5)):
        with pytest.raises(UsageError, match="have no modes"):
            modes(points, CORNERS, 0.1)


@pytest.mark.parametrize(("name", "count", "reverse_kl"), [("ring8", 8, 0.00142), ("grid25", 25, 0.00486)])
def test_the_perfect_sampler_of_pacgans_protocol(name: str, count: int, reverse_kl: float) -> None:
    """98.89 % is 1 - exp(-4.5); the divergences are sums over binomials, for the 98.89 % of 2,500 that count."""
    toy = toys.find(name)
    assert toy.centers is not None
    assert toy.std is not None
    ideal = perfect(toy.centers, toy.std)
    assert ideal.count == count
    # Four deviations of a share among 400 · 2,500 points: 4 · sqrt(0.0111 · 0.9889 / 1e6) = 0.0004.
    assert ideal.high_quality == pytest.approx(-math.expm1(-4.5), abs=4e-4)
    # Twice the samples times the divergence is about chi-square of k = K - 1: four deviations of 400 trials' mean are
    # 4 · sqrt(2 / (400 k)) of it, 11 % for the ring and 6 % for the grid.
    assert ideal.reverse_kl == pytest.approx(reverse_kl, rel=4 * math.sqrt(2 / (400 * (count - 1))))
    assert ideal.reverse_kl == pytest.approx(perfect_labels(count, 2472).reverse_kl, rel=0.11)


@pytest.mark.parametrize("name", ["ring8", "grid25", "mixture1d"])
def test_the_data_themselves_are_perfect(name: str) -> None:
    toy = toys.find(name)
    assert toy.centers is not None
    assert toy.std is not None
    found = modes(torch.from_numpy(toy.draw(2500, seed=0)[0]), toy.centers, toy.std, toy.weights)
    ideal = perfect(toy.centers, toy.std, toy.weights, trials=50)
    assert found.count == ideal.count
    # Four deviations of a share among 2,500 points.
    assert found.high_quality == pytest.approx(ideal.high_quality, abs=4 * math.sqrt(0.0111 / 2500))
    assert found.reverse_kl < 3 * ideal.reverse_kl


def test_perfect_is_a_pure_function_of_its_seed() -> None:
    first, again, other = (perfect(CORNERS, 0.1, samples=50, trials=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.histogram, again.histogram)
    assert not torch.equal(first.histogram, other.histogram)


def test_labels_count_each_bin_once() -> None:
    found = modes_of_labels(torch.tensor([0, 0, 3, 7]), 8)
    assert found.count == 3
    assert found.histogram.tolist() == [2, 0, 0, 1, 0, 0, 0, 1]
    assert found.reverse_kl == pytest.approx(math.log(8) - 1.5 * math.log(2))
    for labels in (torch.tensor([8]), torch.tensor([-1]), torch.tensor([], dtype=torch.int64)):
        with pytest.raises(UsageError, match="labels lie in"):
            modes_of_labels(labels, 8)


def test_the_perfect_sampler_of_stacked_mnist() -> None:
    ideal = perfect_labels(1000, 26_000)
    assert ideal.count == pytest.approx(1000, abs=1e-6)
    # (K - 1) / 2N + (K² - 1) / 12N², the first two terms of the expectation; the third is 1e-6 here.
    assert ideal.reverse_kl == pytest.approx(999 / 52_000 + (1000**2 - 1) / (12 * 26_000**2), abs=1e-5)
    found = modes_of_labels(torch.randint(1000, (26_000,), generator=torch.Generator().manual_seed(0)), 1000)
    # Four deviations: 4 · sqrt(2 · 999) / 52,000.
    assert found.reverse_kl == pytest.approx(ideal.reverse_kl, abs=0.0035)


def test_few_labels_leave_bins_empty() -> None:
    """Two labels in two bins: together half of the time."""
    ideal = perfect_labels(2, 2)
    assert ideal.count == pytest.approx(1.5)
    assert ideal.reverse_kl == pytest.approx(math.log(2) / 2)
    assert ideal.histogram.tolist() == [1, 1]
