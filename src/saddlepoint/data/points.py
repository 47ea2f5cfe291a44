"""Points drawn from a toy distribution: what a recipe trains on when the data are not pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from . import toys
from .images import frequencies
from .toys import Toy

if TYPE_CHECKING:
    from .stream import PointStream

COUNT = 100_000
"""Points in a set when its name does not say, as in PacGAN's protocol."""

# As for pictures, zero-stride stand-ins: enough for any batch.
_BLANK_COUNT = 1 << 20


@dataclass(frozen=True, eq=False)
class Points:
    """A sample of a toy distribution.

    Attributes:
        values: float32 (N, D).
        labels: int64 (N,), the mode each point was drawn from, or None for a toy without modes.
        toy: where they come from; knows the true density.
        name: what a person calls the set: `ring8`, `ring8:2500`.
        seed: seed of the order; the points themselves are the same for every seed.
    """

    values: np.ndarray
    labels: np.ndarray | None
    toy: Toy
    name: str
    seed: int = 0

    @classmethod
    def draw(cls, toy: Toy, count: int = COUNT, *, seed: int = 0) -> Points:
        """`count` points of the toy, to be read in the order that `seed` decides."""
        values, labels = toy.draw(count, 0)
        return cls(values, labels, toy, toy.name if count == COUNT else f"{toy.name}:{count}", seed)

    @classmethod
    def blank(cls, toy: Toy) -> Points:
        """Zeros of the toy's shape that take no memory, to build a game without data."""
        labels = None if toy.centers is None else np.broadcast_to(np.int64(0), (_BLANK_COUNT,))
        return cls(np.broadcast_to(np.float32(0), (_BLANK_COUNT, toy.dimension)), labels, toy, "blank")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (D,)."""
        return (self.toy.dimension,)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels: the modes' numbers."""
        return () if self.toy.centers is None else tuple(map(str, range(len(self.toy.centers))))

    @property
    def frequencies(self) -> np.ndarray:
        """Share of the points of each mode, float32 (K,); empty for a toy without modes."""
        return frequencies(self.labels, len(self.classes))

    @property
    def fingerprint(self) -> str:
        """Hash of the points."""
        return hashlib.sha256(np.ascontiguousarray(self.values).data).hexdigest()

    def __len__(self) -> int:
        return len(self.values)

    def stream(self, batch: int) -> PointStream:
        """The endless shuffled sequence of these points, `batch` at a time; no larger than the set."""
        from .stream import PointStream

        return PointStream(self, batch, seed=self.seed)

    def facts(self) -> dict[str, Any]:
        """What a model has to know of its data, as plain values."""
        return {
            "name": self.name,
            "count": len(self),
            "channels": 0,
            "height": 0,
            "width": 0,
            "toy": self.toy.name,
            "classes": list(self.classes),
            "fingerprint": self.fingerprint,
        }


def named(name: str) -> tuple[Toy, int] | None:
    """The toy distribution that `ring8` or `ring8:2500` names, and how many points of it; None for other names.

    Raises:
        UsageError: what stands after the colon is no number of points, or there is no such ring or grid.
    """
    head, colon, rest = name.partition(":")
    if not toys.is_toy(head):
        return None
    if colon and (not rest.isascii() or not rest.isdigit() or int(rest) < 1):
        raise UsageError(f"{rest!r} is not a number of points", where=name, fix=f"{head}:{COUNT}")
    return toys.find(head), int(rest) if colon else COUNT
