"""A set of pictures of one size, decoded: what a recipe trains on.

The pixels are one uint8 array of shape (N, H, W, C), in memory or mapped from the cache file, so a set larger than
memory costs none and two processes on one machine share its pages.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from .report import ScanReport
    from .split import Rows
    from .stream import ImageStream

# Zero-stride stand-ins cost nothing, so a blank set may be as large as any batch asks for.
_BLANK_COUNT = 1 << 20


@dataclass(frozen=True, eq=False)
class Images:
    """Equal-sized pictures with optional labels.

    Attributes:
        pixels: uint8 (N, H, W, C), C is 1 (gray), 3 (RGB) or 4 (RGBA, alpha not premultiplied); of a part of a set
            `Rows`, to be indexed along the first axis only.
        labels: int64 (N,) with values 0 … len(classes) - 1, or None.
        classes: class names, in label order; empty without labels.
        name: what a person calls the set, for titles and logs.
        fingerprint: hexadecimal hash of pixels' origin; equal fingerprints mean equal training data.
        report: what the scan found, or None for arrays made in memory.
        seed: seed of the order and of the flips.
        flip: mirror each picture left to right with probability 1/2.
        workers: threads that prepare batches; never changes what is read.
    """

    pixels: np.ndarray | Rows
    labels: np.ndarray | None
    classes: tuple[str, ...]
    name: str
    fingerprint: str
    report: ScanReport | None = None
    seed: int = 0
    flip: bool = False
    workers: int = 0

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[1])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[2])

    @property
    def channels(self) -> int:
        """Channels: 1, 3 or 4."""
        return int(self.pixels.shape[3])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (C, H, W)."""
        return (self.channels, self.height, self.width)

    @property
    def frequencies(self) -> np.ndarray:
        """Share of the pictures in each class, float32 (K,); empty without labels."""
        return frequencies(self.labels, len(self.classes))

    def __len__(self) -> int:
        return len(self.pixels)

    def facts(self) -> dict[str, Any]:
        """What a model has to know of its data, as plain values."""
        return {
            "name": self.name,
            "count": len(self),
            "channels": self.channels,
            "height": self.height,
            "width": self.width,
            "classes": list(self.classes),
            "fingerprint": self.fingerprint,
        }

    def stream(self, batch: int) -> ImageStream:
        """The endless shuffled sequence of these pictures, `batch` at a time; no larger than the set."""
        # Imported here: a stream makes tensors, and PyTorch takes seconds to import; `saddle data check` needs none.
        from .stream import ImageStream

        return ImageStream(self, batch, seed=self.seed, flip=self.flip, workers=self.workers)

    @classmethod
    def of(
        cls,
        pixels: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        classes: tuple[str, ...] = (),
        name: str = "array",
        fingerprint: str | None = None,
        **settings: Any,
    ) -> Images:
        """Pictures that are already an array.

        Args:
            pixels: uint8 (N, H, W, C) or (N, H, W).
            labels: whole numbers (N,), counted from 0.
            classes: names for the labels; the numbers themselves by default.
            name: what a person calls the set.
            fingerprint: hash of the content; computed (1.8 GB/s) when not given.
            settings: `report`, `seed`, `flip`, `workers`.

        Raises:
            DataError: a shape, a type or a label that cannot be used.
        """
        pixels = _checked_pixels(pixels, name)
        if labels is not None:
            labels = _checked_labels(labels, len(pixels), len(classes), name)
            classes = classes or tuple(str(label) for label in range(int(labels.max(initial=-1)) + 1))
        elif classes:
            raise DataError(f"{name} names classes but has no labels", where=name)
        fingerprint = fingerprint or _digest(pixels, labels, classes)
        return cls(pixels, labels, tuple(classes), name, fingerprint, **settings)

    @classmethod
    def blank(cls, size: int | tuple[int, int], channels: int, classes: tuple[str, ...] = ()) -> Images:
        """Mid-gray pictures of the asked shape that take no memory, to build a game without data.

        Args:
            size: side, or (height, width), in pixels.
            channels: 1, 3 or 4.
            classes: class names; every label is then 0.
        """
        height, width = (size, size) if isinstance(size, int) else size
        pixels = np.broadcast_to(np.uint8(128), (_BLANK_COUNT, height, width, channels))
        labels = np.broadcast_to(np.int64(0), (_BLANK_COUNT,)) if classes else None
        return cls(pixels, labels, tuple(classes), "blank", f"blank-{height}x{width}x{channels}")


def frequencies(labels: np.ndarray | None, classes: int) -> np.ndarray:
    """Share of each class, float32 (classes,), in labels int64 (N,)."""
    if labels is None:
        return np.zeros(classes, np.float32)
    return (np.bincount(labels, minlength=classes) / len(labels)).astype(np.float32)


def _checked_pixels(pixels: np.ndarray, name: str) -> np.ndarray:
    """`pixels` as (N, H, W, C), or a `DataError` that says what they are instead."""
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3, 4) or 0 in pixels.shape:
        raise DataError(
            f"{name} holds {pixels.dtype} of shape {pixels.shape}",
            where=name,
            fix="give uint8 of shape (N, H, W, C) with C = 1, 3 or 4, and at least one picture",
        )
    return pixels


def _checked_labels(labels: np.ndarray, count: int, classes: int, name: str) -> np.ndarray:
    """`labels` as int64 (N,), or a `DataError` that says which one is wrong."""
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"labels of {name} are {labels.dtype} of shape {labels.shape}",
            where=name,
            fix=f"give one whole number per picture, shape ({count},)",
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= (classes or np.inf)))
    if len(wrong):
        allowed = f"0 to {classes - 1}" if classes else "0 or more"
        raise DataError(
            f"label {labels[wrong[0]]} of picture {wrong[0]} is out of range ({len(wrong)} such labels)",
            where=name,
            fix=f"labels must be {allowed}",
        )
    return labels.astype(np.int64)


def _digest(pixels: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]) -> str:
    """A hash over shape, pixels, labels and class names."""
    digest = hashlib.sha256(repr((pixels.shape, tuple(classes))).encode())
    for picture in pixels:
        digest.update(np.ascontiguousarray(picture).data)
    if labels is not None:
        digest.update(labels.data)
    return digest.hexdigest()
