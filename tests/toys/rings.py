"""Plain GANs on points of a ring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn

from .networks import mlp
from .slopes import r1

LATENT = 4


class Vanilla(Game):
    """Goodfellow et al. 2014, Algorithm 1, with the non-saturating loss: one batch of fakes serves both turns."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlp(LATENT, 16, 2)
        self.discriminator = mlp(2, 16, 1)

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": Player(Adam(self.discriminator.parameters(), 1e-2)),
            "generator": Player(Adam(self.generator.parameters(), 1e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        fake = self.sample(len(real))
        yield Turn(
            "discriminator",
            real=softplus(-self.discriminator(real)).mean(),
            fake=softplus(self.discriminator(fake.detach())).mean(),
        )
        yield Turn("generator", adversarial=softplus(-self.discriminator(fake)).mean())

    def sample(self, count: int) -> Tensor:
        points: Tensor = self.generator(torch.randn(count, LATENT))
        return points


class Given(Vanilla):
    """A round that draws nothing: latents come with the data, so parts of a batch average to the whole."""

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real, latents = next(batches)
        # Not detached: the loop lets no gradient through to the generator.
        fake = self.generator(latents)
        yield Turn(
            "discriminator",
            real=softplus(-self.discriminator(real)).mean(),
            fake=softplus(self.discriminator(fake)).mean(),
            r1=r1(self.discriminator, real),
        )
        yield Turn("generator", adversarial=softplus(-self.discriminator(self.generator(latents))).mean())


class LazyPenalty(Vanilla):
    """A lazy regularizer (Karras et al. 2020): every other round the discriminator has a second turn."""

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        with torch.no_grad():
            fake = self.sample(len(real))
        yield Turn(
            "discriminator",
            real=softplus(-self.discriminator(real)).mean(),
            fake=softplus(self.discriminator(fake)).mean(),
        )
        if self.step % 2 == 0:
            yield Turn("discriminator", r1=2 * r1(self.discriminator, real))
        yield Turn("generator", adversarial=softplus(-self.discriminator(self.sample(len(real)))).mean())
