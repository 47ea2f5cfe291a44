"""Plays toy games, stops them as a power cut would, and watches who moves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddlepoint import recipe
from saddlepoint.checkpoint import Store, read
from saddlepoint.game import Game, Player, Stage
from saddlepoint.loop import train
from saddlepoint.match import Match, build
from saddlepoint.observers import Moment
from saddlepoint.plan import Plan
from saddlepoint.recipe import Recipe
from saddlepoint.run import Run
from saddlepoint.session import Session

from .shelf import TOYS, Toy

PLAN = Plan(device="cpu", threads=1)


def matches(toy: Toy, plan: Plan = PLAN, *, steps: int = 4, batch: int = 8) -> Iterator[Match]:
    """The match of each stage; the next stage is built only after this one's was played."""
    stages, base, index, match = toy.stages(steps, batch), 0, 0, None
    while (stage := build(stages, plan)) is not None:
        match = Match(stage, plan, index=index, base=base, before=match)
        yield match
        base, index = base + stage.steps, index + 1


def first(name: str, plan: Plan = PLAN, *, steps: int = 4, batch: int = 8) -> Match:
    """The match of a toy's first stage."""
    return next(matches(TOYS[name], plan, steps=steps, batch=batch))


def of(game: Game, data: Any, plan: Plan = PLAN, *, steps: int = 4) -> Match:
    """A match of a game that is not on the shelf."""
    return Match(Stage("alone", game, data, steps), plan)


def played(toy: Toy, plan: Plan = PLAN, *, steps: int = 4, batch: int = 8) -> dict[str, Tensor]:
    """Every tensor of every game, as it is after its stage, by stage and name."""
    tensors = {}
    for match in matches(toy, plan, steps=steps, batch=batch):
        train(match)
        for name, tensor in match.game.state_dict().items():
            tensors[f"{match.stage.name}: {name}"] = tensor.clone()
    return tensors


@dataclass
class Ledger:
    """What a training told about itself: kinds and messages."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, kind: str, message: str) -> None:
        self.events.append((kind, message))


class PowerCutError(Exception):
    """The process is gone."""


@dataclass
class PowerCut:
    """An observer that ends the process at a step, before that step is saved."""

    step: int
    every: int = 1

    def __call__(self, moment: Moment) -> None:
        if moment.step == self.step:
            raise PowerCutError


class QuietSession(Session):
    """A session that plays and saves, and tells nobody: toys have no source of pictures."""

    def _observers(self, match: Match) -> list[Any]:
        return []

    def _note(self, match: Match) -> None:
        pass


def session(
    folder: Path,
    toy: Toy,
    *,
    plan: Plan = PLAN,
    steps: int = 4,
    batch: int = 8,
    every: int = 2,
    cut: int | None = None,
    stopper: Callable[[], bool] = lambda: False,
) -> Session:
    """A session that plays a toy in a run's folder.

    Args:
        folder: of the run.
        toy: what to play.
        plan: how.
        steps: rounds of each stage.
        batch: samples for one draw.
        every: steps between checkpoints.
        cut: step at which the power fails.
        stopper: asked after each step whether to stop.
    """
    module = sys.modules[__name__]
    found = Recipe("toy", module, recipe.Options, {}, {}, lambda options, source: toy.stages(steps, batch))
    observers = () if cut is None else (PowerCut(cut),)
    made = QuietSession(Run(folder), found, recipe.Options(), plan, None, every, 10**6, observers, stopper)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "run.json").exists():
        made.begin()
    return made


def ends(folder: Path) -> dict[str, tuple[dict[str, dict[str, Tensor]], dict[str, Any]]]:
    """What a run's stages ended with: tensors and facts of the newest checkpoint and of each one kept for good."""
    store = Store(folder / "checkpoints")
    paths = [*store.folder.glob("stage-*"), list(store.steps().values())[-1]]
    return {path.name: (saved.tensors, saved.facts) for path in paths for saved in [read(path)]}


def difference(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """Largest absolute difference between equally named tensors."""
    assert ours.keys() == theirs.keys()
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in ours)


class Referee:
    """Watches a match through its optimizers: who moves, and who gets a gradient.

    Attributes:
        offenses: what broke the rule that in a turn only the mover's parameters get gradients and change.
        missing: by player, the parameters that have not had a gradient yet.
        turns: players in the order of their moves.
    """

    def __init__(self, match: Match) -> None:
        self.match = match
        self.offenses: list[str] = []
        self.turns: list[str] = []
        self.last = self._weights()
        self.names = {id(weight): name for name, weight in match.game.named_parameters()}
        self.missing = {name: {self.names[id(weight)] for weight in p.params} for name, p in match.players.items()}
        for name, player in match.players.items():
            player.optimizer.register_step_pre_hook(self._before(name, player))

    def finish(self) -> None:
        """Looks at what the last mover did."""
        self._compare()

    def _before(self, name: str, player: Player) -> Callable[..., None]:
        owned = {self.names[id(weight)] for weight in player.params}

        def before(*ignored: Any) -> None:
            # What changed since the last turn began is the last mover's doing, its `after` included.
            self._compare()
            self.turns.append(name)
            for key, weight in self.match.game.named_parameters():
                if weight.grad is None:
                    continue
                self.missing[name].discard(key)
                if key not in owned:
                    self.offenses.append(f"{key} gets a gradient in the turn of {name}")

        return before

    def _compare(self) -> None:
        now = self._weights()
        changed = {key for key in now if not torch.equal(now[key], self.last[key])}
        if not self.turns:
            mine: set[str] = set()
        else:
            mine = {self.names[id(weight)] for weight in self.match.players[self.turns[-1]].params}
            if not changed & mine:
                self.offenses.append(f"{self.turns[-1]} does not move in turn {len(self.turns)}")
        self.offenses += [f"{key} changes in turn {len(self.turns)}" for key in sorted(changed - mine)]
        self.last = now

    def _weights(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self.match.game.named_parameters()}
