"""Generated samples beside the training pictures that are most like them: has the generator learned by heart?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import UsageError
from .grid import grid, to_uint8
from .sheets import scaled

Row = tuple[Image.Image, Sequence[tuple[Image.Image, float]]]
"""A sample, and pictures with their distances from it, nearest first."""

_CELL = 96
"""Shorter side of a picture on the sheet, at least, pixels."""

_INK, _SOFT, _ALARM = "#24262b", "#686d78", "#b3261e"


def neighbors_sheet(rows: Sequence[Row], *, alarm: float | None = None) -> Image.Image:
    """Each row a sample, and to the right of a gap its nearest training pictures, their distances below them.

    Args:
        rows: at least one, with at least one neighbor each; the first sample's size is that of all, small ones
            enlarged by a whole factor.
        alarm: distances below it are red, e.g. that at which training pictures lie from each other: a sample that is
            nearer than that to one of them is nearly a copy.

    Raises:
        UsageError: no row, or one without neighbors.
    """
    if not rows or not all(nearest for _, nearest in rows):
        raise UsageError(f"no sheet of neighbors can be made of {len(rows)} rows", fix="a neighbor in each row")
    first = rows[0][0]
    factor = max(1, -(-_CELL // min(first.size)))
    width, height = first.width * factor, first.height * factor
    size = max(12, height // 10)
    font = ImageFont.load_default(size)
    gap, foot = size // 2, round(1.6 * size)
    columns = max(len(nearest) for _, nearest in rows)
    lefts = [0, *(width + 3 * gap + place * (width + gap) for place in range(columns))]
    sheet = Image.new("RGB", (lefts[-1] + width, 2 * size + len(rows) * (height + foot)), "white")
    draw = ImageDraw.Draw(sheet)
    for left, title in ((0, "sample"), (lefts[1], "nearest training pictures")):
        draw.text((left, size), title, fill=_INK, font=font, anchor="lm")
    for number, (sample, nearest) in enumerate(rows):
        top = 2 * size + number * (height + foot)
        sheet.paste(scaled(sample, (width, height)), (0, top))
        for left, (picture, distance) in zip(lefts[1:], nearest, strict=False):
            sheet.paste(scaled(picture, (width, height)), (left, top))
            ink = _ALARM if alarm is not None and distance < alarm else _SOFT
            middle = (left + width / 2, top + height + foot * 0.45)
            draw.text(middle, f"{distance:.3g}", fill=ink, font=font, anchor="mm")
    return sheet


def neighbor_rows(
    samples: Tensor | NDArray[np.generic],
    pictures: Tensor | NDArray[np.generic],
    nearest: Tensor | NDArray[np.integer],
    distances: Tensor | NDArray[np.floating],
) -> list[Row]:
    """The rows of a sheet from pictures as games and data sets hold them.

    Args:
        samples: N pictures, as `grid.to_uint8` takes them.
        pictures: of the training data, likewise.
        nearest: which of them are the nearest of each sample, (N, K).
        distances: theirs, (N, K).

    Raises:
        UsageError: not as many rows of each.
    """
    ours, theirs = to_uint8(samples), to_uint8(pictures)
    places, lengths = np.asarray(nearest), np.asarray(distances)
    if places.ndim != 2 or places.shape != lengths.shape or len(places) != len(ours):
        raise UsageError(
            f"{len(ours)} samples, neighbors {places.shape} and distances {lengths.shape} do not belong together"
        )
    return [
        (grid(ours[[row]]), [(grid(theirs[[place]]), float(length)) for place, length in zip(*found, strict=True)])
        for row, found in enumerate(zip(places, lengths, strict=True))
    ]
