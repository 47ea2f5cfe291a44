"""Packing joins neighbors along the channels and loses nothing."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.errors import UsageError
from saddlepoint.layers.packing import pack


def test_pictures_are_stacked_along_their_channels() -> None:
    pictures = torch.randn(6, 3, 4, 5)
    packs = pack(pictures, 2)
    assert packs.shape == (3, 6, 4, 5)
    assert torch.equal(packs[1], torch.cat([pictures[2], pictures[3]]))


def test_points_are_stacked_along_their_features() -> None:
    points = torch.arange(12.0).view(6, 2)
    assert pack(points, 3).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_a_pack_of_one_is_the_sample() -> None:
    points = torch.randn(4, 2)
    assert torch.equal(pack(points, 1), points)


def test_gradients_reach_every_sample_once() -> None:
    points = torch.randn(4, 2, requires_grad=True)
    (pack(points, 4) * torch.arange(8.0)).sum().backward()
    assert points.grad is not None
    assert torch.equal(points.grad, torch.arange(8.0).view(4, 2))


@pytest.mark.parametrize(("count", "batch"), [(7, 6), (2, 3)])
def test_a_batch_that_does_not_divide_is_refused(count: int, batch: int) -> None:
    with pytest.raises(UsageError, match=f"{count} samples do not divide into packs of 3") as refusal:
        pack(torch.randn(count, 2), 3)
    assert refusal.value.fix == f"a batch of {batch}"
