"""Wasserstein GANs: several turns of the critic, each on a batch of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, RMSprop

from saddlepoint.game import Game, Player, Turn

from .networks import mlp
from .slopes import gradient_penalty

LATENT = 4


class Penalized(Game):
    """Gulrajani et al. 2017, Algorithm 1."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlp(LATENT, 16, 2)
        self.critic = mlp(2, 16, 1)

    def players(self) -> dict[str, Player]:
        return {
            "critic": Player(Adam(self.critic.parameters(), 1e-2, betas=(0.0, 0.9))),
            "generator": Player(Adam(self.generator.parameters(), 1e-2, betas=(0.0, 0.9))),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(3):
            real = next(batches)
            with torch.no_grad():
                fake = self.sample(len(real))
            yield Turn(
                "critic",
                wasserstein=self.critic(fake).mean() - self.critic(real).mean(),
                penalty=10 * gradient_penalty(self.critic, real, fake),
            )
        yield Turn("generator", wasserstein=-self.critic(self.sample(len(real))).mean())

    def sample(self, count: int) -> Tensor:
        points: Tensor = self.generator(torch.randn(count, LATENT))
        return points


class Clipped(Game):
    """Arjovsky et al. 2017, Algorithm 1: the critic's weights are clipped after each of its steps."""

    limit = 0.1

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlp(LATENT, 16, 2)
        self.critic = mlp(2, 16, 1)

    def players(self) -> dict[str, Player]:
        return {
            "critic": Player(RMSprop(self.critic.parameters(), 1e-2), after=self.clip),
            "generator": Player(RMSprop(self.generator.parameters(), 1e-2)),
        }

    @torch.no_grad()
    def clip(self) -> None:
        for weight in self.critic.parameters():
            weight.clamp_(-self.limit, self.limit)

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(2):
            real = next(batches)
            fake = self.generator(torch.randn(len(real), LATENT))
            yield Turn("critic", wasserstein=self.critic(fake).mean() - self.critic(real).mean())
        fake = self.generator(torch.randn(len(real), LATENT))
        yield Turn("generator", wasserstein=-self.critic(fake).mean())
