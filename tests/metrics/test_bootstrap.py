"""Intervals hold what they estimate as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.metrics.bootstrap import bootstrap, frechet_interval, mean
from saddlepoint.metrics.frechet import Statistics, frechet_distance


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    values = normal(80).exp()
    found = bootstrap(mean, values, trials=4000, level=0.9)
    theirs = stats.bootstrap(
        (values.double().numpy(),), np.mean, n_resamples=4000, confidence_level=0.9, method="percentile", rng=0
    ).confidence_interval
    # Either end is a quantile of 4,000 draws, which deviates by about 2 % of the interval's width.
    assert found.low == pytest.approx(theirs.low, abs=0.06 * (theirs.high - theirs.low))
    assert found.high == pytest.approx(theirs.high, abs=0.06 * (theirs.high - theirs.low))
    assert found.estimate == pytest.approx(values.double().mean().item())
    assert found.level == 0.9


def test_a_share_lies_inside_as_often_as_the_level_says() -> None:
    hits = [torch.rand(60, generator=torch.Generator().manual_seed(seed)) < 0.4 for seed in range(100)]
    found = [bootstrap(mean, each, trials=200, level=0.8) for each in hits]
    inside = sum(each.low <= 0.4 <= each.high for each in found) / 100
    # Four deviations of a share of 100; ends are multiples of 1/60.
    assert inside == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 100))


def test_samples_are_drawn_apart_and_whole_rows_together() -> None:
    x, y = torch.arange(50.0)[:, None].repeat(1, 2), torch.zeros(7)

    def statistic(first: Tensor, second: Tensor) -> float:
        assert torch.equal(first[:, 0], first[:, 1])
        assert (len(first), len(second)) == (50, 7)
        return first.mean().item()

    found = bootstrap(statistic, x, y, trials=200)
    assert found.low < found.estimate == 24.5 < found.high
    assert found == bootstrap(statistic, x, y, trials=200) != bootstrap(statistic, x, y, trials=200, seed=1)


def test_the_interval_of_a_frechet_distance_is_as_wide_as_it_scatters() -> None:
    real = Statistics.of(normal(20_000, 6))
    found = [frechet_interval(real, 1.2 * normal(300, 6, seed=seed) + 0.2, level=0.9) for seed in range(100)]
    estimates = torch.tensor([each.estimate for each in found])
    # Twenty parts know a deviation to about 1 / sqrt(2 · 19) = 16 %, a hundred of them better; 1.73 is Student's t.
    claimed = torch.tensor([each.high - each.low for each in found]).mean().item() / 2 / stats.t.ppf(0.95, 19)
    assert claimed == pytest.approx(estimates.std().item(), rel=0.3)
    typical = estimates.mean().item()
    inside = sum(each.low <= typical <= each.high for each in found) / 100
    assert inside == pytest.approx(0.9, abs=4 * math.sqrt(0.9 * 0.1 / 100))


def test_the_parts_of_a_frechet_interval_are_left_out_one_by_one() -> None:
    real, fake = Statistics.of(normal(100, 3)), normal(40, 3, seed=1) + 1
    found = frechet_interval(real, fake, parts=40)  # then the order does not matter
    left = [frechet_distance(real, Statistics.of(torch.cat([fake[:i], fake[i + 1 :]]))).distance for i in range(40)]
    deviation = math.sqrt(39 / 40 * np.square(np.array(left) - np.mean(left)).sum())
    assert found.estimate == frechet_distance(real, Statistics.of(fake)).distance
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 39) * deviation, rel=1e-6)
    assert found.estimate - found.low == pytest.approx(found.high - found.estimate)


def test_intervals_that_cannot_be_are_refused() -> None:
    real, fake = Statistics.of(normal(100, 3)), normal(40, 3)
    for level in (0.0, 1.0, 95):
        with pytest.raises(UsageError, match="out of range"):
            bootstrap(mean, fake, level=level)
        with pytest.raises(UsageError, match="out of range"):
            frechet_interval(real, fake, level=level)
    for samples, trials in (((), 10), ((fake, fake[:0]), 10), ((fake,), 1)):
        with pytest.raises(UsageError, match="two trials"):
            bootstrap(lambda *_: 0.0, *samples, trials=trials)
    with pytest.raises(UsageError, match="left out"):
        frechet_interval(real, fake, parts=1)
    with pytest.raises(UsageError, match="too few"):
        frechet_interval(real, fake, parts=41)
