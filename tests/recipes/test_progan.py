"""ProGAN: its stages, its fades, and a run that is cut in the middle of one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saddlepoint import model, recipe
from saddlepoint.data.images import Images
from saddlepoint.errors import Stopped, UsageError
from saddlepoint.game import Stage
from saddlepoint.loop import train
from saddlepoint.match import Match
from saddlepoint.networks.progressive import enlarge, reduce
from saddlepoint.plan import Plan
from saddlepoint.recipes.progan import Options, ProGAN, stages
from saddlepoint.session import describe

from ..test_match import assert_same_end
from ..toys.playing import PowerCutError, session
from ..toys.shelf import Toy

PLAN = Plan(device="cpu", threads=1)


class Noise:
    """A source of random pictures."""

    def images(self, *, size: int, channels: int | None = None) -> Images:
        random = np.random.default_rng(0)
        return Images.of(random.integers(0, 256, (16, size, size, channels or 3), np.uint8), name="noise")


def options(**given: Any) -> Options:
    found = recipe.find("progan")
    return found.configure(**{**found.smoke, "size": 8, **given})


def of_steps(steps: int, batch: int) -> Iterator[Stage]:
    return stages(options(images=steps * batch, batch=batch, largest_batch=batch), Noise())


def faded(share: float) -> ProGAN:
    """A game of 8x8 in the middle of its fade."""
    torch.manual_seed(0)
    game = ProGAN(options(), 3)
    game.grow(fade=4)
    game.share.fill_(share)
    return game.eval()


def test_a_stage_for_each_resolution_and_each_fade() -> None:
    settled = options(size=32, batch=2, largest_batch=8, images=16)
    played = list(stages(settled, Noise()))
    assert [stage.name for stage in played] == ["4", "fade-8", "8", "fade-16", "16", "fade-32", "32"]
    assert [stage.data.batch for stage in played] == [8, 8, 8, 4, 4, 2, 2]
    assert [stage.steps for stage in played] == [2, 2, 2, 4, 4, 8, 8]
    assert settled.steps == sum(stage.steps for stage in played)
    assert len({id(stage.game) for stage in played}) == 1


def test_the_paper_s_batches() -> None:
    settled = recipe.find("progan").configure(size=1024, batch=2)
    assert [settled.batch_at(side) for side in settled.sides] == [128, 128, 128, 64, 32, 16, 8, 4, 2]


def test_who_has_fewer_pictures_than_the_first_stages_take_is_told_the_flag_that_helps() -> None:
    with pytest.raises(UsageError, match=r"batch 32 is larger than the data set \(16 images\)") as told:
        next(stages(options(batch=16, largest_batch=64), Noise()))
    assert told.value.fix == "--largest-batch 16"
    with pytest.raises(UsageError) as told:
        next(stages(options(batch=32, largest_batch=64), Noise()))
    assert told.value.fix == "--batch 16"
    assert next(stages(options(batch=16, largest_batch=16), Noise())).data.batch == 16


def test_a_fade_begins_where_the_stage_before_ended() -> None:
    played = of_steps(4, 4)
    before = Match(next(played), PLAN)
    train(before)
    game, draw = before.game, torch.Generator()
    with before.averages.applied():
        ended = game.sample(3, generator=draw.manual_seed(0))
    after = Match(next(played), PLAN, index=1, base=4, before=before)
    with after.averages.applied():
        begun = game.sample(3, generator=draw.manual_seed(0))
    assert begun.shape == (3, 3, 8, 8)
    assert torch.allclose(begun, ended, atol=1e-6)


class Shares:
    """An observer that notes what the newest layers count for."""

    every = 1

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, moment: Any) -> None:
        self.seen.append(float(moment.game.share))


def test_a_fade_is_linear_and_ends_with_the_new_layers_alone() -> None:
    played, shares = of_steps(4, 4), Shares()
    train(Match(next(played), PLAN))
    fade = Match(next(played), PLAN)
    train(fade, observers=[shares])
    assert shares.seen == [0.0, 0.25, 0.5, 0.75, 1.0]
    next(played)
    assert fade.game.newest is None


def test_real_pictures_fade_like_the_fakes() -> None:
    pictures = torch.rand(2, 3, 8, 8)
    coarse = enlarge(reduce(pictures))
    assert torch.allclose(faded(0.0).seen(pictures), coarse)
    assert torch.allclose(faded(0.25).seen(pictures), coarse.lerp(pictures, 0.25), atol=1e-6)


def test_pictures_are_of_the_final_size_at_every_stage() -> None:
    torch.manual_seed(0)
    game = ProGAN(options(size=16), 3).eval()
    small = game.sample(2, generator=torch.Generator().manual_seed(0))
    assert small.shape == (2, 3, 16, 16)
    assert torch.equal(enlarge(small[..., ::4, ::4], 4), small)
    assert game.seen(small).shape == (2, 3, 4, 4)
    assert torch.allclose(game.score(small), game.judge(reduce(small, 4)))


def test_a_round_asks_for_distance_slope_and_drift() -> None:
    critic, generator = faded(0.5).turns(itertools.repeat(Noise().images(size=8).stream(4).read(0, 4)))
    assert critic.losses.keys() == {"wasserstein", "penalty", "drift"}
    assert generator.losses.keys() == {"wasserstein"}


def test_a_run_cut_in_the_middle_of_a_fade_ends_as_if_never_cut(tmp_path: Path) -> None:
    toy = Toy(of_steps)
    session(tmp_path / "whole", toy).play()
    # Rounds 5 to 8 are the fade; the last save before the cut is after round 6.
    with pytest.raises(PowerCutError):
        session(tmp_path / "cut", toy, cut=7).play()
    session(tmp_path / "cut", toy).play(resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


def test_a_model_of_a_half_faded_game_draws_what_the_run_drew(tmp_path: Path) -> None:
    settled = options(images=8)
    played = stages(settled, Noise())
    match = Match(next(played), PLAN)
    train(match)
    match = Match(next(played), PLAN, index=1, base=2, before=match)
    with pytest.raises(Stopped):
        train(match, stop=lambda: match.step == 1)
    config = {
        "recipe": "progan",
        "options": settled.model_dump(mode="json"),
        "stage": match.stage.name,
        "step": match.total_step,
        "version": "0",
        "data": describe(match.stage),
    }
    draw = torch.Generator()
    with match.averages.applied():
        drawn = match.game.sample(4, generator=draw.manual_seed(0))
        model.save(tmp_path / "model", dict(match.game.state_dict()), config)
    game, _ = model.load(tmp_path / "model")
    assert float(game.share) == 0.5
    # Weights that were loaded lie in memory otherwise than a plan puts them: sums in another order.
    assert torch.allclose(game.sample(4, generator=draw.manual_seed(0)), drawn, atol=1e-5)
