"""The whole evaluation: every chosen score of a subject, with its recipe, and the pictures that go with them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from PIL import Image
from torch import Tensor

from ..errors import UsageError
from ..metrics.pairwise import neighbors, reach
from ..pictures.grid import grid
from ..pictures.neighbors import neighbor_rows, neighbors_sheet
from ..pictures.sheets import real_vs_fake
from .by_class import by_class as scores_by_class
from .by_class import class_sheet
from .comparison import Comparison, Score, View
from .families import Family
from .sides import Made, Part, Side
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
        by_class: what was measured of each class, by what it was compared with and by its name; empty unless asked for.
    """

    what: str
    against: tuple[str, ...]
    scores: tuple[Score, ...]
    how: dict[str, Any]
    skipped: dict[str, str] = field(default_factory=dict)
    sheets: tuple[tuple[str, str, Image.Image], ...] = field(default=(), repr=False)
    by_class: dict[str, dict[str, tuple[Score, ...]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """The value of a score by its name; against the training data where it was measured against several."""
        for score in self.scores:
            if score.name == name:
                return score.value
        raise KeyError(name)

    def facts(self) -> dict[str, Any]:
        """All but the pictures, as plain values."""
        by_class = {
            against: {name: list(map(asdict, scores)) for name, scores in found.items()}
            for against, found in self.by_class.items()
        }
        facts = {"what": self.what, "against": list(self.against), "scores": list(map(asdict, self.scores))}
        return {**facts, "by_class": by_class, "skipped": self.skipped, "how": self.how}


def evaluate(
    subject: Subject,
    families: Sequence[Family],
    sight: Sight,
    *,
    seed: int = 0,
    strict: bool = True,
    by_class: bool = False,
) -> Evaluation:
    """Measures a subject by all families.

    Args:
        subject: what, and against what.
        families: of `families.choose`.
        sight: the network that looks.
        seed: of all draws but the samples' own.
        strict: whether a family that cannot be measured ends it all; otherwise it is left out.
        by_class: whether each class is measured by itself as well.

    Raises:
        UsageError: a family cannot be measured, for example of too few or too small pictures, or there are no classes.
    """
    comparisons = compared(subject, sight, seed)
    # First, since it is refused where there are no classes.
    of_each = {c.against: scores_by_class(c, families) for c in comparisons} if by_class else {}
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
        how=described(subject, sight, seed),
        skipped=skipped,
        sheets=tuple(_sheets(comparisons[0])) if sight.extractor else (),
        by_class=of_each,
    )


def compared(
    subject: Subject, sight: Sight, seed: int, *, intervals: bool = True, known: Mapping[str, View] | None = None
) -> list[Comparison]:
    """One comparison for each set; the samples are looked at once.

    Args:
        subject: what, and against what.
        sight: the network that looks.
        seed: of all draws but the samples' own.
        intervals: whether scores get intervals.
        known: the sets as they were seen before.
    """
    fake, real = View(subject.fake, sight), known or views(subject.real, sight)
    found = []
    for against, view in real.items():
        training = real.get(TRAINING) if against == HELD_OUT else None
        each = Comparison(fake, view, against=against, training=training, seed=seed)
        each.intervals = intervals
        found.append(each)
    return found


def views(sides: Mapping[str, Side], sight: Sight) -> dict[str, View]:
    """Sets, to be looked at when that is first needed."""
    return {against: View(side, sight) for against, side in sides.items()}


def measured(family: Family, comparisons: Sequence[Comparison]) -> Iterator[Score]:
    """The scores of a family in each comparison; of one that looks at the samples alone only once."""
    for comparison in comparisons[:1] if family.alone else comparisons:
        yield from family.measure(comparison)


def described(subject: Subject, sight: Sight, seed: int) -> dict[str, Any]:
    """All that the numbers depend on, as plain values."""
    return {
        **subject.facts,
        **({"seed of samples": subject.fake.seed} if isinstance(subject.fake, Made) else {}),
        "seed": seed,
        "network": looked(sight),
        "data": {against: f"{side.name}, {len(side):,} of key {side.key}" for against, side in subject.real.items()},
        **circumstances(),
    }


def looked(sight: Sight) -> dict[str, str]:
    """What looked, as plain values."""
    extractor = sight.extractor
    if extractor is None:
        return {"name": sight.name}
    return {
        "name": sight.name,
        "sees": extractor.sees,
        "license": extractor.license,
        "sha256": extractor.sha256 or "none",
    }


def circumstances() -> dict[str, Any]:
    """By which packages, and when."""
    versions = {name: metadata.version(name) for name in ("saddlepoint", "torch", "numpy", "pillow")}
    return {"versions": versions, "date": datetime.date.today().isoformat()}


def _sheets(comparison: Comparison) -> Iterator[tuple[str, str, Image.Image]]:
    """Samples beside the data, the same by class, and samples beside their nearest neighbors."""
    fake, real = (each.side.read(0, min(SHOWN, len(each))).image for each in (comparison.fake, comparison.real))
    yield "Samples", "Not chosen: the first ones.", real_vs_fake(grid(real), grid(fake))
    if sheet := class_sheet(comparison):
        yield "By class", "A row a class; not chosen: the first ones of each.", sheet
    nearest = comparison.nearest.distances[:, 0].argsort()[:ROWS]
    caption = (
        f"The {ROWS} of {len(comparison.fake):,} samples that come nearest to a picture of “{comparison.against}”, by "
        f"the features of {comparison.sight.name}: copies, if there are any, are here. Red: nearer than such pictures "
        "are to each other, by the median."
    )
    yield "Nearest neighbors", caption, _nearest(comparison, nearest)


def _nearest(comparison: Comparison, samples: Tensor) -> Image.Image:
    data = comparison.real.features
    near = neighbors(comparison.fake.features[samples], data, count=min(COLUMNS, len(data)))
    wanted, places = near.indices.unique(return_inverse=True)
    usual = reach(data, 1).sqrt().median().item()
    ours, theirs = (
        Part(view.side, rows).read(0, len(rows)).image
        for view, rows in ((comparison.fake, samples), (comparison.real, wanted))
    )
    return neighbors_sheet(neighbor_rows(ours, theirs, places, near.distances), alarm=usual)
