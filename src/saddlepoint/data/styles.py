"""Avatars in two styles, as two sets between which no face belongs to another: `styles:A+B` or `styles:A+B:COUNT`.

By default adventurer and big-smile, which share two attributes: the tone of the skin and the tone of the hair. Each
style has colors of its own, so the tone says of a color only whether it is light or dark.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import numpy as np

from saddlepoint.data.attributes import Attributes
from saddlepoint.data.avatars import choose, open_avatars, read_attributes
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.errors import UsageError

STYLES = ("adventurer", "big-smile")
COUNT = 10_000
_CHUNK = 1_000  # pictures copied at once
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])  # of red, green and blue in brightness, Rec. 709
_LIGHT = 0.55  # brightness, 0 … 1, above which a color is light; no skin of the two styles lies between 0.49 and 0.63

Size = tuple[int, int, int]


def open_styles(text: str, size: Size, root: Path, watch: Watch) -> Images:
    """Both sets in one, the first style's pictures first, with the styles as classes.

    Args:
        text: what stands after `styles:`.
        size: height, width, channels.
        root: the cache.
        watch: follows the drawing.

    Raises:
        UsageError: not two styles, or an unknown one, or no count.
    """
    names, each = _chosen(text)
    sets = [open_avatars(spec, size, root, watch) for spec in each]
    key = hashlib.sha256(" ".join(images.fingerprint for images in sets).encode()).hexdigest()[:16]

    def make(partial: Path) -> Contents:
        pixels = allocate(partial, (sum(map(len, sets)), *size))
        done = 0
        for images in sets:
            for start in range(0, len(images), _CHUNK):
                watch.check()
                chunk = images.pixels[start : start + _CHUNK]
                pixels[done : done + len(chunk)] = chunk
                done += len(chunk)
        labels = np.repeat(np.arange(len(sets)), [len(images) for images in sets])
        return Contents(labels, names, {name: asdict(choose(name)[0]) for name in names})

    return shelved(root / "sets" / f"styles-{'+'.join(names)}-{key}", f"styles:{'+'.join(names)}", make, watch)


def read_tables(text: str, size: Size, root: Path) -> tuple[Attributes, Attributes]:
    """The attributes of each style's pictures, with `skinTone` and `hairTone` where it has them.

    A tone is `light` or `dark`, or `none` of what is not there, such as the hair of a bald head.

    Args:
        text: of a set that `open_styles` has made, like the other arguments.
        size: height, width, channels.
        root: the cache.
    """
    _, (first, second) = _chosen(text)
    return with_tones(read_attributes(first, size, root)), with_tones(read_attributes(second, size, root))


def with_tones(table: Attributes) -> Attributes:
    """A table with a column more for the color of skin and of hair: whether it is light."""
    columns = {}
    for tone, names in (("skinTone", ("skinColor", "baseColor")), ("hairTone", ("hairColor",))):
        for name in set(names) & set(table.names):
            codes, values = table.labels(name)
            tones = np.array([_tone(value) for value in values])
            columns[tone] = tones[codes].tolist()
    return table.beside(Attributes.tabulate(columns, len(table)))


def _tone(color: str) -> str:
    if not color.startswith("#"):
        return color  # `none`: a head without hair has no color of hair
    red_green_blue = np.frombuffer(bytes.fromhex(color.removeprefix("#")), np.uint8)
    return "light" if red_green_blue @ _WEIGHTS / 255 > _LIGHT else "dark"


def _chosen(text: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Names of the two styles, and what of each stands after `avatars:`."""
    both, _, number = text.partition(":")
    names = tuple(both.split("+")) if both else STYLES
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(
            f"'{both}' does not name two styles of avatars", where=f"styles:{text}", fix=f"styles:{'+'.join(STYLES)}"
        )
    first, second = names
    for name in names:
        choose(f"{name}:{number}" if number else name)
    return (first, second), (f"{first}:{number or COUNT}", f"{second}:{number or COUNT}")
