"""The networks of R3GAN (Huang et al. 2024, section 4): residual blocks of grouped convolutions, without normalization.

A generator maps latents (N, Z) to images (N, C, size, size) of any range; a discriminator, its mirror image, maps
images to logits (N,). Both are a basis of 4x4 pixels and, for each doubling of the resolution, a change of resolution
and some blocks. What normalization would do for the start, the initialization does ("Fixup", Zhang et al. 2019): the
last convolution of a block is zero, the others shrink with the number of blocks.

Differs from the paper: pixels may be gathered in patches, so that the finest blocks work at a half or a quarter of the
image's size.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUP = 16
"""Channels that a 3x3 convolution sees at once."""

EXPANSION = 2
"""Channels inside a block for each outside."""

SLOPE = 0.2
"""Of the leaky ReLU for negative values."""


def widths(size: int, *, width: int, taper: int, patch: int = 1) -> list[int]:
    """Channels at 4x4, 8x8, … up to `size / patch`: `width` up to `taper`, from there half for each doubling.

    Args:
        size: of the image, a power of two.
        width: channels at 4x4.
        taper: largest resolution with so many.
        patch: side of the patches of pixels that the finest blocks take for one.
    """
    sides = [4 << doublings for doublings in range((size // patch).bit_length() - 2)]
    return [max(1, width * taper // side) if side > taper else width for side in sides]


class Pointwise(nn.Linear):
    """A 1x1 convolution of (N, C, H, W), computed as what it is: a product of pixels and a matrix.

    Its second derivative, which a gradient penalty takes, is products as well; a CPU makes it in half the time that
    its convolution kernels take.
    """

    def __init__(self, entering: int, leaving: int, *, gain: float = 1.0, bias: bool = False) -> None:
        super().__init__(entering, leaving, bias=bias)
        _draw(self, gain, fan_in=entering)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Adds to its input what 1x1, leaky ReLU, grouped 3x3, leaky ReLU and 1x1 make of it.

    Args:
        channels: of input and output.
        blocks: how many such blocks the network has.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        # With m = 3 layers in a branch each but the last is scaled by L^(-1 / (2m - 2)).
        gain = math.sqrt(2 / (1 + SLOPE**2)) * blocks**-0.25
        self.expand = Pointwise(channels, hidden, gain=gain, bias=True)
        self.mix = nn.Conv2d(hidden, hidden, 3, padding=1, groups=math.gcd(hidden, max(1, hidden // GROUP)))
        self.reduce = Pointwise(hidden, channels, gain=0.0)
        _draw(self.mix, gain, fan_in=9 * hidden // self.mix.groups)

    def forward(self, features: Tensor) -> Tensor:
        inner = F.leaky_relu(self.expand(features), SLOPE)
        inner = F.leaky_relu(self.mix(inner), SLOPE)
        return features + self.reduce(inner)


class Double(nn.Module):
    """Doubles the resolution: 1x1 where the channels change, then bilinear interpolation.

    Args:
        entering: channels before.
        leaving: channels after.
        side: pixels of a side before.
    """

    halving: Tensor

    def __init__(self, entering: int, leaving: int, side: int) -> None:
        super().__init__()
        self.change = nn.Identity() if entering == leaving else Pointwise(entering, leaving)
        self.register_buffer("halving", _halving(2 * side), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        return _resample(self.change(features), 2 * self.halving.T)


class Halve(nn.Module):
    """Halves the resolution: each second pixel of a blur with [1, 2, 1] / 4, then 1x1 where the channels change.

    Arguments are those of `Double`.
    """

    halving: Tensor

    def __init__(self, entering: int, leaving: int, side: int) -> None:
        super().__init__()
        self.change = nn.Identity() if entering == leaving else Pointwise(entering, leaving)
        self.register_buffer("halving", _halving(side), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        halved: Tensor = self.change(_resample(features, self.halving))
        return halved


def _halving(side: int) -> Tensor:
    """What [1, 2, 1] / 4 at each second pixel does to a row between zeros, as a matrix (side / 2, side)."""
    places = torch.arange(side) - 2 * torch.arange(side // 2)[:, None]
    return (2.0 - places.abs()).clamp(min=0) / 4


def _resample(features: Tensor, matrix: Tensor) -> Tensor:
    """(N, C, H, H) as (N, C, K, K) by a matrix (K, H) along either axis.

    Products, again because of their second derivative: that of pooling and of interpolation takes a CPU longer than
    the convolutions between them.
    """
    pixels = features.permute(0, 2, 3, 1)
    count, side, _, channels = pixels.shape
    rows = (matrix @ pixels.reshape(count, side, -1)).view(-1, side, channels)
    return (matrix @ rows).view(count, len(matrix), len(matrix), channels).permute(0, 3, 1, 2)


class Basis(nn.Module):
    """From latents (N, Z) to (N, C, 4, 4): learned pictures of one channel each, weighed by a product of the latent."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(latent, channels, bias=False)
        self.pictures = nn.Parameter(torch.randn(4, 4, channels))
        _draw(self.weigh, 1.0, fan_in=latent)

    def forward(self, latents: Tensor) -> Tensor:
        return (self.weigh(latents)[:, None, None] * self.pictures).permute(0, 3, 1, 2)


class Readout(nn.Module):
    """From (N, C, 4, 4) to logits (N,): each channel's product with a learned picture, then a sum of them, weighed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pictures = nn.Parameter(torch.randn(4, 4, channels) / 4)
        self.weigh = nn.Linear(channels, 1, bias=False)
        _draw(self.weigh, 1.0, fan_in=channels)

    def forward(self, features: Tensor) -> Tensor:
        scores: Tensor = self.weigh((features.permute(0, 2, 3, 1) * self.pictures).sum((1, 2)))
        return scores.squeeze(1)


def generator(plan: list[int], *, channels: int, latent: int, blocks: int = 2, patch: int = 1) -> nn.Sequential:
    """Maps latents (N, Z) to images (N, channels, S, S), S = patch * 2^(len(plan) + 1); no tanh bounds them.

    Args:
        plan: channels from 4x4 on; see `widths`.
        channels: of the image.
        latent: size Z of a latent.
        blocks: residual blocks at each resolution.
        patch: side of the patches of pixels.
    """
    layers: list[nn.Module] = [Basis(latent, plan[0]), *_blocks(plan[0], blocks, len(plan))]
    for stage, (entering, leaving) in enumerate(pairwise(plan)):
        layers += [Double(entering, leaving, 4 << stage), *_blocks(leaving, blocks, len(plan))]
    return nn.Sequential(*layers, Pointwise(plan[-1], channels * patch**2), nn.PixelShuffle(patch))


def discriminator(plan: list[int], *, channels: int, blocks: int = 2, patch: int = 1) -> nn.Sequential:
    """Maps images (N, channels, S, S) to logits (N,): the generator of the same arguments, back to front."""
    layers: list[nn.Module] = [nn.PixelUnshuffle(patch), Pointwise(channels * patch**2, plan[-1])]
    for stage, (entering, leaving) in enumerate(pairwise(plan[::-1])):
        layers += [*_blocks(entering, blocks, len(plan)), Halve(entering, leaving, 2 << len(plan) - stage)]
    return nn.Sequential(*layers, *_blocks(plan[0], blocks, len(plan)), Readout(plan[0]))


def _blocks(channels: int, count: int, stages: int) -> list[Block]:
    return [Block(channels, count * stages) for _ in range(count)]


def _draw(layer: nn.Linear | nn.Conv2d, gain: float, *, fan_in: int) -> None:
    """Draws the weights from N(0, gain² / fan_in), zeros the biases."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
