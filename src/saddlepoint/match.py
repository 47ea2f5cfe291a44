"""A stage being played: the game, its players and every number a checkpoint must hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from . import ranks
from .averages import Averages
from .checkpoint import Saved
from .errors import CheckpointError, UsageError
from .game import Player, Stage
from .plan import Plan, seed_everything

STAGES = 0x57A6E
"""Keeps the numbers that seed weights apart from those that seed rounds."""


class Feed(Iterator[Any]):
    """One micro-batch's share of a stage's stream.

    A draw takes `stream.batch` consecutive samples for all micro-batches of all ranks together; each takes its part.

    Args:
        match: whose stream, position and plan to use.
        index: this micro-batch's number among all of all ranks.
        total: how many there are.
    """

    def __init__(self, match: Match, index: int, total: int) -> None:
        self.match, self.stream = match, match.stage.data
        self.count = self.stream.batch // total
        self.start = match.drawn + index * self.count
        self.draws = 0

    def __next__(self) -> Any:
        start = self.start + self.draws * self.stream.batch
        self.draws += 1
        return self.match.plan.move(self.stream.read(start, self.count))


class Match:
    """A stage being played.

    Args:
        stage: what is played.
        plan: how; already resolved.
        index: the stage's number within its recipe.
        base: steps of the stages before.
        before: the match of the stage before, as it ended. Where it played the same game, its averages go on.

    Attributes:
        step: finished rounds of this stage.
        drawn: samples taken from the stream so far.
        detours: for a step that must not be repeated as it was: how often it failed, and the samples to pass over.
        tally: losses, watched values and gradient norms of the last round, scalars still on the device.
    """

    def __init__(self, stage: Stage, plan: Plan, *, index: int = 0, base: int = 0, before: Match | None = None) -> None:
        self.stage, self.plan, self.index, self.base = stage, plan, index, base
        self.game = plan.place(stage.game)
        ranks.agree_on(self.game)
        self.players: dict[str, Player] = self.game.players()
        earlier = before.averages if before is not None and before.game is self.game else None
        self.averages: Averages = Averages(self.game, earlier)
        self.step = self.drawn = 0
        self.detours: dict[int, tuple[int, int]] = {}
        self.tally: dict[str, Tensor] = {}
        total = ranks.world() * plan.accumulate
        if stage.data.batch % total:
            parts = f"{ranks.world()} processes x {plan.accumulate} micro-batches"
            raise UsageError(
                f"batch {stage.data.batch} does not divide by {parts}",
                where="--batch",
                fix=f"--batch {max(1, stage.data.batch // total) * total}",
            )

    @property
    def total_step(self) -> int:
        """Finished rounds over all stages."""
        return self.base + self.step

    @property
    def place(self) -> tuple[int, ...]:
        """What names the next round: seed, stage, step and how often it was tried and failed."""
        return (self.plan.seed, self.index, self.step, self.detours.get(self.step, (0, 0))[0])

    def feeds(self) -> list[Feed]:
        """The feeds of this rank's micro-batches for the next round."""
        count = self.plan.accumulate
        first = ranks.rank() * count
        return [Feed(self, first + i, ranks.world() * count) for i in range(count)]

    def state(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
        """Tensors by file and name, and facts. All ranks must call it together."""
        tensors: dict[str, dict[str, Tensor]] = {
            "game": dict(self.game.state_dict()),
            "averages": self.averages.state(),
            "players": {},
        }
        facts: dict[str, Any] = {
            "stage": self.stage.name,
            "step": self.step,
            "drawn": self.drawn,
            "players": {},
        }
        for name, player in self.players.items():
            saved = player.optimizer.state_dict()
            groups = [{key: value for key, value in g.items() if key != "params"} for g in saved["param_groups"]]
            numbers: dict[str, Any] = {}
            for index, entry in saved["state"].items():
                for key, value in entry.items():
                    if isinstance(value, Tensor):
                        tensors["players"][f"{name}/{index}/{key}"] = value
                    else:
                        numbers[f"{index}/{key}"] = value
            facts["players"][name] = {"groups": groups, "numbers": numbers}
        # Parameters agree over ranks; buffers, such as a pool of old fakes, are each rank's own.
        shared = {name for name, _ in self.game.named_parameters(remove_duplicate=False)}
        own = {name: buffer.cpu() for name, buffer in tensors["game"].items() if name not in shared}
        for number, buffers in enumerate(ranks.gather(own)[1:], start=1):
            tensors[f"rank-{number}"] = buffers
        return tensors, facts

    def restore(self, saved: Saved) -> None:
        """Takes up exactly where `saved` was made.

        Raises:
            CheckpointError: it is of another stage or of other networks.
        """
        facts = saved.facts
        if (stage := facts.get("stage")) != self.stage.name:
            raise CheckpointError(
                f"the checkpoint is of stage {stage!r}, not {self.stage.name!r}", where=str(saved.path)
            )
        own = saved.tensors.get(f"rank-{ranks.rank()}", {})
        try:
            self.game.load_state_dict({**saved.tensors["game"], **own})
            self.averages.restore(saved.tensors["averages"])
            for name, player in self.players.items():
                self._restore_player(name, player, saved)
            self.step, self.drawn = facts["step"], facts["drawn"]
        except (RuntimeError, LookupError, ValueError) as error:
            first = str(error).strip().splitlines()[-1].strip()
            raise CheckpointError(f"the checkpoint does not fit this game: {first}", where=str(saved.path)) from error

    def _restore_player(self, name: str, player: Player, saved: Saved) -> None:
        facts = saved.facts["players"][name]
        entries: dict[int, dict[str, Any]] = {}
        for key, number in facts["numbers"].items():
            index, _, field = key.partition("/")
            entries.setdefault(int(index), {})[field] = number
        params = player.params
        for key, tensor in saved.tensors["players"].items():
            owner, _, rest = key.rpartition("/")[0].rpartition("/")
            if owner == name:
                # A copy: optimizers count in place. Fused kernels walk memory, so a moment must lie as its parameter
                # does (channels-last).
                param, own = params[int(rest)], tensor.clone()
                if tensor.shape == param.shape:
                    own = torch.empty_like(param, dtype=tensor.dtype, requires_grad=False).copy_(tensor)
                entries.setdefault(int(rest), {})[key.rpartition("/")[2]] = own
        groups = []
        for ours, theirs in zip(player.optimizer.state_dict()["param_groups"], facts["groups"], strict=True):
            if unlike := (ours.keys() - {"params"}) ^ theirs.keys():
                raise ValueError(f"the optimizer of {name!r} is another one: it differs in {', '.join(sorted(unlike))}")
            kept = {k: tuple(v) if isinstance(ours[k], tuple) else v for k, v in theirs.items()}
            groups.append({**kept, "params": ours["params"]})
        player.optimizer.load_state_dict({"state": entries, "param_groups": groups})


def build(stages: Iterator[Stage], plan: Plan, index: int = 0) -> Stage | None:
    """The next stage of a recipe, number `index`, its weights drawn from the plan's seed; None after the last."""
    seed_everything(plan.seed, STAGES + index)
    return next(stages, None)


def opening(stages: Iterator[Stage], plan: Plan) -> Match:
    """The match of a recipe's first stage, ready to be played: most recipes have no other."""
    stage = build(stages, plan)
    assert stage is not None, "a recipe has at least one stage"
    return Match(stage, plan)
