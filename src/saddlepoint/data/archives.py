"""Pictures in a zip, read where they are: nothing is ever extracted, so nothing can be written outside.

A damaged *member* is a picture to skip and report. A damaged or unsafe *archive* is refused whole before anything in
it is read: names that point outside, links, name clashes, overlapping members and encrypted or nested content are
not accidents that training should paper over.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from ..errors import DataError
from .decode import Decoded, decode
from .layout import ARCHIVES, extension, is_labels, shown, sort_key
from .listing import Entry, Listing
from .policy import Policy
from .report import Reason, Skip

MEMBERS = 2_000_000
"""An archive with more members is refused."""
MEMBER_MB = 256
"""A member is at most this large, expanded …"""
RATIO = 200
"""… and expands at most this many times, unless `Policy.max_member_mb` says otherwise."""

_HARMLESS = 1 << 20  # bytes; blank pictures compress a thousandfold, and a small one cannot hurt
_LOCAL_HEADER = 30  # bytes before a member's name (APPNOTE 4.3.7)
_ENCRYPTED = 1  # general purpose bit 0 (APPNOTE 4.4.4)


class ZipStorage:
    """A zip of pictures, or of one folder per class.

    Args:
        path: the archive; it is kept open.

    Raises:
        DataError: not a zip, or its directory is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)
        try:
            self.archive = zipfile.ZipFile(path)
        except Exception as error:  # damaged directories raise BadZipFile, but also struct.error, ValueError …
            raise DataError(
                f"{shown(path.name)} is not a zip that can be read: {error}", where=self.name, fix="pack it again"
            ) from error
        self._members: dict[str, zipfile.ZipInfo] = {}

    def survey(self, policy: Policy) -> Listing:
        """All members, checked against the limits; see `Storage.survey`."""
        members = self.archive.infolist()
        if len(members) > MEMBERS:
            raise self._refused(f"has {len(members):,} members, limit {MEMBERS:,}", "use a folder")
        names: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            self._check(member)
            if names.setdefault(_name(member), member) is not member:
                raise self._refused(f"{_shown(member)} is there twice", "pack it again with one file per name")
        self._check_overlap(members)
        self._members = {name: member for name, member in names.items() if not member.is_dir()}
        listing = Listing(empty=_empty_folders(members))
        for name in sorted(self._members, key=sort_key):
            member = self._members[name]
            if listing.admits(name, policy):
                self._check_size(member, policy)
                if is_labels(name):
                    listing.labels[name] = self._read(name)
                    continue
                # The checksum that reading verifies; hashing every member would cost a pass over the archive.
                listing.entries.append(Entry(name, member.file_size, 0, f"crc32:{member.CRC:08x}:{member.file_size}"))
        return listing

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One member, decoded. No more than the size it declares is expanded."""
        data = self._read(entry.name)
        return data if isinstance(data, Skip) else decode(data, policy, size=size, channels=channels)

    def _read(self, name: str) -> bytes | Skip:
        try:
            return self.archive.read(self._members[name])
        except Exception as error:  # BadZipFile, zlib.error, EOFError, NotImplementedError, OSError …
            return Skip(Reason.DAMAGED, shown(str(error)[:120]))

    def _check(self, member: zipfile.ZipInfo) -> None:
        """Refuse the archive for a member that is unsafe by its entry in the directory alone."""
        name = _name(member)
        mode = member.external_attr >> 16
        if ".." in name.split("/") or name.startswith("/") or name[1:2] == ":" or "\0" in member.orig_filename:
            raise self._refused(f"{_shown(member)} points outside the archive: refused, nothing extracted")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._refused(f"{_shown(member)} is a link or a special file: refused, nothing extracted")
        if member.flag_bits & _ENCRYPTED:
            raise self._refused(f"{_shown(member)} is encrypted", "pack it again without a password")
        if extension(name) in ARCHIVES and not member.is_dir():
            raise self._refused(f"{_shown(member)} is an archive in the archive", "pack the pictures themselves")

    def _check_size(self, member: zipfile.ZipInfo, policy: Policy) -> None:
        """Refuse the archive for a member that expands too far."""
        ratio = member.file_size / max(1, member.compress_size)
        limit = (policy.max_member_mb or MEMBER_MB) << 20
        size = f"{member.file_size / (1 << 20):,.0f} MB"
        trust = f"--max-member-mb {(member.file_size >> 20) + 1} if you trust it"
        if member.file_size > limit:
            raise self._refused(f"{_shown(member)} has {size}, limit {limit >> 20} MB", trust)
        if ratio > RATIO and member.file_size > _HARMLESS and policy.max_member_mb is None:
            raise self._refused(f"{_shown(member)} expands {ratio:,.0f}:1 ({size}), limit {RATIO}:1", trust)

    def _check_overlap(self, members: list[zipfile.ZipInfo]) -> None:
        """Refuse members that share bytes: a small file that expands many times over (Fifield 2019)."""
        ordered = sorted(members, key=lambda member: member.header_offset)
        ends = [member.header_offset for member in ordered[1:]] + [self.archive.start_dir]
        for member, end in zip(ordered, ends, strict=False):  # without members there is still an end
            if member.header_offset + _LOCAL_HEADER + len(member.orig_filename) + member.compress_size > end:
                raise self._refused(f"{_shown(member)} overlaps the next one", "pack it again")

    def _refused(self, what: str, fix: str = "use an archive from a source you trust") -> DataError:
        return DataError(f"{shown(self.path.name)}: {what}", where=self.name, fix=fix)


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name; some Windows programs write backslashes."""
    return member.filename.replace("\\", "/")


def _shown(member: zipfile.ZipInfo) -> str:
    return f"member `{shown(member.orig_filename)}`"


def _empty_folders(members: list[zipfile.ZipInfo]) -> list[str]:
    """Folders that are members themselves and hold nothing."""
    filled: set[str] = set()
    for member in members:
        parent = _name(member).rstrip("/").rpartition("/")[0]
        while parent and parent not in filled:
            filled.add(parent)
            parent = parent.rpartition("/")[0]
    return [name for member in members if member.is_dir() and (name := _name(member).rstrip("/")) not in filled]
