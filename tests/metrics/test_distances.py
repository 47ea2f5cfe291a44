"""Distances: closed forms, other implementations, and the game whose optimum they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, wasserstein_distance
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.metrics import distances
from saddlepoint.metrics.distances import (
    histogram,
    jensen_shannon,
    kl,
    mmd,
    reverse_kl,
    sliced_wasserstein,
    total_variation,
    wasserstein1,
)
from saddlepoint.objectives import minimax_discriminator

LINE = torch.linspace(-30, 30, 60_001, dtype=torch.float64)


def gaussian(mean: float, std: float) -> Tensor:
    """A normal density on `LINE`; as a histogram, its cells are so fine that sums are integrals."""
    return torch.exp(-0.5 * ((LINE - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def weights(size: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(0.01, 10), min_size=size, max_size=size)


def test_kl_of_gaussians_has_its_closed_form() -> None:
    p, q = gaussian(0, 1), gaussian(1, 2)
    expected = math.log(2) + (1 + 1) / (2 * 4) - 0.5
    assert kl(p, q) == pytest.approx(expected, abs=1e-9)
    backward = math.log(1 / 2) + (4 + 1) / 2 - 0.5
    assert reverse_kl(p, q) == pytest.approx(backward, abs=1e-9)
    assert kl(q, p) == reverse_kl(p, q)


def test_total_variation_of_gaussians_has_its_closed_form() -> None:
    # 2 Φ(d / 2) - 1 for unit Gaussians a distance d apart.
    expected = math.erf(1.5 / 2 / math.sqrt(2))
    assert total_variation(gaussian(0, 1), gaussian(1.5, 1)) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(weights(6), weights(6))
def test_divergences_agree_with_scipy(first: list[float], second: list[float]) -> None:
    p, q = torch.tensor(first), torch.tensor(second)
    x, y = p.double().numpy(), q.double().numpy()
    assert kl(p, q) == pytest.approx(entropy(x, y), abs=1e-12)
    # The root of scipy's distance loses half of the digits near 0.
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(x, y) ** 2, abs=1e-7)
    assert total_variation(p, q) == pytest.approx(np.abs(x / x.sum() - y / y.sum()).sum() / 2, abs=1e-12)


def test_histograms_apart_are_as_far_as_can_be() -> None:
    p, q = torch.tensor([3, 1, 0, 0]), torch.tensor([0, 0, 2, 2])
    assert kl(p, q) == math.inf
    assert reverse_kl(p, q) == math.inf
    assert jensen_shannon(p, q) == pytest.approx(math.log(2))
    assert total_variation(p, q) == 1


def test_only_the_direction_that_misses_is_infinite() -> None:
    data, dropped = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
    assert kl(data, dropped) == math.inf
    assert reverse_kl(data, dropped) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("p", "q"), [([1.0], [1.0, 1.0]), ([0.0], [1.0]), ([-1.0, 2.0], [1.0, 1.0]), ([1.0], [math.nan])]
)
def test_what_is_no_histogram_is_refused(p: list[float], q: list[float]) -> None:
    for distance in (kl, reverse_kl, jensen_shannon, total_variation):
        with pytest.raises(UsageError, match="histogram"):
            distance(torch.tensor(p), torch.tensor(q))


def test_a_histogram_counts_cells_row_by_row_and_what_lies_outside_last() -> None:
    points = torch.tensor([[0.0, 0.0], [0.4, 2.9], [0.9, 1.0], [0.9, 1.4], [1.0, 0.0], [0.5, -0.1], [math.nan, 0.5]])
    counts = histogram(points, [(0, 1), (0, 3)], bins=2)
    assert counts.tolist() == [1, 1, 2, 0, 3]
    assert histogram(torch.tensor([0.1, 0.9, math.inf]), [(0, 1)], bins=2).tolist() == [1, 1, 1]


def test_a_histogram_agrees_with_numpy() -> None:
    points = normal(1000, 2)
    counts = histogram(points, [(-2, 2), (-3, 3)], bins=7)
    expected, _, _ = np.histogram2d(*points.numpy().T, bins=7, range=[(-2, 2), (-3, 3)])
    np.testing.assert_array_equal(counts[:-1].reshape(7, 7).numpy(), expected)
    assert counts.sum() == 1000


@pytest.mark.parametrize(("first", "second"), [(50, 50), (50, 37), (1, 9)])
def test_wasserstein_on_the_line_agrees_with_scipy(first: int, second: int) -> None:
    x, y = normal(first), 2 * normal(second, seed=1) + 1
    assert wasserstein1(x, y) == pytest.approx(wasserstein_distance(x.numpy(), y.numpy()), rel=1e-12)
    assert wasserstein1(x, y.unsqueeze(1)) == wasserstein1(y, x)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_wasserstein_of_a_translation_is_its_length(dimension: int) -> None:
    x = normal(100, dimension)
    shift = normal(dimension, seed=1)
    shuffled = (x + shift)[torch.randperm(100, generator=torch.Generator().manual_seed(2))]
    assert wasserstein1(x, shuffled) == pytest.approx(shift.norm().item(), rel=1e-12)
    assert wasserstein1(x, x.flip(0)) == 0


def test_points_on_a_line_in_the_plane_are_as_far_as_on_the_line() -> None:
    """Sorting and matching are two ways to one number."""
    x, y = normal(80), normal(80, seed=1).exp()
    axis = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    assert wasserstein1(x[:, None] @ axis, y[:, None] @ axis) == pytest.approx(wasserstein1(x, y), rel=1e-12)


def test_wasserstein_refuses_what_takes_too_long_or_has_no_matching() -> None:
    many = torch.zeros(distances.LARGEST_ASSIGNMENT + 1, 2)
    for x, y in ((many, many), (many[:5], many[:6])):
        with pytest.raises(UsageError, match="cannot be matched") as caught:
            wasserstein1(x, y)
        assert "sliced_wasserstein" in str(caught.value.fix)


def test_a_generator_that_diverged_has_no_distance() -> None:
    x, y = normal(10, 2), normal(10, 2)
    y[3, 1] = math.nan
    assert math.isnan(wasserstein1(x, y))
    assert math.isnan(wasserstein1(x[:, 1], y[:, 1]))
    assert math.isnan(sliced_wasserstein(x, y))
    assert math.isnan(mmd(x, y, bandwidths=[1.0]))


@pytest.mark.parametrize("dimension", [1, 2, 10])
def test_sliced_wasserstein_of_a_translation_has_its_closed_form(dimension: int) -> None:
    """Along a direction u the distance is |u · shift|, whose mean is |shift| Γ(d/2) / (√π Γ((d+1)/2))."""
    x, shift = normal(200, dimension), torch.full((dimension,), 3 / math.sqrt(dimension))
    mean = 3 * math.gamma(dimension / 2) / (math.sqrt(math.pi) * math.gamma((dimension + 1) / 2))
    # |u · shift| deviates by sqrt(9 / d - mean²) among directions; four deviations of the mean of 4,000.
    error = 4 * math.sqrt(max(0.0, 9 / dimension - mean**2) / 4000) + 1e-9
    assert sliced_wasserstein(x, x + shift, directions=4000) == pytest.approx(mean, abs=error)


def test_sliced_wasserstein_is_below_the_whole_and_takes_unequal_sizes() -> None:
    x, y = normal(150, 2), normal(150, 2, seed=1) @ torch.tensor([[2.0, 0.5], [0.0, 0.3]], dtype=torch.float64)
    sliced = sliced_wasserstein(x, y)
    assert 0 < sliced < wasserstein1(x, y)
    # Each point three times is the same distribution, through the other formula.
    assert sliced_wasserstein(x.repeat(3, 1), y) == pytest.approx(sliced, rel=1e-9)
    assert sliced_wasserstein(x, y, seed=1) != sliced


def test_mmd_agrees_with_its_definition() -> None:
    x, y, widths = normal(7, 2), normal(5, 2, seed=1) + 0.5, [0.5, 2.0]

    def kernel(a: Tensor, b: Tensor) -> float:
        return sum(math.exp(-((a - b) ** 2).sum().item() / (2 * width**2)) for width in widths) / 2

    within_x = sum(kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / (7 * 6)
    within_y = sum(kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / (5 * 4)
    across = sum(kernel(a, b) for a in x for b in y) / (7 * 5)
    assert mmd(x, y, bandwidths=widths) == pytest.approx(within_x + within_y - 2 * across, rel=1e-12)


def test_mmd_of_equal_laws_is_unbiased_and_deviates_as_the_theory_says() -> None:
    """With the centered kernel k', Var = E k'² (2 / m(m-1) + 2 / m(m-1) + 4 / m²) for samples of m points each."""
    size, trials, b2 = 40, 600, 1.5**2
    pairs = ((normal(size, seed=2 * i), normal(size, seed=2 * i + 1)) for i in range(trials))
    values = torch.tensor([mmd(x, y, bandwidths=[1.5]) for x, y in pairs])
    # For x, x' from N(0, 1): E k², E_x (E_x' k)² and E k, each an integral of Gaussians.
    square = math.sqrt(b2 / (b2 + 4))
    mean_square = b2 / (b2 + 1) / math.sqrt(1 + 2 / (b2 + 1))
    mean = math.sqrt(b2 / (b2 + 2))
    centered = square - 2 * mean_square + mean**2
    variance = centered * (4 / (size * (size - 1)) + 4 / size**2)
    assert abs(values.mean().item()) < 4 * math.sqrt(variance / trials)
    # The law is skewed, so that its variance is known to about 4 · sqrt((kurtosis - 1) / trials), a third.
    assert values.var().item() == pytest.approx(variance, rel=0.33)
    assert values.min() < 0


def test_mmd_of_different_laws_has_its_closed_form() -> None:
    """For N(0, 1) and N(d, 1): 2 b / sqrt(b² + 2) · (1 - exp(-d² / 2(b² + 2)))."""
    shift, b2 = 1.0, 1.0
    expected = 2 * math.sqrt(b2 / (b2 + 2)) * -math.expm1(-(shift**2) / (2 * (b2 + 2)))
    # Samples of 3,000 deviate by about 2 · 0.3 / sqrt(3,000) = 0.01; blocks of 1,024 are crossed.
    assert mmd(normal(3000), normal(3000, seed=1) + shift, bandwidths=[1.0]) == pytest.approx(expected, abs=0.03)


def test_mmd_takes_the_median_distance_of_the_pooled_sample() -> None:
    x, y = normal(30, 2), 5 + normal(20, 2, seed=1)
    median = torch.pdist(torch.cat([x, y])).median().item()
    assert mmd(x, y) == mmd(x, y, bandwidths=[median])
    assert mmd(10 * x, 10 * y) == pytest.approx(mmd(x, y), rel=1e-9)


def test_mmd_refuses_samples_without_a_median_or_without_pairs() -> None:
    with pytest.raises(UsageError, match="coincide"):
        mmd(torch.zeros(5, 2), torch.zeros(5, 2))
    assert mmd(torch.zeros(5, 2), torch.zeros(5, 2), bandwidths=[1.0]) == 0
    with pytest.raises(UsageError, match="two points"):
        mmd(torch.zeros(1, 2), torch.zeros(5, 2))


@pytest.mark.parametrize("distance", [wasserstein1, sliced_wasserstein, mmd])
def test_samples_that_cannot_be_compared_are_refused(distance: object) -> None:
    assert callable(distance)
    with pytest.raises(UsageError, match="dimensions"):
        distance(torch.zeros(5, 2), torch.zeros(5, 3))
    with pytest.raises(UsageError, match="shape"):
        distance(torch.zeros(0, 2), torch.zeros(5, 2))


@pytest.mark.parametrize(("other", "std"), [(0.0, 1.0), (1.0, 1.0), (3.0, 0.5)])
def test_the_best_discriminators_payoff_is_the_jensen_shannon_divergence(other: float, std: float) -> None:
    """V(D*, G) = -2 log 2 + 2 JSD(p || q) for D* = p / (p + q) (Goodfellow et al. 2014, theorem 1)."""
    p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(other, std)

    def score(x: Tensor) -> Tensor:
        return p.log_prob(x) - q.log_prob(x)  # the logit of p / (p + q)

    levels = (torch.arange(20_000) + 0.5) / 20_000  # quantiles in even steps: a mean over them is an integral
    payoff = -minimax_discriminator(score(p.icdf(levels)), score(q.icdf(levels))).item()
    divergence = jensen_shannon(gaussian(0.0, 1.0), gaussian(other, std))
    # The tails beyond the last quantile, where the logit grows with the square, leave an error of about 1e-4.
    assert payoff == pytest.approx(-2 * math.log(2) + 2 * divergence, abs=5e-4)
