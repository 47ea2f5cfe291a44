"""Historical averaging: a player is held near the mean of what it was; that mean is a buffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector
from torch.optim import SGD

from saddlepoint.game import Game, Player, Turn

from .networks import mlp

LATENT = 4


class Historical(Game):
    """Salimans et al. 2016, section 3.3; `after` updates the mean once a step, however many micro-batches there are."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = mlp(LATENT, 16, 2), mlp(2, 16, 1)
        self.register_buffer("history", parameters_to_vector(self.generator.parameters()).detach())
        self.register_buffer("seen", torch.tensor(1))

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": Player(SGD(self.discriminator.parameters(), 1e-2, momentum=0.9)),
            "generator": Player(SGD(self.generator.parameters(), 1e-2), after=self.remember),
        }

    @torch.no_grad()
    def remember(self) -> None:
        self.seen += 1
        self.history.lerp_(parameters_to_vector(self.generator.parameters()), 1 / int(self.seen))

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        fake: Tensor = self.generator(torch.randn(len(real), LATENT))
        yield Turn(
            "discriminator",
            real=softplus(-self.discriminator(real)).mean(),
            fake=softplus(self.discriminator(fake.detach())).mean(),
        )
        yield Turn(
            "generator",
            adversarial=softplus(-self.discriminator(fake)).mean(),
            history=(parameters_to_vector(self.generator.parameters()) - self.history).square().sum(),
        )
