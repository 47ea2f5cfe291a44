"""Truncated latents: the law of resampling, the order of the draw, and thresholds that are refused."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import kstest, truncnorm

from saddlepoint.errors import UsageError
from saddlepoint.latent.truncate import LARGEST, truncate

DRAWN = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("threshold", [0.05, 0.5, 1.0, 2.0, 4.0])
def test_the_law_is_that_of_drawing_again(threshold: float) -> None:
    moved = truncate(DRAWN, threshold)
    assert moved.dtype == DRAWN.dtype
    assert float(moved.abs().max()) <= threshold
    # 40,000 numbers of the law itself come no closer than this in one trial of a hundred.
    assert kstest(moved.flatten().numpy(), truncnorm(-threshold, threshold).cdf).pvalue > 0.01
    again = DRAWN.flatten()
    again = again[again.abs() < threshold]
    assert float(moved.std()) == pytest.approx(float(again.std()), rel=5 / math.sqrt(len(again)))


def test_the_same_draw_moves_without_a_jump_and_keeps_its_rank() -> None:
    numbers = DRAWN[:, 0].sort().values
    before = numbers
    for threshold in (3.0, 2.9, 1.0, 0.99, 0.1):
        moved = truncate(numbers, threshold)
        assert bool((moved.diff() >= 0).all())
        assert bool((moved.abs() <= before.abs() + 1e-6).all()), "nearer to zero as the threshold falls"
        assert bool((moved.sign() * numbers.sign() >= 0).all())
        before = moved
    assert float((truncate(DRAWN, 2.0) - truncate(DRAWN, 1.999)).abs().max()) < 2e-3


def test_a_high_threshold_and_none_change_nothing() -> None:
    assert truncate(DRAWN, None) is DRAWN
    torch.testing.assert_close(truncate(DRAWN, LARGEST), DRAWN, rtol=0, atol=1e-6)
    extreme = torch.tensor([0.0, 40.0, -40.0, 1e30], dtype=torch.float64)
    assert truncate(extreme, LARGEST).tolist() == [0.0, LARGEST, -LARGEST, LARGEST]
    assert truncate(extreme, 1e-12).abs().max() <= 1e-12


@pytest.mark.parametrize("threshold", [0.0, -5.0, math.nan, math.inf, -math.inf, 1e308, 8.1])
def test_other_thresholds_are_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="--truncation must be a number > 0 and <= 8"):
        truncate(DRAWN, threshold)
