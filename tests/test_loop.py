"""The one loop: who moves, micro-batches, precision, rates, and the rules that a game may break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam

from saddlepoint.errors import GameError, NumericError, Stopped, UsageError
from saddlepoint.game import Game, Player, Turn
from saddlepoint.loop import train
from saddlepoint.observers import Moment
from saddlepoint.plan import Plan

from .toys import streams
from .toys.networks import mlp
from .toys.playing import PLAN, Referee, difference, first, matches, of, played
from .toys.rings import Vanilla
from .toys.shelf import TOYS
from .toys.wasserstein import Clipped

LINEAR = [name for name, toy in TOYS.items() if toy.linear]


@pytest.mark.parametrize("name", TOYS)
def test_only_the_mover_moves_and_all_of_it_learns(name: str) -> None:
    for match in matches(TOYS[name]):
        referee = Referee(match)
        train(match)
        referee.finish()
        assert referee.offenses == []
        assert referee.missing == {player: set() for player in match.players}
        assert set(referee.turns) == set(match.players)


def test_turns_come_in_the_order_of_the_game() -> None:
    match = first("lazy penalty", steps=2)
    referee = Referee(match)
    train(match)
    assert referee.turns == ["discriminator", "discriminator", "generator", "discriminator", "generator"]


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.usefixtures("double")
def test_accumulated_micro_batches_equal_one_batch(name: str) -> None:
    whole = played(TOYS[name], batch=16)
    parts = played(TOYS[name], Plan(device="cpu", threads=1, accumulate=4), batch=16)
    assert difference(whole, parts) <= 1e-12


@pytest.mark.parametrize("name", TOYS)
def test_every_game_plays_in_micro_batches(name: str) -> None:
    for match in matches(TOYS[name], Plan(device="cpu", threads=1, accumulate=2), steps=2):
        train(match)
        assert match.step == 2
        assert all(bool(tensor.isfinite().all()) for tensor in match.game.state_dict().values())


@pytest.mark.parametrize("name", LINEAR)
def test_logged_losses_are_means_over_micro_batches(name: str) -> None:
    tallies = []
    for accumulate in (1, 4):
        # In "heads" the discriminator has two turns: the last one is logged, not their sum.
        match = first(name, Plan(device="cpu", threads=1, accumulate=accumulate), steps=1)
        train(match)
        tallies.append({key: float(value) for key, value in match.tally.items()})
    assert tallies[0] == pytest.approx(tallies[1], rel=1e-4)


@pytest.mark.parametrize("name", TOYS)
def test_every_game_plays_in_bfloat16(name: str) -> None:
    plan = Plan(device="cpu", threads=1, precision="bf16")
    for match in matches(TOYS[name], plan, steps=2):
        referee = Referee(match)
        train(match)
        assert referee.missing == {player: set() for player in match.players}
        assert all(weight.dtype == torch.float32 for weight in match.game.parameters())
        assert all(value.isfinite() for value in match.tally.values())


def test_bfloat16_reaches_the_networks() -> None:
    match = of(Vanilla(), streams.ring(8), Plan(device="cpu", threads=1, precision="bf16"), steps=1)
    seen = []
    match.game.discriminator.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    train(match)
    assert set(seen) == {torch.bfloat16}


def test_a_stage_plays_the_same_every_time_whatever_observers_draw() -> None:
    class Gambler:
        every = 1

        def __call__(self, moment: Moment) -> None:
            torch.randn(7)

    plain, watched = first("vanilla"), first("vanilla")
    train(plain)
    train(watched, observers=[Gambler()])
    assert difference(plain.game.state_dict(), watched.game.state_dict()) == 0


def test_another_seed_plays_another_game() -> None:
    other = played(TOYS["vanilla"], Plan(device="cpu", threads=1, seed=1))
    assert difference(played(TOYS["vanilla"]), other) > 1e-3


def test_observers_come_at_the_start_when_due_and_at_the_end() -> None:
    class Witness:
        every = 3

        def __init__(self) -> None:
            self.steps: list[int] = []

        def __call__(self, moment: Moment) -> None:
            self.steps.append(moment.step)
            assert moment.done == moment.step
            assert moment.steps == 7
            assert set(moment.values) == (
                {"discriminator/real", "discriminator/fake", "discriminator/gradient"}
                | {"generator/adversarial", "generator/gradient"}
                if moment.done
                else set()
            )

    witness = Witness()
    train(first("vanilla", steps=7), observers=[witness])
    assert witness.steps == [0, 3, 6, 7]


def test_a_wish_to_stop_is_granted_after_the_round() -> None:
    match = first("vanilla")
    with pytest.raises(Stopped, match="stopped at step 1"):
        train(match, stop=lambda: True)
    assert match.step == 1


def test_a_wish_to_stop_in_the_last_round_changes_nothing() -> None:
    match = first("vanilla", steps=1)
    train(match, stop=lambda: True)
    assert match.step == 1


def test_schedules_scale_the_declared_rates() -> None:
    match = first("cycle", steps=8)
    rates = []
    optimizer = match.players["generators"].optimizer
    optimizer.register_step_pre_hook(lambda *ignored: rates.append(optimizer.param_groups[0]["lr"]))
    train(match)
    assert rates == pytest.approx([1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 7.5e-3, 5e-3, 2.5e-3])


class Weighted(Game):
    """One weight, pulled down with the force of each sample."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.weight, self.settings = nn.Parameter(torch.zeros(2)), settings

    def players(self) -> dict[str, Player]:
        return {"only": Player(SGD([self.weight], 1.0), **self.settings)}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        force = next(batches).mean()
        yield Turn("only", force=force * self.weight.sum(), watch={"force": force})


def forces(batch: int, strength: float) -> streams.Made:
    """The same number for every sample."""
    return streams.Made(batch, 1, lambda numbers: torch.full_like(numbers, strength))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_gradients_are_clipped_to_their_norm_over_the_whole_batch(accumulate: int) -> None:
    plan = Plan(device="cpu", threads=1, accumulate=accumulate)
    clipped = of(Weighted(clip=0.5), forces(2, strength=3.0), plan, steps=1)
    train(clipped)
    assert float(clipped.game.weight.detach().norm()) == pytest.approx(0.5, rel=1e-4)
    free = of(Weighted(clip=50.0), forces(2, strength=3.0), plan, steps=1)
    train(free)
    assert free.game.weight.tolist() == [-3.0, -3.0]


def test_watched_values_are_logged_and_never_minimized() -> None:
    match = of(Weighted(), forces(4, strength=3.0), steps=1)
    train(match)
    norm = pytest.approx(3 * 2**0.5)
    assert {key: float(value) for key, value in match.tally.items()} == {"only/force": 3.0, "only/gradient": norm}


def test_after_is_called_once_after_each_step() -> None:
    calls = []
    match = of(
        Weighted(after=lambda: calls.append(1)), forces(4, 1.0), Plan(device="cpu", threads=1, accumulate=2), steps=3
    )
    train(match)
    assert len(calls) == 3


def test_after_clips_weights() -> None:
    match = first("wasserstein, clipped")
    train(match)
    assert max(float(weight.detach().abs().max()) for weight in match.game.critic.parameters()) == pytest.approx(
        Clipped.limit
    )


class Ruled(Game):
    """A game whose round is given: a function that yields turns."""

    def __init__(self, round_: Any) -> None:
        super().__init__()
        self.one, self.other, self.round = mlp(2, 1), mlp(2, 1), round_

    def players(self) -> dict[str, Player]:
        return {"one": Player(Adam(self.one.parameters())), "other": Player(Adam(self.other.parameters()))}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        yield from self.round(self, batches)


def yields_inside_no_grad(game: Any, batches: Any) -> Iterator[Turn]:
    loss = game.one(next(batches)).mean()
    with torch.no_grad():
        yield Turn("one", loss=loss)


def names_a_stranger(game: Any, batches: Any) -> Iterator[Turn]:
    yield Turn("eno", loss=game.one(next(batches)).mean())


def disagrees(game: Any, batches: Any) -> Iterator[Turn]:
    points = next(batches)
    name = "one" if points[0, 0] < 0.5 else "other"
    yield Turn(name, loss=getattr(game, name)(points).mean())


def stops_early(game: Any, batches: Any) -> Iterator[Turn]:
    points = next(batches)
    yield Turn("one", loss=game.one(points).mean())
    if points[0, 0] < 0.5:
        yield Turn("one", loss=game.one(points).mean())


def draws_differently(game: Any, batches: Any) -> Iterator[Turn]:
    points = next(batches)
    if points[0, 0] < 0.5:
        points = next(batches)
    yield Turn("one", loss=game.one(points).mean())


def gives_rows(game: Any, batches: Any) -> Iterator[Turn]:
    yield Turn("one", loss=game.one(next(batches)))


def gives_nothing(game: Any, batches: Any) -> Iterator[Turn]:
    next(batches)
    yield Turn("one")


def gives_a_constant(game: Any, batches: Any) -> Iterator[Turn]:
    yield Turn("one", loss=game.one(next(batches)).mean().detach())


def blames_the_other(game: Any, batches: Any) -> Iterator[Turn]:
    yield Turn("one", loss=game.other(next(batches)).mean())


@pytest.mark.parametrize(
    ("round_", "message"),
    [
        (yields_inside_no_grad, r"Ruled.turns yielded inside no_grad\(\)"),
        (names_a_stranger, "no player 'eno'; the players are one, other"),
        (disagrees, "micro-batches disagree on whose turn it is: 'one' or 'other'"),
        (stops_early, "micro-batches disagree on whose turn it is: 'one' or None"),
        (draws_differently, r"micro-batches took different numbers of batches: \[1, 2\]"),
        (gives_rows, r"loss one/loss has shape \(2, 1\); a loss is a scalar"),
        (gives_nothing, "the turn of 'one' has no loss"),
        (gives_a_constant, "the losses of 'one' do not depend on any parameter"),
        (blames_the_other, "the losses of 'one' do not depend on any of its parameters"),
    ],
)
def test_a_broken_rule_is_named(round_: Any, message: str) -> None:
    # The first two samples are of the one kind, the last two of the other.
    kinds = streams.Made(4, 1, lambda numbers: torch.arange(len(numbers)).repeat(2, 1).T.float())

    class Kinds:
        batch = 4

        def read(self, start: int, count: int) -> Tensor:
            assert kinds.batch == self.batch
            return torch.full((count, 2), float(start % 4 >= 2))

    match = of(Ruled(round_), Kinds(), Plan(device="cpu", threads=1, accumulate=2))
    with pytest.raises(GameError, match=message):
        train(match)
    assert torch.is_grad_enabled()


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(UsageError, match="batch 10 does not divide by 1 processes x 4 micro-batches") as caught:
        first("vanilla", Plan(device="cpu", threads=1, accumulate=4), batch=10)
    assert caught.value.fix == "--batch 8"


def test_weights_that_start_as_nan_are_an_error_for_people() -> None:
    game = Vanilla()
    nn.init.constant_(game.generator[0].weight, torch.nan)
    with pytest.raises(NumericError, match=r"weight generator\.0\.weight"):
        train(of(game, streams.ring(8), PLAN))
