"""pix2pix, CycleGAN and DiscoGAN: their size, their rules, and what is remembered across an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint import recipe
from saddlepoint.checkpoint import Store
from saddlepoint.data.images import Images
from saddlepoint.data.source import Source, open_source
from saddlepoint.errors import UsageError
from saddlepoint.game import Turn
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.objectives import least_squares_discriminator, least_squares_generator
from saddlepoint.plan import Plan
from saddlepoint.recipes import cyclegan

from ..toys.playing import PowerCut, PowerCutError, difference

PLAN = Plan("cpu", threads=1)


def source(kind: str, count: int = 12) -> Source:
    """Noise: pairs side by side, of which the target is the negative of the source, or two classes."""
    left = np.random.default_rng(0).integers(0, 256, (count, 36, 36, 3), dtype=np.uint8)
    if kind == "pairs":
        return open_source(Images.of(np.concatenate([left, 255 - left], 2)))
    return open_source(Images.of(np.concatenate([left, left // 2]), np.repeat([0, 1], count), classes=("day", "night")))


def match(name: str, **options: Any) -> Match:
    """Ready to be played, with the recipe's small settings."""
    found = recipe.find(name)
    data = source("pairs" if name == "pix2pix" else "sets")
    return opening(found.stages(found.configure(**{**found.smoke, **options}), data), PLAN)


def turns(playing: Match) -> Iterator[Turn]:
    """A round's turns, in which nobody moves."""
    return playing.game.turns(iter(playing.feeds()[0]))


def test_a_cyclegans_generator_learns_as_many_numbers_as_published() -> None:
    with torch.device("meta"):
        network = cyclegan.generator(3, 64, 9)
    assert sum(weight.numel() for weight in network.parameters()) == 11_378_179


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "discogan"])
def test_the_sides_have_names_and_pictures_keep_their_shape(name: str) -> None:
    game = match(name).game
    assert game.sides == (("source", "target") if name == "pix2pix" else ("day", "night"))
    images = torch.rand(2, 3, 32, 32 if name == "discogan" else 64)  # through a bottleneck goes one size alone
    assert game.translate(images).shape == images.shape  # type: ignore[operator]


def test_the_distance_alone_needs_no_discriminator() -> None:
    alone = match("pix2pix", adversarial=0)
    assert [turn.player for turn in turns(alone)] == ["generator"]
    assert [turn.player for turn in turns(match("pix2pix", l1=0))] == ["discriminator", "generator"]
    with pytest.raises(UsageError, match="nothing is asked"):
        match("pix2pix", adversarial=0, l1=0)


def test_a_translation_is_judged_beside_its_source() -> None:
    game = match("pix2pix").game
    source, target = torch.rand(2, 1, 3, 32, 32).unbind()
    scores = game.judge(source, target)  # type: ignore[operator]
    assert not torch.allclose(scores, game.judge(source.flip(3), target))  # type: ignore[operator]
    assert not torch.allclose(scores, game.judge(source, target.flip(3)))  # type: ignore[operator]


def test_generators_of_a_cyclegan_are_asked_for_whole_squares_and_discriminators_for_half() -> None:
    playing = match("cyclegan", identity=0)
    game, batch = playing.game, next(playing.feeds()[0])
    asked, judged = islice(game.turns(iter([batch])), 2)
    fake = game.there(batch.source), game.back(batch.target)  # type: ignore[operator]
    scores = game.judge_target(fake[0]), game.judge_source(fake[1])  # type: ignore[operator]
    # The paper's E (D(G(x)) - 1)²; the objective is half of it.
    assert torch.allclose(asked.losses["adversarial"], 2 * sum(least_squares_generator(each) for each in scores))
    assert asked.losses["identity"] == 0
    # An empty pool hands out what it was given.
    real = game.judge_target(batch.target)  # type: ignore[operator]
    assert torch.allclose(judged.losses["target"], least_squares_discriminator(real, scores[0]))
    cycle = (game.back(fake[0]) - batch.source).abs().mean() + (game.there(fake[1]) - batch.target).abs().mean()  # type: ignore[operator]
    assert torch.allclose(asked.losses["cycle"], 10 * cycle)


@pytest.mark.parametrize("cut", [1, 3], ids=["pools half full", "pools full"])
def test_a_cyclegan_resumes_with_its_pools(cut: int, tmp_path: Path) -> None:
    whole, first = match("cyclegan", pool=6), match("cyclegan", pool=6)
    train(whole)
    with pytest.raises(PowerCutError):
        train(first, store=Store(tmp_path), checkpoint_every=1, observers=[PowerCut(cut + 1)])
    resumed = match("cyclegan", pool=6)
    with torch.no_grad():
        for tensor in resumed.game.state_dict().values():
            tensor.zero_()
    resumed.restore(Store(tmp_path).newest())
    assert (resumed.step, int(resumed.game.get_buffer("old_sources.filled"))) == (cut, min(4 * cut, 6))
    train(resumed)
    assert difference(resumed.game.state_dict(), whole.game.state_dict()) == 0


def test_discogans_discriminators_move_while_its_generators_rest() -> None:
    playing = match("discogan", every=3, rounds=3)
    game, batch = playing.game, next(playing.feeds()[0])
    movers, shares = [], []
    for step in range(6):
        game.step = step
        (turn,) = game.turns(iter([batch]))
        movers.append(turn.player)
        if turn.player == "generators":
            shares.append((turn.losses["rebuilt"] / turn.losses["adversarial"]).item())
    assert movers == ["discriminators", "generators", "generators"] * 2
    # 0.01 : 0.99 in the first rounds and 0.5 : 0.5 after them, of the same losses.
    assert [share / shares[0] for share in shares] == pytest.approx([1, 1, 99, 99], rel=1e-4)
