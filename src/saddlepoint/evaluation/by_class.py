"""Each class by itself: its samples against its data, and both as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ..errors import UsageError
from ..pictures.sheets import headed, real_vs_fake
from .comparison import HIGHER, Comparison, Score, View
from .families import Family
from .labeled import recognized
from .sides import Part

ENOUGH = 20
"""Fewest samples and pictures of a class that are measured."""
ROWS, COLUMNS = 12, 8
"""Classes on the sheet at most, and pictures of each."""


def by_class(c: Comparison, families: Sequence[Family]) -> dict[str, tuple[Score, ...]]:
    """The scores of each class that both sides have enough of, by its name, without intervals.

    Args:
        c: the comparison of all.
        families: what is measured; those that can be asked of each class.

    Raises:
        UsageError: there is no such class, or no such family.
    """
    asked = [family for family in families if family.by_class]
    accuracy = any(family.name == "accuracy" for family in families)
    shared = _shared(c)
    found = {name: rows for name, rows in shared.items() if min(map(len, rows)) >= ENOUGH}
    if not found or not (asked or accuracy):
        what = f"{c.fake.side.name} and {c.against} share no class of {ENOUGH} pictures or more"
        raise UsageError(
            what if not found else "none of these scores is made by class",
            where="--by-class",
            fix="leave it out, or take more samples: -n" if not found else "--metrics fd,kd,precision,accuracy",
        )
    right = recognized(c)[0] if accuracy else None
    table = {}
    for name, (ours, theirs) in found.items():
        part = Comparison(c.fake.part(ours), c.real.part(theirs), against=c.against, seed=c.seed)
        part.intervals = False
        scores = [score for family in asked for score in family.measure(part)]
        if right is not None:
            scores.append(part.score("accuracy", right[ours].double().mean().item(), HIGHER))
        table[name] = tuple(scores)
    return table


def class_sheet(c: Comparison) -> Image.Image | None:
    """Samples and data of each class, a row a class; None where there are none."""
    if c.sight.extractor is None:
        return None
    shown = {name: rows for name, rows in list(_shared(c).items())[:ROWS] if min(map(len, rows))}
    if not shown:
        return None
    columns = min(COLUMNS, *(len(side) for rows in shown.values() for side in rows))
    sheets = []
    for place, view in ((1, c.real), (0, c.fake)):
        rows = torch.cat([sides[place][:columns] for sides in shown.values()])
        images = Part(view.side, rows).read(0, len(rows)).image
        sheets.append(headed(images, columns=columns, names=list(shown)))
    return real_vs_fake(*sheets)


def _shared(c: Comparison) -> dict[str, tuple[Tensor, Tensor]]:
    """Of each class that both sides have, the rows of its samples and of its data."""
    return {
        name: (_rows(c.fake, name), _rows(c.real, name)) for name in c.real.side.classes if name in c.fake.side.classes
    }


def _rows(view: View, name: str) -> Tensor:
    labels = view.labels
    assert labels is not None, "a side with classes has labels"
    return (labels == view.side.classes.index(name)).nonzero().squeeze(1)
