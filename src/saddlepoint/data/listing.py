"""What lies in a place that holds pictures, and the one protocol by which a scan reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from .decode import Decoded
from .layout import FOREIGN, extension, is_labels, kind
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
        labels: what the label files hold, by name, or why they cannot be read.
        attributes: names of the attributes that a label file tells of, and how many values each takes.
        notes: what a person should know of the labels, a sentence each.
    """

    entries: list[Entry] = field(default_factory=list)
    skipped: list[tuple[str, Skip]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    first_ignored: str = ""
    empty: list[str] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    labels: dict[str, bytes | Skip] = field(default_factory=dict)
    attributes: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def admits(self, name: str, policy: Policy) -> bool:
        """Whether a name is worth opening; notes it otherwise."""
        promise = kind(name, policy.sniff)
        if promise in ("picture", "labels"):
            return True
        if promise == "foreign":
            self.skipped.append((name, Skip(Reason.FORMAT, FOREIGN[extension(name)])))
        elif promise == "other":
            self.ignore(name)
        else:
            self.ignored[promise] += 1
        return False

    def ignore(self, name: str) -> None:
        """Notes a file that never claimed to be a picture."""
        self.ignored["not an image"] += 1
        self.first_ignored = self.first_ignored or name

    def skip(self, name: str, skip: Skip) -> None:
        """Notes a name that cannot be opened."""
        if is_labels(name):
            self.labels[name] = skip
        else:
            self.skipped.append((name, skip))


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


def index_of(entries: list[Entry], *, labeled: bool = False) -> Index:
    """What a run keeps, to tell later whether its data changed.

    Args:
        entries: of a listing.
        labeled: whether labels lie beside the pictures, so that they can change without them.
    """

    def digest(entry: Entry) -> str:
        return f"{entry.digest} {entry.label!a}" if labeled else entry.digest

    return {entry.name: (entry.size, entry.modified, digest(entry)) for entry in entries}


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
