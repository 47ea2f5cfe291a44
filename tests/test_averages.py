"""Moving averages of weights: the closed form, buffers, and playing with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from saddlepoint.averages import Averages
from saddlepoint.errors import GameError
from saddlepoint.game import Game, Player, Turn
from saddlepoint.loop import train

from .toys.playing import PowerCutError, difference, first, matches, session
from .toys.shelf import TOYS


class Networks(Game):
    """Two networks, of which some are averaged."""

    def __init__(self, averaged: Mapping[str, float]) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
        self.critic = nn.Linear(2, 1)
        self.averaged = averaged

    def players(self) -> dict[str, Player]:
        return {}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        yield from ()


@torch.no_grad()
def jump(network: nn.Module, value: float) -> None:
    for tensor in [*network.parameters(), *network.buffers()]:
        tensor.fill_(value)


@pytest.mark.parametrize("half_life", [1.0, 5.0, 250.0])
def test_half_of_a_jump_is_left_after_a_half_life(half_life: float) -> None:
    game = Networks({"generator": half_life})
    jump(game.generator, 0.0)
    averages = Averages(game)
    jump(game.generator, 1.0)
    for _ in range(int(half_life)):
        averages.update()
    for weight in averages.networks["generator"].parameters():
        assert weight.mean().item() == pytest.approx(0.5, rel=1e-4)


def test_updates_follow_the_closed_form() -> None:
    torch.manual_seed(0)
    game = Networks({"critic": 3.0})
    averages = Averages(game)
    values = [game.critic.weight.detach().clone()]
    for _ in range(6):
        with torch.no_grad():
            game.critic.weight += torch.randn(1, 2)
        values.append(game.critic.weight.detach().clone())
        averages.update()
    decay = 0.5 ** (1 / 3)
    weighted = [(1 - decay) * decay ** (6 - step) * values[step] for step in range(1, 7)]
    expected = decay**6 * values[0] + torch.stack(weighted).sum(0)
    assert torch.allclose(averages.networks["critic"].weight, expected, atol=1e-6)


def test_buffers_are_copied() -> None:
    game = Networks({"generator": 100.0})
    averages = Averages(game)
    jump(game.generator, 7.0)
    averages.update()
    for buffer in averages.networks["generator"].buffers():
        assert bool((buffer == 7).all())


def test_a_match_updates_its_averages_once_a_step() -> None:
    match = first("growth", steps=3)
    expected = [weight.detach().clone() for weight in match.game.generator.parameters()]
    decay = 0.5 ** (1 / 2)
    for step in range(1, 4):
        match.stage = replace(match.stage, steps=step)
        train(match)
        weights = list(match.game.generator.parameters())
        expected = [decay * old + (1 - decay) * new.detach() for old, new in zip(expected, weights, strict=True)]
    for average, value in zip(match.averages.networks["generator"].parameters(), expected, strict=True):
        assert torch.allclose(average, value, atol=1e-6)


def test_averages_go_on_when_a_game_grows() -> None:
    played = matches(TOYS["sprouting"])
    seed = next(played)
    train(seed)
    before = seed.averages.state()
    sprout = next(played)
    after, raw = sprout.averages.state(), dict(sprout.game.state_dict())
    known = {name: after[name] for name in before}
    assert difference(known, before) == 0
    assert difference(known, {name: raw[name] for name in before}) > 0, "the network itself is elsewhere"
    new = after.keys() - before.keys()
    assert new == {"generator.2.weight", "generator.2.bias"}
    assert all(torch.equal(after[name], raw[name]) for name in new)


def test_averages_do_not_go_from_one_game_to_another() -> None:
    played = matches(TOYS["growth"])
    train(next(played))
    large = next(played)
    raw = large.game.generator.state_dict()
    assert all(
        torch.equal(value, raw[name.removeprefix("generator.")]) for name, value in large.averages.state().items()
    )


def test_a_resumed_run_goes_on_from_the_averages_of_the_stage_before(tmp_path: Path) -> None:
    with pytest.raises(PowerCutError):
        session(tmp_path, TOYS["sprouting"], steps=4, cut=5).play()
    resumed = session(tmp_path, TOYS["sprouting"], steps=4, cut=5)
    with pytest.raises(PowerCutError):
        resumed.play(resume=True)
    ended = resumed.run.checkpoints.end_of("seed")
    begun = resumed.run.checkpoints.newest()
    assert (begun.facts["stage"], begun.facts["step"]) == ("sprout", 0)
    for name, value in ended.tensors["averages"].items():
        assert torch.equal(begun.tensors["averages"][name], value), name


def test_a_part_of_a_network_can_be_averaged() -> None:
    game = Networks({"generator.2": 2.0})
    averages = Averages(game)
    raw = game.generator[2]
    with averages.applied():
        assert game.generator[2] is averages.networks["generator.2"]
    assert game.generator[2] is raw
    assert set(averages.state()) == {"generator.2.weight", "generator.2.bias"}


def test_inside_applied_the_averaged_networks_play_without_gradients() -> None:
    game = Networks({"generator": 1.0})
    averages = Averages(game)
    jump(game.generator, 1.0)
    game.train()
    with averages.applied():
        assert game.generator is averages.networks["generator"]
        assert not game.training
        assert not game.generator[1].training
        assert not torch.is_grad_enabled()
        inside = {name: tensor.clone() for name, tensor in game.state_dict().items()}
    assert game.training
    assert torch.is_grad_enabled()
    assert all(bool((weight == 1).all()) for weight in game.generator.parameters())
    assert difference(inside, game.state_dict()) > 0


def test_applied_puts_the_networks_back_after_an_error() -> None:
    game = Networks({"generator": 1.0})
    averages, raw = Averages(game), game.generator
    with pytest.raises(ZeroDivisionError), averages.applied():
        1 / 0  # noqa: B018
    assert game.generator is raw


def test_averages_are_no_parameters_of_the_game() -> None:
    game = Networks({"generator": 1.0})
    averages = Averages(game)
    ours = {id(weight) for weight in game.parameters()}
    assert not [weight for weight in averages.networks["generator"].parameters() if id(weight) in ours]
    assert not [weight for weight in averages.networks["generator"].parameters() if weight.requires_grad]


def test_the_state_goes_round() -> None:
    game = Networks({"generator": 4.0, "critic": 2.0})
    averages = Averages(game)
    jump(game, 3.0)
    averages.update()
    other = Averages(Networks({"generator": 4.0, "critic": 2.0}))
    other.restore({name: tensor.clone() for name, tensor in averages.state().items()})
    assert difference(averages.state(), other.state()) == 0


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(GameError, match=r"Networks\.averaged names no network: generatr"):
        Averages(Networks({"generatr": 1.0}))
