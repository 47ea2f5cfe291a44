"""Avatars: colored faces with attributes, drawn on this machine from numbered seeds (DiceBear's styles).

`avatars`, `avatars:STYLE` or `avatars:STYLE:COUNT`. Picture n is drawn from seed n, so a larger set begins with the
smaller one. `avatars:adventurer+glasses` are the same faces, half of which wear glasses: a part that a style draws
seldom is named after a `+`. Each style's art has its own license, kept in the set's `set.json`.
"""

from __future__ import annotations

import difflib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from saddlepoint.data.attributes import Attributes
from saddlepoint.data.drawing import BACKGROUND, Job, seldom, style_file
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.errors import SaddleError, UsageError

STYLE = "adventurer"
COUNT = 10_000
MOST = 1_000_000
PACKAGES = ("dicebear-core", "dicebear-styles", "resvg-py")
_OFTEN = 50  # percent; a part that is asked for is drawn in half of the pictures
_DRAWING = 1  # part of the cache's key: counts up when the same packages would give other pixels
_MOST_PROCESSES = 8
_WORTH_A_PROCESS = 100  # pictures; starting one takes as long as drawing these
_POLL = 0.2  # seconds

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """A style of drawing.

    Attributes:
        name: as it is typed.
        license: of the art.
        creator: the artist.
        source: address of the original.
        often: parts that are drawn more often than the style itself does.
    """

    name: str
    license: str
    creator: str
    source: str
    often: tuple[str, ...] = ()

    @property
    def spelled(self) -> str:
        """As it is typed, parts included, in one order."""
        return "+".join([self.name, *self.often])


def styles() -> list[Style]:
    """Every installed style, by name.

    Raises:
        PackageNotFoundError: the styles are not installed.
    """
    return [_read_style(path) for path in sorted(style_file(STYLE).parent.glob("*.json"))]


def _read_style(path: Path) -> Style:
    meta: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["meta"]
    creator, source = meta.get("creator", {}), meta.get("source", {})
    return Style(path.stem, meta["license"]["name"], creator.get("name", "unknown"), source.get("url", ""))


def choose(text: str) -> tuple[Style, int]:
    """Style and count from what stands after `avatars:`; an empty `text` means the defaults.

    Raises:
        UsageError: an unknown style or part, or a count that is no number from 1 to `MOST`.
    """
    drawn, _, number = text.partition(":")
    name, *parts = drawn.split("+")
    name = name or STYLE
    known = {path.stem for path in style_file(STYLE).parent.glob("*.json")}
    if name not in known:
        close = difflib.get_close_matches(name, known, 3)
        fix = f"did you mean {' or '.join(close)}?" if close else "one of: " + ", ".join(sorted(known))
        raise UsageError(f"unknown style of avatars '{name}'", where=f"avatars:{text}", fix=fix)
    count = int(number) if number.isascii() and number.isdigit() else None
    if number and (count is None or not 1 <= count <= MOST):
        raise UsageError(
            f"'{number}' is not a count of avatars",
            where=f"avatars:{text}",
            fix=f"avatars:{name}:{COUNT}, or another whole number from 1 to {MOST:,}",
        )
    known = set(seldom(name)) if parts else set()
    if set(parts) - known:
        part = min(set(parts) - known)
        fix = "its own are " + ", ".join(sorted(known)) if known else f"avatars:{name}"
        raise UsageError(f"{name} has no part '{part}' that it draws seldom", where=f"avatars:{text}", fix=fix)
    return replace(_read_style(style_file(name)), often=tuple(sorted(set(parts)))), count or COUNT


def open_avatars(text: str, size: Size, root: Path, watch: Watch) -> Images:
    """The set of avatars that `text` names, drawn unless the cache has it.

    Args:
        text: what stands after `avatars:`.
        size: height, width, channels (1, 3 or 4).
        root: the cache.
        watch: follows the drawing, 2 to 5 milliseconds a picture and core.
    """
    style, count = choose(text)
    name = f"avatars:{style.spelled}"
    folder = _folder(style, count, size, root)
    often = dict.fromkeys(style.often, _OFTEN)
    return shelved(folder, name, lambda partial: draw_all(partial, style, count, size, watch, [often]), watch)


def read_attributes(text: str, size: Size, root: Path) -> Attributes:
    """The attributes of the set that `open_avatars` made of the same arguments, and the families of numbered ones."""
    style, count = choose(text)
    return with_families(Attributes.load(_folder(style, count, size, root) / "attributes.json"))


def with_families(table: Attributes) -> Attributes:
    """A table with a column more for each whose variants are numbered, as a generator learns two kinds, not forty.

    `hairVariant`, which is `long01` … `short19`, gives `hair`: `long` or `short`; `glassesVariant`, `variant01` … or
    none, gives `glasses`: `some` or `none`.
    """
    columns = {}
    for name, values, codes in zip(table.names, table.values, table.codes.T, strict=True):
        kinds = [value.rstrip("0123456789") for value in values]
        if name.endswith("Variant") and 1 < len(set(kinds)) < len(kinds):
            kinds = ["some" if kind == "variant" else kind for kind in kinds]
            columns[name.removesuffix("Variant")] = [kinds[code] for code in codes]
    return table.beside(Attributes.tabulate(columns, len(table)))


def _folder(style: Style, count: int, size: Size, root: Path) -> Path:
    """A place for the set whose name tells all that its pixels depend on."""
    return root / "sets" / f"avatars-{style.spelled}-{count}-{made_by(size)}"


def made_by(size: Size) -> str:
    """The end of the name of a folder: size, and the packages and the code that decide the pixels."""
    return "-".join(["x".join(map(str, size)), *(version(package) for package in PACKAGES), str(_DRAWING)])


def draw_all(
    folder: Path, style: Style, count: int, size: Size, watch: Watch, renditions: Sequence[Mapping[str, int]]
) -> Contents:
    """Draws `count` avatars into `folder`, in as many processes as there are cores; see `Job` for the renditions."""
    allocate(folder, (count, *size)).flush()
    workers = max(1, min(os.cpu_count() or 1, _MOST_PROCESSES, count // _WORTH_A_PROCESS))
    bounds = [count * worker // workers for worker in range(workers + 1)]
    pixels = str(folder / "pixels.npy")
    jobs = [Job(style.name, first, last, pixels, renditions) for first, last in pairwise(bounds)]
    records: list[dict[str, str]] = [{}] * count
    done = 0
    watch.progress(0, count)
    with _running(jobs) as reports:
        for report in reports:
            watch.check()
            if report is not None:
                drawn = report["attributes"]
                records[report["first"] : report["first"] + len(drawn)] = drawn
                done += len(drawn)
                watch.progress(done, count)
    Attributes.gather(records).save(folder / "attributes.json")
    versions = {package: version(package) for package in PACKAGES}
    return Contents(about={**asdict(style), "count": count, "background": BACKGROUND, "versions": versions})


@contextmanager
def _running(jobs: list[Job]) -> Iterator[Iterator[dict[str, Any] | None]]:
    """Starts a process a job and gives their reports as they come; on the way out no process is left."""
    with tempfile.TemporaryFile() as complaints:
        processes = [_start(job, complaints) for job in jobs]
        try:
            yield _reports(processes, complaints)
        finally:
            for process in processes:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()


def _start(job: Job, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    # The process must find this very package, however this one found it.
    here = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module; no shell
        [sys.executable, "-P", "-m", "saddlepoint.data.drawing", json.dumps(asdict(job))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        # Ctrl-C is for this process, which asks `should_stop` what it means.
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


def _reports(processes: list[subprocess.Popen[bytes]], complaints: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    """Reports of all processes until the last has ended; None every `_POLL` seconds without one."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def listen(stream: IO[bytes]) -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    for process in processes:
        if process.stdout:
            threading.Thread(target=listen, args=(process.stdout,), daemon=True).start()
    busy = len(processes)
    while busy:
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            yield None
            continue
        if line is None:
            busy -= 1
        else:
            yield json.loads(line)
    if any(process.wait() for process in processes):
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
        raise SaddleError("drawing avatars failed: " + (said[-1] if said else "a process was killed"))
