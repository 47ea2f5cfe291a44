"""Which pictures are the source and which the target: by halves, by classes, by names."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import replace

import numpy as np

from ..errors import DataError, UsageError
from .blank import Blank
from .images import Images
from .layout import class_name, shown
from .policy import Policy
from .report import ScanReport
from .scan import labels_of
from .source import Source
from .split import Rows

SIDES = ("source", "target")
"""What the sides are called where nobody names them."""

LAYOUTS = "pairs lie side by side in pictures twice as wide as high, or under equal names in two folders"

TRAIN, TEST = "train", "test"
_PUBLISHED = re.compile("(train|test|val)[AB]")  # folders of the sets that came with CycleGAN
_PARTS = frozenset({"train", "test", "val", "valid", "validation"})
_SHOWN = 8  # classes that a message names

Two = tuple[Images, Images, tuple[str, str]]
"""Source, target, and what the sides are called."""


def matched(data: Source | Blank, size: int, channels: int | None, part: str) -> Two:
    """Source and target, row by row, and their names."""
    if isinstance(data, Blank) or _side_by_side(data):
        return _without_classes(data, size, channels)
    images = data.whole(size=size, channels=channels)
    source, target, sides = _classes(images, part)
    if not data.listing.entries:
        raise UsageError(
            f"{images.name} has no pairs: none of its pictures belongs to another",
            where="DATA",
            fix=f"choose a recipe for unpaired pictures, such as cyclegan; {LAYOUTS}",
        )
    sources, targets = _partners(data, images, (source, target))
    return _part(images, sources, f"{source}-pairs"), _part(images, targets, f"{target}-pairs"), sides


def apart(data: Source | Blank, size: int, channels: int | None, part: str) -> Two:
    """Source and target, of any lengths, and their names."""
    if isinstance(data, Blank) or _side_by_side(data):
        return _without_classes(data, size, channels)
    images = data.whole(size=size, channels=channels)
    source, target, sides = _classes(images, part)
    found = images.classes
    assert images.labels is not None, "it has classes"
    sources, targets = (np.flatnonzero(images.labels == found.index(name)) for name in (source, target))
    return _part(images, sources, source), _part(images, targets, target), sides


def translatable(data: Source, images: Images) -> str | None:
    """What a recipe that translates would make of data that were scanned, in a sentence; None if nothing.

    Args:
        data: what the user pointed at.
        images: its pictures, of whatever size.
    """
    if data.sides:
        return f"pairs side by side: {data.sides[0]} left, {data.sides[1]} right"
    sizes = images.report.sizes if images.report else {}
    if not images.classes:
        squares = sizes and all(_two_squares(size) for size in sizes)
        return "to a recipe that translates: pairs side by side, source left and target right" if squares else None
    try:
        source, target, _ = _classes(images, TRAIN)
    except UsageError:
        return None
    assert images.labels is not None, "it has classes"
    labels = [images.classes[label] for label in images.labels]
    named = list(zip(_names(data), labels, strict=True)) if data.listing.entries else []
    first, second = ({_stem(name, side) for name, label in named if label == side} for side in (source, target))
    common = f"{len(first & second):,} pairs of equal names" if first & second else "no names in common, so no pairs"
    return f"to a recipe that translates: the sides {shown(source)} and {shown(target)}, with {common}"


def _names(data: Source) -> list[str]:
    """Names of the usable pictures of a place, row by row."""
    skipped = data.report.skipped.values() if data.report else ()
    unusable = {record["name"] for records in skipped for record in records}
    return [entry.name for entry in data.listing.entries if entry.name not in unusable]


def _without_classes(data: Source | Blank, size: int, channels: int | None) -> Two:
    """Two sets that stand row by row already, of nothing or of halves: pairs, which need not be used as such."""
    return _blank(data, size, channels) if isinstance(data, Blank) else _halves(data, size, channels)


def _blank(data: Blank, size: int, channels: int | None) -> Two:
    """Two sets of nothing, to build a game; a model's record keeps its sides where classes would stand."""
    images = replace(data.images(size=size, channels=channels), labels=None, classes=())
    first, second = data.classes if len(data.classes) == 2 else SIDES
    return images, images, (first, second)


def _side_by_side(data: Source) -> bool:
    """Whether each picture is a pair: a named set says so; of a place all do that have no classes."""
    return data.sides is not None or (bool(data.listing.entries) and not labels_of(data.listing, data.policy)[1])


def _halves(data: Source, size: int, channels: int | None) -> Two:
    """The left and the right halves of pictures."""
    images = data.whole(size=(size, 2 * size), channels=channels, halves=data.sides is None)
    if data.sides is None and images.report is not None:
        _require_two_squares(images.report, data.policy)
    halves = (("left", slice(size)), ("right", slice(size, None)))
    source, target = (
        replace(images, pixels=_columns(images.pixels, half), fingerprint=f"{images.fingerprint}-{name}")
        for name, half in halves
    )
    return source, target, data.sides or SIDES


def _columns(pixels: np.ndarray | Rows, columns: slice) -> np.ndarray | Rows:
    """Some columns of pixels (N, H, W, C), still mapped if they were."""
    if isinstance(pixels, Rows):
        return Rows(_columns(pixels.array, columns), pixels.rows)
    return pixels[:, :, columns]


def _require_two_squares(report: ScanReport, policy: Policy) -> None:
    """Refuses pictures whose middle would not come to lie in the middle."""
    wrong = {
        size: count
        for size, count in report.sizes.items()
        if not _two_squares(size, any_shape=policy.crop in ("stretch", "pad"))
    }
    if wrong:
        most = max(wrong, key=wrong.__getitem__)
        raise DataError(
            f"{sum(wrong.values()):,} of {report.usable:,} pictures are not twice as wide as high (most often {most})",
            where=shown(report.source),
            fix=f"{LAYOUTS}; --crop stretch or pad takes halves of any shape",
        )


def _two_squares(size: str, *, any_shape: bool = False) -> bool:
    """Whether a picture, `"WIDTHxHEIGHT"`, has two square halves, or two halves at all."""
    width, _, height = size.partition("x")
    return width.isdigit() and (int(width) % 2 == 0 if any_shape else int(width) == 2 * int(height))


def _classes(images: Images, part: str) -> tuple[str, str, tuple[str, str]]:
    """The classes that are source and target, and what the sides are called."""
    found = images.classes
    if found and all(_PUBLISHED.fullmatch(name) for name in found) and {f"{part}A", f"{part}B"} <= set(found):
        return f"{part}A", f"{part}B", ("A", "B")
    if len(found) == 2 and not _PARTS.issuperset(found):
        return found[0], found[1], (found[0], found[1])
    names = ", ".join(map(shown, found[:_SHOWN])) + (", …" if len(found) > _SHOWN else "")
    within = "; if each of these folders holds pairs, give one of them" if found else ""
    raise UsageError(
        f"{images.name} has {len(found)} classes{f' ({names})' if found else ''}; source and target would be two",
        where="DATA",
        fix=f"{LAYOUTS}{within}",
    )


def _partners(data: Source, images: Images, classes: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of source and target that have the same name, int64 (M,) each, in the order of the source."""
    assert images.labels is not None, "it has classes"
    names = _names(data)
    rows: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for row, (name, label) in enumerate(zip(names, images.labels, strict=True)):
        if images.classes[label] in classes:
            side = classes.index(images.classes[label])
            _enter(rows[side], name, row, names, classes[side])
    source, target = rows
    lonely = [row for one, other in (rows, rows[::-1]) for stem, row in one.items() if stem not in other]
    common = [stem for stem in source if stem in target]
    limit = 0.0 if data.policy.on_bad == "stop" else data.policy.max_bad
    if not common or len(lonely) > limit * (len(source) + len(target)):
        raise DataError(
            f"{len(lonely):,} of {len(source) + len(target):,} pictures have no partner of the same name",
            where=f"{shown(images.name)}, first {shown(names[lonely[0]])}",
            fix=f"{LAYOUTS}; --max-bad 50% leaves out the lonely ones" if common else LAYOUTS,
        )
    return np.array([source[stem] for stem in common]), np.array([target[stem] for stem in common])


def _enter(rows: dict[str, int], name: str, row: int, names: list[str], side: str) -> None:
    """Notes the row of a picture under its name within its side.

    Raises:
        DataError: another picture has that name.
    """
    stem = _stem(name, side)
    if stem in rows:
        raise DataError(
            f"two pictures of `{shown(side)}` have the same name: {shown(names[rows[stem]])} and {shown(name)}",
            where=shown(name),
            fix="rename or remove one of them",
        )
    rows[stem] = row


def _stem(name: str, side: str) -> str:
    """What a picture is called below the folder of its side, without the extension."""
    folders = name.split("/")
    depth = next((place for place, folder in enumerate(folders[:-1], 1) if class_name(folder) == side), 0)
    return unicodedata.normalize("NFC", posixpath.splitext("/".join(folders[depth:]))[0])


def _part(images: Images, rows: np.ndarray, what: str) -> Images:
    """Some rows of a set with classes, as a set without."""
    chosen = Rows(images.pixels, rows)
    return replace(images, pixels=chosen, labels=None, classes=(), fingerprint=f"{images.fingerprint}-{what}")
