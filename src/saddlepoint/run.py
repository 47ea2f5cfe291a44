"""A run on disk: one folder with everything that a training leaves, one owner at a time."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any

from .checkpoint import Store, replace_durably
from .errors import DataError, DiskError, LockedError, MissingError, UsageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FORMAT = 1

# What run.json must hold for the run to be built again, and of what kind.
NEEDED: dict[str, type | tuple[type, ...]] = {
    "recipe": str,
    "status": str,
    "options": dict,
    "checkpoint_every": int,
    "sample_every": int,
    "plan.device": str,
    "plan.precision": str,
    "plan.accumulate": int,
    "plan.compile": bool,
    "plan.seed": int,
    "plan.threads": int,
    "source.spec": (str, NoneType),
    "source.flip": bool,
    "source.policy.background": list,
}


class Run:
    """A run's folder.

    Args:
        folder: e.g. `runs/dcgan-avatars-1`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @property
    def name(self) -> str:
        """The folder's name, by which the command finds it."""
        return self.folder.name

    @property
    def checkpoints(self) -> Store:
        """The run's checkpoints."""
        return Store(self.folder / "checkpoints")

    @property
    def samples(self) -> Path:
        """Folder of the pictures made of the fixed latents."""
        return self.folder / "samples"

    @property
    def model(self) -> Path:
        """Folder of the trained model."""
        return self.folder / "model"

    @property
    def best(self) -> Path:
        """Folder of the model that scored best, where scores were measured during the training."""
        return self.folder / "best"

    def facts(self) -> dict[str, Any]:
        """What run.json says.

        Raises:
            MissingError: this is not a run.
            DataError: run.json is damaged or of a newer format.
        """
        path = self.folder / "run.json"
        try:
            facts = json.loads(path.read_bytes())
            newer = facts["format"] > FORMAT
        except FileNotFoundError:
            raise MissingError(
                f"{self.folder} is not a run: it has no run.json", fix="name a folder in runs/"
            ) from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"run.json is damaged: {error}", where=str(path), fix="restore it from a backup") from error
        if newer:
            raise DataError(
                f"made by a newer saddlepoint (format {facts['format']}); this one reads up to {FORMAT}",
                where=str(path),
                fix="pip install -U saddlepoint",
            )
        return dict(facts)

    def begun(self) -> dict[str, Any]:
        """The facts of a run that can be built again from them.

        Raises:
            MissingError, DataError: as `facts`; also when one that is needed is missing or of another kind.
        """
        facts = self.facts()
        for name, kind in NEEDED.items():
            value: Any = facts
            for key in name.split("."):
                value = value.get(key, ...) if isinstance(value, dict) else ...
            if not isinstance(value, kind):
                found = "is missing" if value is ... else f"cannot be {value!r}"
                raise DataError(
                    f"run.json is damaged: {name} {found}",
                    where=str(self.folder / "run.json"),
                    fix="restore it from a backup",
                )
        return facts

    def note(self, **facts: Any) -> None:
        """Adds to run.json or changes it; readers see the old file or the new."""
        path = self.folder / "run.json"
        before = json.loads(path.read_bytes()) if path.exists() else {"format": FORMAT, "name": self.name}
        replace_durably(path, json.dumps({**before, **facts}, indent=1, ensure_ascii=False).encode())

    def index(self) -> dict[str, Any] | None:
        """Sizes and hashes of the data's files when the run began, or None before that."""
        path = self.folder / "data_index.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    def append(self, record: dict[str, Any]) -> None:
        """Adds a line to log.jsonl. A full disk costs the line, never the training."""
        line = json.dumps(record)
        with contextlib.suppress(OSError), open(self.folder / "log.jsonl", "ab") as file:
            # A killed process may have left half a line; a new line of our own ends it.
            if file.tell() and not _ends_with_newline(self.folder / "log.jsonl"):
                file.write(b"\n")
            file.write(line.encode() + b"\n")

    def require_new(self) -> None:
        """Refuses a folder in which a run has begun.

        Raises:
            LockedError: it has.
        """
        if (self.folder / "run.json").exists():
            raise LockedError(
                f"the run {self.name} exists already",
                where=str(self.folder),
                fix=f"saddle resume {self.name}, or another --name",
            )

    @contextlib.contextmanager
    def owned(self, *, new: bool = False) -> Iterator[None]:
        """Inside, this process alone may write the run. The lock dies with its owner, however that ends.

        Args:
            new: the run must not have begun yet.

        Raises:
            LockedError: another process owns the run, it has begun already, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = open(self.folder / ".lock", "a+")  # noqa: SIM115 - held until the end of the block
        except OSError as error:
            raise LockedError(
                f"cannot write to {self.folder}: {(error.strerror or str(error)).lower()}", fix="--out DIR"
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise LockedError(
                    f"{self.folder} is in use by {file.read().strip() or 'another process'}",
                    fix="stop it, or choose another --name",
                ) from None
            if new:
                self.require_new()
            file.truncate(0)
            file.write(f"pid {os.getpid()} on host {socket.gethostname()} since {now()}")
            file.flush()
            self.checkpoints.sweep()
            yield


def create(root: Path, name: str | None, stem: str) -> Run:
    """A run that does not exist yet: `root/name`, or `root/stem-1`, `root/stem-2`, … (only its path is chosen).

    Raises:
        UsageError: the name cannot be a folder's, or is taken.
    """
    if name is None:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:56]
        number = 1
        while (root / f"{stem}-{number}").exists():
            number += 1
        return Run(root / f"{stem}-{number}")
    if not NAME.fullmatch(name) or name.endswith("."):
        raise UsageError(f"run name may hold letters, digits, -_. (1–64), got {name!r}", where="--name")
    run = Run(root / name)
    run.require_new()
    return run


def find(text: str, root: Path = Path("runs")) -> Run:
    """The run that `text` means: a path, a name in `root`, or `last`, the one started last.

    Raises:
        MissingError: there is no such run; says which there are.
    """
    for folder in (Path(text), root / text):
        if (folder / "run.json").is_file():
            return Run(folder)
    known = {path.parent: path for path in root.glob("*/run.json")}
    if text == "last" and known:
        return Run(max(known, key=lambda folder: _started(Run(folder))))
    listed = ", ".join(sorted(folder.name for folder in known)[-8:]) or "none"
    raise MissingError(
        f"no run {text!r}", where=str(root), fix=f"there are in {root}/: {listed}" if known else "saddle train"
    )


def now() -> str:
    """The time as run.json writes it, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _started(run: Run) -> tuple[str, str]:
    try:
        return (str(run.facts().get("started", "")), run.name)
    except DataError:
        return ("", run.name)


def _ends_with_newline(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def require_space(folder: Path, needed: int) -> None:
    """Refuses to start what the disk cannot hold.

    Args:
        folder: where it would be written.
        needed: bytes.

    Raises:
        DiskError: less is free.
    """
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    if free < needed:
        raise DiskError(
            f"the run needs about {needed / 1e6:,.0f} MB for its checkpoints, {free / 1e6:,.0f} MB free",
            where=str(folder),
            fix="free space, or --out on another disk",
        )
