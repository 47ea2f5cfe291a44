"""Sheets to compare with: one picture through the steps of a run, real beside generated, several under titles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import UsageError
from .film import on_white
from .grid import PADDING, grid, to_uint8

_CELL = 300
"""Longest side of a picture on the evolution sheet, pixels."""
_HEAD = 22
"""Height of the box with the step above a picture, pixels."""
_READABLE = 56
"""Shorter side of a picture on a sheet with words, at least, pixels."""
_INK = "#24262b"


def evolution_sheet(frames: Sequence[tuple[int, Image.Image]], *, columns: int = 5, rows: int = 4) -> Image.Image:
    """The same picture at steps spread evenly over a run, each below a red box with its step.

    After the figure that closes "An End to End Introduction to GANs", whose boxes lie on the pictures: on a grid of
    digits they would hide the first.

    Args:
        frames: (step, picture) in the order of steps; too few for all rows fill fewer of them. The last picture's
            size rules, enlarged or reduced to about 300 pixels.
        columns: pictures in a row.
        rows: rows at most.

    Raises:
        UsageError: no frame, or a sheet without room for one.
    """
    if not frames or columns < 1 or rows < 1:
        raise UsageError(f"no evolution can be shown of {len(frames)} pictures in {columns} columns and {rows} rows")
    columns = min(columns, len(frames))
    rows = min(rows, len(frames) // columns)  # full rows only
    shown = [frames[index] for index in evenly(len(frames), columns * rows)]
    width, height = _fitted(frames[-1][1].size)
    gap = 12  # wider than the gaps inside a grid
    high = _HEAD + height + gap
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * high - gap), "white")
    for place, (step, picture) in enumerate(shown):
        row, column = divmod(place, columns)
        left, top = column * (width + gap), row * high
        sheet.paste(_label(f"Step: {step:,}", width), (left, top))
        sheet.paste(scaled(picture, (width, height)), (left, top + _HEAD))
    return sheet


def real_vs_fake(real: Image.Image, fake: Image.Image, *, what: str = "images") -> Image.Image:
    """Real images beside generated ones, at the same height and under their titles.

    Args:
        real: a grid of the data.
        fake: a grid of the generator's, e.g. the last samples of a run.
        what: they show, for the titles.
    """
    height = max(real.height, fake.height, 256)
    panels = [scaled(image, (round(image.width * height / image.height), height)) for image in (real, fake)]
    size = max(15, height // 26)
    gap, head = size, round(size * 2.2)
    sheet = Image.new("RGB", (sum(panel.width for panel in panels) + gap, height + head), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
    left = 0
    for title, panel in zip((f"Real {what}", f"Generated {what}"), panels, strict=True):
        draw.text((left + panel.width / 2, head / 2), title, fill=_INK, font=font, anchor="mm")
        sheet.paste(panel, (left, head))
        left += panel.width + gap
    return sheet


def titled(tiles: Sequence[tuple[str, Image.Image]], *, columns: int) -> Image.Image:
    """Pictures of one size, row by row, each under its title.

    Args:
        tiles: (title, picture); the first picture's size is that of all.
        columns: pictures in a row.

    Raises:
        UsageError: no tile, or no column to put them in.
    """
    if not tiles or columns < 1:
        raise UsageError(f"no sheet can be made of {len(tiles)} pictures in {columns} columns")
    width, height = tiles[0][1].size
    size = max(12, height // 24)
    gap, head = size, 2 * size
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * (head + height)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
    for place, (title, picture) in enumerate(tiles):
        row, column = divmod(place, columns)
        left, top = column * (width + gap), row * (head + height)
        draw.text((left, top + head / 2), title, fill=_INK, font=font, anchor="lm")
        sheet.paste(picture, (left, top + head))
    return sheet


def headed(
    images: Tensor | NDArray[np.generic], *, columns: int, heads: Sequence[str] = (), names: Sequence[str] = ()
) -> Image.Image:
    """A grid with words above its columns and beside its rows; small pictures are enlarged by a whole factor.

    Args:
        images: as `grid.to_uint8` takes them, row by row.
        columns: images in a row.
        heads: of the columns, from the left; a long one reaches over empty ones beside it. Without any word, here or
            beside the rows, it is the plain grid.
        names: of the rows, from the top.
    """
    sheet = grid(images, columns=columns)
    if not any(heads) and not any(names):
        return sheet
    height, width = to_uint8(images).shape[1:3]
    factor = max(1, -(-_READABLE // min(height, width)))
    sheet = scaled(sheet, (sheet.width * factor, sheet.height * factor))
    size = max(13, height * factor // 9)
    font = ImageFont.load_default(size)
    wide, high = (width + PADDING) * factor, (height + PADDING) * factor
    line = round(1.7 * size) if any(heads) else 0
    shown = [_cut(name, font, 3 * wide) for name in names]
    beside = round(max(map(font.getlength, shown)) + size) if any(names) else 0
    result = Image.new("RGB", (beside + sheet.width, line + sheet.height), "white")
    result.paste(sheet, (beside, line))
    draw = ImageDraw.Draw(result)
    for row, name in enumerate(shown):
        place = (beside - size / 2, line + row * high + height * factor / 2)
        draw.text(place, name, fill=_INK, font=font, anchor="rm")
    for column, head in enumerate(heads):
        others = reversed(heads[:column]) if column == len(heads) - 1 else heads[column + 1 :]
        empty = sum(1 for _ in takewhile(lambda other: not other, others))
        words = _cut(head, font, wide * (1 + empty / 2) - size / 2)  # of empty columns each side has half
        half = font.getlength(words) / 2
        middle = min(max(beside + column * wide + width * factor / 2, beside + half), result.width - half)
        draw.text((middle, line / 2), words, fill=_INK, font=font, anchor="mm")
    return result


def evenly(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` places, spread evenly, the first and the last always among them."""
    if count <= wanted:
        return list(range(count))
    if wanted == 1:
        return [count - 1]
    return [round(place * (count - 1) / (wanted - 1)) for place in range(wanted)]


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A copy in RGB at another size; enlarged by whole factors first, so that small pixels keep their edges."""
    copy = on_white(image)
    factor = min(size[0] // copy.width, size[1] // copy.height)
    if factor > 1:
        copy = copy.resize((copy.width * factor, copy.height * factor), Image.Resampling.NEAREST)
    return copy if copy.size == size else copy.resize(size, Image.Resampling.LANCZOS)


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a picture stands on the sheet: whole multiples for small ones, scaled down when large."""
    longest = max(size)
    factor = _CELL // longest if longest <= _CELL else _CELL / longest
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _label(text: str, width: int) -> Image.Image:
    """White words on a red box, at most that wide."""
    size = 14
    while (font := ImageFont.load_default(size)).getlength(text) + size > width and size > 6:
        size -= 1
    box = Image.new("RGB", (min(width, round(font.getlength(text)) + size), _HEAD), (214, 32, 32))
    ImageDraw.Draw(box).text((size / 2, _HEAD / 2), text, fill="white", font=font, anchor="lm")
    return box


def _cut(words: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """As many of the words' letters as there is room for."""
    if font.getlength(words) <= room:
        return words
    while words and font.getlength(words + "…") > room:
        words = words[:-1]
    return words + "…"
