"""Writing a file whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import DiskError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a sibling of `path` to write to, and moves it to `path` when the block ends well.

    A reader, or a person with the report open, sees the old picture or the new one, never half of one. The sibling
    keeps the suffix, since encoders choose their format by it. Missing folders are made.

    Raises:
        DiskError: the folder cannot be written to, or the disk is full. The old file is untouched.
    """
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as error:
        raise DiskError(
            f"{path.name} could not be written: {error.strerror or error}",
            where=str(path),
            fix="free some disk space, or make the folder writable",
        ) from error
    finally:
        with suppress(OSError):  # there is no draft where its folder could not be made
            draft.unlink()


def write_record(path: Path, facts: Mapping[str, Any]) -> None:
    """Writes facts as JSON that a person can read, too.

    Raises:
        DiskError: the folder cannot be written to, or the disk is full. The old file is untouched.
    """
    with replacing(path) as draft:
        draft.write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
