"""CycleGAN: two networks are one player, and old fakes live in pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn
from saddlepoint.schedules import linear_decay

from .networks import mlp, weights


class ReplayPool(nn.Module):
    """Hands out fakes of earlier rounds (Shrivastava et al. 2017); what it keeps are buffers."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("items", torch.zeros(size, width))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, fakes: Tensor) -> Tensor:
        handed = []
        for fake in fakes.detach().to(self.items):
            filled = int(self.count)
            if filled < len(self.items):
                self.items[filled] = fake
                self.count += 1
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(filled, ()))
                fake, self.items[place] = self.items[place].clone(), fake
            handed.append(fake)
        return torch.stack(handed)


class CycleGAN(Game):
    """Zhu et al. 2017: the fakes of the generators' turn reach the discriminators' turn through the pools."""

    def __init__(self) -> None:
        super().__init__()
        self.to_b, self.to_a = mlp(2, 16, 2), mlp(2, 16, 2)
        self.judge_a, self.judge_b = mlp(2, 16, 1), mlp(2, 16, 1)
        self.pool_a, self.pool_b = ReplayPool(20, 2), ReplayPool(20, 2)

    def players(self) -> dict[str, Player]:
        generators, judges = weights(self.to_a, self.to_b), weights(self.judge_a, self.judge_b)
        return {
            "generators": Player(Adam(generators, 1e-2), schedule=linear_decay(0.5)),
            "discriminators": Player(Adam(judges, 1e-2), schedule=linear_decay(0.5)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        a, b = next(batches)
        fake_a, fake_b = self.to_a(b), self.to_b(a)
        yield Turn(
            "generators",
            adversarial=(self.judge_a(fake_a) - 1).square().mean() + (self.judge_b(fake_b) - 1).square().mean(),
            cycle=10 * (l1_loss(self.to_a(fake_b), a) + l1_loss(self.to_b(fake_a), b)),
            identity=5 * (l1_loss(self.to_a(a), a) + l1_loss(self.to_b(b), b)),
        )
        old_a, old_b = self.pool_a(fake_a), self.pool_b(fake_b)
        yield Turn(
            "discriminators",
            a=((self.judge_a(a) - 1).square().mean() + self.judge_a(old_a).square().mean()) / 2,
            b=((self.judge_b(b) - 1).square().mean() + self.judge_b(old_b).square().mean()) / 2,
        )
