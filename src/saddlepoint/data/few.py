"""A few labeled pictures beside many without labels: what a semi-supervised game learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from .batches import Batch
from .images import Images
from .split import Rows
from .stream import ImageStream

_KEY = 0x666577  # of the choice, apart from the seeds of orders


@dataclass(frozen=True)
class Partly:
    """Pictures with labels and pictures without, side by side.

    Attributes:
        labeled: with their labels.
        unlabeled: without, whatever the set knows of them.
    """

    labeled: Batch
    unlabeled: Batch

    @property
    def image(self) -> Tensor:
        """The pictures without labels: for whoever wants to see what the data look like."""
        return self.unlabeled.image

    def __len__(self) -> int:
        return len(self.unlabeled)

    def to(self, device: torch.device) -> Partly:
        """The same pictures on `device`."""
        return Partly(self.labeled.to(device), self.unlabeled.to(device))


def choose(images: Images, count: int, seed: int) -> np.ndarray:
    """Which pictures to take labels from: equally many of each class, as far as there are enough.

    One seed's choices contain each other: 100 labels are the 50, and 50 more.

    Args:
        images: the set.
        count: of labels.
        seed: of the choice.

    Returns:
        Row numbers, int64 (count,), the classes in turn.

    Raises:
        UsageError: the set has no classes, there are fewer labels than classes, or more than pictures.
    """
    if images.labels is None:
        raise UsageError(
            f"{images.name} has no classes, and this recipe learns to tell them",
            where="DATA",
            fix="sort a few of the pictures into one folder a class, or choose a recipe without classes",
        )
    if not len(images.classes) <= count <= len(images):
        least, most = f"{len(images.classes)} classes", f"{len(images):,} pictures"
        raise UsageError(
            f"{count:,} labels: {images.name} has {least} and {most}",
            where="--labels",
            fix=f"at least one label a class, and at most one a picture: --labels {10 * len(images.classes)}",
        )
    shuffled = np.random.Generator(np.random.Philox(key=[_KEY, seed])).permutation(len(images))
    labels = images.labels[shuffled]
    grouped = np.argsort(labels, kind="stable")
    firsts = np.searchsorted(labels[grouped], np.arange(len(images.classes)))
    turns = np.empty(len(images), np.int64)
    turns[grouped] = np.arange(len(images)) - firsts[labels[grouped]]
    return shuffled[np.argsort(turns, kind="stable")[:count]]


class PartlyLabeledStream:
    """Batches of a few labeled pictures beside as many of the whole set, each in endless shuffled epochs of its own.

    Sample number i of the stream is the same pair whoever asks for it. The labeled pictures are also among the
    unlabeled ones.

    Args:
        images: the set.
        batch: pairs for one draw, over all ranks and micro-batches.
        labels: pictures that come with their label.
        subset: seed that chooses them.

    Raises:
        UsageError: as `choose`; or the batch is larger than the set.
    """

    def __init__(self, images: Images, batch: int, *, labels: int, subset: int) -> None:
        rows = choose(images, labels, subset)
        assert images.labels is not None, "choose refuses a set without labels"
        self.examples, self.batch = images, batch
        few = replace(images, pixels=Rows(images.pixels, rows), labels=images.labels[rows], workers=0)
        # A batch may be larger than the few: their epochs follow each other within it.
        self._labeled = ImageStream(few, 1, seed=images.seed, flip=images.flip)
        self._unlabeled = images.stream(batch)

    def read(self, start: int, count: int) -> Partly:
        """Pairs `start` … `start + count - 1` of the stream."""
        return Partly(self._labeled.read(start, count), Batch(self._unlabeled.read(start, count).image))
