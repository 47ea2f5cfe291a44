"""Ways through latents and classes. Each is a film, frame by frame, and a sheet, from left to right.

All of them are cheap: nothing is decoded here, and frames are made one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UsageError
from .classes import between, number, pure
from .truncate import truncate
from .walk import Path, explore, lerp, slerp

_COLUMNS = 24  # of a walk's sheet at most, about

Frame = tuple[Tensor, Tensor | None]
"""Latents (N, Z), and labels int64 (N,), shares of classes (N, K), or None."""


@dataclass(frozen=True)
class Tour:
    """A way, to be shown once.

    Attributes:
        frames: of the film, in order; the last goes over into the first.
        columns: of the sheet, from left to right, each of as many rows.
        heads: what stands above the columns; nothing where empty.
        names: what stands beside the rows; nothing where empty.
    """

    frames: Iterable[Frame]
    columns: Iterable[Frame]
    heads: Sequence[str] = ()
    names: Sequence[str] = ()


def over_latents(states: Tensor, labels: Tensor | None, steps: int, *, path: Path = slerp) -> Tour:
    """Around a loop of latents; classes stay.

    Args:
        states: (S, N, Z), what each of N pictures passes.
        labels: of the pictures.
        steps: frames from one state to the next.
        path: the way between two states.
    """
    every = _stride(len(states), steps)
    shown = ((latents, labels) for at, latents in enumerate(explore(states, steps, path)) if at % every == 0)
    return Tour(((latents, labels) for latents in explore(states, steps, path)), shown)


def over_classes(latents: Tensor, wanted: Sequence[int | str], classes: Sequence[str], steps: int) -> Tour:
    """Around a loop of classes, mixing each with the next; latents stay.

    Args:
        latents: (N, Z).
        wanted: the classes to pass, by name or number.
        classes: names of all.
        steps: frames from one class to the next.

    Raises:
        UsageError: a class that there is not.
    """
    passed = [number(each, classes) for each in wanted]
    corners, every = pure(passed, classes), _stride(len(passed), steps)
    heads = [classes[passed[at // steps]] if at % steps == 0 else "" for at in range(0, len(passed) * steps, every)]
    shown = [shares for at, shares in enumerate(explore(corners, steps, lerp)) if at % every == 0]
    frames, columns = (
        ((latents, _alike(shares, latents)) for shares in each) for each in (explore(corners, steps, lerp), shown)
    )
    return Tour(frames, columns, heads)


def breed(latents: Tensor, parents: Sequence[int | str], classes: Sequence[str], columns: int, steps: int) -> Tour:
    """Mixtures of two classes from left to right, a latent a row; or of four between the corners, of one latent.

    The film goes from the first of two to the second and back, or around the four corners.

    Args:
        latents: (N, Z), at least two.
        parents: two classes or four, by name or number; four from left to right and from top to bottom.
        classes: names of all.
        columns: of the sheet, at least two.
        steps: frames from one class to the next.

    Raises:
        UsageError: another number of classes, one that there is not, or a sheet too small.
    """
    rows = len(latents)
    if len(parents) not in (2, 4) or min(rows, columns) < 2:
        raise UsageError(
            f"{len(parents)} classes cannot be bred on {rows} rows and {columns} columns",
            where="saddle breed",
            fix="two classes or four, on two rows and columns or more",
        )
    found = [number(each, classes, where="saddle breed") for each in parents]
    names, corners = [classes[each] for each in found], pure(found, classes)
    parts = torch.linspace(0, 1, columns)
    if len(parents) == 2:
        frames, sheet = (
            ((latents, _alike(between(corners, part), latents)) for part in each) for each in (_swing(steps), parts)
        )
        return Tour(frames, sheet, [names[0], *[""] * (columns - 2), names[1]])
    alike, down = latents[:1].expand(rows, -1), torch.linspace(0, 1, rows)
    square = ((alike, between(corners, part, down)) for part in parts)
    around = over_classes(latents, [found[corner] for corner in (0, 1, 3, 2)], classes, steps)
    beside = [f"{names[0]} … {names[1]}", *[""] * (rows - 2), f"{names[2]} … {names[3]}"]
    return Tour(around.frames, square, names=beside)


def traverse(
    latents: Tensor, labels: Tensor | None, coordinates: Sequence[int], *, reach: float, columns: int, steps: int
) -> Tour:
    """One coordinate of the latents at a time from `-reach` to `reach`, all else as it is.

    The pictures that Chen et al. 2016, "InfoGAN", show of each code. The film goes there and back.

    Args:
        latents: (N, Z), a row for each coordinate.
        labels: of the rows.
        coordinates: which of Z.
        reach: how far.
        columns: of the sheet, at least two.
        steps: frames of the film on either way.

    Raises:
        UsageError: a coordinate that the latents do not have, or none.
    """
    size = latents.shape[1]
    for each in coordinates:
        if not 0 <= each < size:
            raise UsageError(
                f"latents have no coordinate {each}", where="--coordinates", fix=f"whole numbers 0..{size - 1}"
            )
    if not coordinates:
        raise UsageError("no coordinate was asked for", where="--coordinates", fix=f"of 0..{size - 1}")
    rows = latents.repeat(len(coordinates), 1)
    moved = torch.tensor(coordinates).repeat_interleave(len(latents))
    known = None if labels is None else labels.repeat(len(coordinates), *[1] * (labels.ndim - 1))

    def at(value: float) -> Frame:
        return rows.scatter(1, moved[:, None], value), known

    values = torch.linspace(-reach, reach, columns).tolist()
    swing = (at(reach * (2 * part - 1)) for part in _swing(steps))
    heads = [f"{round(value, 2):g}" for value in values]
    return Tour(swing, (at(value) for value in values), heads, [str(each) for each in moved.tolist()])


def sweep(latents: Tensor, labels: Tensor | None, thresholds: Sequence[float | None], steps: int) -> Tour:
    """The same latents ever more truncated; the film goes there and back, evenly by ratio.

    Args:
        latents: (N, Z) of N(0, I), a row each.
        labels: of the rows.
        thresholds: a column each, at least one of them a number; None for a column without truncation.
        steps: frames of the film on either way.
    """
    known = [each for each in thresholds if each is not None]
    low, high = min(known), max(known)
    frames = ((truncate(latents, high * (low / high) ** part), labels) for part in _swing(steps))
    columns = ((truncate(latents, each), labels) for each in thresholds)
    return Tour(frames, columns, ["none" if each is None else f"{each:g}" for each in thresholds])


def _alike(shares: Tensor, latents: Tensor) -> Tensor:
    """The same mixture for every latent."""
    return shares.expand(len(latents), -1)


def _swing(steps: int) -> Iterator[float]:
    """Parts from 0 to 1 and back to just before 0, slow at both ends."""
    return ((1 - math.cos(math.pi * step / steps)) / 2 for step in range(2 * steps))


def _stride(states: int, steps: int) -> int:
    """Frames from one column of a walk's sheet to the next: half the way between states, more if these are many."""
    return max(steps // 2, 1, -(-states * steps // _COLUMNS))
