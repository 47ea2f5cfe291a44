"""Equalized learning rate: scales, and convolutions that change the resolution."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from saddlepoint.layers.equalized import GAIN, EqualizedConv2d, EqualizedDown, EqualizedLinear, EqualizedUp

SQUARES = [4, 6, 8, 16]
"""Sides on both sides of what is computed as a product and what as a convolution, and one that is no power of two."""


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (EqualizedLinear(50, 400), 50),
        (EqualizedConv2d(20, 80, 3), 180),
        (EqualizedUp(20, 80), 180),
        (EqualizedDown(20, 80), 180),
    ],
    ids=["linear", "convolution", "up", "down"],
)
def test_weights_are_of_one_scale_and_he_is_in_the_pass(layer: nn.Module, inputs: int) -> None:
    # Of 14,400 draws the deviation is known to 0.6 percent.
    assert layer.weight.std().item() == pytest.approx(1, abs=0.03)
    assert layer.scale == pytest.approx(math.sqrt(2 / inputs))
    assert not layer.bias.any()


def test_layers_are_those_of_torch_with_scaled_weights() -> None:
    features, convolution = torch.randn(2, 3, 5, 5), EqualizedConv2d(3, 4, 3, gain=1.0)
    nn.init.normal_(convolution.bias)
    scaled = convolution.weight / math.sqrt(27)
    assert torch.allclose(convolution(features), F.conv2d(features, scaled, convolution.bias, padding=1), atol=1e-6)
    linear = EqualizedLinear(3, 4)
    rows = features.mean((2, 3))
    assert torch.allclose(linear(rows), rows @ linear.weight.T * GAIN / math.sqrt(3), atol=1e-6)


@pytest.mark.parametrize("side", SQUARES)
def test_up_is_nearest_pixels_and_a_convolution(side: int) -> None:
    torch.manual_seed(side)
    layer, features = EqualizedUp(3, 5), torch.randn(2, 3, side, side)
    nn.init.normal_(layer.bias)
    enlarged = F.interpolate(features, scale_factor=2.0, mode="nearest")
    expected = F.conv2d(enlarged, layer.weight * layer.scale, layer.bias, padding=1)
    # Sums of 27 products of size one, in another order.
    assert torch.allclose(layer(features), expected, atol=1e-5)


@pytest.mark.parametrize("side", SQUARES)
def test_down_is_a_convolution_and_the_mean_of_four_pixels(side: int) -> None:
    torch.manual_seed(side)
    layer, features = EqualizedDown(3, 5), torch.randn(2, 3, side, side)
    nn.init.normal_(layer.bias)
    expected = F.avg_pool2d(F.conv2d(features, layer.weight * layer.scale, layer.bias, padding=1), 2)
    assert torch.allclose(layer(features), expected, atol=1e-5)


def test_adam_moves_wide_and_narrow_layers_alike() -> None:
    torch.manual_seed(0)
    moved = []
    for entering in (4, 400):
        layer = EqualizedLinear(entering, 8)
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)
        before = layer.weight.detach() * layer.scale
        layer(torch.randn(16, entering)).square().sum().backward()
        adam.step()
        change = (layer.weight.detach() * layer.scale - before).abs().mean()
        moved.append((change / before.std()).item())
    # The first step of Adam is the learning rate; what differs is the deviation of the weights that were drawn.
    assert moved[0] == pytest.approx(moved[1], rel=0.4)
    assert moved[1] == pytest.approx(0.01, rel=0.05)
