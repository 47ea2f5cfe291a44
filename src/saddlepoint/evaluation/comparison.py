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
from .sides import Side, pieces
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


class Comparison:
    """Generated samples beside real ones, looked at by one network.

    What was seen is kept, so that any number of scores costs one look at either side.

    Args:
        fake: what is measured.
        real: what it is compared with.
        against: what that is to it: `training`, `held out`, or a set's name.
        sight: the network.
        training: the data that the generator was trained on, where that is known and is not `real`.
        seed: of all that a score draws.
        seen: what the network saw in the fakes before, in another comparison.

    Attributes:
        intervals: whether intervals are worth their time, which may be twenty times the score's own.
    """

    def __init__(
        self,
        fake: Side,
        real: Side,
        *,
        against: str,
        sight: Sight,
        training: Side | None = None,
        seed: int = 0,
        seen: Seen | None = None,
    ) -> None:
        self.fake, self.real, self.against, self.sight, self.seed = fake, real, against, sight, seed
        self.training, self.intervals = training, True
        if seen is not None:
            self.fake_seen = seen

    @cached_property
    def fake_seen(self) -> Seen:
        """Features and logits of the samples."""
        return self.sight.see(self.fake)

    @cached_property
    def real_seen(self) -> Seen:
        """Features and logits of the data."""
        return self.sight.see(self.real)

    @cached_property
    def training_features(self) -> Tensor | None:
        """Features of the training data where `real` are others."""
        return None if self.training is None else self.sight.see(self.training).features

    @cached_property
    def reference(self) -> Statistics:
        """Mean and covariance of the data's features."""
        return Statistics.of(self.real_seen.features)

    def share(self, family: str, each: Tensor, **facts: Any) -> Score:
        """The mean of one number (or truth) for each sample, the higher the better, with its interval."""
        near = bootstrap(mean, each, seed=self.seed) if self.intervals else None
        ends = {"low": near.low, "high": near.high} if near else {}
        return self.score(family, mean(each), **{"better": HIGHER, **ends, **facts})

    def images(self, side: Side, count: int | None = None) -> Iterator[Tensor]:
        """Pictures of a side in pieces, the first `count` of them."""
        left = len(side) if count is None else min(count, len(side))
        for batch in pieces(side):
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
