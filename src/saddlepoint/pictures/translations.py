"""Sheets of translations: what went in beside what came out, a row a picture, under the heads of the columns.

The sheets of a run have no words in them, like all its samples; what their columns are stands in a file beside them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .atomic import write_record
from .film import on_white
from .grid import grid
from .sheets import headed, scaled

LARGEST = 320
"""Longest side of a picture on a sheet for comparison, pixels."""
_LAYOUT = "layout.json"


def comparison(columns: Sequence[tuple[str, Sequence[Tensor]]]) -> Image.Image:
    """Pictures of any sizes, row by row under the heads of their columns; small ones stand amid white.

    Args:
        columns: each a head and its pictures (C, H, W) in [-1, 1], at least one, in all columns as many.
    """
    rows = zip(*(pictures for _, pictures in columns), strict=True)
    images = [on_white(grid(picture[None], padding=0)) for row in rows for picture in row]
    factor = min(1.0, LARGEST / max(max(image.size) for image in images))
    if factor < 1:
        sizes = [(max(1, round(image.width * factor)), max(1, round(image.height * factor))) for image in images]
        images = [scaled(image, size) for image, size in zip(images, sizes, strict=True)]
    return headed(_framed(images), columns=len(columns), heads=[head for head, _ in columns])


@dataclass(frozen=True)
class Layout:
    """What the sheets of a run show.

    Attributes:
        heads: of the columns, from the left.
        cell: (width, height) of one picture.
    """

    heads: tuple[str, ...]
    cell: tuple[int, int]


def write_layout(samples: Path, layout: Layout) -> None:
    """Writes down what the sheets in the folder `samples` show, once."""
    if read_layout(samples) != layout:
        write_record(samples / _LAYOUT, {"columns": list(layout.heads), "cell": list(layout.cell)})


def read_layout(samples: Path) -> Layout | None:
    """What the sheets in a folder show; None where they are no translations, or nobody can tell."""
    try:
        facts = json.loads((samples / _LAYOUT).read_bytes())
        width, height = (int(side) for side in facts["cell"])
        heads = tuple(str(head) for head in facts["columns"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Layout(heads, (width, height)) if heads and min(width, height) > 0 else None


def _framed(images: Sequence[Image.Image]) -> NDArray[np.uint8]:
    """All pictures as one array (N, H, W, 3), as large as the largest."""
    width, height = (max(image.size[axis] for image in images) for axis in (0, 1))
    frames = np.full((len(images), height, width, 3), 255, np.uint8)
    for frame, image in zip(frames, images, strict=True):
        top, left = (height - image.height) // 2, (width - image.width) // 2
        frame[top : top + image.height, left : left + image.width] = np.asarray(image)
    return frames
