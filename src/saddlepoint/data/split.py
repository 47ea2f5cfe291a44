"""A part of a set kept out of the training, to measure with: pictures the generator cannot have learned by heart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import UsageError
from .images import Images

_KEY = 0x686F6C64  # of the choice, which is one for all runs: scores of two runs are of the same pictures


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of an array, read when they are asked for: a part of a mapped file stays mapped.

    Attributes:
        array: (N, …).
        rows: which of them, int64 (M,).
    """

    array: np.ndarray | Rows
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the part: (M, …)."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Of a number."""
        return self.array.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> np.ndarray:
        """One row, or a copy of several, as numpy chooses along the first axis."""
        found: np.ndarray = self.array[self.rows[chosen]]
        return found

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.array[row] for row in self.rows)


def split(images: Images, share: float) -> tuple[Images, Images]:
    """Pictures to train on, and those held out; each part in the order of the set.

    Which ones depends on the size of the set and the share alone.

    Args:
        images: the whole set.
        share: to hold out, strictly between 0 and 1; rounded to whole pictures.

    Raises:
        UsageError: one of the two parts would be empty.
    """
    count = round(share * len(images)) if 0 < share < 1 else 0
    if not 0 < count < len(images):
        raise UsageError(
            f"{share:g} of {len(images):,} pictures cannot be held out", where="--holdout", fix="--holdout 0.1"
        )
    shuffled = np.random.Generator(np.random.Philox(key=_KEY)).permutation(len(images))
    held, kept = np.sort(shuffled[:count]), np.sort(shuffled[count:])
    return _part(images, kept, f"less-{share:g}"), _part(images, held, f"held-{share:g}")


def _part(images: Images, rows: np.ndarray, what: str) -> Images:
    return replace(
        images,
        pixels=Rows(images.pixels, rows),
        labels=None if images.labels is None else images.labels[rows],
        fingerprint=f"{images.fingerprint}-{what}",
    )
