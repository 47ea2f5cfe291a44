"""The U-Net: its size, its shapes, its noise, and what its skip connections are for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saddlepoint.networks.unet import UNet


def test_it_learns_as_many_numbers_as_published() -> None:
    with torch.device("meta"):
        network = UNet(3, 3, depth=8)
    assert sum(weight.numel() for weight in network.parameters()) == 54_413_955


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 16), (48, 64)])
def test_it_takes_every_multiple_of_its_halvings(height: int, width: int) -> None:
    made = UNet(3, 1, depth=4, width=4)(torch.rand(2, 3, height, width))
    assert made.shape == (2, 1, height, width)
    assert made.abs().max() <= 1


def test_dropout_is_its_noise_and_can_be_left_out() -> None:
    images = torch.rand(2, 3, 16, 16)
    noisy, plain = (UNet(3, 3, depth=4, width=4, dropout=dropout).eval() for dropout in (0.5, 0.0))
    assert not torch.equal(noisy(images), noisy(images))
    assert torch.equal(plain(images), plain(images))


def test_a_pixel_takes_the_short_way() -> None:
    """A corner depends on itself more than on the opposite one: a way there does not lead through the bottleneck."""
    torch.manual_seed(0)
    network = UNet(1, 1, depth=5, width=8, dropout=0.0, norm=nn.Identity)
    image = torch.randn(1, 1, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(network(image)[0, 0, 0, 0], image)
    assert slope[0, 0, :4, :4].abs().mean() > 10 * slope[0, 0, -4:, -4:].abs().mean()
