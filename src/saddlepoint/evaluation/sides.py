"""The two sides of a comparison: a set of pictures, or what a generator makes.

Both are read by position, any piece as often as wanted, and the same piece is always the same pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor, nn

from ..abilities import Classifies, Conditional, Decodes, Samples, Translates
from ..data.batches import Batch
from ..data.images import Images
from ..data.points import Points
from ..data.stream import order
from ..errors import UnavailableError, UsageError
from ..layers.labels import draw_labels
from ..making import draw, translated

PIECE = 64
"""Pictures made or read at once."""


class Side(Protocol):
    """What the scores ask of either side.

    Attributes:
        name: for people.
        key: tells its pictures apart from all others; None where they are made anew each time.
        classes: names of the labels; empty without labels.
    """

    name: str
    key: str | None
    classes: tuple[str, ...]

    @property
    def labels(self) -> Tensor | None:
        """Of all pictures, int64 (N,), without a look at any; None without labels."""

    def __len__(self) -> int:
        """How many pictures."""

    def read(self, start: int, count: int) -> Batch:
        """Pictures `start` … `start + count - 1` on the CPU."""


def pieces(side: Side, size: int = PIECE) -> Iterator[Batch]:
    """All pictures of a side in order, in pieces."""
    for start in range(0, len(side), size):
        yield side.read(start, min(size, len(side) - start))


class Set:
    """Pictures or points of a data set: all of them, or as many as asked, chosen by a seed.

    Args:
        examples: the set; its own order and flips do not matter.
        count: how many to take; all when there are no more.
        seed: of the choice.
    """

    def __init__(self, examples: Images | Points, count: int | None = None, *, seed: int = 0) -> None:
        self.name, self.classes = examples.name, examples.classes
        self.count = min(count or len(examples), len(examples))
        self.examples = replace(examples, seed=seed)
        if isinstance(self.examples, Images):
            self.examples = replace(self.examples, flip=False, workers=0)
        shape = "x".join(map(str, examples.shape))
        self.key: str | None = (
            f"{examples.fingerprint}-{shape}-{self.count}-{seed if self.count < len(examples) else 'all'}"
        )
        self._stream = self.examples.stream(1)

    def __len__(self) -> int:
        return self.count

    @property
    def labels(self) -> Tensor | None:
        known = self.examples.labels
        if known is None:
            return None
        return torch.from_numpy(known[order(self.examples.seed, len(self.examples), 0, self.count)])

    def read(self, start: int, count: int) -> Batch:
        return self._stream.read(start, count)


class Part:
    """Some pictures of a side.

    Args:
        side: the side.
        rows: which of its pictures, int64 (N,), in any order.
    """

    key: str | None = None

    def __init__(self, side: Side, rows: Tensor) -> None:
        self.side, self.rows, self.name, self.classes = side, rows, side.name, side.classes

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labels(self) -> Tensor | None:
        known = self.side.labels
        return None if known is None else known[self.rows]

    def read(self, start: int, count: int) -> Batch:
        # In the order of the side, which may make its pictures block by block.
        rows, places = self.rows[start : start + count].sort()
        found = [self.side.read(row, 1) for row in rows.tolist()]
        labels = [one.label for one in found if one.label is not None]
        back = places.argsort()
        return Batch(torch.cat([one.image for one in found])[back], torch.cat(labels)[back] if labels else None)


class Middle:
    """The middle of each picture of a side, as large as it can be with sides that divide by a number.

    Args:
        side: the side.
        multiple: the number; pictures smaller than that stay whole.
        part: of a set, which the side is; tells it apart from the others.
    """

    def __init__(self, side: Side, multiple: int, *, part: str) -> None:
        self.side, self.multiple, self.name, self.classes = side, multiple, side.name, side.classes
        self.key = None if side.key is None else f"{side.key}-{part}-by-{multiple}"

    def __len__(self) -> int:
        return len(self.side)

    @property
    def labels(self) -> Tensor | None:
        return self.side.labels

    def read(self, start: int, count: int) -> Batch:
        batch = self.side.read(start, count)
        height, width = batch.image.shape[2:]
        high, wide = (length // self.multiple * self.multiple or length for length in (height, width))
        top, left = (height - high) // 2, (width - wide) // 2
        return Batch(batch.image[:, :, top : top + high, left : left + wide], batch.label)


class Translated:
    """What a game makes of the pictures of a side.

    Args:
        side: the side.
        game: on its device and in evaluation mode.
        back: the other way; the game can.
        seed: of the game's noise.
    """

    key: str | None = None
    classes: tuple[str, ...] = ()
    labels: Tensor | None = None

    def __init__(self, side: Side, game: Translates, *, back: bool = False, seed: int = 0) -> None:
        self.side, self.game, self.back, self.seed, self.name = side, game, back, seed, side.name

    def __len__(self) -> int:
        return len(self.side)

    def read(self, start: int, count: int) -> Batch:
        return Batch(translated(self.game, self.side.read(start, count).image, back=self.back, seed=self.seed))


class Made:
    """What a game makes, from latents of a seed.

    Every block of pictures has a generator of its own, so that any piece can be made again by itself.

    Args:
        game: able to sample, on its device and in evaluation mode.
        count: pictures.
        name: for people.
        seed: of the latents.
        truncation: of the latents, see `latent.truncate`; None for none.

    Raises:
        UnavailableError: the game cannot sample.
    """

    key: str | None = None

    def __init__(
        self, game: nn.Module, count: int, *, name: str, seed: int = 0, truncation: float | None = None
    ) -> None:
        if not isinstance(game, Samples):
            fix = "measure a game that translates after its training: saddle eval"
            raise UnavailableError(f"{name} cannot sample, so no samples can be measured", fix=fix)
        self.game, self.count, self.name, self.seed, self.truncation = game, count, name, seed, truncation
        self.classes: tuple[str, ...] = game.classes if isinstance(game, Conditional) else ()
        self._last: tuple[int, Batch] = (-1, Batch(torch.empty(0)))

    def __len__(self) -> int:
        return self.count

    @property
    def labels(self) -> Tensor | None:
        drawn = [self._begin(index)[1] for index in range(-(-self.count // PIECE))]
        known = [labels for labels in drawn if labels is not None]
        return torch.cat(known)[: self.count].cpu() if known else None

    def read(self, start: int, count: int) -> Batch:
        if not 0 <= start <= start + count <= self.count:
            raise UsageError(f"pictures {start} to {start + count} of {self.count} cannot be made")
        first, last = start // PIECE, -(-(start + count) // PIECE)
        blocks = [self._block(index) for index in range(first, last)]
        chosen = slice(start - first * PIECE, start - first * PIECE + count)
        labels = [block.label for block in blocks if block.label is not None]
        images = torch.cat([block.image for block in blocks])[chosen]
        return Batch(images, torch.cat(labels)[chosen] if labels else None)

    @property
    def decodes(self) -> Decodes | None:
        """The game, if it has latents to walk between."""
        return self.game if isinstance(self.game, Decodes) else None

    @property
    def classifies(self) -> Classifies | None:
        """The game, if it tells classes."""
        return self.game if isinstance(self.game, Classifies) else None

    def _begin(self, index: int) -> tuple[torch.Generator, Tensor | None]:
        """A block's generator, and the labels that it is the first to give."""
        digest = hashlib.sha256(f"{self.seed}-{index}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
        if not isinstance(self.game, Conditional):
            return generator, None
        return generator, draw_labels(PIECE, self.game.frequencies, generator)

    @torch.no_grad()
    def _block(self, index: int) -> Batch:
        if index != self._last[0]:
            generator, labels = self._begin(index)
            images = draw(self.game, PIECE, labels, generator, self.truncation).float().cpu()
            self._last = (index, Batch(images, None if labels is None else labels.cpu()))
        return self._last[1]
