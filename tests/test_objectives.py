"""Adversarial losses: published values, extremes, gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from saddlepoint.objectives import (
    cross_entropy,
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
)

REAL = torch.tensor([1.3, 2.9, 8.4, 6.3])
FAKE = torch.tensor([4.8, 1.2, -3.5, 5.9])


def test_known_values() -> None:
    assert minimax_discriminator(REAL, FAKE).item() == pytest.approx(3.1251488, abs=1e-6)
    assert minimax_generator(FAKE).item() == pytest.approx(-3.0509912, abs=1e-6)
    assert non_saturating_generator(FAKE).item() == pytest.approx(0.9509912, abs=1e-6)


def test_soft_labels_agree_with_torch() -> None:
    target = torch.tensor([1.0, 0.83, 0.2, 0.0])
    expected = F.binary_cross_entropy_with_logits(REAL, target)
    torch.testing.assert_close(cross_entropy(REAL, target), expected)


@pytest.mark.parametrize("score", [-1e4, 1e4])
@pytest.mark.parametrize(
    "loss",
    [lambda s: minimax_discriminator(s, s), minimax_generator, non_saturating_generator],
    ids=["minimax discriminator", "minimax generator", "non-saturating generator"],
)
def test_extreme_scores_are_safe(loss: Callable[[Tensor], Tensor], score: float) -> None:
    scores = torch.full((3,), score, requires_grad=True)
    value = loss(scores)
    value.backward()
    assert torch.isfinite(value)
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


def test_a_lost_game_saturates_only_the_minimax_generator() -> None:
    def slope(loss: Callable[[Tensor], Tensor]) -> float:
        score = torch.tensor([-50.0], requires_grad=True)
        loss(score).backward()
        assert score.grad is not None
        return abs(score.grad.item())

    assert slope(minimax_generator) < 1e-20
    assert slope(non_saturating_generator) == pytest.approx(1.0)


def test_losses_are_float32_whatever_the_scores_are() -> None:
    assert non_saturating_generator(FAKE.bfloat16()).dtype == torch.float32
