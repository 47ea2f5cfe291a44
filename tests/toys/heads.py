"""Talking heads: learn from many people, then tune to one. The second game is built from the trained first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, relu
from torch.optim import Adam

from saddlepoint.game import Game, Player, Stage, Turn

from . import streams
from .networks import mlp, weights

PEOPLE, SHOTS, SIZE = 4, 3, 6


class MetaLearning(Game):
    """Zakharov et al. 2019, section 3.2: shots of a person become an embedding that drives the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.embedder, self.generator = mlp(4, 16, SIZE), mlp(2 + SIZE, 16, 2)
        self.body, self.identities = mlp(4, 16, SIZE), nn.Embedding(PEOPLE, SIZE)

    def players(self) -> dict[str, Player]:
        return {
            "generator": Player(Adam(weights(self.embedder, self.generator), 1e-2)),
            "discriminator": Player(Adam(weights(self.body, self.identities), 2e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        who, shots, poses, pose, frame = next(batches)
        embedding = self.embedder(torch.cat([shots, poses], -1)).mean(1)
        fake = self.generator(torch.cat([pose, embedding], -1))
        yield Turn(
            "generator",
            content=l1_loss(fake, frame),
            adversarial=-self.score(fake, pose, who).mean(),
            match=(self.identities(who).detach() - embedding).abs().mean(),
        )
        for _ in range(2):
            yield Turn(
                "discriminator",
                real=relu(1 - self.score(frame, pose, who)).mean(),
                fake=relu(1 + self.score(fake.detach(), pose, who)).mean(),
            )

    def score(self, frame: Tensor, pose: Tensor, who: Tensor) -> Tensor:
        features: Tensor = self.body(torch.cat([frame, pose], -1))
        return (features * self.identities(who)).sum(-1)

    @torch.no_grad()
    def embed(self, data: streams.Made) -> Tensor:
        """The embedding of the person in `data`, shape (SIZE,)."""
        pose, frame = data.read(0, data.batch)
        embedding: Tensor = self.embedder(torch.cat([frame, pose], -1)).mean(0)
        return embedding


class FineTuning(Game):
    """Zakharov et al. 2019, section 3.3: the embedding itself is now a weight."""

    def __init__(self, learned: MetaLearning, embedding: Tensor) -> None:
        super().__init__()
        self.generator, self.body = learned.generator, learned.body
        self.embedding, self.identity = nn.Parameter(embedding), nn.Parameter(embedding.clone())

    def players(self) -> dict[str, Player]:
        return {
            "generator": Player(Adam([*self.generator.parameters(), self.embedding], 1e-2)),
            "discriminator": Player(Adam([*self.body.parameters(), self.identity], 1e-2)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        pose, frame = next(batches)
        fake = self.generator(torch.cat([pose, self.embedding.expand(len(pose), -1)], -1))
        yield Turn("generator", content=l1_loss(fake, frame), adversarial=-self.score(fake, pose).mean())
        yield Turn(
            "discriminator",
            real=relu(1 - self.score(frame, pose)).mean(),
            fake=relu(1 + self.score(fake.detach(), pose)).mean(),
        )

    def score(self, frame: Tensor, pose: Tensor) -> Tensor:
        features: Tensor = self.body(torch.cat([frame, pose], -1))
        return features @ self.identity


def stages(steps: int, batch: int) -> Iterator[Stage]:
    """Many people, then one that was never seen."""
    learning = MetaLearning()
    yield Stage("learn", learning, streams.episodes(batch, PEOPLE, SHOTS), steps)
    person = streams.one_person(batch, who=9)
    yield Stage("tune", FineTuning(learning, learning.embed(person)), person, steps)
