"""Discriminators that judge every patch of a picture by itself (Isola et al. 2017, sections 3.2.2 and 6.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from ..layers.convolution import Down

Norm = Callable[[int], nn.Module]
"""Makes the normalization of so many channels."""


def has_bias(norm: Norm) -> bool:
    """Whether a convolution before this normalization needs a bias: one that learns shifts brings its own."""
    return getattr(norm(1), "bias", None) is None


def discriminator(channels: int, *, width: int = 64, layers: int = 3, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """Maps pictures (N, C, H, W) to logits (N, 1, h, w), one for each patch.

    Patches are 70 pixels wide for three layers, 34 for two, 16 for one, and one pixel for none: the paper's PixelGAN.
    Five layers see 286 pixels, its ImageGAN. With three layers a picture of 256 pixels has 30x30 patches.

    Args:
        channels: of what is judged; a conditional game judges source and target together, on top of each other.
        width: channels of the first layer; each layer doubles them, up to eight times.
        layers: those that halve the resolution.
        norm: of all layers but the first and the last.
    """
    bias = has_bias(norm)
    if not layers:
        return nn.Sequential(
            *(nn.Conv2d(channels, width, 1), nn.LeakyReLU(0.2, inplace=True)),
            *(nn.Conv2d(width, 2 * width, 1, bias=bias), norm(2 * width), nn.LeakyReLU(0.2, inplace=True)),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )
    widths = [width * min(2**number, 8) for number in range(layers + 1)]
    body: list[nn.Module] = [Down(channels, width, bias=True), nn.LeakyReLU(0.2, inplace=True)]
    for entering, leaving in pairwise(widths[:-1]):
        body += [Down(entering, leaving, bias=bias), norm(leaving), nn.LeakyReLU(0.2, inplace=True)]
    body += [nn.Conv2d(widths[-2], widths[-1], 4, padding=1, bias=bias), norm(widths[-1])]
    body += [nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*body, nn.Conv2d(widths[-1], 1, 4, padding=1))
