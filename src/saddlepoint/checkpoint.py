"""Checkpoints that a crash cannot break and a flipped bit cannot fool.

A checkpoint is a folder `step-000500` of safetensors and JSON files. Its `manifest.json`, written last, holds the
SHA-256 and size of each file and a digest of itself. A folder is built beside its final place, flushed to the disk and
renamed; so at every moment the newest checkpoint is complete, and what does not verify is never loaded. No file of a
checkpoint can run code.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from .errors import CheckpointError, DiskError, MissingError

FORMAT = 1
MANIFEST = "manifest.json"
FOLDER = re.compile(r"step-(\d{6,})")


class NewerError(CheckpointError):
    """A checkpoint that is whole, but of a newer format: nothing to set aside."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint, verified and read.

    Attributes:
        path: its folder.
        step: rounds finished over all stages when it was made.
        tensors: by file stem and name.
        facts: what is not a tensor.
        skipped: newer checkpoints that did not verify, with the reason.
    """

    path: Path
    step: int
    tensors: dict[str, dict[str, Tensor]]
    facts: dict[str, Any]
    skipped: list[str] = field(default_factory=list)


class Store:
    """The checkpoints of one run.

    Args:
        folder: `runs/x/checkpoints`.
        keep: the newest ones to keep, at least 2.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, max(2, keep)

    def steps(self) -> dict[int, Path]:
        """Every committed checkpoint by its step, ascending; read from the disk each time."""
        if not self.folder.is_dir():
            return {}
        found = {path: FOLDER.fullmatch(path.name) for path in self.folder.iterdir() if path.is_dir()}
        return dict(sorted((int(match[1]), path) for path, match in found.items() if match))

    def save(self, step: int, tensors: Mapping[str, Mapping[str, Tensor]], facts: Mapping[str, Any]) -> Path:
        """Commits a checkpoint; afterwards it survives a crash of the process and of the machine.

        Args:
            step: rounds finished over all stages.
            tensors: by file stem and name.
            facts: JSON values.

        Raises:
            DiskError: nothing was committed and what stood before is untouched.
        """
        final = self.folder / f"step-{step:06d}"
        partial = self.folder / f".saving-{step:06d}"
        files = {f"{stem}.safetensors": safetensors.torch.save(_owned(group)) for stem, group in tensors.items()}
        files["state.json"] = json.dumps(facts, sort_keys=True, allow_nan=False).encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove(partial)
            partial.mkdir()
            for name, content in files.items():
                write_durably(partial / name, content)
            write_durably(partial / MANIFEST, _manifest(step, files))
            flush_folder(partial)
            _remove(final)
            os.rename(partial, final)
            flush_folder(self.folder)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _disk_error(error, step, self.folder, sum(map(len, files.values()))) from error
        # The new checkpoint is safe; an old one that cannot be removed now is removed after a later save.
        with contextlib.suppress(OSError):
            self._prune()
        return final

    def newest(self) -> Saved:
        """The newest checkpoint that verifies. Damaged ones are set aside as `step-….corrupt`.

        Raises:
            MissingError: there is none at all.
            CheckpointError: there are some and none verifies, or the newest that does is of a newer format.
        """
        steps = self.steps()
        if not steps:
            raise MissingError(
                f"no checkpoint in {self.folder.parent}", fix="start the run again: it saved nothing yet"
            )
        problems: list[str] = []
        damaged: list[Path] = []
        for step in sorted(steps, reverse=True):
            try:
                saved = read(steps[step])
            except NewerError:
                raise
            except CheckpointError as error:
                problems.append(f"{step}: {error.what}")
                damaged.append(steps[step])
                continue
            for path in damaged:
                _set_aside(path)
            return Saved(saved.path, saved.step, saved.tensors, saved.facts, problems)
        raise CheckpointError(
            f"no intact checkpoint among {len(steps)} · {'; '.join(problems)}",
            where=str(self.folder),
            fix="nothing was changed; restore a checkpoint folder from a backup, or start a new run",
        )

    def finish(self, stage: str) -> None:
        """Keeps the newest checkpoint for good as the end of `stage`; the next stage starts from its weights."""
        path = list(self.steps().values())[-1]
        os.rename(path, self.folder / f"stage-{stage}")
        flush_folder(self.folder)

    def end_of(self, stage: str) -> Saved | None:
        """The checkpoint that ended `stage`, or None when the stage has not ended."""
        path = self.folder / f"stage-{stage}"
        return read(path) if path.is_dir() else None

    def sweep(self) -> None:
        """Removes what interrupted saves left; only the owner of the run may call it."""
        if self.folder.is_dir():
            for path in self.folder.glob(".saving-*"):
                shutil.rmtree(path, ignore_errors=True)

    def _prune(self) -> None:
        for path in list(self.steps().values())[: -self.keep]:
            _remove(path)


def read(path: Path) -> Saved:
    """Reads one checkpoint, every byte of it verified before any tensor is made.

    Raises:
        CheckpointError: it is damaged, foreign, or of a newer format.
    """
    try:
        manifest = _verified_manifest(path)
        contents = {name: _verified(path / name, record) for name, record in manifest["files"].items()}
        tensors = {
            name.removesuffix(".safetensors"): safetensors.torch.load(content)
            for name, content in contents.items()
            if name.endswith(".safetensors")
        }
        return Saved(path, manifest["step"], tensors, json.loads(contents["state.json"]))
    except CheckpointError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError, RecursionError) as error:
        raise CheckpointError(f"unreadable: {type(error).__name__}", where=str(path)) from error


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file and waits until the disk has it."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Replaces a file; readers see the old content or the new, never a part.

    Raises:
        DiskError: it cannot be written. The old file is untouched.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_durably(partial, content)
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise DiskError(
            f"{path.name} could not be written: {error.strerror or error}",
            where=str(path),
            fix="free some disk space, or make the folder writable",
        ) from error


def flush_folder(path: Path) -> None:
    """Waits until the disk has the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _owned(group: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # Tied weights share memory, which safetensors refuses to write.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in group.items()}


def _manifest(step: int, files: Mapping[str, bytes]) -> bytes:
    records = {name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)} for name, body in files.items()}
    manifest: dict[str, Any] = {"format": FORMAT, "step": step, "files": records}
    manifest["digest"] = _digest(manifest)
    return json.dumps(manifest, indent=1).encode()


def _digest(manifest: Mapping[str, Any]) -> str:
    body = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _verified_manifest(path: Path) -> dict[str, Any]:
    if not (path / MANIFEST).is_file():
        raise CheckpointError("no manifest", where=str(path))
    manifest: dict[str, Any] = json.loads((path / MANIFEST).read_bytes())
    # First the digest: a flipped bit in the format must not pass for a newer version.
    if manifest.get("digest") != _digest(manifest):
        raise CheckpointError("manifest.json: digest mismatch", where=str(path))
    if manifest["format"] > FORMAT:
        raise NewerError(
            f"made by a newer saddlepoint (format {manifest['format']}); this one reads up to {FORMAT}",
            where=str(path),
            fix="pip install -U saddlepoint",
        )
    if FOLDER.fullmatch(path.name) and path.name != f"step-{manifest['step']:06d}":
        raise CheckpointError(f"the manifest is of step {manifest['step']}", where=str(path))
    names = {entry.name for entry in path.iterdir()}
    extra, gone = names - set(manifest["files"]) - {MANIFEST}, set(manifest["files"]) - names
    if extra or gone:
        raise CheckpointError(f"{sorted(extra | gone)[0]}: {'unexpected' if extra else 'missing'}", where=str(path))
    return manifest


def _verified(path: Path, record: Mapping[str, Any]) -> bytes:
    content = path.read_bytes()
    if len(content) != record["size"]:
        raise CheckpointError(f"{path.name}: truncated {len(content):,} of {record['size']:,} B", where=str(path))
    if hashlib.sha256(content).hexdigest() != record["sha256"]:
        raise CheckpointError(f"{path.name}: sha256 mismatch", where=str(path))
    return content


def _set_aside(path: Path) -> None:
    target, number = path.with_name(f"{path.name}.corrupt"), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.corrupt-{number}")
    # Another rank may have done it.
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, target)


def _remove(path: Path) -> None:
    if path.exists():
        # Renamed first, so that a crash half-way leaves no folder that looks like a checkpoint.
        doomed = path.with_name(f".saving-{path.name}-old")
        shutil.rmtree(doomed, ignore_errors=True)
        os.rename(path, doomed)
        shutil.rmtree(doomed)


def _disk_error(error: OSError, step: int, folder: Path, size: int) -> DiskError:
    reason, fix = str(error), "check the disk and its permissions"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder.parent).free
        reason, fix = f"disk full (need {size / 1e6:,.1f} MB, {free / 1e6:,.1f} MB free)", "free space, or another disk"
    return DiskError(f"save at step {step} failed: {reason}", where=str(folder), fix=fix)
