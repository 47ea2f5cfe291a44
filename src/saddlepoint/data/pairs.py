"""Pictures in twos: pairs that belong together, and two sets in which none belongs to another.

Pairs lie side by side in one picture, source left and target right, or under equal names in two folders. Unpaired sets
lie in two folders. So whoever scans, caches or resumes meets nothing new: pairs are pictures twice as wide, and two
sets are two classes. Only this file and `sides` tell them apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .blank import Blank
from .images import Images
from .scan import labels_of
from .sides import TEST, TRAIN, Two, apart, matched
from .source import Source
from .split import split

if TYPE_CHECKING:
    from .pair_stream import PairStream, UnpairedStream


@dataclass(frozen=True, eq=False)
class Sides:
    """Two sets of pictures of one shape.

    Attributes:
        source: what is translated; its seed, flips and workers are those of both.
        target: what it is translated to.
        sides: their names.
    """

    source: Images
    target: Images
    sides: tuple[str, str]

    @property
    def name(self) -> str:
        """What a person calls the set."""
        return self.source.name

    @property
    def channels(self) -> int:
        """Channels of each side: 1, 3 or 4."""
        return self.source.channels

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture of either side: (C, H, W)."""
        return self.source.shape

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash of both sides' origin and of how they belong together."""
        parts = (type(self).__name__, self.source.fingerprint, self.target.fingerprint, self.sides)
        return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()

    def __len__(self) -> int:
        """Pictures of an epoch; where the sides are unequal, those of the longer one."""
        return max(len(self.source), len(self.target))

    def facts(self) -> dict[str, Any]:
        """What a model has to know of its data, as plain values; the sides stand where classes would."""
        own = {"count": len(self), "classes": list(self.sides), "fingerprint": self.fingerprint}
        return {**self.source.facts(), **own}


class Pairs(Sides):
    """Pictures that belong together: row i of the source to row i of the target."""

    def stream(self, batch: int, *, crop: int | None = None) -> PairStream:
        """The endless shuffled sequence of these pairs, `batch` at a time; see `PairStream`."""
        from .pair_stream import PairStream

        return PairStream(self, batch, crop=crop)


class Unpaired(Sides):
    """Two sets of any lengths, between which nothing is known."""

    def stream(self, batch: int, *, crop: int | None = None) -> UnpairedStream:
        """The endless shuffled sequences of both, `batch` of each at a time; see `UnpairedStream`."""
        from .pair_stream import UnpairedStream

        return UnpairedStream(self, batch, crop=crop)


def pairs(data: Source | Blank, *, size: int, channels: int | None = None) -> Pairs:
    """The pairs to train on.

    Args:
        data: pictures twice as wide as high, or of two classes in which equal names belong together.
        size: height and width of each side.
        channels: 1, 3 or 4; by default 1 if all are gray, else 3.

    Raises:
        DataError: pictures that are no pairs, or more names without a partner than unusable pictures are borne.
        UsageError: the data are of no such kind. What `Source.images` raises, too.
    """
    return Pairs(*_kept(data, matched(data, size, channels, TRAIN)))


def held_out_pairs(data: Source, *, size: int, channels: int | None = None) -> Pairs:
    """The pairs that `pairs` leaves out, likewise; if no share is held out, those of folders `testA` and `testB`.

    Raises:
        UsageError: there are none; and as `pairs`.
    """
    part = _held_part(data)
    return Pairs(*_held(data, matched(data, size, channels, part), part))


def unpaired(data: Source | Blank, *, size: int, channels: int | None = None) -> Unpaired:
    """The two sets to train on.

    Args:
        data: pictures of two classes; or side by side, whose belonging together is then not used.
        size: height and width.
        channels: 1, 3 or 4; by default 1 if all are gray, else 3.

    Raises:
        DataError: pictures side by side, but not of equal halves.
        UsageError: the data are of no such kind. What `Source.images` raises, too.
    """
    return Unpaired(*_kept(data, apart(data, size, channels, TRAIN)))


def held_out_unpaired(data: Source, *, size: int, channels: int | None = None) -> Unpaired:
    """The pictures that `unpaired` leaves out, likewise; if no share is held out, those of `testA` and `testB`.

    Raises:
        UsageError: there are none; and as `unpaired`.
    """
    part = _held_part(data)
    return Unpaired(*_held(data, apart(data, size, channels, part), part))


def _kept(data: Source | Blank, two: Two) -> Two:
    """What is left of two sets to train on."""
    if isinstance(data, Blank) or not data.holdout:
        return two
    source, target, sides = two
    # Which rows are held out depends on their number alone, so pairs stay together.
    return split(source, data.holdout)[0], split(target, data.holdout)[0], sides


def _held(data: Source, two: Two, part: str) -> Two:
    """What was left out of two sets."""
    if part == TEST:
        return two
    source, target, sides = two
    return split(source, data.holdout)[1], split(target, data.holdout)[1], sides


def _held_part(data: Source) -> str:
    """Whose pictures are the held-out ones: a published test part's, where no share of the others is held out."""
    published = {f"{TEST}A", f"{TEST}B"} <= set(labels_of(data.listing, data.policy)[1])
    return TEST if published and not data.holdout else TRAIN
