"""The smallest recipe that translates: one way from pairs, or both ways between two sets.

Result: the tests of whatever a game that translates is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.data.pairs import pairs, unpaired
from saddlepoint.game import Game, Player, Stage, Turn


class Options(recipe.Options):
    """What can be chosen about it."""

    size: int = Field(8, ge=4, le=64, description="height and width of each picture")
    channels: recipe.Channels = None
    form: Literal["pairs", "cycle"] = Field("pairs", description="what it learns from")
    batch: recipe.Batch = 4
    steps: recipe.Steps = 2


PRESETS: dict[str, dict[str, Any]] = {"cycle": {"form": "cycle"}}

SMOKE: dict[str, Any] = {"size": 8, "batch": 4, "steps": 2}


def painter(channels: int) -> nn.Sequential:
    """A network that changes colors alone."""
    return nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Tanh())


class OneWay(Game):
    """Isola et al. 2017, all but the networks: noise is dropout, which stays on when it is used."""

    multiple = 4

    def __init__(self, channels: int, sides: tuple[str, str]) -> None:
        super().__init__()
        self.sides = sides
        self.generator, self.critic = painter(channels), nn.Conv2d(2 * channels, 1, 4, 2)

    def players(self) -> dict[str, Player]:
        return {
            "critic": Player(torch.optim.Adam(self.critic.parameters(), 1e-3)),
            "generator": Player(torch.optim.Adam(self.generator.parameters(), 1e-3)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        pair = next(batches)
        fake = self.translate(pair.source)
        real_scores = self.critic(torch.cat([pair.source, pair.target], 1))
        fake_scores = self.critic(torch.cat([pair.source, fake.detach()], 1))
        yield Turn("critic", real=(real_scores - 1).square().mean(), fake=fake_scores.square().mean())
        scores = self.critic(torch.cat([pair.source, fake], 1))
        yield Turn("generator", adversarial=(scores - 1).square().mean(), l1=F.l1_loss(fake, pair.target))

    def translate(self, images: Tensor) -> Tensor:
        assert images.shape[2] % self.multiple == 0
        assert images.shape[3] % self.multiple == 0
        made: Tensor = self.generator(F.dropout(images, 0.1))
        return made


class Cycle(Game):
    """Zhu et al. 2017, all but the networks and the pools."""

    multiple = 4

    def __init__(self, channels: int, sides: tuple[str, str]) -> None:
        super().__init__()
        self.sides = sides
        self.there, self.back = painter(channels), painter(channels)

    def players(self) -> dict[str, Player]:
        weights = [*self.there.parameters(), *self.back.parameters()]
        return {"generators": Player(torch.optim.Adam(weights, 1e-3))}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        pair = next(batches)
        again = F.l1_loss(self.back(self.there(pair.source)), pair.source)
        yield Turn("generators", cycle=again + F.l1_loss(self.there(self.back(pair.target)), pair.target))

    def translate(self, images: Tensor) -> Tensor:
        made: Tensor = self.there(images)
        return made

    def translate_back(self, images: Tensor) -> Tensor:
        made: Tensor = self.back(images)
        return made


def stages(options: Options, data: Any) -> Iterator[Stage]:
    paired = options.form == "pairs"
    found = (pairs if paired else unpaired)(data, size=options.size, channels=options.channels)
    game = (OneWay if paired else Cycle)(found.channels, found.sides)
    yield Stage("adversarial", game, found.stream(options.batch), options.steps)
