"""What a game may be able to do, as protocols that the verbs look for, and what a stage reads from.

`saddle sample` works on any game with `Samples`; on another it says so and names the abilities the game has.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


class Stream(Protocol):
    """An endless sequence of samples; any part of it can be read at any time."""

    batch: int
    """Samples for one draw, over all ranks and micro-batches together."""

    def read(self, start: int, count: int) -> Any:
        """Samples `start` … `start + count - 1`: a pure function of its arguments and the stream's seed."""


@runtime_checkable
class Samples(Protocol):
    """Makes new data from noise."""

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Makes `count` samples, images as float32 (count, C, H, W) in [-1, 1]; noise is drawn with `generator`."""


@runtime_checkable
class Decodes(Protocol):
    """Makes data from given latents."""

    latent: int
    """Size Z of a latent."""

    def decode(self, latents: Tensor) -> Tensor:
        """Maps latents (N, Z) from N(0, I) to images (N, C, H, W) in [-1, 1]."""


@runtime_checkable
class Scores(Protocol):
    """Judges data."""

    def score(self, images: Tensor) -> Tensor:
        """Maps images (N, C, H, W) in [-1, 1] to logits (N,): larger is more real."""


ABILITIES: tuple[tuple[str, type], ...] = (("sample", Samples), ("decode", Decodes), ("score", Scores))


def abilities(game: object) -> list[str]:
    """Names of the abilities that `game` has."""
    return [name for name, protocol in ABILITIES if isinstance(game, protocol)]
