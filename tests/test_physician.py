"""The doctor looks at real matches: it changes nothing, costs little, and tells what it sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint import recipe
from saddlepoint.abilities import Translates
from saddlepoint.data.blank import Blank
from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.game import Game, Player, Stage, Turn
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.observers import Moment
from saddlepoint.physician import Patient, Physician, maker, undisturbed
from saddlepoint.plan import Plan
from saddlepoint.run import Run

PLAN = Plan("cpu", threads=1)
PICTURES = Images.of(np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8), np.arange(16) % 3)


PAIRS = Images.of(np.random.default_rng(0).integers(0, 256, (16, 32, 64, 3), np.uint8))


def pictures_for(name: str) -> Images:
    """Noise of the kind that a recipe's game learns from."""
    found = recipe.find(name)
    stage = next(found.stages(found.configure(**found.smoke), Blank(classes=("a", "b"))))
    return PAIRS if isinstance(stage.game, Translates) else PICTURES


def match(name: str = "gan", data: Any = "ring8:64", **options: Any) -> Match:
    chosen = recipe.find(name)
    return opening(chosen.stages(chosen.configure(**{**chosen.smoke, **options}), open_source(data)), PLAN)


def silent(event: str, text: str) -> None:
    raise AssertionError(f"{event}: {text}")


@pytest.mark.parametrize("name", recipe.names())
def test_looking_changes_nothing_not_even_running_means(name: str, tmp_path: Path) -> None:
    alone, watched = (match(name, pictures_for(name)) for _ in range(2))
    physician = Physician(Run(tmp_path), silent, 4, share=1.0)
    physician.every = 1
    train(alone)
    train(watched, observers=[physician])
    assert len(physician.chart.looks) >= 3
    ours, theirs = alone.game.state_dict(), watched.game.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert all(parameter.grad is None for parameter in watched.game.parameters())


def test_a_look_measures_all_that_a_gan_can_show() -> None:
    played = match()
    train(played)
    look = Patient(played).examine()
    assert look.finite
    assert [name for name, value in vars(look).items() if value is None] == ["variety"]  # it has no classes
    assert 0 <= look.separation <= 1  # type: ignore[operator]


def test_samples_of_a_class_that_are_all_alike_have_no_variety() -> None:
    patient = Patient(match("cdcgan", PICTURES))
    before = patient.examine()
    stem = patient.match.game.get_submodule("generator.noise.0")
    assert isinstance(stem.weight, nn.Parameter)
    nn.init.zeros_(stem.weight)
    after = patient.examine()
    assert before.variety is not None
    assert after.variety == pytest.approx(0, abs=0.01 * before.variety)


def test_points_of_a_large_set_are_not_asked_whether_they_are_copies() -> None:
    assert Patient(match(data="ring8:2000")).examine().nearest is None


def test_the_one_who_moves_the_samples_is_found() -> None:
    assert maker(match()) == "generator"
    assert maker(match("wgan", "ring8:64")) == "generator"


def test_the_slope_of_a_wasserstein_cost_is_one_and_of_a_saturated_one_nothing() -> None:
    critic = match("wgan", "ring8:128", batch=128, critic_steps=1)
    train(critic)
    # Other samples, one step later: nearly the same gradient.
    assert Patient(critic).examine().slope == pytest.approx(1, abs=0.2)
    sure = match(cost="minimax")
    with torch.no_grad():
        sure.game.discriminator[-2].bias.fill_(-30.0)  # type: ignore[index, union-attr, operator]
    train(sure)
    slope = Patient(sure).examine().slope
    assert slope is not None
    assert slope < 1e-9


class Lone(Game):
    """A game that can neither sample nor score, and reads no pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(1, 1)

    def players(self) -> dict[str, Player]:
        return {"lone": Player(torch.optim.SGD(self.parameters(), lr=0.1))}

    def turns(self, batches: Iterator[Tensor]) -> Iterator[Turn]:
        yield Turn("lone", error=self.network(next(batches)).square().mean())


class Numbers:
    batch = 2

    def read(self, start: int, count: int) -> Tensor:
        return torch.ones(count, 1)


def test_a_game_without_abilities_is_looked_at_for_its_weights() -> None:
    look = Patient(Match(Stage("only", Lone(), Numbers(), 2), PLAN)).examine()
    assert look.weights is not None
    assert look.diversity is None
    assert look.separation is None


class Frozen(Physician):
    """Meets a generator that gives one point only."""

    def __call__(self, moment: Moment) -> None:
        with torch.no_grad():
            for parameter in moment.game.generator.parameters():  # type: ignore[union-attr]
                parameter.zero_()
        super().__call__(moment)


def test_a_collapse_is_told_once_and_each_look_is_logged(tmp_path: Path) -> None:
    told: list[str] = []
    physician = Frozen(Run(tmp_path), lambda event, text: told.append(event), 20, share=1.0)
    physician.every = 1
    train(match(steps=20, lr=1e-9), observers=[physician])
    assert told.count("mode_collapse") == 1
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["look"]["step"] for line in lines] == [look.step for look in physician.chart.looks]
    assert lines[-1]["look"]["diversity"] == 0


def test_a_resumed_run_goes_on_with_its_looks_and_repeats_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        physician = Frozen(Run(tmp_path), lambda event, text: told.append(event), 20, share=1.0)
        physician.every = 1
        played = match(steps=20, lr=1e-9)
        played.step = 0 if not told else 15
        train(played, observers=[physician])
    assert told.count("mode_collapse") == 1
    assert [look.step for look in physician.chart.looks] == list(range(21))


def test_looks_that_would_cost_too_much_are_left_out(tmp_path: Path) -> None:
    physician = Physician(Run(tmp_path), silent, 20, share=0.0)
    physician.every = 1
    train(match(steps=20), observers=[physician])
    assert len(physician.chart.looks) == 1


def test_samples_that_are_no_numbers_are_seen_as_such() -> None:
    broken = match()
    patient = Patient(broken)
    with torch.no_grad():
        next(broken.game.generator.parameters()).fill_(float("nan"))  # type: ignore[union-attr]
    assert not patient.examine().finite


def test_inside_undisturbed_everything_may_be_played_with() -> None:
    game = match("dcgan", PICTURES).game
    before = {name: buffer.clone() for name, buffer in game.named_buffers()}
    with undisturbed(game, training=True):
        game.sample(4)  # type: ignore[operator]
        assert any(not torch.equal(buffer, before[name]) for name, buffer in game.named_buffers())
    assert all(torch.equal(buffer, before[name]) for name, buffer in game.named_buffers())
