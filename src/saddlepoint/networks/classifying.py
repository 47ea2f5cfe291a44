"""A classifier that is a discriminator, and a generator to go with it (Salimans et al. 2016, section 5).

Noise before every layer and weights of a given length keep the classifier from being sure of what it learned from few
labels. In the `connected` form no pixel knows its neighbors; the `convolutional` one is the authors' for house numbers,
a layer shorter.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ..layers.convolution import Up
from ..layers.dither import Dither
from ..layers.weightnorm import weight_norm

Form: TypeAlias = Literal["connected", "convolutional"]


class Discriminator(nn.Module):
    """Maps images (N, C, H, W) in [-1, 1] to the logits (N, K) of their classes."""

    def __init__(self, form: Form, width: int, classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        if form == "connected":
            self.body = connected([math.prod(shape), *(width * times for times in (4, 2, 1, 1, 1))])
            self.head = nn.Sequential(Dither(0.5), normalized(nn.Linear(width, classes), learn_length=True))
        else:
            self.body = convolutional(shape[0], width)
            self.head = nn.Sequential(normalized(nn.Linear(2 * width, classes), learn_length=True))

    def features(self, images: Tensor) -> Tensor:
        """Features (N, F) before the logits."""
        # Ink is 1 and paper 0: the noise is meant for this range.
        features: Tensor = self.body((images + 1) / 2)
        return features

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images))
        return logits


def normalized(layer: nn.Module, *, learn_length: bool = False) -> nn.Module:
    """A layer with weight normalization, its directions drawn as the authors draw them."""
    assert isinstance(layer.weight, Tensor)
    nn.init.normal_(layer.weight, 0.0, 0.1)
    return weight_norm(layer, learn_length=learn_length)


def connected(widths: list[int]) -> nn.Sequential:
    """Hidden layers with noise before each."""
    layers: list[nn.Module] = [nn.Flatten()]
    for number, (entering, leaving) in enumerate(pairwise(widths)):
        layers += [Dither(0.5 if number else 0.3), normalized(nn.Linear(entering, leaving)), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def convolutional(channels: int, width: int) -> nn.Sequential:
    """Nine convolutions, the third and the sixth with stride 2, the last two of single pixels; then the mean."""
    layers: list[nn.Module] = []
    for number, (entering, leaving) in enumerate(pairwise([channels, *[width] * 3, *[2 * width] * 6])):
        if number % 3 == 0:
            layers.append(nn.Dropout(0.5 if number else 0.2))
        side, stride = 3 if number < 7 else 1, 2 if number in (2, 5) else 1
        layers += [normalized(nn.Conv2d(entering, leaving, side, stride, side // 2)), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def generator(form: Form, latent: int, width: int, shape: tuple[int, ...]) -> nn.Sequential:
    """Maps latents (N, Z) to images in [0, 1], of twice the discriminator's width."""
    wide = 2 * width
    if form == "connected":
        layers: list[nn.Module] = []
        for entering in (latent, wide):
            layers += [nn.Linear(entering, wide, bias=False), nn.BatchNorm1d(wide), Centered()]
        layers.append(nn.Linear(wide, math.prod(shape)))
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
        weight_norm(layers[-1], learn_length=True)
        return nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, shape))
    corner = (2 * wide, shape[1] // 4, shape[2] // 4)
    return nn.Sequential(
        nn.Linear(latent, math.prod(corner), bias=False),
        nn.Unflatten(1, corner),
        *(nn.BatchNorm2d(2 * wide), nn.ReLU(inplace=True), Up(2 * wide, wide)),
        *(nn.BatchNorm2d(wide), nn.ReLU(inplace=True), Up(wide, shape[0], bias=True)),
        nn.Sigmoid(),
    )


class Centered(nn.Softplus):
    """The softplus less its mean over N(0, 1): weights behind it learn what varies, and biases the level."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features) - 0.806


@torch.no_grad()
def begin_with_the_mean(generator: nn.Sequential, images: Tensor) -> None:
    """Sets the last biases of a connected generator to the mean of images (N, C, H, W) in [-1, 1]."""
    last = next(layer for layer in reversed(generator) if isinstance(layer, nn.Linear))
    last.bias.copy_(((images.mean(0).flatten() + 1) / 2).clamp(0.01, 0.99).logit())
