"""What a game may be able to do, as protocols that the verbs look for, and what a stage reads from.

`saddle sample` works on any game with `Samples`; on another it says so and names the abilities the game has.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from .errors import UnavailableError


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
class Conditional(Protocol):
    """Makes data of the class that is asked for. It samples as well."""

    classes: tuple[str, ...]
    """Names of the classes, K of them, in label order."""

    frequencies: Tensor
    """Share of each class in the data, float (K,): what labels are drawn by when none are given."""

    latent: int
    """Size Z of a latent."""

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Maps latents (N, Z) and labels to images (N, C, H, W).

        Labels are int64 (N,), or float (N, K) whose rows are shares of the classes: a mixture between them.
        """


@runtime_checkable
class Classifies(Protocol):
    """Tells the class of data."""

    classes: tuple[str, ...]
    """Names of the classes, K of them, in label order."""

    def classify(self, images: Tensor) -> Tensor:
        """Maps images (N, C, H, W) in [-1, 1] to logits (N, K)."""


@runtime_checkable
class Scores(Protocol):
    """Judges data."""

    def score(self, images: Tensor) -> Tensor:
        """Maps images (N, C, H, W) in [-1, 1] to logits (N,): larger is more real."""


@runtime_checkable
class Translates(Protocol):
    """Turns pictures of one kind into pictures of another. Such a game has no `sample`: its noise is its dropout."""

    sides: tuple[str, str]
    """Names of the source and of the target."""

    multiple: int
    """Height and width of what is translated must divide by it."""

    def translate(self, images: Tensor) -> Tensor:
        """Maps sources (N, C, H, W) to targets (N, C, H, W), both in [-1, 1]."""


@runtime_checkable
class TranslatesBack(Protocol):
    """Turns targets into sources as well. It translates."""

    def translate_back(self, images: Tensor) -> Tensor:
        """Maps targets (N, C, H, W) to sources (N, C, H, W), both in [-1, 1]."""


ABILITIES: tuple[tuple[str, type], ...] = (
    ("sample", Samples),
    ("decode", Decodes),
    ("score", Scores),
    ("classify", Classifies),
    ("translate", Translates),
    ("translate back", TranslatesBack),
)


def abilities(game: object) -> list[str]:
    """Names of the abilities that `game` has."""
    return [name for name, protocol in ABILITIES if isinstance(game, protocol)]


def lacking(game: object, name: str, ability: str) -> UnavailableError:
    """The error for a game, known to people as `name`, that is asked for what it cannot do."""
    return UnavailableError(f"{name} cannot {ability}", fix=f"its abilities: {', '.join(abilities(game)) or 'nothing'}")


def translator(game: object, name: str, *, back: bool = False) -> Translates:
    """The same game, if it translates.

    Raises:
        UnavailableError: it does not, or not back.
    """
    if not isinstance(game, Translates):
        raise lacking(game, name, "translate")
    if back and not isinstance(game, TranslatesBack):
        raise lacking(game, name, "translate back")
    return game


def decode(game: Decodes | Conditional, latents: Tensor, labels: Tensor | None = None) -> Tensor:
    """Images of latents (N, Z), of whatever game.

    Args:
        game: with or without classes.
        latents: on its device.
        labels: as `Conditional.decode` takes them, for a game with classes; by default its classes in turn.
    """
    if isinstance(game, Conditional):
        given = torch.arange(len(latents)) % len(game.classes) if labels is None else labels
        return game.decode(latents, given.to(latents.device))
    return game.decode(latents)
