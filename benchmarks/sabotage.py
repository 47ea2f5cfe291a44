"""A GAN that can be broken on purpose: every rate, count and cost of both players is free.

    saddle train benchmarks/sabotage.py ring8 --generator-steps 20

With its defaults it is a plain GAN that learns; `doctor.py` breaks it in known ways.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from saddlepoint import recipe
from saddlepoint.game import Game, Player, Stage, Turn
from saddlepoint.layers.latents import latents
from saddlepoint.networks.mlp import mlp
from saddlepoint.objectives import (
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
    wasserstein_discriminator,
    wasserstein_generator,
)

if TYPE_CHECKING:
    from saddlepoint.data.source import Source

COSTS = {
    "minimax": (minimax_discriminator, minimax_generator),
    "non_saturating": (minimax_discriminator, non_saturating_generator),
    "wasserstein": (wasserstein_discriminator, wasserstein_generator),
}


class Options(recipe.Options):
    """What can be broken."""

    size: int = Field(8, ge=4, le=64, description="height and width of pictures in pixels")
    channels: Literal[1, 3, 4] | None = Field(None, description="1 gray, 3 RGB, 4 RGBA; none: as the data are")
    latent: int = Field(2, ge=1, le=4096, description="size of a latent")
    width: int = Field(64, ge=4, le=512, description="features of the generator's layers")
    width_discriminator: int = Field(64, ge=4, le=512, description="features of the discriminator's layers")
    cost: Literal["minimax", "non_saturating", "wasserstein"] = Field("non_saturating", description="of both players")
    generator_steps: int = Field(1, ge=1, le=100, description="steps of the generator per round")
    discriminator_steps: int = Field(1, ge=1, le=100, description="steps of the discriminator per round")
    lr_generator: float = Field(1e-3, ge=0, le=10, description="learning rate of the generator")
    lr_discriminator: float = Field(1e-3, ge=0, le=10, description="learning rate of the discriminator")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's decay of the mean gradient")
    batch: int = Field(128, ge=2, le=65536, description="samples per step")
    steps: int = Field(3000, ge=1, description="rounds to play")
    epochs: float | None = Field(None, gt=0, description="passes over the data to play, instead of steps")


SMOKE: dict[str, Any] = {"width": 4, "width_discriminator": 4, "batch": 4, "steps": 4}


class Sabotage(Game):
    """Goodfellow et al. 2014, Algorithm 1, with any number of steps on either side."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        made, judged = [options.width] * 3, [options.width_discriminator] * 3
        numbers = math.prod(shape)
        end = [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else []
        self.generator = nn.Sequential(*mlp([options.latent, *made, numbers]), *end)
        self.discriminator = nn.Sequential(nn.Flatten(), *mlp([numbers, *judged, 1]), nn.Flatten(0))
        self.judge, self.please = COSTS[options.cost]

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, betas=(self.options.beta1, 0.999))
        return {
            "discriminator": Player(adam(self.discriminator.parameters(), lr=self.options.lr_discriminator)),
            "generator": Player(adam(self.generator.parameters(), lr=self.options.lr_generator)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.discriminator_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.sample(len(real))
            yield Turn("discriminator", adversarial=self.judge(self.discriminator(real), self.discriminator(fake)))
        for _ in range(self.options.generator_steps):
            yield Turn("generator", adversarial=self.please(self.discriminator(self.sample(len(real)))))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.generator(latents)
        return samples

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)
        return scores


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = Sabotage(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
