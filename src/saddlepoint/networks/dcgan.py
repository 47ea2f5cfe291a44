"""The convolutional networks of Radford et al. 2016, as the PyTorch DCGAN tutorial and a Keras tutorial build them.

A generator maps latents (N, Z) to images (N, C, size, size) in [-1, 1]; a discriminator maps images to logits (N,).
Both halve or double the resolution from layer to layer, between 4x4 and the image.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Literal

from torch import nn

from ..layers.convolution import Down, Head, Stem, Up

Initialization = Literal["normal", "chapter", "glorot", "he", "torch"]
Norm = Literal["batch", "layer", "none"]


def channel_plan(size: int, width: int) -> list[int]:
    """Channels at 4x4, 8x8, … up to half the image's size: 64 and width w give 8w, 4w, 2w, w.

    Args:
        size: of the image, a power of two from 8 on.
        width: channels at half the image's size.
    """
    return [width * 2**doublings for doublings in reversed(range(size.bit_length() - 3))]


def _norm(kind: Norm, channels: int) -> list[nn.Module]:
    """Normalization over the batch, over each sample, or none."""
    if kind == "none":
        return []
    return [nn.BatchNorm2d(channels) if kind == "batch" else nn.GroupNorm(1, channels)]


def generator(
    *, size: int, channels: int, latent: int, width: int = 64, leak: float = 0.0, norm: Norm = "batch"
) -> nn.Sequential:
    """The tutorial's generator: transposed convolutions without biases, BatchNorm, ReLU and a tanh at the end.

    Args:
        size: of the image, a power of two.
        channels: of the image.
        latent: size of a latent.
        width: channels at half the image's size.
        leak: slope of a LeakyReLU instead of the ReLU.
        norm: what stands in place of the BatchNorm; then convolutions have biases.
    """
    widths, bias = channel_plan(size, width), norm != "batch"
    layers = [Stem(latent, widths[0], bias=bias), *_norm(norm, widths[0]), nn.LeakyReLU(leak, inplace=True)]
    for entering, leaving in pairwise(widths):
        layers += [Up(entering, leaving, bias=bias), *_norm(norm, leaving), nn.LeakyReLU(leak, inplace=True)]
    return nn.Sequential(*layers, Up(width, channels, bias=bias), nn.Tanh())


def discriminator(*, size: int, channels: int, width: int = 64, norm: Norm = "batch") -> nn.Sequential:
    """The tutorial's discriminator: strided convolutions without biases, BatchNorm after all but the first and last.

    Args:
        size: of the image, a power of two.
        channels: of the image.
        width: channels at half the image's size.
        norm: what stands in place of the BatchNorm; then convolutions have biases. Without them a norm of each sample
            would make the network blind to contrast: a picture and its double would have the same score.
    """
    widths, bias = channel_plan(size, width)[::-1], norm != "batch"
    layers = [Down(channels, width, bias=bias), nn.LeakyReLU(0.2, inplace=True)]
    for entering, leaving in pairwise(widths):
        layers += [Down(entering, leaving, bias=bias), *_norm(norm, leaving), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, Head(widths[-1], bias=bias))


# Keras weighs the old mean by 0.5, torch the new one: at one half the two agree.
_KerasNorm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.5)


def keras_generator(*, size: int, channels: int, latent: int, width: int = 64, leak: float = 0.2) -> nn.Sequential:
    """The generator of "An End to End Introduction to GANs": with biases and one 3x3 convolution at half the size.

    Arguments are those of `generator`.
    """
    widths = channel_plan(size, width)
    layers = [Stem(latent, widths[0], bias=True), _KerasNorm(widths[0]), nn.LeakyReLU(leak, inplace=True)]
    for entering, leaving in pairwise(widths):
        layers += [Up(entering, leaving, bias=True), _KerasNorm(leaving), nn.LeakyReLU(leak, inplace=True)]
    layers += [nn.Conv2d(width, width, 3, padding=1), _KerasNorm(width), nn.LeakyReLU(leak, inplace=True)]
    return nn.Sequential(*layers, Up(width, channels, bias=True), nn.Tanh())


def keras_discriminator(*, size: int, channels: int, width: int = 64) -> nn.Sequential:
    """The discriminator of "An End to End Introduction to GANs": with biases and a dense layer on the 4x4 features.

    Arguments are those of `discriminator`.
    """
    widths = channel_plan(size, width)[::-1]
    layers = [Down(channels, width, bias=True), nn.LeakyReLU(0.2, inplace=True)]
    for entering, leaving in pairwise(widths):
        layers += [Down(entering, leaving, bias=True), _KerasNorm(leaving), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 16, 1), nn.Flatten(0))


def initialize(network: nn.Module, how: Initialization) -> None:
    """Draws new weights from torch's default generator.

    Args:
        network: changed in place.
        how: `normal`, N(0, 0.02) for convolutions and N(1, 0.02) for BatchNorm's scales, is Radford et al.'s and the
            tutorial's; `chapter` draws the scales from N(0, 0.02) instead, as a published variant for digits does;
            `glorot`, uniform with scales of one, is Keras' default; `he`, normal with variance 2 / inputs, keeps a
            signal's strength through layers without normalization (He et al. 2015, eq. 10). Biases are zero in these
            four. `torch` leaves every layer as PyTorch made it.
    """
    if how == "torch":
        return
    scale_mean = {"normal": 1.0, "chapter": 0.0}
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if how == "glorot":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.normal_(module.weight, 0.0, (2 / _inputs(module)) ** 0.5 if how == "he" else 0.02)
        elif isinstance(module, nn.BatchNorm2d) and how in scale_mean:
            nn.init.normal_(module.weight, scale_mean[how], 0.02)
        if isinstance(bias := getattr(module, "bias", None), nn.Parameter):
            nn.init.zeros_(bias)


def _inputs(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> float:
    """How many numbers each number that a layer gives out is the sum of."""
    if isinstance(layer, Stem):  # one pixel comes in, so each that goes out has a weight of its own for every latent
        return layer.in_channels
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * math.prod(layer.kernel_size) / math.prod(layer.stride)
    return layer.weight[0].numel()
