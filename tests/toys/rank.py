"""One of two processes that play toy games together: `python -m tests.toys.rank FOLDER`, started as torchrun would.

It leaves `NAME.rank-N.safetensors` for each toy game, and the same for the trials of a crash and of bad numbers.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from saddlepoint import ranks
from saddlepoint.checkpoint import Store
from saddlepoint.errors import Stopped
from saddlepoint.game import Turn
from saddlepoint.loop import train
from saddlepoint.match import Match

from .double import in_double
from .everything import Everything
from .playing import PLAN, Ledger, PowerCutError, first, of, played
from .rings import Vanilla
from .shelf import TOYS
from .streams import ring

BATCH, STEPS = 8, 3


def leave(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> None:
    """Writes what this rank ended with."""
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / f"{name}.rank-{ranks.rank()}")


def play_all(folder: Path) -> None:
    """Every toy that two processes play as two micro-batches would, in float64."""
    with in_double():
        for name, toy in TOYS.items():
            if not toy.private:
                leave(folder, name, played(toy, PLAN, steps=STEPS, batch=BATCH))


def everything() -> Match:
    """The game with a pool, of which each rank has its own, and a buffer that no checkpoint holds."""
    match = first("everything", steps=6)
    match.game.register_buffer("scratch", torch.full((1,), float(ranks.rank())), persistent=False)
    return match


def crash_and_resume(folder: Path) -> None:
    """A game with pools: played through, and with a crash of both processes in between."""
    whole = everything()
    train(whole, store=Store(folder / "whole"), checkpoint_every=2)
    leave(folder, "whole", whole.game.state_dict())
    cut, store = everything(), Store(folder / "cut")
    try:
        train(cut, store=store, checkpoint_every=2, stop=lambda: crash(cut))
    except PowerCutError:
        ranks.gather(None)
    cut = everything()
    cut.restore(store.newest())
    assert cut.step == 4
    train(cut)
    leave(folder, "cut", cut.game.state_dict())


def crash(match: Match) -> bool:
    """Ends every process in the fifth round."""
    if match.step == 5:
        raise PowerCutError
    return False


def stop_together() -> None:
    """The wish of one process to stop stops both."""
    match = first("vanilla", steps=6)
    try:
        train(match, stop=lambda: ranks.rank() == 1 and match.step == 2)
    except Stopped:
        assert match.step == 2
    else:
        raise AssertionError("nobody stopped")


class OneBadLoss(Vanilla):
    """On the second rank, and only there, a loss goes bad once."""

    spent = False

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for turn in super().turns(batches):
            if ranks.rank() == 1 and self.step == 3 and not self.spent:
                self.spent = True
                turn = Turn(turn.player, bad=turn.loss + torch.nan)
            yield turn


class OneBadBuffer(Everything):
    """On the second rank, and only there, an old fake in the pool goes bad once."""

    spent = False

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        yield from super().turns(batches)
        if ranks.rank() == 1 and self.step == 3 and not self.spent:
            self.spent = True
            self.pool.items.fill_(torch.inf)


def roll_back_together(folder: Path) -> None:
    """What goes bad on one rank rolls back both."""
    for name, game in (("loss", OneBadLoss()), ("buffer", OneBadBuffer())):
        match, ledger = of(game, ring(BATCH), steps=6), Ledger()
        train(match, store=Store(folder / name), checkpoint_every=2, tell=ledger)
        leave(folder, name, dict(match.game.named_parameters()))
        told = "\n".join(message for _, message in ledger.events)
        (folder / f"{name}.events-{ranks.rank()}").write_text(told)


def main(folder: Path) -> None:
    """Plays it all."""
    ranks.join("cpu")
    assert ranks.world() == 2
    play_all(folder)
    crash_and_resume(folder)
    stop_together()
    roll_back_together(folder)
    ranks.meet()
    ranks.leave()
    assert ranks.world() == 1


if __name__ == "__main__":
    warnings.simplefilter("error")
    main(Path(sys.argv[1]))
