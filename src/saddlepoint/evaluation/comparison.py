"""A comparison of two sides, and what a score is: a number with all that it takes to read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from ..metrics.bootstrap import bootstrap, mean
from ..metrics.features import Seen, score_name
from ..metrics.frechet import Statistics
from ..metrics.pairwise import Neighbors, neighbors
from .sides import Part, Side, pieces
from .sight import Sight

LOWER, HIGHER, HALF = "lower", "higher", "near 0.5"


@dataclass(frozen=True)
class Score:
    """A number that was measured.

    Attributes:
        name: what and, where features are compared, by which network: `fd_lite0`.
        value: the number.
        better: `lower`, `higher`, `near 0.5`, or what to hold it against.
        against: what the samples were compared with: `training`, `held out`, a set's name; empty for a score that
            looks at the samples alone.
        generated: how many samples.
        real: how many of the data; 0 where none were needed.
        low: lower end of the 95 % interval, where there is one.
        high: upper end.
        data: what real data get instead, where that says how to read it.
        note: what a person has to know of it.
    """

    name: str
    value: float
    better: str
    against: str
    generated: int
    real: int
    low: float | None = None
    high: float | None = None
    data: float | None = None
    note: str = ""


class View:
    """A side as a network sees it: looked at when that is first needed, and never again.

    Args:
        side: what is looked at.
        sight: the network.
        seen: what it saw before.
    """

    def __init__(self, side: Side, sight: Sight, seen: Seen | None = None) -> None:
        self.side, self.sight = side, sight
        if seen is not None:
            self.seen = seen

    def __len__(self) -> int:
        return len(self.side)

    @cached_property
    def seen(self) -> Seen:
        """Features and logits."""
        return self.sight.see(self.side)

    @property
    def features(self) -> Tensor:
        """Float32 (N, D)."""
        return self.seen.features

    @property
    def logits(self) -> Tensor | None:
        """Float32 (N, K) of the network's own classes, where it has any."""
        return self.seen.logits

    @cached_property
    def statistics(self) -> Statistics:
        """Mean and covariance of the features."""
        return Statistics.of(self.features)

    @cached_property
    def labels(self) -> Tensor | None:
        """Int64 (N,)."""
        return self.side.labels

    def part(self, rows: Tensor) -> View:
        """Some rows of it, int64 (M,)."""
        logits = None if self.logits is None else self.logits[rows]
        return View(Part(self.side, rows), self.sight, Seen(self.features[rows], logits))


class Comparison:
    """Generated samples beside real ones, looked at by one network.

    Args:
        fake: what is measured.
        real: what it is compared with.
        against: what that is to it: `training`, `held out`, or a set's name.
        training: the data that the generator was trained on, where that is known and is not `real`.
        seed: of all that a score draws.

    Attributes:
        intervals: whether intervals are worth their time, which may be twenty times the score's own.
    """

    def __init__(self, fake: View, real: View, *, against: str, training: View | None = None, seed: int = 0) -> None:
        self.fake, self.real, self.against, self.training, self.seed = fake, real, against, training, seed
        self.sight, self.intervals = fake.sight, True

    @cached_property
    def nearest(self) -> Neighbors:
        """The one picture of the data that is nearest to each sample."""
        return neighbors(self.fake.features, self.real.features)

    def share(self, family: str, each: Tensor, **facts: Any) -> Score:
        """The mean of one number (or truth) for each sample, the higher the better, with its interval."""
        near = bootstrap(mean, each, seed=self.seed) if self.intervals else None
        ends = {"low": near.low, "high": near.high} if near else {}
        return self.score(family, mean(each), **{"better": HIGHER, **ends, **facts})

    def images(self, view: View, count: int | None = None) -> Iterator[Tensor]:
        """Pictures of a side in pieces, the first `count` of them."""
        left = len(view) if count is None else min(count, len(view))
        for batch in pieces(view.side):
            if left <= 0:
                return
            yield batch.image[:left]
            left -= len(batch)

    def score(self, family: str, value: float, better: str, *, alone: bool = False, **facts: Any) -> Score:
        """A score named after its network.

        Args:
            family: of the score, e.g. `fd`.
            value: the number.
            better: as in `Score`.
            alone: whether the data had no part in it.
            facts: further attributes.
        """
        extractor = self.sight.extractor
        name = score_name(family, extractor) if extractor else family
        return self.plain(name, value, better, alone=alone, **facts)

    def plain(self, name: str, value: float, better: str, *, alone: bool = False, **facts: Any) -> Score:
        """A score of the samples themselves, without a network."""
        against, real = ("", 0) if alone else (self.against, len(self.real))
        counted = {"against": against, "generated": len(self.fake), "real": real}
        return Score(name, float(value), better, **{**counted, **facts})
