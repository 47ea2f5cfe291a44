"""NaN and infinity: found, rolled back, passed over; and when that does not help, an error that names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from saddlepoint.checkpoint import Store
from saddlepoint.errors import NumericError
from saddlepoint.game import Game, Player, Turn
from saddlepoint.loop import train
from saddlepoint.match import Match
from saddlepoint.plan import Plan
from saddlepoint.sentinel import WEIGHTS_EVERY, NotFinite, Sentinel

from .toys import streams
from .toys.playing import PLAN, Ledger, PowerCut, PowerCutError, difference, first, of
from .toys.rings import LATENT, Vanilla
from .toys.wasserstein import Penalized

BAD = [float("nan"), float("inf")]


class FiniteStore(Store):
    """A store that no number which is not finite may enter."""

    def save(self, step: int, tensors: Mapping[str, Mapping[str, Tensor]], facts: Mapping[str, Any]) -> Path:
        for group, values in tensors.items():
            for name, value in values.items():
                assert bool(value.isfinite().all()), f"{group}/{name} of step {step}"
        return super().save(step, tensors, facts)


@dataclass
class Fault:
    """Something that goes wrong in one round, a number of times.

    Attributes:
        value: what is put where a number should be.
        times: how often it still happens.
        step: the round.
    """

    value: float
    times: float
    step: int = 5

    def strikes(self, step: int) -> bool:
        if step != self.step or self.times <= 0:
            return False
        self.times -= 1
        return True


class FaultyLoss(Vanilla):
    """The generator's loss goes bad."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for turn in super().turns(batches):
            if turn.player == "generator" and self.fault.strikes(self.step):
                # Its gradients stay finite: only the loss itself shows it.
                turn = Turn("generator", adversarial=turn.losses["adversarial"] + self.fault.value)
            yield turn


class FaultyGradient(Vanilla):
    """One number of the gradient of one weight of the discriminator goes bad; the losses stay as they are."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault
        self.discriminator[2].weight.register_hook(self.spoil)

    def spoil(self, gradient: Tensor) -> Tensor:
        if self.fault.strikes(self.step):
            gradient = gradient.clone()
            gradient[0, 3] = self.fault.value
        return gradient


class FaultyWeight(Vanilla):
    """A step of the generator leaves a bad weight behind."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def players(self) -> dict[str, Player]:
        players = super().players()
        return {**players, "generator": Player(players["generator"].optimizer, after=self.spoil)}

    @torch.no_grad()
    def spoil(self) -> None:
        if self.fault.strikes(self.step):
            self.generator[0].weight[0, 0] = self.fault.value


class FaultyAverage(Vanilla):
    """Only the generator's moving average goes bad."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault, self.averaged = fault, {"generator": 4.0}


def with_faulty_average(fault: Fault) -> Match:
    match = of(FaultyAverage(fault), streams.ring(8), steps=9)
    update = match.averages.update

    def spoiled() -> None:
        update()
        if fault.strikes(match.step):
            next(match.averages.networks["generator"].parameters()).fill_(fault.value)

    match.averages.update = spoiled  # type: ignore[method-assign]
    return match


CASES: dict[str, tuple[Callable[[Fault], Match], str]] = {
    "loss": (lambda fault: of(FaultyLoss(fault), streams.ring(8), steps=9), "generator loss adversarial"),
    "gradient": (
        lambda fault: of(FaultyGradient(fault), streams.ring(8), steps=9),
        "discriminator gradient of discriminator.2.weight",
    ),
    "weight": (lambda fault: of(FaultyWeight(fault), streams.ring(8), steps=9), "weight generator.0.weight"),
    "average": (with_faulty_average, "weight average of generator.0.weight"),
}


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("case", CASES)
def test_what_happens_once_is_rolled_back(case: str, value: float, tmp_path: Path) -> None:
    make, whose = CASES[case]
    match, ledger = make(Fault(value, times=1)), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert match.step == 9
    assert [kind for kind, _ in ledger.events] == ["rolled_back"]
    assert f": {whose} not finite; back to 4" in ledger.events[0][1]
    assert all(bool(tensor.isfinite().all()) for tensor in Store(tmp_path).newest().tensors["averages"].values())
    assert Store(tmp_path).newest().step == 9


@pytest.mark.parametrize("case", CASES)
def test_what_happens_at_every_try_ends_with_its_name_and_the_last_good_checkpoint(case: str, tmp_path: Path) -> None:
    make, whose = CASES[case]
    match, ledger = make(Fault(torch.nan, times=torch.inf)), Ledger()
    with pytest.raises(NumericError) as caught:
        train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert caught.value.exit_code == 70
    assert f"(first bad: {whose})" in caught.value.what
    assert caught.value.where == f"last good: {tmp_path / 'step-000004'}"
    assert Store(tmp_path).newest().step == 4
    assert [kind for kind, _ in ledger.events] == ["rolled_back"] * 3


def test_a_fault_in_a_turn_is_found_before_its_step_is_taken() -> None:
    match = CASES["gradient"][0](Fault(torch.nan, times=1, step=0))
    before = {name: tensor.clone() for name, tensor in match.game.state_dict().items()}
    with pytest.raises(NumericError, match="not finite at steps 0"):
        train(match)
    assert difference(before, match.game.state_dict()) == 0


def test_a_fault_in_the_weights_is_found_within_a_hundred_steps(tmp_path: Path) -> None:
    match, ledger = of(FaultyWeightUnseen(), streams.ring(8), steps=120), Ledger()
    with pytest.raises(NumericError, match=f"not finite at steps {WEIGHTS_EVERY}, {WEIGHTS_EVERY}"):
        train(match, store=FiniteStore(tmp_path), checkpoint_every=1000, tell=ledger)


class FaultyWeightUnseen(Vanilla):
    """A buffer that no loss depends on goes bad in the third round."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("unseen", torch.zeros(1))

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        if self.step == 3:
            self.unseen.fill_(torch.nan)
        yield from super().turns(batches)


# ----- Bad data -----


@dataclass(frozen=True)
class SpoiledData:
    """Points of the ring, of which those from `bad` up to `end` are not numbers."""

    batch: int
    value: float
    bad: int
    end: int

    def read(self, start: int, count: int) -> Tensor:
        points: Tensor = streams.ring(self.batch).read(start, count)
        places = torch.arange(start, start + count)
        points[(places >= self.bad) & (places < self.end)] = self.value
        return points


@pytest.mark.parametrize("value", BAD)
def test_a_bad_sample_is_passed_over(value: float, tmp_path: Path) -> None:
    match, ledger = of(Vanilla(), SpoiledData(8, value, bad=43, end=44), steps=9), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    message = "step 5: discriminator loss real not finite; back to 4"
    assert ledger.events == [("rolled_back", message)]
    # The samples of the bad round are never seen: what was drawn is one batch more than nine rounds take.
    assert match.drawn == 10 * 8


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_a_bad_sample_in_any_draw_of_a_round_is_passed_over(draw: int, tmp_path: Path) -> None:
    # Three batches a round: rounds 0 … 4 take samples 0 … 119.
    bad = 120 + 8 * draw
    match, ledger = of(Penalized(), SpoiledData(8, torch.nan, bad, bad + 1), steps=9), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert [kind for kind, _ in ledger.events] == ["rolled_back"]
    assert match.drawn == 9 * 24 + 8 * (draw + 1)


def test_a_stretch_of_bad_samples_takes_several_tries(tmp_path: Path) -> None:
    match, ledger = of(Vanilla(), SpoiledData(8, torch.nan, bad=40, end=60), steps=9), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert [kind for kind, _ in ledger.events] == ["rolled_back"] * 3
    assert match.drawn == 12 * 8


def test_data_that_stay_bad_end_the_run(tmp_path: Path) -> None:
    match = of(Vanilla(), SpoiledData(8, torch.nan, bad=40, end=10**9), steps=9)
    with pytest.raises(NumericError, match="not finite at steps 5, 5, 5, 5"):
        train(match, store=FiniteStore(tmp_path), checkpoint_every=4)


def test_bad_statistics_pass_over_all_samples_since_the_checkpoint(tmp_path: Path) -> None:
    class Remembering(Vanilla):
        """Keeps what it saw last where no loss looks."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("worst", torch.zeros(()))

        def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
            points = next(batches)
            self.worst.copy_(torch.maximum(self.worst, points.abs().max()))
            yield from super().turns(iter([points.nan_to_num(0, 0, 0)]))

    match, ledger = of(Remembering(), SpoiledData(8, torch.inf, bad=43, end=44), steps=9), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert ledger.events == [("rolled_back", "step 8: weight worst not finite; back to 4")]
    assert match.drawn == 13 * 8


def test_bad_faults_far_apart_do_not_add_up(tmp_path: Path) -> None:
    class Unlucky:
        batch = 8

        def read(self, start: int, count: int) -> Tensor:
            points: Tensor = streams.ring(8).read(start, count)
            # Every fifth batch of the first hundred.
            return points * (torch.nan if start % 40 == 32 and start < 400 else 1)

    match, ledger = of(Vanilla(), Unlucky(), steps=48), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=2, tell=ledger)
    assert len(ledger.events) == 10
    assert match.step == 48


def test_the_same_faults_are_met_in_the_same_way_after_a_resume(tmp_path: Path) -> None:
    def data() -> SpoiledData:
        return SpoiledData(8, torch.nan, bad=43, end=44)

    torch.manual_seed(0)
    whole = of(Vanilla(), data(), steps=9)
    store, ledger = Store(tmp_path), Ledger()
    torch.manual_seed(0)
    cut = of(Vanilla(), data(), steps=9)
    with pytest.raises(PowerCutError):
        train(cut, store=store, checkpoint_every=4, observers=[PowerCut(7)])
    again = of(Vanilla(), data(), steps=9)
    again.restore(store.newest())
    # The checkpoint is of before the fault, and knows nothing of the detour.
    train(again, store=store, checkpoint_every=4, tell=ledger)
    assert len(ledger.events) == 1
    train(whole, store=Store(tmp_path / "whole"), checkpoint_every=4)
    assert difference(whole.game.state_dict(), again.game.state_dict()) == 0
    assert (again.step, again.drawn) == (whole.step, whole.drawn)


def test_without_a_store_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(NumericError) as caught:
        train(CASES["loss"][0](Fault(torch.nan, times=1)))
    assert caught.value.where == "no checkpoint to go back to"


# ----- The sentinel itself -----


def test_on_an_accelerator_norms_wait_and_remember_their_turn() -> None:
    match = first("vanilla", PLAN)
    sentinel = Sentinel(match)
    sentinel.immediate = False
    match.step = 7
    sentinel.check_turn("discriminator", torch.tensor(1.0))
    sentinel.check_turn("generator", torch.tensor(torch.inf))
    match.step = 13
    sentinel.check_turn("generator", torch.tensor(1.0))
    with pytest.raises(NotFinite) as caught:
        sentinel.check_weights()
    assert (caught.value.step, caught.value.whose) == (7, "generator loss or gradient")
    sentinel.check_weights()


def test_on_an_accelerator_norms_are_read_every_few_steps() -> None:
    match = first("vanilla", PLAN)
    sentinel = Sentinel(match)
    sentinel.immediate = False
    match.step = 19
    sentinel.check_turn("generator", torch.tensor(torch.nan))
    match.step = 20
    with pytest.raises(NotFinite, match="generator loss or gradient is not finite at step 19"):
        sentinel.check_turn("generator", torch.tensor(1.0))


def test_bad_whole_numbers_do_not_exist() -> None:
    class Counting(Game):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.tensor(2**40))
            self.register_buffer("nothing", torch.zeros(0))

        def players(self) -> dict[str, Player]:
            return {}

        def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
            yield from ()

    Sentinel(of(Counting(), streams.Nothing(1))).check_weights()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_bad_micro_batch_is_enough(accumulate: int, tmp_path: Path) -> None:
    data = SpoiledData(8, torch.nan, bad=47, end=48)
    match = of(Vanilla(), data, Plan(device="cpu", threads=1, accumulate=accumulate), steps=9)
    ledger = Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert ledger.events == [("rolled_back", "step 5: discriminator loss real not finite; back to 4")]


def test_latents_of_the_next_try_are_others(tmp_path: Path) -> None:
    class Luckless(Vanilla):
        """Goes bad for the very latents that it drew first in round 5."""

        drawn: list[Tensor]

        def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
            latents = torch.randn(1, LATENT)
            if self.step == 5:
                self.drawn.append(latents)
            bad = self.step == 5 and torch.equal(latents, self.drawn[0])
            for turn in super().turns(batches):
                yield Turn(turn.player, **turn.losses, luck=turn.loss * (torch.nan if bad else 0.0))

    game = Luckless()
    game.drawn = []
    match, ledger = of(game, streams.ring(8), steps=9), Ledger()
    train(match, store=FiniteStore(tmp_path), checkpoint_every=4, tell=ledger)
    assert len(ledger.events) == 1
    assert len(game.drawn) == 2
