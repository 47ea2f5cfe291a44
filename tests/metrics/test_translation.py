"""Distances of translations from their targets, against closed forms and another package."""

from __future__ import annotations

import warnings

import pytest
import torch

from saddlepoint.errors import UsageError
from saddlepoint.metrics.ssim import ssim
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


def test_agrees_with_piq() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports are deprecated ones
        piq = pytest.importorskip("piq")
    x, y = (X + 1) / 2, (Y + 1) / 2
    # It adds 1e-8 to the squares, and computes in float32.
    assert psnr(X, Y).tolist() == pytest.approx(piq.psnr(x, y, reduction="none").tolist(), rel=1e-5)
    theirs = piq.ssim(x, y, downsample=False, reduction="none")
    assert ssim(X, Y).tolist() == pytest.approx(theirs.tolist(), abs=1e-5)


@pytest.mark.parametrize("measure", [l1, psnr])
def test_pictures_of_two_shapes_are_refused(measure: object) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        measure(X, Y[:2])  # type: ignore[operator]
