"""Discriminators of patches: their maps, what one patch sees, and how many numbers they learn."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from saddlepoint.networks import patch


@pytest.mark.parametrize(("size", "side"), [(256, 30), (128, 14), (64, 6)])
def test_a_picture_has_a_map_of_patches(size: int, side: int) -> None:
    assert patch.discriminator(3, width=4)(torch.zeros(1, 3, size, size)).shape == (1, 1, side, side)


@pytest.mark.parametrize(("layers", "field"), [(0, 1), (1, 16), (2, 34), (3, 70), (5, 286)])
def test_a_patch_sees_so_many_pixels(layers: int, field: int) -> None:
    torch.manual_seed(0)
    # Normalization would let every pixel of a picture have its say.
    network = patch.discriminator(1, width=4, layers=layers, norm=nn.Identity)
    image = torch.randn(1, 1, 300, 300, requires_grad=True)
    scores = network(image)
    (slope,) = torch.autograd.grad(scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2], image)
    for axis in (2, 3):
        seen = slope[0, 0].abs().sum(axis - 2).nonzero()
        assert int(seen.max() - seen.min()) + 1 == field


@pytest.mark.parametrize(
    ("channels", "norm", "count"),
    [
        (6, nn.BatchNorm2d, 2_768_705),
        (6, partial(nn.InstanceNorm2d, affine=True), 2_768_705),
        (3, nn.InstanceNorm2d, 2_764_737),
    ],
)
def test_it_learns_as_many_numbers_as_published(channels: int, norm: patch.Norm, count: int) -> None:
    with torch.device("meta"):
        network = patch.discriminator(channels, norm=norm)
    assert sum(weight.numel() for weight in network.parameters()) == count
