"""`saddle data check|show|get|list`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    from PIL import Image

    from ..data.images import Images
    from ..data.points import Points
    from ..data.report import ScanReport
    from ..data.source import Source
    from ..data.toys import Toy

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
Count = Annotated[
    int | None, flags.valued("-n", whole("-n", 1, 10_000), "N", "Pictures on the sheet, 64, or points, 2500.")
]


@app.command("list")
def list_sets(json: flags.Json = False) -> None:
    """List the named sets: what they are, and whether they are here; and the toy distributions."""
    from ..data import catalog, toys

    sets, known = catalog.describe(), [toys.find(name) for name in toys.names()]
    if json:
        emit({"sets": [facts_of(found) for found in sets], "toys": [facts_of_toy(toy) for toy in known]})
        return
    screen = console()
    for found in sets:
        count = "" if found.count is None else f"{found.count:,} "
        screen.print(f"{found.name}  {'installed' if found.installed else f'get it: saddle data get {found.name}'}")
        screen.print(f"    {count}{found.what}; {found.sizes}; license: {found.license}")
    screen.print("points of a known density, drawn from seeds; also ringN, gridN of a square N, and NAME:COUNT")
    for toy in known:
        screen.print(f"    {toy.name:<13} {toy.what}")


def facts_of_toy(toy: Toy) -> dict[str, Any]:
    """A toy distribution as plain values."""
    modes = 0 if toy.centers is None else len(toy.centers)
    return {"name": toy.name, "what": toy.what, "dimension": toy.dimension, "modes": modes, "std": toy.std}


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
    by: flags.By = None,
    report: Report = None,
    json: flags.Json = False,
) -> None:
    """Scan data as training would, and say what is wrong with which picture."""
    from ..data.images import Images
    from ..data.sides import translatable

    with opened(data, policy, by) as source:
        found = read(source, size, channels)
    scanned = getattr(found, "report", None)
    if report is not None and scanned is not None:
        write_report(scanned, report)
    pairs = translatable(source, found) if isinstance(found, Images) else None
    say(found, source.attributes, pairs, as_json=json)


@app.command("show")
@with_policy
def show(
    data: DataSpec,
    *,
    policy: Policy,
    size: Size = None,
    channels: Channels = None,
    by: flags.By = None,
    count: Count = None,
    seed: flags.Seed = 0,
    out: Target = Path("data.png"),
    json: flags.Json = False,
) -> None:
    """Make a sheet of pictures exactly as a network will see them, or draw points over their density.

    With --by each class has a row of its own, in the order of `saddle data check`.
    """
    from ..data import catalog
    from ..pictures import grid

    with opened(data, policy, by) as source:
        found = read(source, size, channels)
    path = grid.save(picture(found, count, seed, rows=by is not None), out)
    named = catalog.lookup(data) if catalog.is_named(data) else None
    if json:
        emit({**summary(found), "path": str(path), "license": named and named.license})
        return
    print(path)
    if named:
        print(f"  {named.what}; license: {named.license}")


def picture(found: Images | Points, count: int | None, seed: int, *, rows: bool = False) -> Image.Image:
    """Some of a set at random, to look at; with `rows` as many of each class, a class a row."""
    import numpy as np

    from ..data.points import Points
    from ..data.stream import order
    from ..pictures import grid, plane
    from ..plane import truth

    usual = 2500 if isinstance(found, Points) else 64
    if rows and not isinstance(found, Points) and found.labels is not None:
        shuffled = order(seed, len(found), 0, len(found))
        columns = min(max(1, (count or usual) // len(found.classes)), *counts(found).values())
        each = [shuffled[found.labels[shuffled] == label][:columns] for label in range(len(found.classes))]
        return grid.grid(found.pixels[np.concatenate(each)], columns=columns)
    chosen = order(seed, len(found), 0, min(count or usual, len(found)))
    if isinstance(found, Points):
        return plane.portrait(truth(found.toy), found.values[chosen], side=640, color=plane.REAL)
    return grid.grid(found.pixels[chosen])


@contextmanager
def opened(data: str, policy: Policy, by: str | None = None) -> Iterator[Source]:
    """The source behind the words, with a count of the pictures on standard error while they are read."""
    from ..data.scan import Watch
    from ..data.source import open_source

    with counted(f"scanning {data}") as progress:
        yield open_source(data, policy=policy, watch=Watch(progress=progress), by=() if by is None else by)


def read(source: Source, size: int | None, channels: str | None) -> Images | Points:
    """The pictures, scanned and decoded; or the points of a toy."""
    from ..errors import UsageError

    for flag, value in (("--size", size), ("--channels", channels)):
        if source.kind == "plane" and value is not None:
            raise UsageError(f"{source.name} are points, which have no {flag[2:]}", where=flag, fix=f"leave out {flag}")
    # The size is that of one side; the pictures of a named set of pairs are two sides wide.
    frame = (size, 2 * size) if size and source.sides else size
    return source.examples(size=frame, channels=None if channels is None else int(channels))


def say(
    found: Images | Points,
    attributes: Mapping[str, int] | None = None,
    pairs: str | None = None,
    *,
    as_json: bool,
) -> None:
    """What is in a set, with its warnings.

    Args:
        found: the set.
        attributes: names of what more is known of its pictures, and how many values each takes.
        pairs: what its pictures are to a recipe that translates.
        as_json: whether for a program.
    """
    from ..data.layout import shown
    from ..data.points import Points

    facts = summary(found) | ({"attributes": dict(attributes)} if attributes else {})
    facts |= {"pairs": pairs} if pairs else {}
    if as_json:
        emit(facts)
        return
    if isinstance(found, Points):
        print(f"{found.name}: {len(found):,} points {'on the line' if facts['dimension'] == 1 else 'in the plane'}")
        print(f"  {facts['what']}")
        if facts["modes"]:
            print(f"  {facts['modes']} modes, each of standard deviation {facts['std']:g}")
        return
    print(f"{found.name}: {len(found):,} pictures of {found.height}x{found.width}, {found.channels} channels")
    if found.classes:
        counts = [f"{shown(name)} {count:,}" for name, count in facts["counts"].items()]
        print(f"  {len(counts)} classes: {', '.join(counts[:20])}" + (", …" if len(counts) > 20 else ""))
    if attributes:
        choice = ", ".join(f"{shown(name)} ({values:,})" for name, values in attributes.items())
        print(f"  attributes for --by, with the number of their values: {choice}")
    if pairs:
        print(f"  {pairs}")
    for warning in facts["warnings"]:
        print(f"  note: {warning}")


def summary(found: Images | Points) -> dict[str, Any]:
    """A set as plain values."""
    from ..data.points import Points

    own = {"name": found.name, "count": len(found), "classes": list(found.classes), "fingerprint": found.fingerprint}
    if isinstance(found, Points):
        return {**facts_of_toy(found.toy), **own, "box": [list(ends) for ends in found.toy.box]}
    report = found.report
    return {
        **own,
        "counts": counts(found),
        "height": found.height,
        "width": found.width,
        "channels": found.channels,
        "warnings": report.warnings() if report else [],
        "report": report.to_json() if report else None,
    }


def counts(found: Images) -> dict[str, int]:
    """Pictures by class, in label order."""
    import numpy as np

    if found.labels is None:
        return {}
    numbers = np.bincount(found.labels, minlength=len(found.classes)).tolist()
    return dict(zip(found.classes, numbers, strict=True))


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
