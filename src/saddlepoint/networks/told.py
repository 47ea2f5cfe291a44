"""Networks that are told the class at every layer: the conditional DCGAN that Radford et al. 2016 made for MNIST.

Dense layers lie between the vectors and features of 8x8, convolutions between these and the pictures. Every layer has,
besides its own biases, one for each class and feature. That is what the authors' planes of the label, joined to the
input of a layer, add to its output, save at the border, where padding cuts the planes off. Kernels are 4x4, not 5x5.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from ..layers.convolution import Down, Up
from . import dcgan

CORNER = 8
"""Height and width of the features between dense layers and convolutions."""
DENSE = 16
"""Features of the dense layers, for each channel at half the images' size."""


class Told(nn.Module):
    """A layer with biases of its own for each class, and what follows it.

    Args:
        layer: to features (N, C, …).
        leaving: C.
        after: normalization, activation and the like.
        classes: K.
    """

    def __init__(self, layer: nn.Module, leaving: int, *after: nn.Module, classes: int) -> None:
        super().__init__()
        self.layer, self.biases = layer, nn.Linear(classes, leaving, bias=False)
        self.after = nn.Sequential(*after)

    def forward(self, inputs: Tensor, label: Tensor) -> Tensor:
        features, biases = self.layer(inputs), self.biases(label)
        result: Tensor = self.after(features + biases.view(*biases.shape, *[1] * (features.ndim - 2)))
        return result


class Stack(nn.ModuleList):
    """Layers, each of which is told the class."""

    def forward(self, features: Tensor, label: Tensor) -> Tensor:
        for layer in self:
            features = layer(features, label)
        return features


def generator(*, size: int, channels: int, latent: int, classes: int, width: int = 64) -> Stack:
    """Maps latents (N, Z) and classes (N, K) to images (N, C, size, size) in [-1, 1].

    Args:
        size: of the image, a power of two from 32 on.
        channels: C.
        latent: Z.
        classes: K.
        width: channels at half the image's size; each halving doubles them.
    """
    told, widths = partial(Told, classes=classes), dcgan.channel_plan(size, width)[1:]
    dense, corner = DENSE * width, widths[0] * CORNER**2
    start = nn.BatchNorm1d(corner), nn.ReLU(inplace=True), nn.Unflatten(1, (widths[0], CORNER, CORNER))
    layers = [
        told(nn.Linear(latent, dense), dense, nn.BatchNorm1d(dense), nn.ReLU(inplace=True)),
        told(nn.Linear(dense, corner), corner, *start),
    ]
    for entering, leaving in pairwise(widths):
        layers.append(told(Up(entering, leaving, bias=True), leaving, nn.BatchNorm2d(leaving), nn.ReLU(inplace=True)))
    return Stack([*layers, told(Up(width, channels, bias=True), channels, nn.Tanh())])


def discriminator(*, size: int, channels: int, classes: int, width: int = 64) -> Stack:
    """Maps images (N, C, size, size) and classes (N, K) to logits (N,).

    Arguments are those of `generator`.
    """
    told, widths = partial(Told, classes=classes), dcgan.channel_plan(size, width)[:0:-1]
    dense, corner = DENSE * width, widths[-1] * CORNER**2
    layers = [told(Down(channels, width, bias=True), width, nn.LeakyReLU(0.2, inplace=True))]
    for entering, leaving in pairwise(widths):
        norm = nn.BatchNorm2d(leaving)
        layers.append(told(Down(entering, leaving, bias=True), leaving, norm, nn.LeakyReLU(0.2, inplace=True)))
    joined = nn.Sequential(nn.Flatten(), nn.Linear(corner, dense))
    layers.append(told(joined, dense, nn.BatchNorm1d(dense), nn.LeakyReLU(0.2, inplace=True)))
    return Stack([*layers, told(nn.Linear(dense, 1), 1, nn.Flatten(0))])
