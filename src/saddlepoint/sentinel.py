"""Finds the first number that is not finite, and says whose it is.

Losses and gradients are checked in every turn with one fused norm, weights and averages every hundred steps and before
each save. On a CPU a bad turn is found before its step is taken. On a GPU that would make the host wait, so the norms
are kept on the device and read every few steps; each remembers its turn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from . import ranks

if TYPE_CHECKING:
    from .match import Match

WEIGHTS_EVERY = 100
READ_EVERY = 20


class NotFinite(Exception):
    """A turn, or the weights, went to NaN or infinity.

    Args:
        step: the round of the stage it happened in.
        whose: `discriminator loss real`, `generator gradient of up.weight`, …
        weights: found in the weights, so that any round since they were last checked may be the bad one.

    Attributes:
        draws: batches that the bad round had taken, set by the loop.
    """

    def __init__(self, step: int, whose: str, *, weights: bool = False) -> None:
        super().__init__(f"{whose} is not finite at step {step}")
        self.step, self.whose, self.weights, self.draws = step, whose, weights, 1


class Sentinel:
    """Watches one match."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.immediate = match.plan.device == "cpu"
        self.waiting: list[tuple[int, str, Tensor]] = []

    def check_turn(self, player: str, norm: Tensor) -> None:
        """Checks a turn by the norm of its gradients and losses together, before the optimizer's step.

        Raises:
            NotFinite: it is bad (on a GPU: it, or one of the turns before).
        """
        if self.immediate:
            if not math.isfinite(norm.item()):
                raise self._fault(player)
            return
        self.waiting.append((self.match.step, player, norm))
        if self.match.step % READ_EVERY == 0:
            self.read()

    def read(self) -> None:
        """Reads the norms that wait on the device."""
        if not self.waiting:
            return
        finite = torch.stack([norm for _, _, norm in self.waiting]).isfinite().tolist()
        waiting, self.waiting = self.waiting, []
        for (step, player, _), fine in zip(waiting, finite, strict=True):
            if not fine:
                raise NotFinite(step, f"{player} loss or gradient")

    def check_weights(self) -> None:
        """Checks every parameter, buffer and average. All ranks must call it together.

        Raises:
            NotFinite: on every rank, with the name of the first bad one.
        """
        self.read()
        state = {
            **self.match.game.state_dict(),
            **{f"average of {k}": v for k, v in self.match.averages.state().items()},
        }
        floats = {name: tensor for name, tensor in state.items() if tensor.is_floating_point() and tensor.numel()}
        if not floats:
            return
        norms = torch.stack([norm.float().cpu() for norm in torch._foreach_norm(list(floats.values()), math.inf)])
        bad = [name for name, fine in zip(floats, norms.isfinite().tolist(), strict=True) if not fine]
        # A buffer is each rank's own: one rank alone must not roll back.
        names = [name for of_rank in ranks.gather(bad[:1]) for name in of_rank]
        if names:
            raise NotFinite(self.match.step, f"weight {names[0]}", weights=True)

    def _fault(self, player: str) -> NotFinite:
        for name, parameter in self.match.game.named_parameters():
            # No step of this turn was taken: a bad weight is older, and the cause of the bad loss.
            if not bool(parameter.isfinite().all()):
                return NotFinite(self.match.step, f"weight {name}", weights=True)
        return NotFinite(self.match.step, self._culprit(player))

    def _culprit(self, player: str) -> str:
        for name, value in self.match.tally.items():
            if name.startswith(f"{player}/") and not bool(torch.isfinite(value)):
                return f"{player} loss {name.partition('/')[2]}"
        owned = {id(parameter) for parameter in self.match.players[player].params}
        for name, parameter in self.match.game.named_parameters():
            bad = parameter.grad is not None and not bool(parameter.grad.isfinite().all())
            if id(parameter) in owned and bad:
                return f"{player} gradient of {name}"
        # It is another process's loss, or a norm that overflows.
        return f"{player} loss or gradient"
