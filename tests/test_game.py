"""The rules: turns, players and names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD

from saddlepoint.abilities import abilities
from saddlepoint.errors import GameError
from saddlepoint.game import Game, Player, Turn


class Empty(Game):
    """A game without networks."""

    def players(self) -> dict[str, Player]:
        return {}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        yield from ()


def test_a_turn_minimizes_the_sum_of_its_losses() -> None:
    turn = Turn("critic", real=torch.tensor(1.0), penalty=torch.tensor(2.5, dtype=torch.bfloat16))
    assert turn.loss.shape == ()
    assert turn.loss.dtype == torch.float32
    assert float(turn.loss) == 3.5
    assert turn.watch == {}


def test_watched_values_are_no_part_of_the_loss() -> None:
    turn = Turn("critic", real=torch.tensor(1.0), watch={"D(x)": torch.tensor(9.0)})
    assert float(turn.loss) == 1.0
    assert list(turn.watch) == ["D(x)"]


def test_the_name_of_the_gradient_norm_is_taken() -> None:
    for given in ({"gradient": torch.tensor(1.0)}, {"loss": torch.tensor(1.0), "watch": {"gradient": torch.tensor(1)}}):
        with pytest.raises(GameError, match="norm of the gradient"):
            Turn("critic", **given)  # type: ignore[arg-type]


def test_a_turn_needs_a_loss() -> None:
    with pytest.raises(GameError, match="the turn of 'critic' has no loss") as caught:
        Turn("critic", watch={"D(x)": torch.tensor(9.0)})
    assert caught.value.exit_code == 70


@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3)])
def test_a_loss_is_a_scalar(shape: tuple[int, ...]) -> None:
    with pytest.raises(GameError, match=r"loss critic/real has shape \(.*\); a loss is a scalar") as caught:
        Turn("critic", real=torch.zeros(shape))
    assert caught.value.fix == "take its mean()"


def test_a_player_is_the_parameters_of_its_optimizer() -> None:
    one, other = nn.Linear(2, 2), nn.Linear(2, 1)
    groups = [{"params": one.parameters(), "lr": 0.5}, {"params": other.parameters()}]
    player = Player(SGD(groups, lr=0.25))
    assert [id(weight) for weight in player.params] == [id(w) for w in [*one.parameters(), *other.parameters()]]
    assert player.rates == [0.5, 0.25]


def test_rates_are_factors_on_what_was_declared() -> None:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.5, 0.25)]
    player = Player(SGD(groups, lr=1.0), schedule=lambda fraction: 1 - fraction)
    for fraction in (0.0, 0.5, 0.5, 0.75, 0.0):
        player.set_rates(fraction)
        assert [group["lr"] for group in player.optimizer.param_groups] == [0.5 * (1 - fraction), 0.25 * (1 - fraction)]


@pytest.mark.parametrize("name", ["to", "half", "type", "train", "step", "apply", "parameters", "forward", "players"])
def test_a_network_may_not_hide_a_method(name: str) -> None:
    game = Empty()
    with pytest.raises(GameError, match=f"a network of Empty cannot be called '{name}'"):
        setattr(game, name, nn.Linear(1, 1))
    with pytest.raises(GameError, match=f"a network of Empty cannot be called '{name}'"):
        game.add_module(name, nn.Linear(1, 1))


def test_other_names_and_other_values_are_free() -> None:
    game = Empty()
    game.generator = nn.Linear(1, 1)
    game.add_module("critic", nn.Linear(1, 1))
    game.step = 3
    game.averaged = {"generator": 2.0}
    assert [name for name, _ in game.named_children()] == ["generator", "critic"]
    assert game.step == 3


def test_a_game_without_rules_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Game()  # type: ignore[abstract]


def test_abilities_are_found_by_their_methods() -> None:
    class Able(Empty):
        latent = 3

        def sample(self, count: int, *, labels: Any = None, generator: Any = None) -> torch.Tensor:
            return torch.zeros(count, 1, 2, 2)

        def decode(self, latents: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(latents), 1, 2, 2)

    class Decoding(Empty):
        def decode(self, latents: torch.Tensor) -> torch.Tensor:
            return latents

    assert abilities(Able()) == ["sample", "decode"]
    assert abilities(Empty()) == []
    # Without the size of a latent nobody could make one.
    assert abilities(Decoding()) == []


def test_a_game_that_translates_says_between_what_and_which_sizes_fit() -> None:
    class OneWay(Empty):
        sides, multiple = ("lines", "colors"), 4

        def translate(self, images: torch.Tensor) -> torch.Tensor:
            return -images

    class BothWays(OneWay):
        def translate_back(self, images: torch.Tensor) -> torch.Tensor:
            return -images

    class Vague(Empty):
        def translate(self, images: torch.Tensor) -> torch.Tensor:
            return images

    assert abilities(OneWay()) == ["translate"]
    assert abilities(BothWays()) == ["translate", "translate back"]
    assert abilities(Vague()) == []
