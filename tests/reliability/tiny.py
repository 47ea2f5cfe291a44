"""A small game with every kind of state, for runs that are killed.

Two stages on 16x16 pictures and about 43,000 parameters; the second stage starts from the first one's generator. There
are batch statistics, dropout, a pool of old fakes, a running mean, averaged weights, a schedule, and two kinds of
optimizers: whatever a checkpoint forgets shows in the bits of the next loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from saddlepoint import recipe
from saddlepoint.game import Game, Player, Stage, Turn
from saddlepoint.objectives import cross_entropy, non_saturating_generator

LATENT, HIDDEN, SIDE, POOL = 16, 128, 16, 32


class Options(recipe.Options):
    """What can be chosen about the small game."""

    warm: int = Field(150, ge=1, description="rounds of the first stage")
    steps: int = Field(450, ge=1, description="rounds of the second stage")
    batch: int = Field(16, ge=1, description="images per step")
    epochs: float | None = Field(None, gt=0, description="passes over the data")


SMOKE: dict[str, Any] = {"warm": 2, "steps": 2, "batch": 4}


class Tiny(Game):
    """A GAN whose discriminator also sees fakes of earlier rounds."""

    def __init__(self, *, momentum: bool) -> None:
        super().__init__()
        self.latent, self.momentum = LATENT, momentum
        self.generator = nn.Sequential(
            nn.Linear(LATENT, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, SIDE * SIDE), nn.Tanh()
        )
        self.discriminator = nn.Sequential(
            nn.Flatten(),
            nn.Linear(SIDE * SIDE, 32),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.1),
            nn.Linear(32, 1),
            nn.Flatten(0),
        )
        self.averaged = {"generator": 20.0}
        self.register_buffer("pool", torch.zeros(POOL, 1, SIDE, SIDE))
        self.register_buffer("trust", torch.tensor(0.5))

    def players(self) -> dict[str, Player]:
        generator = torch.optim.Adam(self.generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
        judge: torch.optim.Optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
        if self.momentum:
            judge = torch.optim.SGD(self.discriminator.parameters(), lr=1e-2, momentum=0.9)
        return {
            "discriminator": Player(judge, clip=5.0),
            "generator": Player(generator, schedule=lambda fraction: 1.0 - 0.5 * fraction),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        fake = self.sample(len(real))
        old = self.pool[torch.randint(POOL, (len(real),))]
        self.pool[torch.randint(POOL, (len(real),))] = fake.detach()
        scores = self.discriminator(real)
        self.trust.lerp_(scores.detach().sigmoid().mean(), 0.1)
        yield Turn(
            "discriminator",
            real=cross_entropy(scores, 1.0) * (0.5 + self.trust),
            fake=cross_entropy(self.discriminator(fake.detach()), 0.0),
            old=cross_entropy(self.discriminator(old), 0.0),
            watch={"trust": self.trust.clone()},
        )
        yield Turn("generator", adversarial=non_saturating_generator(self.discriminator(fake)))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(torch.randn(count, LATENT, generator=generator))

    def decode(self, latents: Tensor) -> Tensor:
        return self.generator(latents).reshape(-1, 1, SIDE, SIDE)


def stages(options: Options, data: Any) -> Iterator[Stage]:
    stream = data.images(size=SIDE, channels=1).stream(options.batch)
    first = Tiny(momentum=True)
    yield Stage("warm", first, stream, options.warm)
    second = Tiny(momentum=False)
    second.generator.load_state_dict(first.generator.state_dict())
    yield Stage("main", second, stream, options.steps)
