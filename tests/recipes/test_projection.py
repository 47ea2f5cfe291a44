"""What the games with a projection discriminator promise beyond the contract: SNGAN with classes, SAGAN, BigGAN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from saddlepoint import recipe
from saddlepoint.data.images import Images
from saddlepoint.errors import UsageError
from saddlepoint.layers.attention import Attention
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.plan import Plan

NAMES = ("sngan_projection", "sagan", "biggan")
CLASSES = ("a", "b", "c")


class Noise:
    """A source of 12 random pictures."""

    def __init__(self, classes: tuple[str, ...] = CLASSES) -> None:
        self.classes = classes

    def images(self, *, size: int | None = None, channels: int | None = None) -> Images:
        pixels = np.random.default_rng(0).integers(0, 256, (12, size or 32, size or 32, channels or 1), np.uint8)
        labels = np.arange(12) % 3 if self.classes else None
        return Images.of(pixels, labels, classes=self.classes, name="noise")


def opened(name: str, *, classes: tuple[str, ...] = CLASSES, **options: Any) -> Match:
    found = recipe.find(name)
    plan = Plan("cpu", threads=1)
    return opening(found.stages(found.configure(**{**found.smoke, **options}), Noise(classes)), plan)


def normalized(network: nn.Module) -> dict[str, bool]:
    """Which layers have a spectral normalization, by name; the vectors and tables of classes end in `*`."""
    kinds = (nn.Conv2d, nn.Linear, nn.Embedding)
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}
    return {
        name + "*" * isinstance(layer, nn.Embedding): parametrize.is_parametrized(layer, "weight")
        for name, layer in layers.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_judges_is_normalized_and_what_makes_but_for_its_classes(name: str) -> None:
    game: Any = opened(name).game
    assert all(normalized(game.discriminator).values())
    found = normalized(game.generator)
    assert [layer for layer in found if layer.endswith("*")]
    for layer, is_normalized in found.items():
        assert is_normalized == (name != "sngan_projection" and not layer.endswith("*")), layer


@pytest.mark.parametrize("name", NAMES)
def test_fakes_are_of_classes_as_frequent_as_in_the_data(name: str) -> None:
    game: Any = opened(name).game
    game.frequencies = torch.tensor([0.0, 1.0, 0.0])
    images, asked = game.fakes(5)
    assert images.shape == (5, 1, 32, 32)
    assert asked.tolist() == [1] * 5


@pytest.mark.parametrize("name", NAMES)
def test_pictures_without_classes_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no classes"):
        opened(name, classes=())


@pytest.mark.parametrize(
    ("name", "generator", "discriminator", "others"),
    [
        ("sngan_projection", 2e-4, 2e-4, ((0.0, 0.9), 1e-8)),
        ("sagan", 1e-4, 4e-4, ((0.0, 0.9), 1e-8)),
        ("biggan", 5e-5, 2e-4, ((0.0, 0.999), 1e-6)),
    ],
)
def test_optimizers_are_the_published_ones(name: str, generator: float, discriminator: float, others: Any) -> None:
    published = recipe.find(name).options().model_dump()
    rates = {key: value for key, value in published.items() if key.startswith("lr")}
    players = opened(name, **rates).players
    for player, rate in (("generator", generator), ("discriminator", discriminator)):
        group = players[player].optimizer.param_groups[0]
        assert (group["lr"], (group["betas"], group["eps"])) == (rate, others)


@pytest.mark.parametrize(("asked", "side"), [(8, 8), (16, 16), (64, 16), (0, None)])
def test_sagan_attends_at_the_asked_side_if_there_is_one(asked: int, side: int | None) -> None:
    game: Any = opened("sagan", attention=asked).game
    sides: list[int] = []
    for network in (game.generator, game.discriminator):
        for layer in network.modules():
            if isinstance(layer, Attention):
                layer.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
    game.judge(*game.fakes(2))
    assert sides == ([] if side is None else [side] * 2)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_biggan_regularizes_its_generator_if_asked(weight: float) -> None:
    match = opened("biggan", orthogonal=weight, steps=1)
    train(match)
    assert ("generator/orthogonal" in match.tally) == bool(weight)
    assert "discriminator/orthogonal" not in match.tally
    if weight:
        assert float(match.tally["generator/orthogonal"]) > 0
