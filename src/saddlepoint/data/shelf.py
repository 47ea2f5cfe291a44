"""The shelf of named sets: each set is made once, into a folder of the cache, whole or not at all.

A folder holds `pixels.npy` (uint8, mapped when read), `labels.npy` where there are labels, and `set.json`, which is
written last of all. It is made beside its final place under a lock and renamed when every byte is on the disk. So a
process that is killed leaves nothing that could be taken for a set, and of two that want the same set one makes it
while the other waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.errors import DiskError, LockedError

_LOCK_POLL = 0.1  # seconds


@dataclass(frozen=True)
class Contents:
    """What belongs to the pixels of a set.

    Attributes:
        labels: int64 (N,), or None.
        classes: class names, in label order.
        about: origin, license and versions, kept in `set.json`.
    """

    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)


def file_key(paths: Iterable[Path]) -> str:
    """A hash of what is in the files, short enough for the name of a folder."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def allocate(folder: Path, shape: tuple[int, int, int, int]) -> np.memmap:
    """The pixels of the set in `folder`, uint8 of `shape` (N, H, W, C), to be filled in place.

    The disk is claimed at once: a full one is an error here, not a crash at a later write into mapped memory.
    """
    path = folder / "pixels.npy"
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return pixels


def shelved(folder: Path, name: str, make: Callable[[Path], Contents], watch: Watch) -> Images:
    """The set in `folder`, made by `make` unless it is there.

    Args:
        folder: its place; the name must tell everything that the pixels depend on.
        name: what a person calls the set.
        make: fills an empty folder: calls `allocate`, and returns what belongs to the pixels.
        watch: may end the work, also while another process does it.

    Raises:
        DiskError: reading or writing failed, for example on a full disk.
        LockedError: the cache cannot be written.
        Stopped: `watch` asked for it.
    """
    if (found := _read(folder, name)) is not None:
        return found
    with _cache_errors(folder), _only_one(folder, watch):
        if (found := _read(folder, name)) is None:
            _make(folder, name, make)
            found = _read(folder, name)
    if found is None:
        raise DiskError(f"{name} was written but cannot be read back", where=str(folder))
    return found


def _make(folder: Path, name: str, make: Callable[[Path], Contents]) -> None:
    """Makes the set beside `folder` and renames it into place."""
    partial = folder.with_name(folder.name + ".partial")
    for left in (partial, folder):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir()
    try:
        contents = make(partial)
        pixels = np.load(partial / "pixels.npy", mmap_mode="r")
        made = Images.of(pixels, contents.labels, classes=contents.classes, name=name)
        if contents.labels is not None:
            np.save(partial / "labels.npy", contents.labels)
        facts = {"fingerprint": made.fingerprint, "classes": made.classes, "about": contents.about}
        (partial / "set.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        for path in partial.iterdir():
            _sync(path)
        partial.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _read(folder: Path, name: str) -> Images | None:
    """The set in `folder`, or None when there is none that can be read whole."""
    try:
        facts = json.loads((folder / "set.json").read_text(encoding="utf-8"))
        # Mapped, then seen as a plain array: the map's subclass would follow every batch that is cut from it.
        pixels = np.asarray(np.load(folder / "pixels.npy", mmap_mode="r"))
        labels = np.load(folder / "labels.npy") if facts["classes"] else None
        return Images.of(pixels, labels, classes=tuple(facts["classes"]), name=name, fingerprint=facts["fingerprint"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return None


@contextlib.contextmanager
def _only_one(folder: Path, watch: Watch) -> Iterator[None]:
    """Holds the lock of `folder`; waits while another process holds it. A dead process holds none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                watch.check()
                time.sleep(_LOCK_POLL)
        yield


@contextlib.contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    """Turns what the operating system says about the cache into what a person can do about it."""
    try:
        yield
    except PermissionError as error:
        raise LockedError(
            f"the cache cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            fix="export SADDLEPOINT_CACHE=FOLDER, a folder that you may write",
        ) from error
    except OSError as error:
        raise DiskError(
            f"making the set failed: {error.strerror or error}",
            where=str(error.filename or folder),
            fix="free some space, or export SADDLEPOINT_CACHE=FOLDER on another disk",
        ) from error


def _sync(path: Path) -> None:
    """Waits until `path`, a file or a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
