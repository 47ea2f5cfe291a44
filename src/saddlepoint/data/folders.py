"""Pictures in a folder: walked without following links, hashed once, opened without ever blocking."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..errors import DiskError
from .cache import write_json
from .decode import Decoded, decode
from .layout import is_labels, shown, sort_key
from .listing import Entry, Listing
from .policy import Policy
from .report import LINKED_FOLDER, Reason, Skip

_LARGEST_FILE = 256 << 20  # bytes; as for members of an archive

# A file changed within the clock's resolution of being hashed could change again and look the same ("racy" in git).
_SETTLED = 2_000_000_000  # nanoseconds


class FolderStorage:
    """A folder of pictures, or of one sub-folder per class.

    Args:
        path: the folder.
        hashes: file that remembers content hashes by size and time of change, so that only new files are read again.
        each: called once a file while hashing; may raise to stop.
    """

    def __init__(self, path: Path, hashes: Path, each: Callable[[], None] = lambda: None) -> None:
        self.path, self.hashes, self.each = path, hashes, each
        self.name = str(path)
        self._root = path.resolve()

    def survey(self, policy: Policy) -> Listing:
        """All files below, hashed; see `Storage.survey`."""
        listing = Listing()
        names = sorted(self._walk(listing, policy), key=sort_key)
        known, fresh = self._remembered(), {}
        now = time.time_ns()
        for name in names:
            self.each()
            if is_labels(name):
                listing.labels[name] = self._read(name)
                continue
            found = self._stat(name)
            if isinstance(found, Skip):
                listing.skipped.append((name, found))
                continue
            stamp = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
            *remembered, digest = known.get(name, [None])
            if remembered != stamp:
                data = self._read(name)
                if isinstance(data, Skip):
                    listing.skipped.append((name, data))
                    continue
                digest = _digest(data)
            if now - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED:
                fresh[name] = [*stamp, digest]
            listing.entries.append(Entry(name, found.st_size, found.st_mtime_ns, digest))
        if fresh != known:
            write_json(self.hashes, fresh)
        return listing

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One file, decoded; refused when it is no longer the file that was listed."""
        data = self._read(entry.name)
        if isinstance(data, Skip):
            return data
        if _digest(data) != entry.digest:
            return Skip(Reason.CHANGED)
        return decode(data, policy, size=size, channels=channels)

    def _walk(self, listing: Listing, policy: Policy) -> Iterator[str]:
        """Relative names of candidates; notes everything else in `listing`."""
        pending = [""]
        visited: set[tuple[int, int]] = set()  # links may lead in circles
        while pending:
            folder = pending.pop()
            try:
                where = os.stat(self._root / folder)
                if (where.st_dev, where.st_ino) in visited:
                    continue
                visited.add((where.st_dev, where.st_ino))
                found = sorted(os.scandir(self._root / folder), key=lambda item: os.fsencode(item.name))
            except OSError as error:
                listing.skipped.append((folder or ".", _unreadable(error, folder)))
                continue
            if not found and folder:
                listing.empty.append(folder)
            for item in found:
                name = f"{folder}/{item.name}" if folder else item.name
                if os.path.isdir(item.path):
                    if _descends(item, listing, policy):
                        pending.append(name)
                elif listing.admits(name, policy) and self._follows(item, name, listing, policy):
                    yield name

    def _follows(self, item: os.DirEntry[str], name: str, listing: Listing, policy: Policy) -> bool:
        """Whether a candidate is a file, or a link that the policy follows; notes a refused link."""
        if not item.is_symlink():
            return True
        target = Path(os.path.realpath(item.path))
        if not target.exists():
            listing.skip(name, Skip(Reason.LINK, "dangling"))
        elif not policy.follow_links and not target.is_relative_to(self._root):
            listing.skip(name, Skip(Reason.LINK, "to outside the folder; --follow-links reads it"))
        else:
            return True
        return False

    def _stat(self, name: str) -> os.stat_result | Skip:
        try:
            found = os.stat(self._root / name)
        except OSError as error:
            return _unreadable(error, name)
        if not stat.S_ISREG(found.st_mode):
            return Skip(Reason.SPECIAL)
        if found.st_size > _LARGEST_FILE:
            return Skip(Reason.TOO_LARGE, f"{found.st_size >> 20:,} MB, limit {_LARGEST_FILE >> 20} MB")
        return found

    def _read(self, name: str) -> bytes | Skip:
        """The content of a regular file; a FIFO put in its place since it was listed does not block."""
        try:
            handle = os.open(self._root / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            with open(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return Skip(Reason.SPECIAL)
                data = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            return _unreadable(error, name)
        return data if len(data) <= _LARGEST_FILE else Skip(Reason.TOO_LARGE, "grew while being read")

    def _remembered(self) -> dict[str, list[Any]]:
        """Hashes of an earlier scan; anything odd in the file means none."""
        try:
            record = json.loads(self.hashes.read_text("ascii"))
            return {name: row for name, row in record.items() if len(row) == 5 and isinstance(row[4], str)}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _descends(item: os.DirEntry[str], listing: Listing, policy: Policy) -> bool:
    """Whether to look into a sub-folder; notes it otherwise."""
    if item.is_symlink() and not policy.follow_links:
        listing.ignored[LINKED_FOLDER] += 1
    elif item.name.startswith(".") or item.name == "__MACOSX":
        listing.ignored["hidden folder"] += 1
    else:
        return True
    return False


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _unreadable(error: OSError, name: str) -> Skip:
    """A file that cannot be read; when the disk itself fails, no picture is at fault and the scan ends."""
    if error.errno in (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV):
        raise DiskError(
            f"reading {shown(name)} failed: {error.strerror}", where=shown(name), fix="check the disk, then try again"
        ) from error
    return Skip(Reason.UNREADABLE, error.strerror or "")
