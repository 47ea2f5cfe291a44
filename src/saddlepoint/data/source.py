"""What the user pointed at, not yet decoded: a folder, a zip, an npz, a named set, an array or a toy distribution.

    source = open_source("photos/", flip=True)
    images = source.images(size=64, channels=3)     # scanned and decoded once, then mapped from the cache
    images.stream(batch=128)

Reading costs memory for one batch, whatever the size of the set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DiskError, UsageError
from . import catalog, points
from .arrays import ArrayStorage
from .attributes import chosen
from .cache import FORMAT, Cached, Writer, default_folder, open_cached, write_json
from .edges import photos
from .fit import frame
from .halves import Halves
from .images import Images
from .labeling import labeled, relabeled
from .layout import shown
from .listing import Index, Listing, Storage, index_of
from .places import open_place
from .points import Points
from .policy import Policy
from .report import ScanReport
from .scan import Watch, judge, own_size, scan
from .split import split


class Source:
    """Pictures, wherever they lie.

    Args:
        spec: folder, zip or npz; the name of a set (`./digits` is the folder of that name); or pictures in memory,
            uint8 (N, H, W, C).
        seed: seed of the order and the flips.
        flip: mirror each picture left to right with probability 1/2.
        workers: threads that read batches ahead.
        cache: folder for decoded pictures; by default `SADDLEPOINT_CACHE` or the user's cache folder.
        policy: decisions about odd pictures.
        watch: stop flag and progress of long passes.
        only: names to use; others are ignored. A resumed run gives those of its index: what was added since waits.
        holdout: share of the pictures that `images` leaves out and `held_out` gives.
        by: attributes that are the classes, as names or in one text with commas: of avatars, or of a label file; by
            default what a label file of one attribute says. None leaves label files alone.

    Raises:
        MissingError: there is no such place.
        DataError: the place is damaged or unsafe.
        UsageError: the place is of a kind that is not read.
    """

    def __init__(
        self,
        spec: str | Path | Images | np.ndarray,
        *,
        seed: int = 0,
        flip: bool = False,
        workers: int = 0,
        cache: Path | None = None,
        policy: Policy | None = None,
        watch: Watch | None = None,
        only: Set[str] | None = None,
        holdout: float = 0.0,
        by: str | Sequence[str] | None = (),
    ) -> None:
        self.holdout, self.by = holdout, None if by is None else chosen(by)
        self.policy, self.watch, self.only = policy or Policy(), watch or Watch(), only
        self.cache = cache or default_folder()
        self.given = Images.of(spec) if isinstance(spec, np.ndarray) else spec if isinstance(spec, Images) else None
        self.name = self.given.name if self.given else str(spec)
        self._order: dict[str, Any] = {"seed": seed, "flip": flip, "workers": workers}
        self._opened: dict[tuple[tuple[int, int] | None, int | None, bool], Images] = {}
        self._listing: Listing | None = None
        self._report: ScanReport | None = None
        self._toy = None if self.given else points.named(self.name)
        if self._toy and holdout:
            raise UsageError("points need no holdout: new ones can be drawn at any time", where="--holdout")
        self._storage = self._locate()
        if self.by:
            self._require_attributes()

    @property
    def kind(self) -> str:
        """`plane` for points of a toy distribution, else `pictures`."""
        return "plane" if self._toy else "pictures"

    def examples(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images | Points:
        """The data, whatever they are: pictures as `images` gives them, or points, which have no size to choose."""
        if self._toy:
            return Points.draw(*self._toy, seed=self._order["seed"])
        return self.images(size=size, channels=channels)

    def images(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images:
        """The pictures to train on at one size, scanned and decoded on first use.

        Args:
            size: side, or (height, width), in pixels; by default their own, when they share it.
            channels: 1, 3 or 4; by default 1 if all are gray, else 3.

        Raises:
            MissingError: no usable picture.
            DataError: too many unusable pictures, or a class without any.
            UsageError: pictures of several sizes and no size given, or so few that none can be held out.
            Stopped: the watch asked for it.
        """
        whole = self.whole(size=size, channels=channels)
        return split(whole, self.holdout)[0] if self.holdout else whole

    def held_out(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images:
        """The pictures that `images` leaves out, likewise.

        Raises:
            UsageError: none are held out; and as `images`.
        """
        return split(self.whole(size=size, channels=channels), self.holdout)[1]

    def whole(
        self, *, size: int | tuple[int, int] | None = None, channels: int | None = None, halves: bool = False
    ) -> Images:
        """All pictures, held out or not, likewise; with `halves` each half is brought to half of the size alone."""
        if self._toy:
            raise UsageError(
                f"{self.name} is a set of points, and this trains on pictures",
                where="DATA",
                fix="choose pictures, or a recipe with a preset `plane`",
            )
        wanted = (frame(size), channels, halves)
        if channels not in (None, 1, 3, 4):
            raise UsageError(f"pictures have 1, 3 or 4 channels, not {channels}", where="--channels")
        if wanted not in self._opened:
            self._opened[wanted] = replace(self._open(*wanted), **self._order)
        return self._opened[wanted]

    @property
    def index(self) -> Index:
        """Every candidate's size, time and content hash: what a run keeps to notice changes (`listing.changes`)."""
        listing = self.listing
        return index_of(listing.entries, labeled=bool(listing.classes and listing.attributes))

    @property
    def sides(self) -> tuple[str, str] | None:
        """Of a named set of pairs the names of source and target, which stand side by side in its pictures."""
        return None if self.given or self._toy else catalog.sides(self.name)

    @property
    def fingerprint(self) -> str:
        """Hash of names and contents; times do not matter."""
        if not self._storage:
            return hashlib.sha256(" --by ".join([self.name, *(self.by or ())]).encode()).hexdigest()
        digest = hashlib.sha256()
        for entry in self.listing.entries:
            digest.update(ascii((entry.name, entry.size, entry.digest, entry.label)).encode())
        return digest.hexdigest()

    @property
    def report(self) -> ScanReport | None:
        """What a full scan found; None for named sets. Scans when nothing was scanned yet."""
        if self._report is None and self._storage:
            remembered = self.cache / "reports" / f"{self._key(None, None)}.json"
            try:
                self._report = ScanReport.from_json(json.loads(remembered.read_text("ascii")))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self._report = scan(self._storage, self.listing, self.policy, watch=self.watch)
                write_json(remembered, self._report.to_json())
            self._report = self._as_seen(self._report)
        return self._report

    def _as_seen(self, report: ScanReport) -> ScanReport:
        """A remembered report with what changes nothing about the set, and may have changed since."""
        listing = self.listing
        return replace(
            report,
            source=self.name,
            ignored=dict(listing.ignored),
            first_ignored=listing.first_ignored,
            notes=list(listing.notes),
        )

    def _open(self, size: tuple[int, int] | None, channels: int | None, halves: bool) -> Images:
        if not self._storage:
            return self._open_named(size, channels)
        given = self.given
        if given and size in (None, (given.height, given.width)) and channels in (None, given.channels):
            return given
        if size is None or channels is None:
            report = self.report or ScanReport(self.name)
            judge(report, self.policy)
            size, channels = size or own_size(report), channels or report.own_channels
        folder = self.cache / "sets" / self._key(size, channels, halves=halves)
        storage = Halves(self._storage) if halves else self._storage
        cached = open_cached(folder) or self._build(storage, folder, (*size, channels))
        self._report = self._as_seen(cached.report)
        judge(self._report, self.policy)
        name = self.name if given else Path(self.name).resolve().name
        return Images(cached.pixels, cached.labels, tuple(self._report.classes), name, folder.name, self._report)

    def _open_named(self, size: tuple[int, int] | None, channels: int | None) -> Images:
        images = catalog.open_named(
            self.name,
            size=size,
            channels=channels,
            cache=self.cache,
            progress=self.watch.progress,
            should_stop=self.watch.should_stop,
        )
        if not self.by:
            return images
        table = catalog.attributes(self.name, size=size, channels=channels, cache=self.cache)
        return relabeled(images, table, self.by, self.policy)

    def _build(self, storage: Storage, folder: Path, shape: tuple[int, int, int]) -> Cached:
        """Scan and decode in one pass."""
        listing = self.listing
        with Writer(folder, shape, len(listing.entries)) as writer:
            self._report = scan(
                storage, listing, self.policy, size=shape[:2], channels=shape[2], keep=writer.append, watch=self.watch
            )
            if not self._report.usable:
                judge(self._report, self.policy)
            writer.commit(self._report)
        cached = open_cached(folder)
        if not cached:
            raise DiskError("decoded pictures cannot be read back", where=str(folder), fix="check the disk")
        return cached

    @property
    def listing(self) -> Listing:
        """What lies in the place, looked at once; nothing of a named set."""
        if self._listing is None and self._storage:
            self._listing = self._storage.survey(self.policy)
            if self.only is not None:
                # Nothing else may count, not even as a class without pictures.
                self._listing = Listing(
                    [entry for entry in self._listing.entries if entry.name in self.only],
                    classes=self._listing.classes,
                    labels=self._listing.labels,
                )
            self._listing = labeled(self._listing, self.by, self.policy, self.name)
            if self.only is not None:
                self._listing.notes.clear()  # what was added since may have labels already
        return self._listing or Listing()

    def _key(self, size: tuple[int, int] | None, channels: int | None, *, halves: bool = False) -> str:
        """Names a decoded set: another content, size or policy has another key."""
        listing = self.listing
        unopened = [[ascii(name) for name, _ in listing.skipped], [ascii(name) for name in listing.empty]]
        parts = [FORMAT, self.fingerprint, unopened, size, channels, self.policy.pixel_rules()]
        parts += ["halves"] if halves else []
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    @property
    def attributes(self) -> dict[str, int]:
        """Names of the attributes to choose from, and how many values each takes; of avatars once they are drawn."""
        if self._opened and not self._storage and catalog.has_attributes(self.name):
            size, channels, _ = next(iter(self._opened))
            table = catalog.attributes(self.name, size=size, channels=channels, cache=self.cache)
            return {name: len(values) for name, values in zip(table.names, table.values, strict=True)}
        return dict(self.listing.attributes)

    def _require_attributes(self) -> None:
        """Refuse a choice where there is nothing to choose from."""
        if not self.policy.classes:
            raise UsageError("--by and --no-classes exclude each other", where="--by", fix="give one of them")
        written = self._storage and not isinstance(self._storage, ArrayStorage)
        if not written and not catalog.has_attributes(self.name):
            raise UsageError(
                f"{shown(self.name)} has no attributes to make classes of",
                where="--by",
                fix="leave out --by; avatars have attributes, and folders and zips with a label file",
            )

    def _locate(self) -> Storage | None:
        """Where the pictures lie; None for a named set and for points."""
        if self.given:
            return ArrayStorage(self.given)
        if self._toy or (catalog.is_named(self.name) and photos(self.name) is None):
            return None
        return open_place(self.name, self.cache, self.watch.check)


def open_source(spec: str | Path | Images | np.ndarray, **settings: Any) -> Source:
    """The source behind a path, a named set or an array; see `Source` for the settings."""
    return Source(spec, **settings)
