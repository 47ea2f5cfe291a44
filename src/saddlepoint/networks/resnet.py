"""Residual networks with pre-activation blocks, as Miyato et al. 2018 ("Spectral Normalization for GANs") build them.

A generator maps latents (N, Z) to images (N, C, size, size) in [-1, 1]; a discriminator maps images to logits (N,).
At 32 and 128 they are those of the paper's appendix for CIFAR-10 and ImageNet, at 64 those of the authors' code, which
also gives the first weights. The blocks are the parts for other plans.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

GENERATOR_PLANS = {32: (4, 4, 4, 4), 64: (16, 8, 4, 2, 1), 128: (16, 16, 8, 4, 2, 1)}
"""Features at 4x4, 8x8, … up to the image's size, in quarters of the width."""

DISCRIMINATOR_PLANS = {32: (2, 2, 2, 2), 64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16, 16)}
"""Features that leave each block, in halves of the width."""

HALVINGS = {32: 2, 64: 5, 128: 5}
"""How many blocks of the discriminator, from the first on, halve the resolution."""


def convolution(entering: int, leaving: int, size: int, *, gain: float = 1.0) -> nn.Conv2d:
    """A convolution that keeps the resolution, its weights from Glorot's uniform distribution, its biases zero."""
    layer = nn.Conv2d(entering, leaving, size, padding=size // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    assert layer.bias is not None, "it has biases unless told otherwise"
    nn.init.zeros_(layer.bias)
    return layer


def linear(entering: int, leaving: int) -> nn.Linear:
    """A dense layer, initialized like `convolution`."""
    layer = nn.Linear(entering, leaving)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class UpBlock(nn.Module):
    """Doubles the resolution: norm, ReLU, nearest pixels, 3x3, norm, ReLU, 3x3, beside a 1x1 shortcut.

    Args:
        entering: features of the input.
        leaving: features of the output and between the two convolutions.
        norm: makes a normalization for so many features.
    """

    def __init__(self, entering: int, leaving: int, *, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__()
        self.first_norm, self.second_norm = norm(entering), norm(leaving)
        self.first = convolution(entering, leaving, 3, gain=math.sqrt(2))
        self.second = convolution(leaving, leaving, 3, gain=math.sqrt(2))
        self.shortcut = convolution(entering, leaving, 1)

    def forward(self, features: Tensor) -> Tensor:
        main = self.first(_double(self.first_norm(features).relu()))
        main = self.second(self.second_norm(main).relu())
        # A 1x1 convolution and the copying of pixels commute: before it, there are four times fewer to multiply.
        return main + _double(self.shortcut(features))


class DownBlock(nn.Module):
    """Keeps or halves the resolution: ReLU, 3x3, ReLU, 3x3, mean of 2x2, beside a shortcut.

    The shortcut is the identity where shapes allow it and a 1x1 convolution elsewhere.

    Args:
        entering: features of the input.
        leaving: features of the output.
        halve: whether the resolution is halved.
        first: whether the input is an image. It passes no ReLU then, and is widened by the first convolution.
    """

    def __init__(self, entering: int, leaving: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        hidden = leaving if first else entering
        self.halve, self.activate = halve, not first
        self.first = convolution(entering, hidden, 3, gain=math.sqrt(2))
        self.second = convolution(hidden, leaving, 3, gain=math.sqrt(2))
        self.shortcut = convolution(entering, leaving, 1) if halve or entering != leaving else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        main = self.first(features.relu() if self.activate else features)
        main = self.second(main.relu())
        if self.halve:
            # The mean before the shortcut's 1x1 convolution is the mean after it, for a quarter of the work.
            main, features = F.avg_pool2d(main, 2), F.avg_pool2d(features, 2)
        shortcut: Tensor = self.shortcut(features)
        return main + shortcut


class Discriminator(nn.Module):
    """Blocks, a ReLU, the sum over all positions, a linear layer.

    Args:
        blocks: from images (N, C, H, W) to features (N, F, h, w).
        leaving: the F of these.
    """

    def __init__(self, blocks: nn.Module, leaving: int) -> None:
        super().__init__()
        self.blocks, self.head = blocks, linear(leaving, 1)

    def features(self, images: Tensor) -> Tensor:
        """What is judged: features (N, F), summed over positions."""
        features: Tensor = self.blocks(images)
        return features.relu().sum((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(images))
        return scores.squeeze(1)


def generator(
    *, size: int, channels: int, latent: int, width: int = 256, norm: Callable[[int], nn.Module] = nn.BatchNorm2d
) -> nn.Sequential:
    """The authors' generator; their width is 256.

    Args:
        size: of the image: 32, 64 or 128.
        channels: of the image.
        latent: size of a latent.
        width: features of each block at 32; at 64 and 128 those at half and a quarter of the image's size.
        norm: makes a normalization for so many features.
    """
    widths = [max(1, width * quarters // 4) for quarters in GENERATOR_PLANS[size]]
    return nn.Sequential(
        linear(latent, widths[0] * 16),
        nn.Unflatten(1, (widths[0], 4, 4)),
        *[UpBlock(entering, leaving, norm=norm) for entering, leaving in pairwise(widths)],
        norm(widths[-1]),
        nn.ReLU(),
        convolution(widths[-1], channels, 3),
        nn.Tanh(),
    )


def discriminator(*, size: int, channels: int, width: int = 128) -> Discriminator:
    """The authors' discriminator, without its spectral normalization; their width is 128.

    Args:
        size: of the image: 32, 64 or 128.
        channels: of the image.
        width: features of each block at 32; at 64 and 128 those that leave the second one.
    """
    widths = [channels, *[max(1, width * halves // 2) for halves in DISCRIMINATOR_PLANS[size]]]
    blocks = [
        DownBlock(entering, leaving, halve=index < HALVINGS[size], first=index == 0)
        for index, (entering, leaving) in enumerate(pairwise(widths))
    ]
    return Discriminator(nn.Sequential(*blocks), widths[-1])


def _double(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="nearest")
