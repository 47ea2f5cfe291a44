"""What a game is asked to make, in pieces that fit in memory: samples, and translations of pictures of any size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .abilities import Conditional, Decodes, Samples, Translates, TranslatesBack, decode
from .latent.truncate import truncate
from .layers.labels import draw_labels
from .plan import seed_everything

PIECE = 64
"""Samples made at once."""
ROOM = 1 << 20
"""Pixels translated at once; a larger picture goes by itself."""


def samples(
    game: Samples, count: int, generator: torch.Generator, *, labels: Tensor | None, truncation: float | None
) -> Tensor:
    """Any number of samples, float32 on the CPU, one latent after the other.

    Args:
        game: on its device and in evaluation mode.
        count: how many.
        generator: of all noise.
        labels: as the game takes them, one for each; None draws them.
        truncation: see `draw`.
    """
    pieces = []
    for start in range(0, count, PIECE):
        size = min(PIECE, count - start)
        given = None if labels is None else labels[start : start + size]
        pieces.append(draw(game, size, given, generator, truncation).float().cpu())
    return torch.cat(pieces)


def draw(
    game: Samples, count: int, labels: Tensor | None, generator: torch.Generator, truncation: float | None
) -> Tensor:
    """Samples of a game, from truncated latents where that is asked for; else whatever `sample` gives."""
    if truncation is None or not isinstance(game, Decodes):
        return game.sample(count, labels=labels, generator=generator)
    latents = truncate(torch.randn(count, game.latent, generator=generator), truncation)
    if labels is None and isinstance(game, Conditional):
        labels = draw_labels(count, game.frequencies, generator)
    return decode(game, latents.to(place(game)), labels)


@torch.no_grad()
def translated(game: Translates, images: Tensor, *, back: bool = False, seed: int = 0) -> Tensor:
    """Pictures of any size (N, C, H, W) in [-1, 1], translated; float32 on the CPU, of their own size.

    Where a side does not divide by the game's `multiple`, the picture is mirrored outwards until it does, and the
    margin is cut off again.

    Args:
        game: on its device and in evaluation mode.
        images: of the source, or of the target on the way back.
        back: the other way; the game can.
        seed: of what the game draws, such as the units that its dropout drops.
    """
    device, pixels = place(game), images.shape[2] * images.shape[3]
    with seeded(seed, device):
        pieces = [_fitted(game, piece.to(device), back) for piece in images.split(max(1, ROOM // pixels))]
    return torch.cat(pieces)


def compared(game: Translates, source: Tensor, target: Tensor, *, paired: bool) -> list[tuple[str, Tensor]]:
    """Columns of a sheet, each with its head: what goes in, what comes out, and what it is to be held against.

    Of pairs that is the other side. Else it is the way back where the game knows it, and then both directions are
    shown.

    Args:
        game: on the device of the pictures.
        source: (N, C, H, W), of sizes that the game takes.
        target: likewise.
        paired: whether row i of one belongs to row i of the other.
    """
    one, other = game.sides
    there = game.translate(source)
    columns = [(one, source), (f"to {other}", there)]
    if paired:
        columns.append((other, target))
    if isinstance(game, TranslatesBack):
        here = game.translate_back(target)
        columns += [(f"to {one}", here)] if paired else [("and back", game.translate_back(there))]
        columns += [] if paired else [(other, target), (f"to {one}", here), ("and back", game.translate(here))]
    return columns


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, torch's default randomness is that of a seed; afterwards it is as it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        seed_everything(seed)
        yield


def place(game: object) -> torch.device:
    """Where a game computes."""
    assert isinstance(game, nn.Module), "every game is one"
    return next(game.parameters()).device


def _fitted(game: Translates, images: Tensor, back: bool) -> Tensor:
    rows, top = _mirrored(images.shape[2], game.multiple)
    columns, left = _mirrored(images.shape[3], game.multiple)
    whole = images[:, :, rows.to(images.device)][:, :, :, columns.to(images.device)]
    if back:
        assert isinstance(game, TranslatesBack), "the verbs have looked"
        made = game.translate_back(whole)
    else:
        made = game.translate(whole)
    return made[:, :, top : top + images.shape[2], left : left + images.shape[3]].float().cpu()


def _mirrored(length: int, multiple: int) -> tuple[Tensor, int]:
    """Which of `length` pixels stand in a line that divides by `multiple`, and at which place the first one stands.

    Walks to and fro without repeating the ends, as often as it takes: one pixel can become 256.
    """
    total = -(-length // multiple) * multiple
    first = (total - length) // 2
    period = max(1, 2 * (length - 1))
    steps = (torch.arange(total) - first) % period
    return torch.minimum(steps, period - steps).clamp(max=length - 1), first
