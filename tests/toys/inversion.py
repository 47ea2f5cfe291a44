"""Inversion: the player is a set of latents, and there is no data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn

from .networks import mlp

LATENT = 4


class Inversion(Game):
    """Moves latents until a frozen generator makes the target of them."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlp(LATENT, 16, 2)
        self.register_buffer("target", torch.randn(5, 2))
        self.latents = nn.Parameter(torch.zeros(5, LATENT))

    def players(self) -> dict[str, Player]:
        return {"latents": Player(Adam([self.latents], 0.05))}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        assert next(batches) is None
        yield Turn(
            "latents",
            reconstruction=mse_loss(self.generator(self.latents), self.target),
            prior=1e-4 * self.latents.square().mean(),
        )
