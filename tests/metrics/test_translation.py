"""Distances of translations from their targets, against closed forms and another package."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.errors import UsageError
from saddlepoint.metrics.translation import l1, psnr

RANDOM = torch.Generator().manual_seed(0)
X, Y = (torch.rand(3, 3, 24, 20, generator=RANDOM) * 2 - 1 for _ in range(2))


def test_an_even_difference_is_told_as_it_is() -> None:
    x = torch.zeros(2, 1, 4, 4)
    y = torch.stack([torch.full((1, 4, 4), 0.5), torch.full((1, 4, 4), -2.0)])
    assert l1(x, y).tolist() == [0.5, 2.0]
    # The range is 2: off by all of it is a ratio of one, zero decibels; off by a quarter, twenty times lg 4.
    assert psnr(x, y).tolist() == pytest.approx([12.0412, 0.0], abs=1e-4)


def test_copies_are_infinitely_alike() -> None:
    assert l1(X, X).tolist() == [0.0] * 3
    assert psnr(X, X).isinf().all()


def test_agrees_with_torchmetrics() -> None:
    theirs = pytest.importorskip("torchmetrics.functional.image").peak_signal_noise_ratio
    # It computes in float32.
    for ours, x, y in zip(psnr(X, Y), X, Y, strict=True):
        assert ours.item() == pytest.approx(theirs(x, y, data_range=2.0).item(), rel=1e-5)


@pytest.mark.parametrize("measure", [l1, psnr])
def test_pictures_of_two_shapes_are_refused(measure: object) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        measure(X, Y[:2])  # type: ignore[operator]
