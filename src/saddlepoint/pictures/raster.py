"""Marks on a surface, anti-aliased, in numpy: dots, arrows, contours, color scales.

A film has hundreds of frames of thousands of dots; a plotting library would take a second for each. A canvas is a
float32 array (H, W, 3) in 0 … 1, and every mark is a coverage (H, W) in 0 … 1 that is mixed into it. Places are given
in pixels, as (x, y) from the upper left corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

Floats = NDArray[np.floating]

_FINER = 3
"""How many times finer lines are drawn than they are shown."""


def canvas(width: int, height: int, color: str) -> Floats:
    """A sheet of one color."""
    return np.tile(_rgb(color), (height, width, 1))


def mix(sheet: Floats, color: str, coverage: Floats) -> None:
    """Lays a color on the sheet, in place, as thick as `coverage` says."""
    sheet += coverage[..., None] * (_rgb(color) - sheet)


def image(sheet: Floats) -> Image.Image:
    """The sheet as a picture in RGB; what is not a number is mid-gray, so that a diverged game can be looked at."""
    known = np.nan_to_num(np.clip(sheet, 0, 1), nan=0.5)
    return Image.fromarray((known * 255).round().astype(np.uint8))


def dots(size: tuple[int, int], places: Floats, radius: float, strength: float) -> Floats:
    """The coverage of many translucent dots, each as round as pixels allow.

    Args:
        size: (width, height) of the sheet.
        places: of the centers (N, 2); dots beyond the edge and those that are not finite are not drawn.
        radius: in pixels.
        strength: coverage of one dot; dots on top of each other cover more.
    """
    width, height = size
    reach = int(np.ceil(radius + 0.5))
    inside = np.all((places > -reach) & (places < np.array(size) + reach), axis=1)  # comparisons with NaN are False
    places = places[inside].astype(np.float64)
    corner = np.floor(places).astype(np.int64)
    padded = (height + 2 * reach + 2, width + 2 * reach + 2)
    total = np.zeros(padded[0] * padded[1])
    # Beyond the edge there is room for the parts of dots that nobody sees.
    corner = np.clip(corner, -1, np.array(size)) + reach + 1
    offsets = places - np.floor(places)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            distance = np.hypot(offsets[:, 0] - dx - 0.5, offsets[:, 1] - dy - 0.5)
            y, x = np.clip(corner[:, 1] + dy, 0, padded[0] - 1), np.clip(corner[:, 0] + dx, 0, padded[1] - 1)
            total += np.bincount(y * padded[1] + x, np.clip(radius + 0.5 - distance, 0, 1), len(total))
    inner = total.reshape(padded)[reach + 1 :, reach + 1 :][:height, :width]
    return (1 - (1 - strength) ** inner).astype(np.float32)


def rings(size: tuple[int, int], middles: Floats, radius: float) -> Floats:
    """The coverage of thin circles of one radius around `middles` (N, 2)."""
    mask = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    draw = ImageDraw.Draw(mask)
    for middle in middles:
        draw.circle([*(middle * _FINER)], radius * _FINER, outline=255, width=_FINER)
    return _shown(mask, size)


def enlarged(values: Floats, size: tuple[int, int]) -> Floats:
    """Values on a coarse grid (rows, columns), at the centers of its cells, as a smooth field of `size` pixels."""
    field = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(field.resize(size, Image.Resampling.BICUBIC))


def contour(field: Floats, level: float, width: float = 1.2) -> Floats:
    """The coverage of the line where a smooth field (H, W) crosses a level, `width` pixels wide."""
    down, across = np.gradient(field - level)
    distance = np.abs(field - level) / np.maximum(np.hypot(down, across), 1e-12)
    return np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)


def diverging(values: Floats, low: str, middle: str, high: str) -> Floats:
    """Colors (…, 3) of values in -1 … 1: from `low` over `middle` to `high`, values beyond being clipped."""
    part = np.clip(values, -1, 1)[..., None]
    below, above = _rgb(low) - _rgb(middle), _rgb(high) - _rgb(middle)
    return (_rgb(middle) + np.where(part < 0, -part * below, part * above)).astype(np.float32)


def arrows(size: tuple[int, int], tails: Floats, tips: Floats, width: float = 1.0, head: float = 4.0) -> Floats:
    """The coverage of arrows from `tails` to `tips`, both (N, 2); those shorter than a pixel have no head.

    Args:
        size: (width, height) of the sheet.
        tails: where arrows begin.
        tips: where they end.
        width: of the line in pixels.
        head: length of the head in pixels, at most 0.6 of the arrow's.
    """
    mask = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    draw = ImageDraw.Draw(mask)
    known = np.isfinite(tails).all(1) & np.isfinite(tips).all(1)
    for tail, tip in zip(tails[known] * _FINER, tips[known] * _FINER, strict=True):
        length = np.hypot(*(tip - tail))
        if length < _FINER:
            continue
        along = (tip - tail) / length
        across = np.array([-along[1], along[0]])
        barb = min(head * _FINER, 0.6 * length)
        neck = tip - barb * along
        draw.line([*tail, *neck], fill=255, width=round(width * _FINER))
        draw.polygon([*tip, *(neck + 0.45 * barb * across), *(neck - 0.45 * barb * across)], fill=255)
    return _shown(mask, size)


def curve(size: tuple[int, int], places: Floats, width: float = 1.6, *, floor: float | None = None) -> Floats:
    """The coverage of a line through `places` (N, 2), or of the area between it and the height `floor`."""
    mask = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    points = places[np.isfinite(places).all(1)] * _FINER
    if len(points) > 1:
        draw = ImageDraw.Draw(mask)
        if floor is None:
            draw.line([tuple(point) for point in points], fill=255, width=round(width * _FINER), joint="curve")
        else:
            ends = [(points[-1, 0], floor * _FINER), (points[0, 0], floor * _FINER)]
            draw.polygon([tuple(point) for point in points] + ends, fill=255)
    return _shown(mask, size)


def _shown(mask: Image.Image, size: tuple[int, int]) -> Floats:
    return np.asarray(mask.resize(size, Image.Resampling.BOX), np.float32) / 255


def _rgb(color: str) -> Floats:
    return np.array(ImageColor.getrgb(color)[:3], np.float32) / 255
