"""Every picture is looked at before step 1: decoded, judged, counted, and handed on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError, MissingError, Stopped, UsageError
from .decode import Decoded, calm
from .layout import classify, mismatch, shown
from .listing import Entry, Listing, Storage
from .policy import Policy
from .report import Reason, ScanReport, Skip

# Pillow decodes outside the interpreter's lock: two threads keep two cores busy, more only hold more pictures.
_THREADS = 2
_IN_FLIGHT = 8

Keep = Callable[[np.ndarray, str | None], None]
"""Takes the pixels (H, W, C) and the class of each usable picture, in training order."""


@dataclass(frozen=True)
class Watch:
    """How a long pass over the data is watched from outside.

    Attributes:
        should_stop: asked before each picture; a true answer ends the pass with `Stopped`.
        progress: told (pictures done, pictures in all).
    """

    should_stop: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda done, total: None

    def check(self) -> None:
        """Raise `Stopped` when asked to stop."""
        if self.should_stop():
            raise Stopped("stopped while looking through the data; nothing was written", fix="run the command again")


def scan(
    storage: Storage,
    listing: Listing,
    policy: Policy,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    keep: Keep | None = None,
    watch: Watch | None = None,
) -> ScanReport:
    """Decode every picture once, two at a time, in constant memory.

    Args:
        storage: where the pictures lie.
        listing: what was found there.
        policy: decisions about odd pictures.
        size: (height, width) they are resized to.
        channels: 1, 3 or 4.
        keep: receives the pixels; without it they are only looked at.
        watch: stop flag and progress.

    Raises:
        DataError: the policy stops at the first unusable picture.
        Stopped: the watch asked for it.
    """
    report = ScanReport(
        storage.name, ignored=dict(listing.ignored), first_ignored=listing.first_ignored, notes=list(listing.notes)
    )
    for name, skip in listing.skipped:
        _refuse(report, name, skip, policy)
    labels, classes = labels_of(listing, policy)
    report.classes = dict.fromkeys(classes, 0)
    report.mixed = policy.classes and not classes and len({entry.name.count("/") for entry in listing.entries}) > 1
    seen: set[str] = set()
    for (entry, found), label in zip(
        _decoded(storage, listing.entries, policy, size, channels, keep is not None, watch or Watch()),
        labels,
        strict=True,
    ):
        if isinstance(found, Skip):
            _refuse(report, entry.name, found, policy)
            continue
        _count(report, entry, found, size)
        report.duplicates += entry.digest in seen
        seen.add(entry.digest)
        if label is not None:
            report.classes[label] += 1
        if keep:
            keep(found.pixels, label)
    if policy.drop_empty:
        report.classes = {name: count for name, count in report.classes.items() if count}
    return report


def labels_of(listing: Listing, policy: Policy) -> tuple[list[str | None], tuple[str, ...]]:
    """The class of each entry, and all classes in label order; none when the policy wants none."""
    if not policy.classes:
        return [None] * len(listing.entries), ()
    if listing.classes:
        return [entry.label for entry in listing.entries], listing.classes
    barren = listing.empty + [name.rpartition("/")[0] for name, _ in listing.skipped if "/" in name]
    return classify([entry.name for entry in listing.entries], barren)


def judge(report: ScanReport, policy: Policy) -> None:
    """Refuse a set that is not worth training on.

    Raises:
        MissingError: not one usable picture.
        DataError: more unusable pictures than the policy bears, or a class without pictures.
    """
    if not report.usable:
        raise _nothing(report)
    if report.bad and policy.on_bad == "stop":
        raise _stopped_at_first(report)
    if report.skipped.get(Reason.SHAPE) and policy.crop == "stop":
        first = report.skipped[Reason.SHAPE][0]
        raise DataError(
            f"{len(report.skipped[Reason.SHAPE]):,} pictures have another aspect ratio ({first['detail']})",
            where=shown(first["name"]),
            fix="--crop center, --crop pad or --crop stretch",
        )
    if report.bad_share > policy.max_bad:
        share = report.bad_share
        raise DataError(
            f"{report.bad:,} of {report.bad + report.usable:,} images unusable "
            f"({share:.0%}, limit {policy.max_bad:.0%}): {report.reasons()}",
            where=f"{shown(report.source)}, first {report.first_bad()}",
            fix=f"repair or remove them, or --max-bad {min(100, int(share * 100) + 5)}%",
        )
    require_pictures(report.classes, policy, report.source)


def require_pictures(
    classes: Mapping[str, int],
    policy: Policy,
    source: str,
    fix: str = "add images, --drop-empty, or --no-classes to train without classes",
) -> None:
    """Refuse a set for a class with less than two pictures, unless the policy bears it.

    Args:
        classes: pictures by class.
        policy: decides.
        source: the set, for the message.
        fix: what to do about it.
    """
    small = [f"`{shown(name)}` has {_images(count)}" for name, count in classes.items() if count < 2]
    if small and not policy.drop_empty:
        raise DataError(
            "class " + ", ".join(small[:5]) + (f" (and {len(small) - 5:,} more)" if len(small) > 5 else ""),
            where=shown(source),
            fix=fix,
        )


def own_size(report: ScanReport) -> tuple[int, int]:
    """(height, width) that all pictures share.

    Raises:
        UsageError: they have several sizes.
    """
    if report.common_size:
        return report.common_size
    most = ", ".join(f"{size} {count:,} times" for size, count in report.sizes.most_common(3))
    raise UsageError(
        f"pictures have {len(report.sizes):,} different sizes (most often {most})",
        where=shown(report.source),
        fix="--size 64 brings them all to one size",
    )


def _decoded(
    storage: Storage,
    entries: list[Entry],
    policy: Policy,
    size: tuple[int, int] | None,
    channels: int | None,
    pixels: bool,
    watch: Watch,
) -> Iterator[tuple[Entry, Decoded | Skip]]:
    """Each entry with what became of it, in order, a few decoded ahead in threads."""

    def load(entry: Entry) -> Decoded | Skip:
        found = storage.load(entry, policy, size, channels)
        # A scan that keeps no pixels must not queue full-sized pictures.
        return found if pixels or isinstance(found, Skip) else replace(found, pixels=found.pixels[:0])

    waiting: deque[Future[Decoded | Skip]] = deque()
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="saddle-scan")
    try:
        with calm():
            waiting.extend(pool.submit(load, entry) for entry in entries[:_IN_FLIGHT])
            for done, entry in enumerate(entries):
                watch.check()
                found = waiting.popleft().result()
                if done + _IN_FLIGHT < len(entries):
                    waiting.append(pool.submit(load, entries[done + _IN_FLIGHT]))
                yield entry, found
                watch.progress(done + 1, len(entries))
    finally:
        pool.shutdown(cancel_futures=True)


def _count(report: ScanReport, entry: Entry, found: Decoded, size: tuple[int, int] | None) -> None:
    """Add one usable picture to the counts."""
    width, height = found.size
    report.usable += 1
    report.measure(width, height)
    report.channels[str(found.channels)] += 1
    report.constant += found.constant
    report.converted.update(found.notes)
    if found.form and mismatch(entry.name, found.form):
        report.converted["named as another format"] += 1
    if size and max(size[0] / height, size[1] / width) > 2:
        report.enlarged += 1


def _refuse(report: ScanReport, name: str, skip: Skip, policy: Policy) -> None:
    """Note an unusable picture, or stop at it."""
    report.skip(name, skip)
    if policy.on_bad == "stop":
        raise _stopped_at_first(report)


def _stopped_at_first(report: ScanReport) -> DataError:
    return DataError(
        f"picture cannot be used: {report.first_bad()}",
        where=f"{shown(report.source)} (--on-bad stop)",
        fix="repair or remove it, or --on-bad skip",
    )


def _nothing(report: ScanReport) -> MissingError:
    """The error for a place without one usable picture, by what lies there instead."""
    where = shown(report.source)
    others = sum(report.ignored.values())
    if not report.bad and not others:
        return MissingError(
            f"no images found in {where} (0 files seen)",
            where="DATA",
            fix="supported: png jpg webp bmp tif gif; sub-folders are searched",
        )
    formats = {record["detail"] for record in report.skipped.get(Reason.FORMAT, [])}
    if formats and set(report.skipped) == {Reason.FORMAT}:
        return MissingError(
            f"{report.bad:,} files are {' and '.join(sorted(formats))}, which is not read",
            where=where,
            fix="convert to PNG or JPEG first (HEIC: heif-convert)" if "HEIC" in formats else "convert to PNG or JPEG",
        )
    reasons = report.reasons() or f"{others:,} not an image"
    first = report.first_bad() if report.bad else shown(report.first_ignored)
    return MissingError(
        f"no usable image among {report.bad + others:,} files ({reasons})",
        where=f"{where}, first {first}",
        fix=f"`saddle data check {where}` lists all",
    )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
