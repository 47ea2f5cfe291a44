"""A game with every kind of state at once: batch statistics, Adam's moments, an average, a pool, a schedule, a clip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn
from saddlepoint.schedules import linear_decay

from .networks import mlp
from .translation import ReplayPool

LATENT = 4


class Everything(Game):
    """The discriminator meets old fakes; the generator has BatchNorm and is averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.averaged = {"generator": 3.0}
        self.generator = nn.Sequential(nn.Linear(LATENT, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.Linear(8, 2))
        self.discriminator = mlp(2, 8, 1)
        self.pool = ReplayPool(12, 2)

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": Player(Adam(self.discriminator.parameters(), 1e-2), clip=0.5),
            "generator": Player(Adam(self.generator.parameters(), 1e-2), schedule=linear_decay(0.2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        fake: Tensor = self.generator(torch.randn(len(real), LATENT))
        yield Turn(
            "discriminator",
            real=softplus(-self.discriminator(real)).mean(),
            fake=softplus(self.discriminator(self.pool(fake))).mean(),
        )
        yield Turn("generator", adversarial=softplus(-self.discriminator(fake)).mean())
