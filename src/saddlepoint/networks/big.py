"""The networks of BigGAN (Brock et al. 2019), with the channels of the authors' PyTorch code at 32, 64 and 128 pixels.

The generator's latent is cut into as many parts as there are blocks, and one more: the first makes the features of
4x4, each other, joined with a vector of the class that all blocks share, the gains and biases of its block. So a latent
speaks at every scale. The discriminator is that of Zhang et al. 2019, a residual one with a projection.

Differs from the code: attention is at half the image's size, the published 64 for 128 pixels, where the code would
leave the discriminators of smaller images without it. Biases start at zero.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..layers.conditional import Projection, vector_norm
from ..layers.labels import Embedding
from .resnet import ConditionalGenerator, Discriminator, UpBlock, end, falling, stem

GENERATOR_PLANS = {32: (4, 4, 4, 4), 64: (16, 16, 8, 4, 2), 128: (16, 16, 8, 4, 2, 1)}
"""Features at 4x4, 8x8, … up to the image's size, in widths."""

DISCRIMINATOR_PLANS = {32: (4, 4, 4, 4), 64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16, 16)}
"""Features that leave each block, in widths."""

HALVINGS = {32: 2, 64: 4, 128: 5}
"""How many blocks of the discriminator, from the first on, halve the resolution."""

Network = TypeVar("Network", bound=nn.Module)


class Generator(nn.Module):
    """Maps latents (N, Z) and labels to images (N, C, size, size) in [-1, 1].

    Args:
        widths: features at 4x4, 8x8, … up to the image's size.
        channels: of the image.
        latent: Z, a multiple of the number of widths.
        classes: how many.
        shared: size of the vector of a class.
        attention: side of the features that attend to themselves, or 0.
    """

    def __init__(
        self, widths: list[int], *, channels: int, latent: int, classes: int, shared: int, attention: int
    ) -> None:
        super().__init__()
        self.part = latent // len(widths)
        norm = partial(vector_norm, size=shared + self.part)
        self.shared = Embedding(classes, shared)
        self.network = ConditionalGenerator(
            nn.Sequential(*stem(self.part, widths[0])),
            [UpBlock(entering, leaving, norm=norm) for entering, leaving in pairwise(widths)],
            nn.Sequential(*end(nn.BatchNorm2d(widths[-1]), widths[-1], channels)),
            attention=attention,
        )

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        first, *parts = latents.split(self.part, 1)
        of_class = self.shared(labels)
        images: Tensor = self.network(first, *(torch.cat([of_class, part], 1) for part in parts))
        return images


def generator(*, size: int, channels: int, latent: int, classes: int, width: int = 96, shared: int = 128) -> Generator:
    """The authors' generator, without its spectral normalization; their width is 96.

    Args:
        size: of the image: 32, 64 or 128.
        channels: of the image.
        latent: size of a latent; 4 equal parts are made of it at 32, 5 at 64, 6 at 128.
        classes: how many.
        width: the plan's unit.
        shared: size of the vector of a class.

    Raises:
        UsageError: the latent cannot be cut into equal parts.
    """
    widths = [width * units for units in GENERATOR_PLANS[size]]
    if latent % len(widths):
        fitting = -(-latent // len(widths)) * len(widths)
        raise UsageError(
            f"a latent of {latent} cannot be cut into {len(widths)} equal parts, one for each scale of {size} pixels",
            where="--latent",
            fix=f"--latent {fitting}",
        )
    return orthogonal(
        Generator(widths, channels=channels, latent=latent, classes=classes, shared=shared, attention=size // 2)
    )


def discriminator(*, size: int, channels: int, classes: int, width: int = 96) -> Discriminator:
    """Maps images and labels to logits (N,); without its spectral normalization. Arguments are those of `generator`."""
    widths = [channels, *(width * units for units in DISCRIMINATOR_PLANS[size])]
    blocks = falling(widths, size=size, halvings=HALVINGS[size], wide=True, attention=size // 2)
    return orthogonal(Discriminator(blocks, Projection(widths[-1], classes)))


def orthogonal(network: Network) -> Network:
    """Draws all weights that are matrices anew, each with orthogonal rows or columns (Saxe et al. 2014)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            nn.init.orthogonal_(layer.weight)
    return network
