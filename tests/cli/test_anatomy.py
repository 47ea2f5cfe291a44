"""Layers and shapes, for games that the recipes do not show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.cli.anatomy import layers
from saddlepoint.data.blank import Blank
from saddlepoint.game import Game, Player, Stage, Turn


class Pair(nn.Module):
    """Gives two outputs, as an encoder with mean and variance does."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


class Penalized(Game):
    """A shared body, a module used twice, one never used, and a penalty that differentiates twice."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5), Pair())
        self.head = nn.Linear(5, 1)
        self.idle = nn.Linear(2, 2)

    def players(self) -> dict[str, Player]:
        return {"critic": Player(torch.optim.SGD(self.parameters(), lr=0.1))}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image.requires_grad_()
        scores = self.head(self.body(real)[0])
        (slope,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
        yield Turn("critic", loss=self.head(self.body(real)[1]).mean(), penalty=slope.square().sum())


def test_every_layer_is_written_once_in_the_order_of_the_round() -> None:
    images = Blank(3).images(size=8)
    found = layers(Stage("only", Penalized(), images.stream(16), 1))
    assert list(found) == ["body", "head"], "what no round uses is not drawn"
    assert [(row["name"], row["kind"], row["shape"]) for row in found["body"]] == [
        ("0", "Flatten", ["N", 192]),
        ("1", "Linear", ["N", 5]),
        ("2", "Pair", ["N", 5]),
    ]
    assert [(row["name"], row["shape"], row["parameters"]) for row in found["head"]] == [("head", ["N", 1], 6)]


def test_looking_throws_no_dice() -> None:
    stage = Stage("only", Penalized(), Blank(3).images(size=8).stream(16), 1)
    before = torch.random.get_rng_state()
    layers(stage)
    assert torch.equal(torch.random.get_rng_state(), before)
