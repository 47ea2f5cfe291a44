"""Motion transfer: a frame is made of the frame before it, and neighbors are judged together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.optim import Adam

from saddlepoint.game import Game, Player, Turn

from .networks import mlp


class MotionTransfer(Game):
    """Chan et al. 2019: temporal smoothing over pairs of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = mlp(4, 16, 2), mlp(8, 16, 1)

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": Player(Adam(self.discriminator.parameters(), 1e-2)),
            "generator": Player(Adam(self.generator.parameters(), 1e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        frames, poses = next(batches)
        made = [torch.zeros_like(frames[:, 0])]
        for pose in poses.unbind(1):
            made.append(self.generator(torch.cat([pose, made[-1].detach()], -1)))
        film = torch.stack(made[1:], 1)
        yield Turn(
            "discriminator",
            real=(self.score(frames, poses) - 1).square().mean(),
            fake=self.score(film.detach(), poses).square().mean(),
        )
        yield Turn(
            "generator",
            adversarial=(self.score(film, poses) - 1).square().mean(),
            reconstruction=10 * l1_loss(film, frames),
        )

    def score(self, film: Tensor, poses: Tensor) -> Tensor:
        pairs = [film[:, :-1], film[:, 1:], poses[:, :-1], poses[:, 1:]]
        scores: Tensor = self.discriminator(torch.cat(pairs, -1))
        return scores
