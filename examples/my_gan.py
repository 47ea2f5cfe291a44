"""Least squares GAN on small images (Mao et al. 2017): a recipe of one's own in one file.

    saddle train examples/my_gan.py digits --steps 2000

Differs from the paper: three layers in place of its deep networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

import saddlepoint
from saddlepoint import Game, Player, Stage, Turn


class Options(saddlepoint.Options):
    """What can be chosen."""

    size: int = Field(28, ge=8, le=64, description="height and width of the images in pixels")
    latent: int = Field(64, ge=1, le=1024, description="size of a latent")
    width: int = Field(256, ge=8, le=4096, description="units of a hidden layer")
    lr: float = Field(2e-4, gt=0, le=1, description="learning rate of both players")
    batch: int = Field(64, ge=1, le=4096, description="images per step")
    steps: int = Field(5_000, ge=1, description="rounds to play")


SMOKE = {"size": 8, "latent": 4, "width": 8, "batch": 4, "steps": 4}


class LeastSquares(Game):
    """Scores are drawn to 1 for real and 0 for fake."""

    def __init__(self, options: Options, channels: int) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.shape = (channels, options.size, options.size)
        pixels = channels * options.size**2
        self.generator = nn.Sequential(
            nn.Linear(options.latent, options.width), nn.LeakyReLU(0.2), nn.Linear(options.width, pixels), nn.Tanh()
        )
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, options.width), nn.LeakyReLU(0.2), nn.Linear(options.width, 1)
        )

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(0.5, 0.999))
        return {name: Player(adam(getattr(self, name).parameters())) for name in ("discriminator", "generator")}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        fake = self.sample(len(real))
        yield Turn(
            "discriminator",
            real=(self.discriminator(real) - 1).square().mean() / 2,
            fake=self.discriminator(fake.detach()).square().mean() / 2,
        )
        yield Turn("generator", adversarial=(self.discriminator(fake) - 1).square().mean() / 2)

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(torch.randn(count, self.latent, generator=generator))

    def decode(self, latents: Tensor) -> Tensor:
        return self.generator(latents.to(next(self.parameters()).device)).view(-1, *self.shape)


def stages(options: Options, data: Any) -> Iterator[Stage]:
    images = data.images(size=options.size)
    game = LeastSquares(options, images.channels)
    yield Stage("adversarial", game, images.stream(options.batch), options.steps)
