"""Exponential moving averages of weights: what a trained GAN samples from (Karras et al. 2018, section 4.2)."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .errors import GameError
from .game import Game


class Averages:
    """Averaged copies of the networks that `game.averaged` names, with half-lives in steps.

    Parameters are averaged; buffers, such as the running means of a BatchNorm, are copied.

    Args:
        game: whose networks.
        earlier: averages of the same game from the stage before, to go on from. A network may have grown since: what
            they do not know begins, as everything does without them, as a copy.
    """

    def __init__(self, game: Game, earlier: Averages | None = None) -> None:
        self.game = game
        self.decays = {name: 0.5 ** (1.0 / half_life) for name, half_life in game.averaged.items()}
        unknown = sorted(set(self.decays) - {name for name, _ in game.named_modules()})
        if unknown:
            raise GameError(f"{type(game).__name__}.averaged names no network: {', '.join(unknown)}")
        self.networks = {name: copy.deepcopy(game.get_submodule(name)).requires_grad_(False) for name in self.decays}
        if earlier is not None:
            self._go_on_from(earlier)

    @torch.no_grad()
    def update(self) -> None:
        """Moves each average one step towards the network it follows."""
        for name, average in self.networks.items():
            source = self.game.get_submodule(name)
            torch._foreach_lerp_(list(average.parameters()), list(source.parameters()), 1.0 - self.decays[name])
            for mine, theirs in zip(average.buffers(), source.buffers(), strict=True):
                mine.copy_(theirs)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the game plays with the averaged networks, in evaluation mode and without gradients."""
        originals = {name: self.game.get_submodule(name) for name in self.networks}
        training = self.game.training
        try:
            self._install(self.networks)
            self.game.eval()
            with torch.no_grad():
                yield
        finally:
            self._install(originals)
            self.game.train(training)

    def state(self) -> dict[str, Tensor]:
        """Every averaged tensor by name."""
        nets = self.networks.items()
        return {f"{name}.{key}": value for name, net in nets for key, value in net.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Takes up what `state()` gave."""
        for name, network in self.networks.items():
            mine = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            network.load_state_dict(mine)

    @torch.no_grad()
    def _go_on_from(self, earlier: Averages) -> None:
        for name in self.networks.keys() & earlier.networks.keys():
            known = dict(earlier.networks[name].named_parameters())
            for key, average in self.networks[name].named_parameters():
                if key in known and known[key].shape == average.shape:
                    average.copy_(known[key])

    def _install(self, networks: dict[str, nn.Module]) -> None:
        for name, network in networks.items():
            parent, _, leaf = name.rpartition(".")
            setattr(self.game.get_submodule(parent), leaf, network)
