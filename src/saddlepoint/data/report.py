"""What a scan found: every picture that cannot be used, with the reason, and every conversion, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .layout import shown

# Photographs come in thousands of sizes; the histogram keeps the first kinds and counts the rest together.
_KINDS_OF_SIZES = 1000
_OTHER_SIZES = "other"

LINKED_FOLDER = "linked folder"
"""How links to folders are counted among what is ignored."""


class Reason(StrEnum):
    """Why a picture cannot be used."""

    NOT_AN_IMAGE = "not an image"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    FORMAT = "format not read"
    TOO_LARGE = "too large"
    TOO_SMALL = "too small"
    TRANSPARENT = "all transparent"
    RANGE = "pixels of unknown range"
    SHAPE = "another aspect ratio"
    SPECIAL = "not a regular file"
    LINK = "link not followed"
    UNREADABLE = "unreadable"
    CHANGED = "changed while being read"


@dataclass(frozen=True)
class Skip:
    """One picture that cannot be used.

    Attributes:
        reason: the class of the fault.
        detail: what exactly, for the report; may be empty.
    """

    reason: Reason
    detail: str = ""


@dataclass
class ScanReport:
    """Counts and names; a plain dictionary by `to_json`.

    Attributes:
        source: what was scanned.
        usable: pictures that are trained on.
        skipped: by reason, every unusable picture as `{"name", "detail"}`.
        ignored: files that never claimed to be pictures, counted by kind.
        first_ignored: one of them, for messages.
        converted: pictures that needed a conversion, counted by conversion.
        sizes: pictures by `"WIDTHxHEIGHT"`, upright, before resizing.
        channels: pictures by their own channels, `"1"`, `"3"` (alpha is composited).
        classes: usable pictures by class, in label order.
        constant: pictures of a single color.
        duplicates: pictures whose file has the same bytes as an earlier one.
        elongated: pictures longer than four times their width, or wider than four times their height.
        enlarged: pictures enlarged more than twice to reach the asked size.
        notes: what a person should know of the labels, a sentence each.
        mixed: pictures lie beside sub-folders of pictures, so the set has no classes.
    """

    source: str
    usable: int = 0
    skipped: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    first_ignored: str = ""
    converted: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    classes: dict[str, int] = field(default_factory=dict)
    constant: int = 0
    duplicates: int = 0
    elongated: int = 0
    enlarged: int = 0
    notes: list[str] = field(default_factory=list)
    mixed: bool = False

    @property
    def bad(self) -> int:
        """Pictures that cannot be used."""
        return sum(len(names) for names in self.skipped.values())

    @property
    def bad_share(self) -> float:
        """Unusable pictures among all pictures, 0 … 1."""
        return self.bad / max(1, self.bad + self.usable)

    @property
    def common_size(self) -> tuple[int, int] | None:
        """(height, width) when all usable pictures share it."""
        if len(self.sizes) != 1 or _OTHER_SIZES in self.sizes:
            return None
        width, height = next(iter(self.sizes)).split("x")
        return int(height), int(width)

    @property
    def own_channels(self) -> int:
        """Channels that keep what there is: 1 if all usable pictures are gray, else 3."""
        return 1 if set(self.channels) == {"1"} else 3

    def skip(self, name: str, skip: Skip) -> None:
        """Note a picture that cannot be used."""
        self.skipped.setdefault(str(skip.reason), []).append({"name": name, "detail": skip.detail})

    def measure(self, width: int, height: int) -> None:
        """Note the size of a usable picture."""
        size = f"{width}x{height}"
        self.sizes[size if size in self.sizes or len(self.sizes) < _KINDS_OF_SIZES else _OTHER_SIZES] += 1
        self.elongated += max(width, height) > 4 * min(width, height)

    def reasons(self) -> str:
        """`"400 truncated, 12 not an image"`, most frequent first."""
        counts = sorted(((len(names), reason) for reason, names in self.skipped.items()), reverse=True)
        return ", ".join(f"{count:,} {reason}" for count, reason in counts)

    def warnings(self) -> list[str]:
        """What a person should know before training, one sentence each."""
        counted = [
            (self.bad, f"cannot be used: {self.reasons()}"),
            (self.enlarged, "must be enlarged more than twice and will look soft"),
            (self.elongated, "have one side more than four times the other"),
            (self.constant, "have a single color"),
            (self.duplicates, "repeat the bytes of an earlier one"),
        ]
        total = max(1, self.usable + self.bad)
        found = [*self.notes, *(f"{count:,} of {total:,} pictures {what}" for count, what in counted if count)]
        if self.mixed:
            found.append("pictures lie beside sub-folders of pictures: all are used, as one set without classes")
        if self.ignored.get(LINKED_FOLDER):
            found.append(f"{self.ignored[LINKED_FOLDER]:,} links to folders are not followed: --follow-links")
        return found

    def first_bad(self) -> str:
        """`"NAME: REASON (DETAIL)"` of the first unusable picture."""
        reason, names = next(iter(self.skipped.items()))
        detail = f" ({names[0]['detail']})" if names[0]["detail"] else ""
        return f"{shown(names[0]['name'])}: {reason}{detail}"

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, strings and numbers."""
        plain = {name: dict(getattr(self, name)) for name in ("converted", "sizes", "channels")}
        return {**vars(self), **plain}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ScanReport:
        """The report that `to_json` made a record of."""
        counters = {name: Counter(record[name]) for name in ("converted", "sizes", "channels")}
        return cls(**{**record, **counters})
