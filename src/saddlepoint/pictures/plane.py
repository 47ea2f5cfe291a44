"""What a GAN does on the plane and on the line, in one picture that teaches: every part on the same axes.

On the plane four panels: samples over the true density, the discriminator's surface, the way the samples are pushed,
and how often each mode is hit. On the line three, one below the other. Blue is real, orange is generated, everywhere.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import raster
from .negatives import Hits, Opinion, Truth, View
from .plots import LIGHT
from .raster import Floats

SIDE = 720
"""Width and height of the whole picture, pixels."""

REAL, FAKE = LIGHT.curves[0], LIGHT.curves[1]
_PAPER, _INK, _FAINT, _RULE = "#fcfcfa", LIGHT.ink, LIGHT.faint, "#d9dbe0"
_PANEL, _LEFT, _TOP, _GAP = 318, 30, 30, 42
_HEAD = 17  # from a panel's upper edge to the middle of its title


def draw(truth: Truth, view: View) -> Image.Image:
    """All panels of a step, `SIDE` pixels wide and high."""
    sheet = Image.new("RGB", (SIDE, SIDE), LIGHT.paper)
    (_draw_plane if truth.dimension == 2 else _draw_line)(sheet, truth, view)
    return sheet


def portrait(
    truth: Truth,
    points: Floats,
    *,
    side: int = 480,
    color: str = FAKE,
    hits: Hits | None = None,
    dot: float | None = None,
) -> Image.Image:
    """Points over the true density: as dots on the plane, as a density of their own on the line.

    Args:
        truth: what they should be like.
        points: (N, D).
        side: width in pixels; on the plane also height.
        color: of the points.
        hits: of the points, to circle the modes they hit more strongly than the others.
        dot: radius of a dot in pixels; by default fit for thousands.
    """
    if truth.dimension == 1:
        return raster.image(_densities(truth, points, (side, round(side * 0.6)), color, dot or 2.0))
    return raster.image(_scatter(truth, points, side, color, hits, dot))


def place(truth: Truth, points: Floats, size: tuple[int, int]) -> Floats:
    """Points (N, 2) of the plane as pixels (N, 2); what is not finite stays so."""
    low, high = truth.box.T
    part = (points - low) / (high - low)
    return np.stack([part[:, 0], 1 - part[:, 1]], 1) * size


def _draw_plane(sheet: Image.Image, truth: Truth, view: View) -> None:
    left, right, top, low = _LEFT, _LEFT + _PANEL + _GAP, _TOP, _TOP + _PANEL + _GAP
    _paste(sheet, _scatter(truth, view.points, _PANEL, FAKE, view.hits), (left, top), "Samples")
    _note(sheet, (left + _PANEL, top), "over the true density")
    _ticks(sheet, truth, (left, top))
    if view.opinion:
        _paste(sheet, _surface(view.opinion), (right, top), "Discriminator")
        _scale(sheet, view.opinion, (right + _PANEL, top))
        _paste(sheet, _field(truth, view.points, view.opinion), (left, low), "Pushes")
        _note(sheet, (left + _PANEL, low), "along the gradient of the score")
    if view.hits:
        _paste(sheet, _bars(view.hits, len(view.points), (_PANEL, _PANEL)), (right, low), "Modes")
        _note(sheet, (right + _PANEL, low), _found(view.hits))
    else:
        _paste(sheet, _scatter(truth, truth.points, _PANEL, REAL), (right, low), "Data")


def _draw_line(sheet: Image.Image, truth: Truth, view: View) -> None:
    width, top = SIDE - _LEFT - 18, _TOP
    heights = (280, 220, 84) if view.hits else (330, 288, 0)
    _paste(sheet, _densities(truth, view.points, (width, heights[0]), FAKE), (_LEFT, top), "Density")
    _note(sheet, (_LEFT + width, top), "filled: of the data; line: of the samples")
    _ends(sheet, truth.box[0], (_LEFT, top + heights[0]), width)
    top += heights[0] + _GAP
    if view.opinion:
        _paste(sheet, _score(truth, view.opinion, (width, heights[1])), (_LEFT, top), "Discriminator")
        level = float(view.opinion.level)
        what = f"its score, {level - _limit(view.opinion):.3g} to {level + _limit(view.opinion):.3g}"
        what = what if level else "probability of “real”, 0 to 1"
        _note(sheet, (_LEFT + width, top), f"{what}; below, its pushes")
    top += heights[1] + _GAP - 8
    if view.hits:
        _paste(sheet, _bars(view.hits, len(view.points), (width, heights[2])), (_LEFT, top), "Modes")
        _note(sheet, (_LEFT + width, top), _found(view.hits))


def _scatter(
    truth: Truth, points: Floats, side: int, color: str, hits: Hits | None = None, dot: float | None = None
) -> Floats:
    """Dots over the density, the modes circled: faintly, or in ink where they are found."""
    panel = _ground(truth, side)
    size = (side, side)
    if truth.centers is not None and len(truth.centers) <= 100:
        found = hits.histogram > 0 if hits else np.zeros(len(truth.centers), bool)
        middles = place(truth, truth.centers, size)
        raster.mix(panel, _FAINT, 0.35 * raster.rings(size, middles[~found], 0.032 * side))
        raster.mix(panel, _INK, 0.75 * raster.rings(size, middles[found], 0.032 * side))
    # As many dots as a paper shows, 2,500, stay single; more become finer, fewer bolder.
    strength = float(np.clip(0.55 * (2500 / max(1, len(points))) ** 0.5, 0.12, 0.8))
    raster.mix(panel, color, raster.dots(size, place(truth, points, size), dot or 1.6 * (side / 320) ** 0.5, strength))
    return panel


def _ground(truth: Truth, side: int) -> Floats:
    """The true density, quiet: its cube root shows the tails, and it never has more than half of the color."""
    panel = raster.canvas(side, side, _PAPER)
    density = raster.enlarged(np.flipud(truth.density), (side, side))
    raster.mix(panel, REAL, 0.5 * np.cbrt(np.clip(density / max(float(truth.density.max()), 1e-30), 0, 1)))
    return panel


def _surface(opinion: Opinion) -> Floats:
    field, limit = raster.enlarged(np.flipud(opinion.surface), (_PANEL, _PANEL)), _limit(opinion)
    panel = raster.diverging(_tone(field, opinion), FAKE, _PAPER, REAL)
    raster.mix(panel, _INK, 0.8 * raster.contour(field, 0.0))
    for part in (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75):
        raster.mix(panel, _INK, 0.18 * raster.contour(field, part * limit, 0.8))
    return panel


def _field(truth: Truth, points: Floats, opinion: Opinion) -> Floats:
    """Arrows along the gradient: gray ones on a lattice, and orange ones on samples that stand apart."""
    panel, size, lattice = _ground(truth, _PANEL), (_PANEL, _PANEL), int(opinion.lattice)
    raster.mix(panel, FAKE, 0.5 * raster.dots(size, place(truth, points, size), 1.1, 0.3))
    tails = place(truth, opinion.places, size)
    moves = _lengths(opinion)[:, None] * _directions(opinion.pushes) * (1, -1)
    # Those of the lattice turn about their middle, which keeps the lattice visible.
    middles, turns = tails[:lattice], 17 * moves[:lattice]
    raster.mix(panel, "#6b7180", 0.55 * raster.arrows(size, middles - turns / 2, middles + turns / 2))
    begins, ways = tails[lattice:], 24 * moves[lattice:]
    apart = _apart(begins, 20)
    raster.mix(panel, FAKE, raster.arrows(size, begins[apart], (begins + ways)[apart]))
    return panel


def _directions(pushes: Floats) -> Floats:
    return pushes / np.maximum(np.linalg.norm(pushes, axis=1, keepdims=True), 1e-30)


def _lengths(opinion: Opinion) -> Floats:
    """How long arrows are, 0 … 1: the root of the push, as pushes differ by orders of magnitude."""
    strength = np.linalg.norm(opinion.pushes, axis=1)
    usual = np.nan_to_num(strength[: int(opinion.lattice)], posinf=0.0)
    return np.sqrt(np.clip(strength / max(float(np.quantile(usual, 0.9)), 1e-30), 0, 1))


def _apart(places: Floats, distance: float) -> list[int]:
    """The first place in each square of a lattice of that width."""
    cells = np.floor(np.nan_to_num(places, nan=-1e6) / distance)
    return list(np.unique(cells, axis=0, return_index=True)[1])


def _densities(truth: Truth, points: Floats, size: tuple[int, int], color: str, dot: float = 2.0) -> Floats:
    """The density of the data as an area, that of the samples as a line, at one scale in all frames."""
    panel, (width, height) = raster.canvas(*size, _PAPER), size
    top = 1.7 * float(truth.density.max())
    cells = len(truth.density)

    def curve(density: Floats) -> Floats:
        x = (np.arange(cells) + 0.5) / cells * width
        return np.stack([x, (height - 4) * (1 - np.clip(density / top, 0, 1)) + 2], 1)

    raster.mix(panel, REAL, 0.25 * raster.curve(size, curve(truth.density), floor=height - 2))
    raster.mix(panel, REAL, 0.7 * raster.curve(size, curve(truth.density), 1.2))
    raster.mix(panel, color, raster.curve(size, curve(smoothed(points[:, 0], truth.box[0], cells)), 2.2))
    rug = np.stack([_across(truth, points[:, 0], width), np.full(len(points), height - 8.0)], 1)
    raster.mix(panel, color, raster.dots(size, rug, dot, float(np.clip(100 / len(points), 0.04, 0.8))))
    return panel


def _across(truth: Truth, values: Floats, width: int) -> Floats:
    """Points (N,) of the line as pixels from the left."""
    low, high = truth.box[0]
    return np.asarray((values - low) / (high - low) * width)


def smoothed(values: Floats, ends: Floats, cells: int) -> Floats:
    """The density of points (N,) on the line, at the centers of the cells between two ends, blurred by 0.8 % of it."""
    counts, _ = np.histogram(values[np.isfinite(values)], bins=cells, range=(float(ends[0]), float(ends[1])))
    reach = max(1, round(0.008 * cells))
    kernel = np.exp(-0.5 * (np.arange(-4 * reach, 4 * reach + 1) / reach) ** 2)
    blurred = np.convolve(np.pad(counts, 4 * reach), kernel / kernel.sum(), mode="valid")
    return np.asarray(blurred * cells / (max(1, len(values)) * float(ends[1] - ends[0])))


def _score(truth: Truth, opinion: Opinion, size: tuple[int, int]) -> Floats:
    """D(x), where the score is a logit, or the score itself around its level; below, pushes as arrows."""
    panel, (width, height) = raster.canvas(*size, _PAPER), size
    room, lattice = height - 34, int(opinion.lattice)
    raster.mix(panel, _FAINT, 0.6 * raster.curve(size, np.array([[0.0, room / 2], [width, room / 2]]), 1.0))
    part = opinion.surface / (1.1 * _limit(opinion)) if opinion.level else np.tanh(opinion.surface / 2)
    x = (np.arange(len(part)) + 0.5) / len(part) * width
    score = np.stack([x, room / 2 * (1 - 0.96 * np.clip(part, -1, 1))], 1)
    raster.mix(panel, _INK, raster.curve(size, score, 2.0))
    tails = np.stack([_across(truth, opinion.places[:lattice, 0], width), np.full(lattice, height - 16.0)], 1)
    moves = np.zeros_like(tails)
    moves[:, 0] = 0.9 * width / lattice * (_lengths(opinion) * np.sign(opinion.pushes[:, 0]))[:lattice]
    raster.mix(panel, FAKE, raster.arrows(size, tails - moves / 2, tails + moves / 2, 1.4, 6))
    return panel


def _bars(hits: Hits, count: int, size: tuple[int, int]) -> Floats:
    """The share of the `count` samples on each mode, and as a line the share that it should have."""
    panel, (width, height) = raster.canvas(*size, _PAPER), size
    shares, top = hits.histogram / max(1, count), 2.5 * float(hits.weights.max())
    edges = np.round(8 + (width - 16) * np.arange(len(shares) + 1) / len(shares)).astype(int)
    for left, right, share, due in zip(edges[:-1], edges[1:], shares, hits.weights, strict=True):
        gap = max(1, (right - left) // 10) if right - left > 3 else 0
        bar = slice(left + gap, max(right - gap, left + gap + 1))
        level, line = (height - 8 - round(float(min(part / top, 1.0)) * (height - 16)) for part in (share, due))
        panel[level : height - 8, bar] = raster.canvas(1, 1, FAKE)
        panel[line - 1 : line + 1, bar] = raster.canvas(1, 1, REAL)
    return panel


def _limit(opinion: Opinion) -> float:
    """The score at which colors are full: of a logit never under 1, so that an undecided discriminator looks pale."""
    known = np.abs(opinion.surface[np.isfinite(opinion.surface)])
    largest = float(np.quantile(known, 0.97)) if known.size else 1.0
    return max(largest, 1e-6 if opinion.level else 1.0)


def _tone(scores: Floats, opinion: Opinion) -> Floats:
    """Scores, less their level, as colors in -1 … 1; of logits, small ones count more, since they decide."""
    part = np.clip(scores / _limit(opinion), -1, 1)
    return np.asarray(part if opinion.level else np.sign(part) * np.abs(part) ** 0.6)


def _found(hits: Hits) -> str:
    quality, kl = float(hits.high_quality), float(hits.reverse_kl)
    return f"{hits.count} of {len(hits.histogram)} · {quality:.1%} high quality · KL {kl:.3f}"


def _paste(sheet: Image.Image, drawn: Floats, corner: tuple[int, int], title: str) -> None:
    pen, panel = ImageDraw.Draw(sheet), raster.image(drawn)
    sheet.paste(panel, corner)
    pen.rectangle((corner[0] - 1, corner[1] - 1, corner[0] + panel.width, corner[1] + panel.height), outline=_RULE)
    pen.text((corner[0], corner[1] - _HEAD), title, fill=_INK, font=ImageFont.load_default(15), anchor="lm")


def _note(sheet: Image.Image, end: tuple[int, int], words: str) -> None:
    """Small words that end above a panel's upper right corner."""
    font = ImageFont.load_default(12)
    ImageDraw.Draw(sheet).text((end[0], end[1] - _HEAD + 1), words, fill=_FAINT, font=font, anchor="rm")


def _scale(sheet: Image.Image, opinion: Opinion, end: tuple[int, int]) -> None:
    """The color scale of the surface: a strip between the score's limits."""
    limit, level = _limit(opinion), float(opinion.level)
    strip = raster.diverging(np.tile(_tone(np.linspace(-limit, limit, 60), opinion), (9, 1)), FAKE, _PAPER, REAL)
    font, pen, y = ImageFont.load_default(12), ImageDraw.Draw(sheet), end[1] - _HEAD + 1
    right = f"{level + limit:.3g} real"
    x = end[0] - round(font.getlength(right)) - 6
    pen.text((end[0], y), right, fill=_FAINT, font=font, anchor="rm")
    sheet.paste(raster.image(strip), (x - 60, y - 4))
    pen.text((x - 66, y), f"fake {level - limit:.3g}", fill=_FAINT, font=font, anchor="rm")


def _ticks(sheet: Image.Image, truth: Truth, corner: tuple[int, int]) -> None:
    """Ends of both axes, once, as they are the same in every panel."""
    _ends(sheet, truth.box[0], (corner[0], corner[1] + _PANEL), _PANEL)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for value, y, anchor in ((truth.box[1, 1], corner[1] + 1, "rt"), (truth.box[1, 0], corner[1] + _PANEL, "rb")):
        pen.text((corner[0] - 5, y), f"{value:g}", fill=_FAINT, font=font, anchor=anchor)


def _ends(sheet: Image.Image, ends: Floats, corner: tuple[int, int], width: int) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for value, x, anchor in ((ends[0], corner[0], "lt"), (ends[1], corner[0] + width, "rt")):
        pen.text((x, corner[1] + 4), f"{value:g}", fill=_FAINT, font=font, anchor=anchor)
