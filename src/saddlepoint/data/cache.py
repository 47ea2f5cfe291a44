"""Decoded sets on disk: pictures are decoded once, later runs map the pixels into memory.

A cached set is a folder with `pixels.npy`, `labels.npy` (for sets with classes) and `about.json`. It appears whole or
not at all: it is written under a temporary name, synced, and renamed. What does not verify when opened is set aside
and built again, so a cache can be damaged or deleted at any time at the price of decoding once more.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import DiskError, LockedError
from .report import ScanReport

FORMAT = 1
"""Raised when the same picture would be decoded to other pixels; old sets are then built again."""

_FORGOTTEN = 24 * 3600  # seconds; a temporary folder not written to for so long belongs to a dead process


@dataclass(frozen=True)
class Cached:
    """A decoded set, open.

    Attributes:
        pixels: uint8 (N, H, W, C), mapped read-only.
        labels: int64 (N,), or None.
        report: what the scan found when it was built.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    report: ScanReport


def default_folder() -> Path:
    """`SADDLEPOINT_CACHE`, or `saddlepoint` in the user's cache folder.

    Raises:
        LockedError: the user has no home folder.
    """
    if os.environ.get("SADDLEPOINT_CACHE"):
        return Path(os.environ["SADDLEPOINT_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "saddlepoint"
    try:
        return Path.home() / ".cache" / "saddlepoint"
    except RuntimeError as error:
        raise LockedError("no home folder to keep decoded pictures in", fix="set SADDLEPOINT_CACHE=FOLDER") from error


def open_cached(folder: Path) -> Cached | None:
    """The set in `folder`, or None when there is none or it does not verify."""
    try:
        record = json.loads((folder / "about.json").read_text("ascii"))
        about = record["about"]
        if record["sha256"] != _digest(about):
            return None
        sizes = {name: (folder / name).stat().st_size for name in about["bytes"]}
        if about["format"] != FORMAT or sizes != about["bytes"]:
            return None
        pixels = np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if "labels.npy" in about["bytes"] else None
        if pixels.dtype != np.uint8 or list(pixels.shape) != about["shape"]:
            return None
        if labels is not None and (labels.dtype != np.int64 or labels.shape != pixels.shape[:1]):
            return None
        return Cached(pixels, labels, ScanReport.from_json(about["report"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class Writer:
    """Writes one set, picture by picture; memory does not grow with the set. Use as a context.

    Args:
        folder: where the set will stand.
        shape: (H, W, C) of one picture.
        expected: number of pictures at most, to see in time that the disk is too small.

    Raises:
        LockedError: the cache cannot be written.
        DiskError: the disk is full.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int], expected: int) -> None:
        self.folder, self.shape = folder, shape
        self.count = 0
        self.labels: list[str | None] = []
        with _explained(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder.parent)
            self._check_space(expected * int(np.prod(shape)))
            self.temporary = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
            self.temporary.mkdir()
            self.file: IO[bytes] = open(self.temporary / "pixels.npy", "wb")  # noqa: SIM115 - closed by __exit__
            self._write_header()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def append(self, pixels: np.ndarray, label: str | None) -> None:
        """Add one picture, uint8 (H, W, C), with the name of its class."""
        with _explained(self.folder.parent):
            self.file.write(np.ascontiguousarray(pixels).data)
        self.labels.append(label)
        self.count += 1

    def commit(self, report: ScanReport) -> None:
        """Put the set in its place; a good one that another process put there first stays."""
        with _explained(self.folder.parent):
            self.file.seek(0)
            self._write_header()
            _sync(self.file)
            names = ["pixels.npy"]
            if report.classes:
                numbers = {name: number for number, name in enumerate(report.classes)}
                with open(self.temporary / "labels.npy", "wb") as file:
                    np.save(file, np.array([numbers[label or ""] for label in self.labels], np.int64))
                    _sync(file)
                names.append("labels.npy")
            about = {
                "format": FORMAT,
                "shape": [self.count, *self.shape],
                "bytes": {name: (self.temporary / name).stat().st_size for name in names},
                "report": report.to_json(),
            }
            with open(self.temporary / "about.json", "w", encoding="ascii") as text:
                json.dump({"about": about, "sha256": _digest(about)}, text)
                _sync(text)
            self._rename()

    def _rename(self) -> None:
        while True:
            try:
                os.rename(self.temporary, self.folder)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            if open_cached(self.folder):
                return
            # Damaged: moved aside under a name of our own, as another process may be doing the same just now.
            aside = self.temporary.with_name(self.temporary.name + "-damaged")
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.folder, aside)
            shutil.rmtree(aside, ignore_errors=True)

    def _write_header(self) -> None:
        """The .npy header; NumPy pads it so that the first axis can grow in place."""
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self.shape)}
        np.lib.format.write_array_header_1_0(self.file, header)

    def _check_space(self, need: int) -> None:
        free = shutil.disk_usage(self.folder.parent).free
        if need > free:
            raise DiskError(
                f"decoded pictures need {need / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free",
                where=str(self.folder.parent),
                fix="free space, a smaller --size, or SADDLEPOINT_CACHE=FOLDER on another disk",
            )


def write_json(path: Path, record: Any) -> None:
    """Write `record` as JSON, whole or not at all."""
    with _explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        temporary.write_text(json.dumps(record), "ascii")
        os.replace(temporary, path)


def _digest(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sweep(parent: Path) -> None:
    """Remove what killed processes left behind."""
    for leftover in parent.glob(".*"):
        with contextlib.suppress(OSError):
            newest = max(path.stat().st_mtime for path in (leftover, *leftover.glob("*")))
            if time.time() - newest > _FORGOTTEN:
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Failures to write the cache as errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskError(
                "disk full while writing decoded pictures",
                where=str(folder),
                fix="free space, or SADDLEPOINT_CACHE=FOLDER on another disk",
            ) from error
        if error.errno == errno.EIO:
            raise DiskError(f"writing decoded pictures failed: {error.strerror}", where=str(folder)) from error
        raise LockedError(
            f"cannot write decoded pictures to {folder}: {error.strerror}",
            where=str(folder),
            fix="SADDLEPOINT_CACHE=FOLDER that can be written",
        ) from error
