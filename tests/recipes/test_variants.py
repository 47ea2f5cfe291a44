"""What sets each variant of the plain GAN apart, seen in one played round."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from saddlepoint import recipe
from saddlepoint.data.source import open_source
from saddlepoint.errors import UsageError
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.plan import Plan


def played(name: str, **options: Any) -> Match:
    """A recipe on the ring after some rounds."""
    plan = Plan("cpu", threads=1)
    found = recipe.find(name)
    settings = {"width": 8, "batch": 16, "steps": 3, "average": 0, **options}
    match = opening(found.stages(found.configure("plane", **settings), open_source("ring8:64")), plan)
    train(match)
    return match


def test_a_wgans_critic_stays_within_its_bound() -> None:
    match = played("wgan", clip=0.02)
    largest = {
        name: max(float(weight.detach().abs().max()) for weight in player.params)
        for name, player in match.players.items()
    }
    assert largest["critic"] == pytest.approx(0.02)
    assert largest["generator"] > 0.1


@pytest.mark.parametrize("name", ["wgan", "wgan_gp"])
def test_the_critic_plays_several_times_a_round(name: str) -> None:
    assert played(name, critic_steps=4).drawn == 3 * 4 * 16


def test_the_rates_fall_in_the_last_part_of_the_training() -> None:
    match = played("lsgan", decay=0.5, lr=1e-3, steps=4)
    # The last round began at three quarters: halfway down.
    assert match.players["generator"].optimizer.param_groups[0]["lr"] == pytest.approx(5e-4)


def test_a_pack_is_judged_as_one() -> None:
    match = played("pacgan", packing=4)
    game: Any = match.game
    samples = torch.randn(8, 2)
    assert game.judge(samples).shape == (2,)
    alone = game.score(samples)
    assert alone.shape == (8,)
    assert torch.allclose(alone[:1], game.judge(samples[:1].expand(4, 2)))


def test_a_batch_that_makes_no_packs_is_refused() -> None:
    with pytest.raises(UsageError, match="packs of 3"):
        played("pacgan", packing=3)


def test_dragans_penalty_looks_at_the_data_alone() -> None:
    match = played("dragan", penalty=5.0)
    assert float(match.tally["discriminator/penalty"]) > 0
    assert "generator/penalty" not in match.tally
