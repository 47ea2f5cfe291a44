"""The whole evaluation: every chosen score of a subject, with its recipe, and the pictures that go with them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..errors import UsageError
from ..metrics.pairwise import neighbors, reach
from ..pictures.grid import grid
from ..pictures.neighbors import neighbor_rows, neighbors_sheet
from ..pictures.sheets import real_vs_fake
from .comparison import Comparison, Score
from .families import Family
from .sides import Made, Side
from .sight import Sight
from .subject import HELD_OUT, TRAINING, Subject

SHOWN = 64
ROWS, COLUMNS = 8, 5
"""Samples on the sheet of neighbors, and how many neighbors each has."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        what: was measured: a run's or a set's name.
        against: what it was compared with.
        scores: in the order in which they were asked for.
        how: everything that the numbers depend on, as plain values.
        skipped: families that cannot be measured of this subject, and why.
        sheets: (title, caption, picture).
    """

    what: str
    against: tuple[str, ...]
    scores: tuple[Score, ...]
    how: dict[str, Any]
    skipped: dict[str, str] = field(default_factory=dict)
    sheets: tuple[tuple[str, str, Image.Image], ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> float:
        """The value of a score by its name; against the training data where it was measured against several."""
        for score in self.scores:
            if score.name == name:
                return score.value
        raise KeyError(name)

    def facts(self) -> dict[str, Any]:
        """All but the pictures, as plain values."""
        scores = [asdict(score) for score in self.scores]
        facts = {"what": self.what, "against": list(self.against), "scores": scores}
        return {**facts, "skipped": self.skipped, "how": self.how}


def evaluate(
    subject: Subject, families: Sequence[Family], sight: Sight, *, seed: int = 0, strict: bool = True
) -> Evaluation:
    """Measures a subject by all families.

    Args:
        subject: what, and against what.
        families: of `families.choose`.
        sight: the network that looks.
        seed: of all draws but the samples' own.
        strict: whether a family that cannot be measured ends it all; otherwise it is left out.

    Raises:
        UsageError: a family cannot be measured, for example of too few or too small pictures.
    """
    comparisons = compared(subject, sight, seed)
    scores: list[Score] = []
    skipped = {}
    for family in families:
        try:
            scores += measured(family, comparisons)
        except UsageError as error:
            if strict:
                raise
            skipped[family.name] = error.what
    return Evaluation(
        what=subject.fake.name,
        against=tuple(subject.real),
        scores=tuple(scores),
        how=_how(subject, sight, seed),
        skipped=skipped,
        sheets=tuple(_sheets(comparisons[0])) if sight.extractor else (),
    )


def compared(subject: Subject, sight: Sight, seed: int, *, intervals: bool = True) -> list[Comparison]:
    """One comparison for each set; the samples are looked at once."""
    seen, found = sight.see(subject.fake), []
    for against, real in subject.real.items():
        training = subject.real.get(TRAINING) if against == HELD_OUT else None
        each = Comparison(subject.fake, real, against=against, sight=sight, training=training, seed=seed, seen=seen)
        each.intervals = intervals
        found.append(each)
    return found


def measured(family: Family, comparisons: Sequence[Comparison]) -> Iterator[Score]:
    """The scores of a family in each comparison; of one that looks at the samples alone only once."""
    for comparison in comparisons[:1] if family.alone else comparisons:
        yield from family.measure(comparison)


def _how(subject: Subject, sight: Sight, seed: int) -> dict[str, Any]:
    extractor = sight.extractor
    network = {"name": sight.name}
    if extractor:
        network |= {"sees": extractor.sees, "license": extractor.license, "sha256": extractor.sha256 or "none"}
    return {
        **subject.facts,
        **({"seed of samples": subject.fake.seed} if isinstance(subject.fake, Made) else {}),
        "seed": seed,
        "network": network,
        "data": {against: f"{side.name}, {len(side):,} of key {side.key}" for against, side in subject.real.items()},
        "versions": {name: metadata.version(name) for name in ("saddlepoint", "torch", "numpy", "pillow")},
        "date": datetime.date.today().isoformat(),
    }


def _sheets(comparison: Comparison) -> Iterator[tuple[str, str, Image.Image]]:
    """Samples beside the data, and samples beside their nearest neighbors."""
    fake, real = ((side.read(0, min(SHOWN, len(side))).image) for side in (comparison.fake, comparison.real))
    yield "Samples", "Not chosen: the first ones.", real_vs_fake(grid(real), grid(fake))
    features, data = comparison.fake_seen.features, comparison.real_seen.features
    nearest = neighbors(features, data).distances[:, 0].argsort()[:ROWS]
    caption = (
        f"The {ROWS} of {len(features):,} samples that come nearest to a picture of “{comparison.against}”, by the "
        f"features of {comparison.sight.name}: copies, if there are any, are here. Red: nearer than such pictures "
        "are to each other, by the median."
    )
    yield "Nearest neighbors", caption, _nearest(comparison, nearest)


def _nearest(comparison: Comparison, samples: Tensor) -> Image.Image:
    data = comparison.real_seen.features
    near = neighbors(comparison.fake_seen.features[samples], data, count=min(COLUMNS, len(data)))
    wanted, places = near.indices.unique(return_inverse=True)
    ours, theirs = _pictures(comparison.fake, samples), _pictures(comparison.real, wanted)
    usual = reach(data, 1).sqrt().median().item()
    return neighbors_sheet(neighbor_rows(ours, theirs, places, near.distances), alarm=usual)


def _pictures(side: Side, indices: Tensor) -> Tensor:
    return torch.cat([side.read(index, 1).image for index in indices.tolist()])
