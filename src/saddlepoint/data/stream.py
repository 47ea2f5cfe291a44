"""The order of samples: endless shuffled epochs as a pure function of a seed and a position.

Nothing here remembers what was read. Sample number i of the stream is the same picture with the same flip whoever
asks for it, in whatever batch size, on whatever rank, with any number of workers; so a run resumes in O(1).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import torch

from ..errors import UsageError
from .batches import Batch

if TYPE_CHECKING:
    from .images import Images
    from .points import Points

T = TypeVar("T")


@lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of `count` samples in one epoch, int64 (count,)."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count)


def order(seed: int, count: int, start: int, length: int) -> np.ndarray:
    """Which of `count` samples stand at positions `start` … `start + length - 1`; epochs follow without a gap."""
    pieces = []
    while length:
        epoch, slot = divmod(start, count)
        piece = permutation(seed, epoch, count)[slot : slot + length]
        pieces.append(piece)
        start, length = start + len(piece), length - len(piece)
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


def coins(seed: int, start: int, length: int) -> np.ndarray:
    """One fair coin for each position, bool (length,): a hash of the position, after a hash of the seed."""
    return (hashes(seed, start, length) & np.uint64(1)).astype(bool)


def hashes(seed: int, start: int, length: int) -> np.ndarray:
    """A random number for each position, uint64 (length,)."""
    positions = np.arange(start, start + length, dtype=np.uint64)
    return splitmix(positions + splitmix(np.array([seed], np.uint64)))


def splitmix(x: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele et al. 2014), uint64 to uint64."""
    x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class ReadAhead(Generic[T]):
    """Reads in threads what will probably be asked for next; the answer never depends on it.

    Args:
        read: a pure function of (start, count).
        workers: threads; each keeps one read in flight.
    """

    def __init__(self, read: Callable[[int, int], T], workers: int) -> None:
        self.read = read
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="saddle-read")
        self.depth = 2 * workers
        self.pending: dict[tuple[int, int], Future[T]] = {}
        self.last = 0

    def __call__(self, start: int, count: int) -> T:
        future = self.pending.pop((start, count), None)
        stride = start - self.last
        self.last = start
        if stride <= 0:
            stride = count
        ahead = [(start + stride * (i + 1), count) for i in range(self.depth)]
        self.pending = {key: self.pending.get(key) or self.pool.submit(self.read, *key) for key in ahead}
        return future.result() if future else self.read(start, count)


class ImageStream:
    """Batches of an image set in endless shuffled epochs.

    Args:
        images: the set.
        batch: samples for one draw, over all ranks and micro-batches.
        seed: of the order and of the flips.
        flip: mirror each picture left to right with probability 1/2.
        workers: threads that read ahead; 0 reads when asked.

    Raises:
        UsageError: when the batch is larger than the set.
    """

    def __init__(self, images: Images, batch: int, *, seed: int = 0, flip: bool = False, workers: int = 0) -> None:
        require_room(batch, len(images), "image")
        self.examples, self.batch, self.seed, self.flip = images, batch, seed, flip
        self._read = ReadAhead(self._load, workers) if workers else self._load

    def read(self, start: int, count: int) -> Batch:
        """Samples `start` … `start + count - 1` of the stream."""
        return self._read(start, count)

    def _load(self, start: int, count: int) -> Batch:
        chosen = order(self.seed, len(self.examples), start, count)
        pixels = self.examples.pixels[chosen]
        if self.flip:
            mirrored = coins(self.seed, start, count)
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        labels = self.examples.labels
        return Batch(scaled(pixels), None if labels is None else torch.from_numpy(labels[chosen]))


def scaled(pixels: np.ndarray) -> torch.Tensor:
    """Pixels uint8 (N, H, W, C) as a network takes them: float32 (N, C, H, W) in [-1, 1]."""
    # By numpy, on one thread: torch would share so small a task among threads that the networks keep busy.
    values = pixels.astype(np.float32)
    values *= np.float32(1 / 127.5)
    values -= 1
    # (N, H, W, C) seen as (N, C, H, W) is channels-last already: no copy on the way to the networks.
    return torch.from_numpy(values).permute(0, 3, 1, 2)


def labeled(images: Images, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Some pictures of a set with classes, float32 (N, C, H, W) in [-1, 1], and their labels, int64 (N,).

    Args:
        images: the set.
        rows: int64 (N,), in any order.
    """
    assert images.labels is not None, "it has classes"
    pixels = torch.from_numpy(images.pixels[rows]).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1, torch.from_numpy(images.labels[rows])


class PointStream:
    """Batches of points in endless shuffled epochs.

    Args:
        points: the set.
        batch: samples for one draw, over all ranks and micro-batches.
        seed: of the order.

    Raises:
        UsageError: when the batch is larger than the set.
    """

    def __init__(self, points: Points, batch: int, *, seed: int = 0) -> None:
        require_room(batch, len(points), "point")
        self.examples, self.batch, self.seed = points, batch, seed

    def read(self, start: int, count: int) -> Batch:
        """Samples `start` … `start + count - 1` of the stream."""
        chosen = order(self.seed, len(self.examples), start, count)
        labels = self.examples.labels
        return Batch(
            torch.from_numpy(self.examples.values[chosen]), None if labels is None else torch.from_numpy(labels[chosen])
        )


def require_room(batch: int, count: int, kind: str, *, flag: str = "--batch") -> None:
    """Raises `UsageError` when `count` images or points are too few for one batch; `flag` sets its size."""
    if batch > count:
        raise UsageError(
            f"batch {batch:,} is larger than the data set ({count:,} {kind}{'s' * (count != 1)})",
            where=flag,
            fix=f"{flag} {max(1, 2 ** (count.bit_length() - 1))}",
        )
