"""MaskGAN: words are chosen, not differentiated, and three players learn from one roll-out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, mse_loss, softplus
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn

from .networks import weights

VOCABULARY, LENGTH, SIZE = 6, 5, 12


class MaskGAN(Game):
    """Fedus et al. 2018: the roll-out is a local variable that the discriminator, critic and generator share."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.policy = nn.Embedding(VOCABULARY + 1, SIZE), nn.GRU(SIZE, SIZE, batch_first=True)
        self.word = nn.Linear(SIZE, VOCABULARY)
        self.judge_embedding, self.judge = nn.Embedding(VOCABULARY, SIZE), nn.GRU(SIZE, SIZE, batch_first=True)
        self.real = nn.Linear(SIZE, 1)
        self.value = nn.Sequential(nn.Embedding(VOCABULARY, SIZE), nn.Linear(SIZE, 1), nn.Flatten(1))

    def players(self) -> dict[str, Player]:
        return {
            "generator": Player(Adam(weights(self.embedding, self.policy, self.word), 1e-2), clip=1.0),
            "discriminator": Player(Adam(weights(self.judge_embedding, self.judge, self.real), 1e-2)),
            "critic": Player(Adam(self.value.parameters(), 1e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        text = next(batches)
        mask = torch.rand(text.shape) < 0.5
        seen = torch.where(mask, VOCABULARY, text)
        policy = torch.distributions.Categorical(logits=self.word(self.policy(self.embedding(seen))[0]).float())
        filled = torch.where(mask, policy.sample(), text)
        yield Turn(
            "discriminator",
            real=softplus(-self.score(text)).mean(),
            fake=(softplus(self.score(filled)) * mask).mean(),
        )
        with torch.no_grad():
            rewards = logsigmoid(self.score(filled)) * mask
        returns = rewards.flip(1).cumsum(1).flip(1)
        value = self.value(filled)
        yield Turn("critic", value=mse_loss(value, returns.to(value)))
        advantage = (returns - value).detach()
        yield Turn("generator", policy=-(advantage * policy.log_prob(filled) * mask).mean())

    def score(self, text: Tensor) -> Tensor:
        scores: Tensor = self.real(self.judge(self.judge_embedding(text))[0])
        return scores.squeeze(-1)
