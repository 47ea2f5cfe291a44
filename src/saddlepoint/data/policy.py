"""What to do with pictures that are not quite as they should be: every decision, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NoReturn, get_args

from ..errors import UsageError

OnBad = Literal["skip", "stop"]
Crop = Literal["center", "pad", "stretch", "stop"]
Floats = Literal["skip", "scale"]

# Decisions about when to give up; all others change which pixels are trained on.
_VERDICTS = ("on_bad", "max_bad")


@dataclass(frozen=True)
class Policy:
    """Decisions about odd pictures and odd folders.

    Attributes:
        on_bad: skip and report a picture that cannot be used, or stop at the first.
        max_bad: largest share of unusable pictures, 0 … 1, before the whole set is refused.
        background: RGB, 0 … 255, that shows through transparent pixels and fills the margins of `crop="pad"`.
        crop: how a picture meets another aspect ratio: cut to its center, padded, stretched, or refused.
        max_pixels: larger pictures are refused unread; no picture is worth a decompression bomb. Pillow has its own
            ceiling, which no policy lifts: 178 million.
        max_member_mb: an archive's members up to this size are read whatever their compression ratio; by default
            at most 256 MB and a ratio of 200 above 1 MB.
        min_side: smaller pictures, in pixels, are skipped.
        floats: pictures of float or 32-bit pixels have no known range: skip them, or scale each to its own extremes.
        follow_links: follow links to folders and to files outside the data folder.
        sniff: also open files whose name has no picture's extension.
        classes: one class per sub-folder; otherwise all pictures are one set.
        drop_empty: drop classes without a usable picture and accept classes with only one, instead of an error.
    """

    on_bad: OnBad = "skip"
    max_bad: float = 0.05
    background: tuple[int, int, int] = (255, 255, 255)
    crop: Crop = "center"
    max_pixels: int = 64_000_000
    max_member_mb: int | None = None
    min_side: int = 8
    floats: Floats = "skip"
    follow_links: bool = False
    sniff: bool = False
    classes: bool = True
    drop_empty: bool = False

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Policy:
        """The policy that a run's record holds as plain values."""
        return cls(**{**facts, "background": tuple(facts["background"])})

    def __post_init__(self) -> None:
        for field, allowed in (("on_bad", OnBad), ("crop", Crop), ("floats", Floats)):
            if getattr(self, field) not in get_args(allowed):
                _refuse(field, "one of " + ", ".join(get_args(allowed)), getattr(self, field))
        if not 0 <= self.max_bad <= 1:
            _refuse("max_bad", "a share from 0 to 1 (or 0% to 100%)", self.max_bad)
        if len(self.background) != 3 or not all(0 <= value <= 255 for value in self.background):
            _refuse("background", "a color: a name, #rrggbb, or three numbers from 0 to 255", self.background)
        for field in ("max_pixels", "min_side", "max_member_mb"):
            if getattr(self, field) is not None and getattr(self, field) < 1:
                _refuse(field, "a whole number of at least 1", getattr(self, field))

    def pixel_rules(self) -> dict[str, Any]:
        """The decisions that change what is trained on: part of a cached set's key."""
        return {field: value for field, value in asdict(self).items() if field not in _VERDICTS}


def recorded(reading: Mapping[str, Any]) -> dict[str, Any]:
    """How a run read its pictures, from its record, as settings of a `Source`."""
    # A record without a word about attributes was made when label files were not read.
    parts = {"holdout": reading.get("holdout", 0.0), "by": reading.get("by")}
    return {"policy": Policy.of(reading["policy"]), **parts}


def parse_share(text: str) -> float:
    """`"45%"` or `"0.45"` as 0.45.

    Raises:
        UsageError: not a share.
    """
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        _refuse("max_bad", "a share such as 5% or 0.05", text)


def parse_color(text: str) -> tuple[int, int, int]:
    """`"white"`, `"#ffffff"` or `"255,255,255"` as three numbers.

    Raises:
        UsageError: not a color.
    """
    from PIL import ImageColor

    try:
        numbers = [int(part) for part in text.split(",")] if "," in text else list(ImageColor.getrgb(text))
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        _refuse("background", "a color: a name, #rrggbb, or three numbers from 0 to 255", text)
    red, green, blue = numbers
    return red, green, blue


def _refuse(field: str, allowed: str, given: object) -> NoReturn:
    flag = "--" + field.replace("_", "-")
    raise UsageError(f"{flag} must be {allowed}, got {given!r}", where=flag)
