"""What lies in a place that holds pictures, and the one protocol by which a scan reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from .decode import Decoded
from .layout import FOREIGN, extension, kind
from .policy import Policy
from .report import Reason, Skip


class Entry(NamedTuple):
    """One file, member or array that should be a picture.

    Attributes:
        name: relative, `/` between its parts.
        size: in bytes.
        modified: nanoseconds since 1970; 0 where the place keeps no time.
        digest: hash of the content; equal digests mean equal bytes.
        label: name of its class where the place itself knows it.
    """

    name: str
    size: int
    modified: int
    digest: str
    label: str | None = None


Index = dict[str, tuple[int, int, str]]
"""Content by name: (size in bytes, modified in nanoseconds, digest). Plain JSON, so that a run can keep it."""


@dataclass
class Listing:
    """Everything seen in a place.

    Attributes:
        entries: candidates, in training order.
        skipped: names that cannot even be opened, with the reason.
        ignored: files that never claimed to be pictures, counted by kind.
        first_ignored: one of them.
        empty: folders that hold nothing at all.
        classes: names of the classes in label order, where the place itself knows them.
    """

    entries: list[Entry] = field(default_factory=list)
    skipped: list[tuple[str, Skip]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    first_ignored: str = ""
    empty: list[str] = field(default_factory=list)
    classes: tuple[str, ...] = ()

    def admits(self, name: str, policy: Policy) -> bool:
        """Whether a name is worth opening; notes it otherwise."""
        promise = kind(name, policy.sniff)
        if promise == "picture":
            return True
        if promise == "foreign":
            self.skipped.append((name, Skip(Reason.FORMAT, FOREIGN[extension(name)])))
            return False
        self.ignored["not an image" if promise == "other" else promise] += 1
        if promise == "other":
            self.first_ignored = self.first_ignored or name
        return False


class Storage(Protocol):
    """A place that holds pictures. `load` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The place as the user named it."""

    def survey(self, policy: Policy) -> Listing:
        """Everything in it, without decoding anything.

        Raises:
            DataError: the place itself is damaged or unsafe.
        """

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One picture, decoded as by `decode`."""


def index_of(entries: list[Entry]) -> Index:
    """What a run keeps, to tell later whether its data changed."""
    return {entry.name: (entry.size, entry.modified, entry.digest) for entry in entries}


def changes(old: Mapping[str, Sequence[Any]], new: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    """Names by what happened to them: `"changed"`, `"gone"`, `"added"`; touching a file is no change.

    Args:
        old: an `Index`, perhaps through JSON.
        new: another.
    """
    return {
        "changed": [name for name in old if name in new and old[name][2] != new[name][2]],
        "gone": [name for name in old if name not in new],
        "added": [name for name in new if name not in old],
    }
