"""The one loop that plays every game.

`train` reads as a list of headlines; `play_round` is the rule behind them: for each turn that the game yields, only the
mover's gradients are made, averaged over micro-batches and ranks, checked, clipped and stepped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from . import ranks
from .checkpoint import Saved, Store
from .errors import DiskError, GameError, MissingError, NumericError, Stopped
from .game import Turn
from .match import Feed, Match
from .observers import Moment, Observer
from .plan import Dice
from .sentinel import WEIGHTS_EVERY, NotFinite, Sentinel

ROLLBACKS = 3
FAILED_SAVES = 3

Tell = Callable[[str, str], None]
"""Reports an event by kind and message."""


def train(
    match: Match,
    *,
    observers: Sequence[Observer] = (),
    store: Store | None = None,
    checkpoint_every: int = 500,
    stop: Callable[[], bool] = lambda: False,
    tell: Tell = lambda kind, message: None,
) -> None:
    """Plays a match to the end of its stage.

    Args:
        match: where to go on from; a new one, or one restored from a checkpoint.
        observers: called on rank 0 at step 0, every `observer.every` steps, and after the last.
        store: where checkpoints go; without one nothing is saved and nothing can be rolled back.
        checkpoint_every: steps between checkpoints.
        stop: polled after each round; when any rank says yes, the match is saved and `Stopped` raised.
        tell: receives events such as a roll-back.

    Raises:
        Stopped: `stop` said so; the checkpoint is of this very step.
        NumericError: a value stayed NaN or infinite after three roll-backs.
        DiskError: three saves in a row failed, or the one at the end or at a stop.
        GameError: the game broke a rule.
    """
    sentinel, clock = Sentinel(match), Clock(match)
    saver = Saver(match, store, sentinel, tell)
    if match.step == 0:
        saver.begin()
        observe(match, observers, clock, tell)
    while match.step < match.stage.steps:
        try:
            set_rates(match)
            play_round(match, sentinel)
            match.averages.update()
            stopping = ranks.any_of(stop())
            due = stopping or match.step % checkpoint_every == 0 or match.step == match.stage.steps
            if due or match.step % WEIGHTS_EVERY == 0:
                sentinel.check_weights()
            observe(match, observers, clock, tell, everyone=stopping)
            if due:
                # Nothing comes after these two that could try again.
                saver.save(last=stopping or match.step == match.stage.steps)
        except NotFinite as fault:
            saver.roll_back(fault)
            continue
        if stopping and match.step < match.stage.steps:
            raise Stopped(f"stopped at step {match.total_step}; everything is saved", fix="saddle resume")


def set_rates(match: Match) -> None:
    """Scales every player's declared learning rates to where the stage stands."""
    for player in match.players.values():
        player.set_rates(match.step / match.stage.steps)


def play_round(match: Match, sentinel: Sentinel) -> None:
    """Plays one round: every player has its turns, then the step counts as finished."""
    match.game.train()
    match.game.step = match.step
    match.tally = {}
    match.drawn += match.detours.get(match.step, (0, 0))[1]
    feeds = match.feeds()
    rounds = [match.game.turns(feed) for feed in feeds]
    count = len(rounds)
    dice = Dice(match.place, ranks.rank() * count, count)
    try:
        while (mover := _collect(match, rounds, dice)) is not None:
            _move(match, mover, sentinel)
    except NotFinite as fault:
        fault.draws = feeds[0].draws
        raise
    match.drawn += _drawn(feeds) * match.stage.data.batch
    match.step += 1
    match.game.step = match.step


def _collect(match: Match, rounds: Sequence[Iterator[Turn]], dice: Dice) -> str | None:
    """Advances every micro-batch by one turn and adds up the mover's gradients; None when the round is over."""
    mover: str | None = None
    for index, turns in enumerate(rounds):
        with dice.hand(index), match.plan.autocast():
            turn = next(turns, None)
        if not torch.is_grad_enabled():
            torch.set_grad_enabled(True)
            raise GameError(
                f"{type(match.game).__name__}.turns yielded inside no_grad()", fix="close the block before the yield"
            )
        name = turn.player if turn else None
        if index and name != mover:
            raise GameError(f"micro-batches disagree on whose turn it is: {mover!r} or {name!r}")
        mover = name
        if turn:
            _differentiate(match, turn, index, len(rounds))
    return mover


def _differentiate(match: Match, turn: Turn, index: int, count: int) -> None:
    player = match.players.get(turn.player)
    if player is None:
        raise GameError(f"no player {turn.player!r}; the players are {', '.join(match.players)}")
    loss = turn.loss / count
    if not loss.requires_grad:
        raise GameError(f"the losses of {turn.player!r} do not depend on any parameter", fix="remove a detach()")
    # Only the mover's gradients: the other side's are neither needed nor computed.
    loss.backward(inputs=player.params)
    for name, value in {**turn.losses, **turn.watch}.items():
        key = f"{turn.player}/{name}"
        share = value.detach().float() / count
        # The first micro-batch begins anew: a player may have had this turn before in this round.
        match.tally[key] = match.tally[key] + share if index and key in match.tally else share


def _move(match: Match, mover: str, sentinel: Sentinel) -> None:
    """The mover's step: average over ranks, check, clip, step."""
    player = match.players[mover]
    gradients = [parameter.grad for parameter in player.params if parameter.grad is not None]
    if not gradients:
        raise GameError(
            f"the losses of {mover!r} do not depend on any of its parameters",
            fix="check whose turn it is and players()",
        )
    losses = [value for key, value in match.tally.items() if key.startswith(f"{mover}/")]
    # A bad loss can have finite gradients; as one number more in the average, every rank sees it.
    probe = torch.stack(losses).sum() * 0
    ranks.average([*gradients, probe])
    norm = torch.nn.utils.get_total_norm(gradients)
    sentinel.check_turn(mover, norm + probe)
    match.tally[f"{mover}/gradient"] = norm
    if player.clip is not None:
        torch.nn.utils.clip_grads_with_norm_(player.params, player.clip, norm)
    player.optimizer.step()
    player.optimizer.zero_grad(set_to_none=True)
    if player.after:
        player.after()


def _drawn(feeds: Sequence[Feed]) -> int:
    draws = {feed.draws for feed in feeds}
    if len(draws) > 1:
        raise GameError(f"micro-batches took different numbers of batches: {sorted(draws)}")
    return draws.pop()


class Clock:
    """Measures what this process has played."""

    def __init__(self, match: Match) -> None:
        self.started = self.last = time.monotonic()
        self.drawn = match.drawn

    def lap(self, drawn: int) -> float:
        """Samples per second since the last lap."""
        now = time.monotonic()
        speed = max(0, drawn - self.drawn) / max(now - self.last, 1e-9)
        self.last, self.drawn = now, drawn
        return speed


def observe(match: Match, observers: Sequence[Observer], clock: Clock, tell: Tell, *, everyone: bool = False) -> None:
    """Shows the match to every observer that is due. A full disk costs a picture, never the training."""
    if ranks.rank():
        return
    end = everyone or match.step == match.stage.steps
    due = [observer for observer in observers if end or match.step % observer.every == 0]
    if not due:
        return
    moment = Moment(match, time.monotonic() - clock.started, clock.lap(match.drawn))
    for observer in due:
        try:
            observer(moment)
        except (DiskError, OSError) as error:
            tell("not_written", str(error).partition("\n")[0])


class Saver:
    """Saves a match, and brings it back when a number goes bad."""

    def __init__(self, match: Match, store: Store | None, sentinel: Sentinel, tell: Tell) -> None:
        self.match, self.store, self.sentinel, self.tell = match, store, sentinel, tell
        self.failed = 0
        self.faults: list[NotFinite] = []

    def begin(self) -> None:
        """Commits the first checkpoint of a stage, which the first roll-back may need."""
        try:
            self.save()
        except NotFinite as fault:
            self.roll_back(fault)

    def save(self, *, last: bool = False) -> None:
        """Commits a checkpoint of finite weights; a full disk is survived twice, unless this is the `last` save."""
        self.sentinel.check_weights()
        if self.store is None:
            return
        match = self.match
        tensors, facts = match.state()
        if ranks.rank() == 0:
            self._commit(match.total_step, tensors, facts, last)
        if self.faults and self.faults[-1].step < match.step:
            self.faults = []

    def roll_back(self, fault: NotFinite) -> None:
        """Returns to the newest checkpoint and arranges that the bad round is not played again as it was."""
        self.faults.append(fault)
        steps = ", ".join(str(self.match.base + one.step) for one in self.faults)
        try:
            saved = None if self.store is None else ranks.one_after_rank_0(self.store.newest)
        except MissingError:
            saved = None
        if saved is None or len(self.faults) > ROLLBACKS:
            raise NumericError(
                f"training became unstable: not finite at steps {steps} (first bad: {self.faults[0].whose})",
                where=f"last good: {saved.path}" if saved else "no checkpoint to go back to",
                fix="smaller learning rates, --precision fp32, or another seed",
            )
        detours = {**self.match.detours, **self._detour(fault, saved)}
        for player in self.match.players.values():
            player.optimizer.zero_grad(set_to_none=True)
        self.sentinel.waiting.clear()
        self.match.restore(saved)
        self.match.detours = detours
        self.tell("rolled_back", f"step {self.match.base + fault.step}: {fault.whose} not finite; back to {saved.step}")

    def _detour(self, fault: NotFinite, saved: Saved) -> dict[int, tuple[int, int]]:
        """Passes over the samples of the bad round; of all rounds since the checkpoint, when it is not known which."""
        match = self.match
        step = saved.facts["step"] if fault.weights else fault.step
        tries, passed = match.detours.get(step, (0, 0))
        drawn = match.drawn - saved.facts["drawn"] if fault.weights else passed + fault.draws * match.stage.data.batch
        return {step: (tries + 1, drawn)}

    def _commit(self, step: int, tensors: dict[str, dict[str, Tensor]], facts: dict[str, Any], last: bool) -> None:
        assert self.store is not None
        try:
            self.store.save(step, tensors, facts)
            self.failed = 0
        except DiskError as error:
            self.failed += 1
            if last or self.failed >= FAILED_SAVES:
                raise
            good = max(self.store.steps(), default="none")
            self.tell(
                "save_failed",
                f"{error.what}; last good: {good}; training goes on, next try at the next checkpoint "
                f"({self.failed} of {FAILED_SAVES})",
            )
