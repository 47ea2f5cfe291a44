"""Networks that grow while they are trained (Karras et al. 2018, "Progressive Growing of GANs", Table 2).

A generator maps latents (N, Z) to images (N, C, side, side) of any range, a discriminator images to scores (N,). Both
begin at 4x4; `grow` doubles their side. Their newest layers can be faded in: `share` is what they count for, and the
rest is what the layers before them make of the picture, enlarged or reduced.

What turned features into colors, and colors into features, at lower resolutions is kept, though after its fade it has
no more to do: parameters never disappear.

Differs from the paper's table, not from its authors' code: pixels are averaged before the activation, not after it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.equalized import GAIN, EqualizedConv2d, EqualizedDown, EqualizedLinear, EqualizedUp
from ..layers.minibatch import MinibatchStd
from ..layers.normalize import PixelNorm

SLOPE = 0.2
"""Of the leaky ReLU for negative values."""


class Start(nn.Module):
    """The generator's first block: latents (N, Z), put on a sphere, to features (N, leaving, 4, 4)."""

    def __init__(self, latent: int, leaving: int) -> None:
        super().__init__()
        # In the paper a convolution of 4x4: to He, each pixel sums up sixteen times as many numbers as it does.
        self.dense = EqualizedLinear(latent, leaving * 16, gain=GAIN / 4, bias=False)
        self.bias = nn.Parameter(torch.zeros(leaving))
        self.convolution = EqualizedConv2d(leaving, leaving, 3)
        self.norm = PixelNorm()

    def forward(self, latents: Tensor) -> Tensor:
        features = self.dense(self.norm(latents)).unflatten(1, (-1, 4, 4)) + self.bias[:, None, None]
        features = self.norm(_leaky(features))
        normal: Tensor = self.norm(_leaky(self.convolution(features)))
        return normal


class UpBlock(nn.Module):
    """Doubles the resolution: nearest pixels and two convolutions, each with its activation and its norm."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.first, self.second = EqualizedUp(entering, leaving), EqualizedConv2d(leaving, leaving, 3)
        self.norm = PixelNorm()

    def forward(self, features: Tensor) -> Tensor:
        features = self.norm(_leaky(self.first(features)))
        normal: Tensor = self.norm(_leaky(self.second(features)))
        return normal


class DownBlock(nn.Module):
    """Halves the resolution: two convolutions, the second one with the mean of each four pixels."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.first, self.second = EqualizedConv2d(entering, entering, 3), EqualizedDown(entering, leaving)

    def forward(self, features: Tensor) -> Tensor:
        return _leaky(self.second(_leaky(self.first(features))))


class Verdict(nn.Module):
    """The discriminator's last block: features (N, entering, 4, 4) and their variety to scores (N,)."""

    def __init__(self, entering: int) -> None:
        super().__init__()
        self.variety = MinibatchStd()
        self.convolution = EqualizedConv2d(entering + 1, entering, 3)
        self.dense = EqualizedLinear(entering * 16, entering)
        self.score = EqualizedLinear(entering, 1, gain=1.0)

    def forward(self, features: Tensor) -> Tensor:
        features = _leaky(self.convolution(self.variety(features)))
        scores: Tensor = self.score(_leaky(self.dense(features.flatten(1))))
        return scores.squeeze(1)


class Generator(nn.Module):
    """Blocks from coarse to fine, each with a layer that makes colors of its features.

    Args:
        plan: features at 4x4, 8x8, … as far as it will ever grow.
        channels: of the images.
        latent: size of a latent.
    """

    def __init__(self, plan: list[int], *, channels: int, latent: int) -> None:
        super().__init__()
        self.plan, self.channels = plan, channels
        self.blocks = nn.ModuleList([Start(latent, plan[0])])
        self.to_colors = nn.ModuleList([EqualizedConv2d(plan[0], channels, 1, gain=1.0)])

    @property
    def side(self) -> int:
        """Height and width of the images now."""
        return 2 << len(self.blocks)

    def grow(self) -> None:
        """Doubles the side."""
        entering, leaving = self.plan[len(self.blocks) - 1 :][:2]
        self.blocks.append(UpBlock(entering, leaving))
        self.to_colors.append(EqualizedConv2d(leaving, self.channels, 1, gain=1.0))

    def forward(self, latents: Tensor, share: Tensor | None = None) -> Tensor:
        """Images of latents; `share` in [0, 1], shape (), is what the newest block counts for, None for all."""
        coarse = features = self.blocks[0](latents)
        for block in self.blocks[1:]:
            coarse, features = features, block(features)
        images: Tensor = self.to_colors[-1](features)
        return images if share is None else mix(enlarge(self.to_colors[-2](coarse)), images, share)

    def playing(self, *, fading: bool) -> list[nn.Parameter]:
        """Parameters that have a part in what comes out now."""
        return _playing(self.blocks, self.to_colors, fading)


class Discriminator(nn.Module):
    """The generator's mirror: its blocks too are numbered from coarse to fine.

    Args:
        plan: features at 4x4, 8x8, … as far as it will ever grow.
        channels: of the images.
    """

    def __init__(self, plan: list[int], *, channels: int) -> None:
        super().__init__()
        self.plan, self.channels = plan, channels
        self.blocks = nn.ModuleList([Verdict(plan[0])])
        self.from_colors = nn.ModuleList([EqualizedConv2d(channels, plan[0], 1)])

    def grow(self) -> None:
        """Doubles the side."""
        leaving, entering = self.plan[len(self.blocks) - 1 :][:2]
        self.blocks.append(DownBlock(entering, leaving))
        self.from_colors.append(EqualizedConv2d(self.channels, entering, 1))

    def forward(self, images: Tensor, share: Tensor | None = None) -> Tensor:
        """Scores of images; `share` as for the generator."""
        features = _leaky(self.from_colors[-1](images))
        for depth, block in enumerate(reversed(self.blocks)):
            features = block(features)
            if depth == 0 and share is not None:
                features = mix(_leaky(self.from_colors[-2](reduce(images))), features, share)
        return features

    def playing(self, *, fading: bool) -> list[nn.Parameter]:
        """Parameters that have a part in what comes out now."""
        return _playing(self.blocks, self.from_colors, fading)


def reduce(images: Tensor, factor: int = 2) -> Tensor:
    """Images (N, C, H, W) with each square of so many pixels a side averaged."""
    return F.avg_pool2d(images, factor) if factor > 1 else images


def enlarge(images: Tensor, factor: int = 2) -> Tensor:
    """Images (N, C, H, W) with each pixel repeated so often along both sides."""
    return F.interpolate(images, scale_factor=float(factor), mode="nearest") if factor > 1 else images


def mix(old: Tensor, new: Tensor, share: Tensor) -> Tensor:
    """What is seen while `new` fades in; its share, of shape (), never widens the precision."""
    return old + (new - old) * share


def _leaky(features: Tensor) -> Tensor:
    return F.leaky_relu(features, SLOPE)


def _playing(blocks: nn.ModuleList, colors: nn.ModuleList, fading: bool) -> list[nn.Parameter]:
    shown = colors[-2:] if fading else colors[-1:]
    return [*blocks.parameters(), *shown.parameters()]
