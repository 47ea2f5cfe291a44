"""The U-Net that turns one picture into another: an encoder and a decoder that sees every stage of it again."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ..layers.convolution import Down, Up
from ..layers.dropout import NoisyDropout
from .patch import Norm, has_bias

DROPPING = 3
"""Stages of the decoder, from the inside, whose features are dropped."""


class UNet(nn.Module):
    """Maps pictures (N, C, H, W) to pictures (N, K, H, W) in [-1, 1]; sides are multiples of 2 ** depth.

    Isola et al. 2017, section 6.1.1: for 256 pixels depth 8. What goes through the bottleneck may change its place;
    what has to stay where it is, such as outlines, takes the skip connection of its resolution.

    Args:
        entering: channels of the source.
        leaving: channels of the target.
        depth: halvings down to the bottleneck; one pixel wide, it has no normalization.
        width: channels at half the resolution; each halving doubles them, up to eight times.
        norm: of the others but the outermost.
        dropout: probability of a feature to be dropped, in training and after it: the game's only noise.
    """

    def __init__(
        self,
        entering: int,
        leaving: int,
        *,
        depth: int,
        width: int = 64,
        norm: Norm = nn.BatchNorm2d,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        widths, bias = [width * min(2**number, 8) for number in range(depth)], has_bias(norm)
        self.down = nn.ModuleList([Down(entering, width, bias=bias)])
        for number, (above, below) in enumerate(pairwise(widths)):
            layers = [nn.LeakyReLU(0.2), Down(above, below, bias=bias)]
            self.down.append(nn.Sequential(*layers, *([norm(below)] if number < depth - 2 else [])))
        self.up = nn.ModuleList()
        for number, (below, above) in enumerate(pairwise(widths[::-1])):
            layers = [nn.ReLU(), Up(below * (1 if number == 0 else 2), above, bias=bias), norm(above)]
            self.up.append(nn.Sequential(*layers, *([NoisyDropout(dropout)] if dropout and number < DROPPING else [])))
        self.up.append(nn.Sequential(nn.ReLU(), Up(2 * width, leaving, bias=True), nn.Tanh()))

    def forward(self, images: Tensor) -> Tensor:
        stages = [images]
        for down in self.down:
            stages.append(down(stages[-1]))
        features: Tensor = self.up[0](stages.pop())
        for up in self.up[1:]:
            features = up(torch.cat([stages.pop(), features], 1))
        return features
