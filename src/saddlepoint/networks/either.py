"""Networks for whatever the data are: fully connected for points, a DCGAN's for pictures."""

from __future__ import annotations

from torch import nn

from . import dcgan
from .mlp import mlp


def generator(
    shape: tuple[int, ...], *, latent: int, width: int, depth: int = 3, norm: dcgan.Norm = "batch"
) -> nn.Sequential:
    """Maps latents (N, latent) to points (N, D), or to pictures (N, C, H, W) in [-1, 1].

    Args:
        shape: of one sample: (D,), or (C, H, W) of a square picture whose side is a power of two.
        latent: size of a latent.
        width: features of a hidden layer; for pictures channels at half their size.
        depth: hidden layers; for pictures their size decides.
        norm: what stands between two convolutions; a network for points normalizes nothing.
    """
    if len(shape) == 1:
        return mlp([latent, *[width] * depth, *shape], leak=0.0)
    network = dcgan.generator(size=shape[1], channels=shape[0], latent=latent, width=width, norm=norm)
    # Radford's N(0, 0.02) counts on BatchNorm to scale what a layer gives out; without it the signal would fade.
    dcgan.initialize(network, "normal" if norm == "batch" else "he")
    return network


def discriminator(shape: tuple[int, ...], *, width: int, depth: int = 3, norm: dcgan.Norm = "batch") -> nn.Sequential:
    """Maps points (N, D) or pictures (N, C, H, W) to logits (N,).

    Args:
        shape: of one sample, as for `generator`.
        width: features of a hidden layer; for pictures channels at half their size.
        depth: hidden layers; for pictures their size decides.
        norm: what stands between two convolutions; a network for points normalizes nothing.
    """
    if len(shape) == 1:
        return nn.Sequential(*mlp([*shape, *[width] * depth, 1]), nn.Flatten(0))
    network = dcgan.discriminator(size=shape[1], channels=shape[0], width=width, norm=norm)
    dcgan.initialize(network, "normal" if norm == "batch" else "torch")
    return network
