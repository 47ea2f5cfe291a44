"""`saddle data check|show|get|list`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.policy import Policy
from . import flags
from .output import console, emit
from .policy import with_policy
from .values import choice, whole

if TYPE_CHECKING:
    from ..data.images import Images
    from ..data.report import ScanReport

app = typer.Typer(help="Look at data, and get the named sets.", no_args_is_help=True)

DataSpec = Annotated[
    str, typer.Argument(metavar="DATA", help="A folder, a zip, an npz, or a set of `saddle data list`.")
]
Size = Annotated[int | None, flags.valued("--size", whole("--size", 1, 4096), "N", "Height and width to train at.")]
Channels = Annotated[
    str | None, flags.valued("--channels", choice("--channels", ("1", "3", "4")), "1|3|4", "Gray, RGB or RGBA.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the full report as JSON.")]
Target = Annotated[Path, typer.Option("--out", metavar="FILE", help="Picture to write.")]
Count = Annotated[int, flags.valued("-n", whole("-n", 1, 10_000), "N", "Pictures on the sheet.")]


@app.command("list")
def list_sets(json: flags.Json = False) -> None:
    """List the named sets: what they are, and whether they are here."""
    from ..data import catalog

    sets = catalog.describe()
    if json:
        emit({"sets": [facts_of(found) for found in sets]})
        return
    screen = console()
    for found in sets:
        count = "" if found.count is None else f"{found.count:,} "
        screen.print(f"{found.name}  {'installed' if found.installed else f'get it: saddle data get {found.name}'}")
        screen.print(f"    {count}{found.what}; {found.sizes}; license: {found.license}")


def facts_of(found: Any) -> dict[str, Any]:
    """A named set as plain values."""
    names = ("name", "what", "count", "sizes", "license", "installed")
    return {name: getattr(found, name) for name in names} | {"needs": [need.requirement for need in found.needs]}


@app.command("get")
def get(name: Annotated[str, typer.Argument(metavar="NAME")], size: Size = None, json: flags.Json = False) -> None:
    """Install what a named set needs, and make it ready."""
    from ..data import catalog

    with counted(f"making {name}") as progress:
        images = catalog.install(name, size=size, progress=progress)
    say(images, as_json=json)


@app.command("check")
@with_policy
def check(
    data: DataSpec,
    *,
    policy: Policy,
    size: Size = None,
    channels: Channels = None,
    report: Report = None,
    json: flags.Json = False,
) -> None:
    """Scan data as training would, and say what is wrong with which picture."""
    images = read(data, policy, size, channels)
    if report is not None and images.report is not None:
        write_report(images.report, report)
    say(images, as_json=json)


@app.command("show")
@with_policy
def show(
    data: DataSpec,
    *,
    policy: Policy,
    size: Size = None,
    channels: Channels = None,
    count: Count = 64,
    seed: flags.Seed = 0,
    out: Target = Path("data.png"),
    json: flags.Json = False,
) -> None:
    """Make a sheet of pictures exactly as a network will see them."""
    from ..data import catalog
    from ..data.stream import order
    from ..pictures import grid

    images = read(data, policy, size, channels)
    chosen = order(seed, len(images), 0, min(count, len(images)))
    path = grid.save(grid.grid(images.pixels[chosen]), out)
    named = catalog.lookup(data) if catalog.is_named(data) else None
    if json:
        emit({**summary(images), "path": str(path), "license": named and named.license})
        return
    print(path)
    if named:
        print(f"  {named.what}; license: {named.license}")


def read(data: str, policy: Policy, size: int | None, channels: str | None) -> Images:
    """The pictures, scanned and decoded, with a count of the pictures on standard error."""
    from ..data.scan import Watch
    from ..data.source import open_source

    with counted(f"scanning {data}") as progress:
        source = open_source(data, policy=policy, watch=Watch(progress=progress))
        return source.images(size=size, channels=None if channels is None else int(channels))


def say(images: Images, *, as_json: bool) -> None:
    """What is in a set, with its warnings."""
    facts = summary(images)
    if as_json:
        emit(facts)
        return
    print(f"{images.name}: {len(images):,} pictures of {images.height}x{images.width}, {images.channels} channels")
    if images.classes:
        print(f"  {len(images.classes)} classes: {', '.join(images.classes[:20])}")
    for warning in facts["warnings"]:
        print(f"  note: {warning}")


def summary(images: Images) -> dict[str, Any]:
    """A set as plain values."""
    report = images.report
    return {
        "name": images.name,
        "count": len(images),
        "height": images.height,
        "width": images.width,
        "channels": images.channels,
        "classes": list(images.classes),
        "fingerprint": images.fingerprint,
        "warnings": report.warnings() if report else [],
        "report": report.to_json() if report else None,
    }


def write_report(report: ScanReport, path: Path) -> None:
    """Writes every unusable picture with its reason."""
    import json

    from ..errors import LockedError

    try:
        path.write_text(json.dumps(report.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise LockedError(f"cannot write {path}: {(error.strerror or str(error)).lower()}", where="--report") from error


@contextmanager
def counted(what: str) -> Iterator[Any]:
    """A function of (done, total) that shows how far a long reading is, on standard error, on a terminal only."""
    from rich.progress import MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn())
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
