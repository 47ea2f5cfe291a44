"""The order of pictures of two sides: endless shuffled epochs, as pure in seed and position as those of one set.

Of pairs both sides are cut by the same window and mirrored by the same coin. Of unpaired sets each side has epochs,
windows and coins of its own, so that no two pictures meet more often than chance lets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from .batches import Pair
from .stream import ReadAhead, coins, hashes, order, require_room, scaled, splitmix

if TYPE_CHECKING:
    from .images import Images
    from .pairs import Pairs, Unpaired

_TARGET = 0x746172676574  # sets the target's seeds apart from all that a person gives


class PairStream:
    """Pairs in endless shuffled epochs.

    Args:
        pairs: the set; its source says seed, flips and workers.
        batch: pairs for one draw, over all ranks and micro-batches.
        crop: side of a window at a random place, the same for both sides of a pair; the whole pictures by default.

    Raises:
        UsageError: the batch is larger than the set, or the window than the pictures.
    """

    def __init__(self, pairs: Pairs, batch: int, *, crop: int | None = None) -> None:
        require_room(batch, len(pairs), "pair")
        self.examples, self.batch = pairs, batch
        self._look = Look.at(pairs.source, crop)
        workers = pairs.source.workers
        self._read = ReadAhead(self._load, workers) if workers else self._load

    def read(self, start: int, count: int) -> Pair:
        """Pairs `start` … `start + count - 1` of the stream."""
        return self._read(start, count)

    def _load(self, start: int, count: int) -> Pair:
        chosen = order(self.examples.source.seed, len(self.examples), start, count)
        source, target = self.examples.source.pixels[chosen], self.examples.target.pixels[chosen]
        return Pair(scaled(self._look.taken(source, start)), scaled(self._look.taken(target, start)))


class UnpairedStream:
    """Pictures of two sets, each in endless shuffled epochs of its own.

    Args:
        sets: the two; the source says seed, flips and workers.
        batch: pictures of each side for one draw, over all ranks and micro-batches.
        crop: side of a window at a random place; the whole pictures by default.

    Raises:
        UsageError: the batch is larger than one of the sets, or the window than the pictures.
    """

    def __init__(self, sets: Unpaired, batch: int, *, crop: int | None = None) -> None:
        require_room(batch, min(len(sets.source), len(sets.target)), "image")
        self.examples, self.batch = sets, batch
        self._source = Look.at(sets.source, crop)
        self._target = Look(sets.source.seed ^ _TARGET, self._source.flip, crop)
        workers = sets.source.workers
        self._read = ReadAhead(self._load, workers) if workers else self._load

    def read(self, start: int, count: int) -> Pair:
        """Pictures `start` … `start + count - 1` of each side."""
        return self._read(start, count)

    def _load(self, start: int, count: int) -> Pair:
        sides = ((self.examples.source, self._source), (self.examples.target, self._target))
        chosen = [images.pixels[order(look.seed, len(images), start, count)] for images, look in sides]
        source, target = (look.taken(pixels, start) for pixels, (_, look) in zip(chosen, sides, strict=True))
        return Pair(scaled(source), scaled(target))


@dataclass(frozen=True)
class Look:
    """How pictures are varied: by a window at a random place, and by a mirror.

    Attributes:
        seed: of places and coins.
        flip: mirror each picture left to right with probability 1/2.
        crop: side of the window; None takes the whole picture.
    """

    seed: int
    flip: bool
    crop: int | None

    @classmethod
    def at(cls, images: Images, crop: int | None) -> Look:
        """As `images` say.

        Raises:
            UsageError: they are smaller than the window.
        """
        if crop is not None and not 1 <= crop <= min(images.height, images.width):
            raise UsageError(
                f"a window of {crop}x{crop} cannot be cut from pictures of {images.height}x{images.width}",
                where=images.name,
                fix="load the pictures larger, or take a smaller window",
            )
        return cls(images.seed, images.flip, crop)

    def taken(self, pixels: np.ndarray, start: int) -> np.ndarray:
        """What is seen of pixels (N, H, W, C) that stand at the positions from `start` on."""
        if self.crop is not None and pixels.shape[1:3] != (self.crop, self.crop):
            pixels = _windows(pixels, hashes(self.seed, start, len(pixels)), self.crop)
        if self.flip:
            mirrored = coins(self.seed, start, len(pixels))
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        return pixels


def _windows(pixels: np.ndarray, numbers: np.ndarray, side: int) -> np.ndarray:
    """A window (side, side) of each picture, where its random number says."""
    # Hashed again, as the lowest bit of the number itself is the picture's coin.
    once = splitmix(numbers)
    tops = (once % np.uint64(pixels.shape[1] - side + 1)).astype(np.int64)
    lefts = (splitmix(once) % np.uint64(pixels.shape[2] - side + 1)).astype(np.int64)
    rows, columns = tops[:, None] + np.arange(side), lefts[:, None] + np.arange(side)
    return pixels[np.arange(len(pixels))[:, None, None], rows[:, :, None], columns[:, None, :]]
