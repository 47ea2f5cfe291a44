"""The page of tricks: its code runs, and a game made of several tricks trains and resumes as any other."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from saddlepoint.averages import Averages
from saddlepoint.checkpoint import Store
from saddlepoint.data.batches import Batch
from saddlepoint.game import Game, Stage
from saddlepoint.loop import train
from saddlepoint.match import Match, build
from saddlepoint.plan import Plan

from .toys.playing import PLAN, PowerCut, PowerCutError, Referee, difference
from .toys.streams import Made, on_ring

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "tricks.md"
STEPS = 12


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's code defines, after all of it has run."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 20
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(blocks):
        # Line numbers in a traceback count from the block's first line.
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)
    return names


def test_every_turn_of_the_page_can_be_played(page: dict[str, Any]) -> None:
    for name in ("loss", "turn"):
        value = page[name] if name == "loss" else page[name].loss
        assert value.isfinite()
        assert value.requires_grad
    for name in ("lipschitz", "judge_of_batches"):
        assert page[name](page["real"]).shape == (16,)


def test_every_trick_has_a_place_and_a_source(page: dict[str, Any]) -> None:
    tricks = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    titles = " ".join(trick.partition("\n")[0] for trick in tricks).lower()
    for name in (
        *("ttur", "sgd", "average of g", "smoothing", "flipped", "noise", "replay", "packing", "diffaugment", "ada"),
        *("spectral", "discrimination", "deviation", "virtual", "dropout", "penalties", "matching", "historical"),
        "unrolling",
    ):
        assert name in titles
    for trick in tricks:
        assert re.search(r"(et\s+al\.|Bottou)\s+20\d\d", trick), f"no source: {trick.splitlines()[0]}"
        assert "```python" in trick, f"no code: {trick.splitlines()[0]}"


def stage(page: dict[str, Any], steps: int = STEPS) -> Stage:
    """The page's game on a ring of eight."""
    stream = Made(16, 3, lambda numbers: Batch(on_ring(numbers)))
    made = build(iter([Stage("adversarial", page["Tricky"](steps), stream, steps)]), PLAN)
    assert made is not None
    return made


def match(page: dict[str, Any], plan: Plan = PLAN) -> Match:
    torch.manual_seed(0)
    return Match(stage(page), plan)


def test_only_the_mover_moves_among_tricks(page: dict[str, Any]) -> None:
    playing = match(page)
    referee = Referee(playing)
    train(playing)
    referee.finish()
    assert referee.offenses == []
    assert referee.missing == {player: set() for player in playing.players}
    assert all(value.isfinite() for value in playing.tally.values())


@pytest.mark.parametrize("cut", [4, 10], ids=["pool half full", "pool full"])
def test_tricks_resume_as_if_never_stopped(page: dict[str, Any], cut: int, tmp_path: Path) -> None:
    whole, first = match(page), match(page)
    train(whole)
    with pytest.raises(PowerCutError):
        train(first, store=Store(tmp_path), checkpoint_every=2, observers=[PowerCut(cut + 1)])
    assert (int(first.game.get_buffer("replay.filled")) < 64) == (cut == 4)
    resumed = match(page)
    with torch.no_grad():
        for tensor in resumed.game.state_dict().values():
            tensor.zero_()
    resumed.restore(Store(tmp_path).newest())
    assert resumed.step == cut
    train(resumed)
    assert difference(resumed.game.state_dict(), whole.game.state_dict()) == 0
    assert difference(resumed.averages.state(), whole.averages.state()) == 0


def test_a_generator_decides_the_samples_of_a_game_with_dropout(page: dict[str, Any]) -> None:
    game: Game = match(page).game
    state = torch.get_rng_state()
    with Averages(game).applied():
        one, same = (game.sample(5, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, same)
    assert torch.equal(torch.get_rng_state(), state)


def test_tricks_together_learn_a_ring(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    playing = Match(stage(page, 150), PLAN)
    train(playing)
    with playing.averages.applied():
        points = playing.game.sample(500, generator=torch.Generator().manual_seed(0))
    # An untrained generator's points lie within 1 of the middle; the ring has radius 2.
    radius = points.norm(dim=1)
    assert float(radius.mean()) == pytest.approx(2.0, abs=0.5)
    angle = torch.atan2(points[:, 1], points[:, 0])
    eighths = ((angle / (math.pi / 4)).round() % 8).long().bincount(minlength=8)
    assert int((eighths >= 10).sum()) >= 5
