"""The rules: a game, its players, their turns.

A GAN is a game. `Game.turns` tells one round of it from top to bottom, as the algorithm box of the paper does; each
`yield` hands one named player its losses, and the one loop (`loop.py`) differentiates, steps and goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .errors import GameError
from .schedules import constant

if TYPE_CHECKING:
    from .abilities import Stream


class Turn:
    """One player's move: what it is asked to minimize, now.

    Args:
        player: a key of `Game.players()`.
        watch: scalars to log and never to minimize, such as D(x).
        losses: scalars, already weighted; their sum is minimized. Named by what they ask: `adversarial`, `cycle`. The
            name `gradient` is taken: under it the loop logs the norm of the player's gradient.

    Raises:
        GameError: without a loss, with one that is not a scalar, or with one called `gradient`.
    """

    __slots__ = ("losses", "player", "watch")

    def __init__(self, player: str, *, watch: Mapping[str, Tensor] | None = None, **losses: Tensor) -> None:
        self.player, self.losses, self.watch = player, losses, watch or {}
        if not losses:
            raise GameError(f"the turn of {player!r} has no loss", fix="yield Turn(player, name=scalar, …)")
        if "gradient" in {*losses, *self.watch}:
            raise GameError(f"{player}/gradient is the norm of the gradient", fix="choose another name")
        for name, value in losses.items():
            if value.ndim:
                raise GameError(
                    f"loss {player}/{name} has shape {tuple(value.shape)}; a loss is a scalar", fix="take its mean()"
                )

    @property
    def loss(self) -> Tensor:
        """The sum of the losses, shape ()."""
        return torch.stack([value.float() for value in self.losses.values()]).sum()


class Player:
    """A set of parameters with an optimizer; not a network. Two generators can be one player, a latent can be one.

    Args:
        optimizer: holds the parameters this player moves. Its learning rates are the *declared* ones.
        schedule: factor on the declared rates as a function of the finished fraction of the stage, in [0, 1).
        clip: largest gradient norm, or None.
        after: called after each step of the optimizer, e.g. to clip weights.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        schedule: Callable[[float], float] = constant,
        clip: float | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.optimizer, self.schedule, self.clip, self.after = optimizer, schedule, clip, after
        # A checkpoint holds scaled rates. Scaling what it restores would apply the schedule twice.
        self.rates = [float(group["lr"]) for group in optimizer.param_groups]

    @property
    def params(self) -> list[nn.Parameter]:
        """Every parameter the optimizer moves, in its order."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    def set_rates(self, fraction: float) -> None:
        """Scales the declared learning rates to `fraction` of the stage."""
        factor = self.schedule(fraction)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


class Game(nn.Module, ABC):
    """Networks, the players that move them, and the rule of a round.

    All state is the module's: pools, running means and controllers are buffers, so `state_dict()` is the whole truth.
    Randomness is torch's default generator, which the loop seeds before each step.

    Attributes:
        step: the finished rounds of this stage, set by the loop.
        averaged: submodules to keep an exponential moving average of, with half-lives in steps.
    """

    step: int = 0
    averaged: Mapping[str, float] = {}

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """New players over this game's parameters; called once, before the first round."""

    @abstractmethod
    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        """Plays one round: takes what it needs from `batches` and yields each player's turn in order."""

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Registers a network; its name must not hide a method of `nn.Module`."""
        self._refuse(name)
        super().add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module):
            self._refuse(name)
        super().__setattr__(name, value)

    def _refuse(self, name: str) -> None:
        if hasattr(Game, name):
            raise GameError(f"a network of {type(self).__name__} cannot be called {name!r}", fix="choose another name")


@dataclass(frozen=True)
class Stage:
    """A stretch of training: one game on one stream.

    Attributes:
        name: unique within a recipe, e.g. `adversarial`, `fade-16`.
        game: what is played.
        data: where its batches come from; `data.batch` samples for one draw over all ranks and micro-batches.
        steps: rounds to play.
    """

    name: str
    game: Game
    data: Stream
    steps: int
