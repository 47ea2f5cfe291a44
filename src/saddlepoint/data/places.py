"""From words to the storage behind them: a folder, a zip or an npz, and lines found in the pictures of any."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from ..errors import MissingError, UsageError
from . import catalog
from .archives import ZipStorage
from .arrays import ArrayStorage, read_npz
from .edges import HEAD, Edges, photos
from .folders import FolderStorage
from .layout import shown
from .listing import Storage


def open_place(spec: str, cache: Path, each: Callable[[], None]) -> Storage:
    """The storage of the pictures that lie at `spec`.

    Args:
        spec: a path, or `edges:` and a path or a named set.
        cache: folder where hashes of files are remembered.
        each: called once a file while hashing; may raise to stop.

    Raises:
        MissingError: there is no such place.
        DataError: the place is damaged or unsafe.
        UsageError: the place is of a kind that is not read.
    """
    if not spec:
        raise UsageError("no data given", where="DATA", fix="give a folder of pictures, a zip, or a named set")
    try:
        inside = photos(spec)
        if inside is not None:
            return Edges(_pictures(inside, cache, each))
        return _open(spec, Path(spec), cache, each)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise MissingError(f"cannot open {shown(spec)}: {error.strerror}", where="DATA") from error


def _pictures(spec: str, cache: Path, each: Callable[[], None]) -> Storage:
    """The pictures of a place, or of a named set at its own size, to find lines in."""
    if catalog.sides(spec):
        raise UsageError(f"{spec} are pairs already", where=f"{HEAD}:{spec}", fix=spec)
    if catalog.is_named(spec):
        return ArrayStorage(catalog.open_named(spec, cache=cache))
    return open_place(spec, cache, each)


def _open(spec: str, path: Path, cache: Path, each: Callable[[], None]) -> Storage:
    if path.is_dir():
        place = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return FolderStorage(path, cache / "hashes" / f"{place}.json", each)
    if not path.exists():
        raise _not_found(spec, path)
    if path.is_file() and path.suffix.lower() == ".npz":
        return ArrayStorage(read_npz(path))
    if path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)):
        return ZipStorage(path)
    raise UsageError(
        f"{shown(spec)} is neither a folder, a zip nor an npz",
        where="DATA",
        fix="give a folder of pictures, or pack them as a zip",
    )


def _not_found(spec: str, path: Path) -> MissingError:
    """The error for a place that does not exist, with the nearest thing that does."""
    near = get_close_matches(spec, [known.name for known in catalog.describe()], n=1)
    if "/" not in spec and near:
        fix = f"did you mean the named set `{near[0]}`?"
    else:
        parent = next(parent for parent in path.absolute().parents if parent.exists())
        fix = f"check the path; nearest existing parent is {shown(str(parent))}"
    return MissingError(f"data folder not found: {shown(spec)}", where="DATA", fix=fix)
