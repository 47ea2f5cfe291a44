"""Progressive growth: two stages with the same networks, as two games or as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from saddlepoint.game import Game, Player, Stage, Turn

from . import streams
from .slopes import gradient_penalty

LATENT, SMALL, LARGE, SIZE = 4, 4, 8, 12


class GrowingGenerator(nn.Module):
    """Makes small waves, or large ones that fade in over the enlarged small ones."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(LATENT, SIZE), nn.Linear(SIZE, SIZE)
        self.small, self.large = nn.Linear(SIZE, SMALL), nn.Linear(SIZE, LARGE)

    def forward(self, latents: Tensor, level: int, share: float) -> Tensor:
        features = self.first(latents).tanh()
        small: Tensor = self.small(features)
        if level == 0:
            return small
        return torch.lerp(small.repeat_interleave(2, 1), self.large(self.second(features).tanh()), share)


class GrowingCritic(nn.Module):
    """The generator's mirror."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Linear(SMALL, SIZE), nn.Linear(LARGE, SIZE)
        self.second, self.last = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, 1)

    def forward(self, waves: Tensor, level: int, share: float) -> Tensor:
        if level == 0:
            features = self.small(waves).tanh()
        else:
            small = self.small(waves.view(-1, SMALL, 2).mean(2)).tanh()
            large = self.second(self.large(waves).tanh()).tanh()
            features = torch.lerp(small, large, share)
        scores: Tensor = self.last(features)
        return scores


class Growing(Game):
    """One level (Karras et al. 2018); how far it has faded in follows from `step`."""

    def __init__(self, generator: GrowingGenerator, critic: GrowingCritic, level: int, fade: int) -> None:
        super().__init__()
        self.averaged = {"generator": 2.0}
        self.generator, self.critic, self.level, self.fade = generator, critic, level, fade

    def players(self) -> dict[str, Player]:
        return {
            "critic": Player(Adam(self._used(self.critic), 1e-2, betas=(0.0, 0.99))),
            "generator": Player(Adam(self._used(self.generator), 1e-2, betas=(0.0, 0.99))),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        with torch.no_grad():
            fake = self.make(len(real))
        yield Turn(
            "critic",
            wasserstein=self.score(fake).mean() - self.score(real).mean(),
            penalty=10 * gradient_penalty(self.score, real, fake),
        )
        yield Turn("generator", wasserstein=-self.score(self.make(len(real))).mean())

    @property
    def share(self) -> float:
        return min(1.0, (self.step + 1) / self.fade)

    def make(self, count: int) -> Tensor:
        waves: Tensor = self.generator(torch.randn(count, LATENT), self.level, self.share)
        return waves

    def score(self, waves: Tensor) -> Tensor:
        scores: Tensor = self.critic(waves, self.level, self.share)
        return scores

    def _used(self, network: nn.Module) -> list[nn.Parameter]:
        # What the first level does not use yet would never get a gradient.
        unused = {"second", "large"} if self.level == 0 else set()
        return [weight for name, weight in network.named_parameters() if name.partition(".")[0] not in unused]


def stages(steps: int, batch: int) -> Iterator[Stage]:
    """Small waves, then large ones from the networks that made the small."""
    generator, critic = GrowingGenerator(), GrowingCritic()
    yield Stage("small", Growing(generator, critic, 0, 1), streams.waves(batch, SMALL), steps)
    yield Stage("large", Growing(generator, critic, 1, steps), streams.waves(batch, LARGE), steps)


class Sprouting(Game):
    """One game, whose generator gets another layer between its stages."""

    def __init__(self) -> None:
        super().__init__()
        self.averaged = {"generator": 2.0}
        self.generator = nn.Sequential(nn.Linear(LATENT, SMALL))
        self.critic = nn.Linear(SMALL, 1)

    def grow(self) -> None:
        self.generator.extend([nn.Tanh(), nn.Linear(SMALL, SMALL)])

    def players(self) -> dict[str, Player]:
        return {name: Player(Adam(network.parameters(), 1e-2)) for name, network in self.named_children()}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches)
        fake = self.generator(torch.randn(len(real), LATENT))
        penalty = (self.critic(real).square() + self.critic(fake.detach()).square()).mean()
        yield Turn("critic", apart=(self.critic(fake.detach()) - self.critic(real)).mean(), penalty=penalty)
        yield Turn("generator", fooled=-self.critic(fake).mean())


def sprouting(steps: int, batch: int) -> Iterator[Stage]:
    """The same waves for a small generator and for what grows out of it."""
    game = Sprouting()
    yield Stage("seed", game, streams.waves(batch, SMALL), steps)
    game.grow()
    yield Stage("sprout", game, streams.waves(batch, SMALL), steps)
