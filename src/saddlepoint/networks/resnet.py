"""Residual networks with pre-activation blocks, as Miyato et al. 2018 ("Spectral Normalization for GANs") build them.

A generator maps latents (N, Z) to images (N, C, size, size) in [-1, 1]; a discriminator maps images to logits (N,).
At 32 and 128 they are those of the paper's appendix for CIFAR-10 and ImageNet, at 64 those of the authors' code, which
also gives the first weights. The blocks are the parts for other plans.

Both can be told classes, as Miyato and Koyama 2018 ("cGANs with Projection Discriminator") do, the generator by the
norms of its blocks, the discriminator by its head; and both can attend, as in Zhang et al. 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.attention import Attention
from ..layers.conditional import Projection, class_norm

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
        norm: makes a normalization for so many features, conditional or not.
    """

    def __init__(self, entering: int, leaving: int, *, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__()
        self.first_norm, self.second_norm = norm(entering), norm(leaving)
        self.first = convolution(entering, leaving, 3, gain=math.sqrt(2))
        self.second = convolution(leaving, leaving, 3, gain=math.sqrt(2))
        self.shortcut = convolution(entering, leaving, 1)

    def forward(self, features: Tensor, *condition: Tensor) -> Tensor:
        """Features of twice the resolution; `condition` is what the norms take beside features, if anything."""
        main = self.first(_double(self.first_norm(features, *condition).relu()))
        main = self.second(self.second_norm(main, *condition).relu())
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
        wide: whether the first convolution widens always, as in Zhang et al. 2019.
    """

    def __init__(self, entering: int, leaving: int, *, halve: bool, first: bool = False, wide: bool = False) -> None:
        super().__init__()
        hidden = leaving if first or wide else entering
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


class ConditionalGenerator(nn.Module):
    """Maps latents (N, Z) and a condition to images: a stem, blocks whose norms take the condition, an end.

    Args:
        stem: from latents to features of 4x4.
        blocks: each doubles the resolution.
        end: from features to images.
        attention: side of the features that attend to themselves, or 0.
    """

    def __init__(self, stem: nn.Module, blocks: Sequence[UpBlock], end: nn.Module, *, attention: int = 0) -> None:
        super().__init__()
        self.stem, self.blocks, self.end = stem, nn.ModuleList(blocks), end
        self.attentions = nn.ModuleList(
            Attention(block.second.out_channels) if 8 << index == attention else nn.Identity()
            for index, block in enumerate(blocks)
        )

    def forward(self, latents: Tensor, *conditions: Tensor) -> Tensor:
        """Images of latents and of a condition for each block, or of one for all of them."""
        features = self.stem(latents)
        each = conditions * len(self.blocks) if len(conditions) == 1 else conditions
        for block, attend, condition in zip(self.blocks, self.attentions, each, strict=True):
            features = attend(block(features, condition))
        images: Tensor = self.end(features)
        return images


class Discriminator(nn.Module):
    """Blocks, a ReLU, the sum over all positions, a head.

    Args:
        blocks: from images (N, C, H, W) to features (N, F, h, w).
        head: from features (N, F), and labels if it takes any, to scores (N, 1).
    """

    def __init__(self, blocks: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.blocks, self.head = blocks, head

    def features(self, images: Tensor) -> Tensor:
        """What is judged: features (N, F), summed over positions."""
        features: Tensor = self.blocks(images)
        return features.relu().sum((2, 3))

    def forward(self, images: Tensor, *labels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(images), *labels)
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
    widths = _widths(size, width)
    return nn.Sequential(
        *stem(latent, widths[0]),
        *[UpBlock(entering, leaving, norm=norm) for entering, leaving in pairwise(widths)],
        *end(norm(widths[-1]), widths[-1], channels),
    )


def conditional_generator(
    *, size: int, channels: int, latent: int, classes: int, width: int = 256, attention: int = 0
) -> ConditionalGenerator:
    """Maps latents (N, Z) and labels to images: `generator`, but with gains and biases of their own for each class.

    Arguments are those of `generator`, and:
        classes: how many. The last normalization is the same for all of them.
        attention: side of the features that attend to themselves, at least 8, or 0.
    """
    widths, norm = _widths(size, width), partial(class_norm, classes=classes)
    return ConditionalGenerator(
        nn.Sequential(*stem(latent, widths[0])),
        [UpBlock(entering, leaving, norm=norm) for entering, leaving in pairwise(widths)],
        nn.Sequential(*end(nn.BatchNorm2d(widths[-1]), widths[-1], channels)),
        attention=attention,
    )


def discriminator(
    *, size: int, channels: int, width: int = 128, classes: int = 0, wide: bool = False, attention: int = 0
) -> Discriminator:
    """The authors' discriminator, without its spectral normalization; their width is 128.

    Args:
        size: of the image: 32, 64 or 128.
        channels: of the image.
        width: features of each block at 32; at 64 and 128 those that leave the second one.
        classes: how many its head tells apart by a projection; 0 for a linear head that takes no labels.
        wide: whether blocks widen at their first convolution.
        attention: side of the features that attend to themselves, at most half the size, or 0.
    """
    widths = [channels, *[max(1, width * halves // 2) for halves in DISCRIMINATOR_PLANS[size]]]
    blocks = falling(widths, size=size, halvings=HALVINGS[size], wide=wide, attention=attention)
    return Discriminator(blocks, Projection(widths[-1], classes) if classes else linear(widths[-1], 1))


def falling(widths: list[int], *, size: int, halvings: int, wide: bool = False, attention: int = 0) -> nn.Sequential:
    """Blocks that lead from images to features, the first `halvings` of which halve the resolution.

    Args:
        widths: channels of the image and features that leave each block.
        size: of the image.
        halvings: how many blocks halve.
        wide: whether blocks widen at their first convolution.
        attention: side of the features that attend to themselves, behind the block that halves to it, or 0.
    """
    layers: list[nn.Module] = []
    for index, (entering, leaving) in enumerate(pairwise(widths)):
        layers.append(DownBlock(entering, leaving, halve=index < halvings, first=index == 0, wide=wide))
        if index < halvings and size >> index + 1 == attention:
            layers.append(Attention(leaving))
    return nn.Sequential(*layers)


def stem(latent: int, leaving: int) -> list[nn.Module]:
    """From latents (N, latent) to features (N, leaving, 4, 4)."""
    return [linear(latent, leaving * 16), nn.Unflatten(1, (leaving, 4, 4))]


def end(norm: nn.Module, entering: int, channels: int) -> list[nn.Module]:
    """From features to images of so many channels in [-1, 1]."""
    return [norm, nn.ReLU(), convolution(entering, channels, 3), nn.Tanh()]


def _widths(size: int, width: int) -> list[int]:
    return [max(1, width * quarters // 4) for quarters in GENERATOR_PLANS[size]]


def _double(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="nearest")
