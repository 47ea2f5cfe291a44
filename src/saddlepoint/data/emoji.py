"""Emoji by two artists: the same signs as Google (Noto) and as Twitter (Twemoji) draw them, side by side.

One picture per drawing: variants by skin tone, and those of man, woman and person, differ in a few pixels, so that of
such a family only the first is kept. Otherwise what is held out would have been seen. Flags are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from saddlepoint.data.decode import Decoded, decode
from saddlepoint.data.images import Images
from saddlepoint.data.policy import Policy
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.data.tarballs import Tarball, read
from saddlepoint.errors import DataError

SIDES = ("google", "twitter")
COUNT = 1_453
GOOGLE = Tarball(
    "emoji-datasource-google",
    "16.0.0",
    "ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==",
)
TWITTER = Tarball(
    "emoji-datasource-twitter",
    "16.0.0",
    "7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==",
)
_SKIN = re.compile("1F3F[B-F]")
_GENDER = re.compile("264[02]")
_PERSON = "1F9D1"
_MAN_OR_WOMAN = re.compile("1F46[89]")

Size = tuple[int, int, int]


def open_emoji(size: Size, root: Path, watch: Watch) -> Images:
    """The pairs, Google's picture left and Twitter's right.

    Args:
        size: height, width of both together, channels; the originals are 64, 128, 3.
        root: the cache.
        watch: follows the decoding.

    Raises:
        DataError: the packages hold something else.
        MissingError: the packages are not here.
    """
    folder = root / "sets" / f"emoji-{GOOGLE.version}-{'x'.join(map(str, size))}"
    return shelved(folder, "emoji", lambda partial: _make(partial, size, watch), watch)


def _make(folder: Path, size: Size, watch: Watch) -> Contents:
    drawings = [read(package, lambda name: name == "emoji.json" or "/64/" in name) for package in (GOOGLE, TWITTER)]
    codes = [row["image"] for row in _rows(drawings[0]["emoji.json"])]
    pixels = allocate(folder, (len(codes), *size))
    half = size[1] // 2
    for number, code in enumerate(codes):
        watch.check()
        for side, (name, files) in enumerate(zip(SIDES, drawings, strict=True)):
            found = decode(files[f"img/{name}/64/{code}"], Policy(), size=(size[0], half), channels=size[2])
            if not isinstance(found, Decoded):
                raise DataError(f"{code} of {name} cannot be decoded", where=name)
            pixels[number, :, side * half : (side + 1) * half] = found.pixels
        watch.progress(number + 1, len(codes))
    about = {"google": f"{GOOGLE.requirement}, Apache-2.0", "twitter": f"{TWITTER.requirement}, CC BY 4.0"}
    return Contents(about=about)


def _rows(table: bytes) -> list[dict[str, str]]:
    """What is drawn by both artists, a row for each that is kept."""
    rows = [row for row in json.loads(table) if row["category"] != "Flags"]
    both = [row for row in rows if all(row[f"has_img_{name}"] for name in SIDES)]
    kept = set(firsts(row["unified"] for row in both))
    return [row for row in both if row["unified"] in kept]


def firsts(codes: Iterable[str]) -> Iterator[str]:
    """Of each family of emoji that are drawn alike the first.

    Args:
        codes: code points in hexadecimal with hyphens between: `1F468-200D-1F33E`, a man farmer.
    """
    seen = {""}
    for code in codes:
        if (family := family_of(code)) not in seen:
            seen.add(family)
            yield code


def family_of(code: str) -> str:
    """What emoji share that differ by skin tone or gender only; empty for a skin tone itself."""
    points = [point for point in code.upper().split("-") if point not in ("200D", "FE0F")]
    first, rest = points[:1], [point for point in points[1:] if not _GENDER.fullmatch(point)]
    kept = [point for point in first + rest if not _SKIN.fullmatch(point)]
    return "-".join(_PERSON if _MAN_OR_WOMAN.fullmatch(point) else point for point in kept)
