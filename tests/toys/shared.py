"""Semi-supervised learning: a classifier and a discriminator are two players on the same parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn

from .networks import mlp, weights

LATENT = 4


class SemiSupervised(Game):
    """Salimans et al. 2016: D(x) = Z(x) / (Z(x) + 1) on a classifier's logits, features matched by the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(2, 16, 16)
        self.head = nn.Linear(16, 3)
        self.generator = mlp(LATENT, 16, 2)

    def players(self) -> dict[str, Player]:
        return {
            "classifier": Player(Adam(weights(self.body, self.head), 1e-2)),
            "discriminator": Player(Adam(weights(self.body, self.head), 1e-2)),
            "generator": Player(Adam(self.generator.parameters(), 1e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        labeled, label, unlabeled = next(batches)
        yield Turn("classifier", cross_entropy=cross_entropy(self.head(self.body(labeled)), label))
        fake = self.generator(torch.randn(len(labeled), LATENT))
        yield Turn(
            "discriminator",
            real=softplus(-self.score(unlabeled)).mean(),
            fake=softplus(self.score(fake.detach())).mean(),
        )
        yield Turn("generator", features=(self.body(fake).mean(0) - self.body(unlabeled).mean(0)).square().sum())

    def score(self, points: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(points))
        return logits.logsumexp(1)
