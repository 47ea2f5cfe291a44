"""`saddle sample RUN`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import flags
from .output import emit
from .values import listed, number, whole

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

Count = Annotated[int, flags.valued("-n", whole("-n", 1, 1_000_000), "N", "Pictures, or points, to make.")]
Labels = Annotated[
    str | None, typer.Option("--labels", metavar="A,B", help="Classes by name or number, as many pictures of each.")
]
Truncation = Annotated[
    float | None,
    flags.valued(
        "--truncation", number("--truncation", 0, 8), "T", "Cut latents off at T: smaller, better and more alike."
    ),
]
Each = Annotated[bool, flags.switch("--each", "Write one PNG a picture into a folder, instead of one sheet.")]
Npz = Annotated[bool, flags.switch("--npz", "Write one npz: uint8 `images` (N, H, W, C), or float32 `points` (N, D).")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="PATH", help="File or folder to write; by default in the run's folder.")
]


def sample(
    run: flags.RunArgument,
    count: Count = 64,
    seed: flags.Seed = 0,
    labels: Labels = None,
    truncation: Truncation = None,
    each: Each = False,
    npz: Npz = False,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Make new pictures with a trained run: one sheet, or --each by itself. Points are drawn over their density."""
    from .. import api
    from ..errors import UsageError

    if each and npz:
        raise UsageError("--each and --npz exclude each other", where="--npz", fix="give one of them")
    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    toy = trained.config["data"].get("toy")
    if toy and each:
        raise UsageError(f"{trained.run.name} makes points, not pictures", where="--each", fix="--npz for the numbers")
    suffix = "" if each else ".npz" if npz else ".png"
    chosen = listed(labels) if labels else None
    cut = "" if truncation is None else f"-t-{truncation:g}"
    target = out or trained.run.folder / "generated" / f"seed-{seed}-n-{count}{said(chosen)}{cut}{suffix}"
    wanted = None if chosen is None else trained.labels(chosen, count).sort().values
    made = trained.sample(count, seed=seed, labels=wanted, truncation=truncation)
    with writing(target):
        (target if each else target.parent).mkdir(parents=True, exist_ok=True)
        if toy:
            write_points(made, toy, target, npz=npz)
        else:
            write_pictures(made, target, each=each, npz=npz, labels=wanted, classes=trained.classes)
    if json:
        asked = {"seed": seed, "labels": chosen, "truncation": truncation}
        emit({"run": trained.run.name, "count": count, **asked, "path": str(target)})
    else:
        print(target)


def write_pictures(
    images: Tensor,
    target: Path,
    *,
    each: bool,
    npz: bool,
    labels: Tensor | None = None,
    classes: Sequence[str] = (),
) -> None:
    """Writes pictures as a sheet, as files in a folder, or as an array; on a sheet each class has rows of its own."""
    from ..pictures import grid

    if npz:
        known = {} if labels is None else {"labels": labels.numpy()}
        write_array(target, images=grid.to_uint8(images), **known)
    elif each:
        for index, image in enumerate(images):
            grid.save(grid.grid(image[None], padding=0), target / f"{index:06d}.png")
    else:
        grid.save(sheet(images, labels, classes), target)


def sheet(images: Tensor, labels: Tensor | None, classes: Sequence[str]) -> Image.Image:
    """All pictures; where classes were asked for, each in rows of its own that begin with its name."""
    from ..pictures import grid, sheets

    columns = columns_by_class(labels)
    if columns is None or labels is None:
        return grid.grid(images)
    rows = labels[::columns].tolist()
    new = [label != before for before, label in zip([None, *rows], rows, strict=False)]
    names = [classes[label] if begins else "" for label, begins in zip(rows, new, strict=True)]
    return sheets.headed(images, columns=columns, names=names)


def columns_by_class(labels: Tensor | None) -> int | None:
    """Columns of a sheet with whole rows of a class, the most nearly square one; None where there are no such rows."""
    if labels is None:
        return None
    counts = labels.unique(return_counts=True)[1].tolist()
    root = math.isqrt(len(labels))
    fitting = [columns for columns in range(1, min(counts) + 1) if all(count % columns == 0 for count in counts)]
    best = min(fitting, key=lambda columns: (abs(columns - root), -columns))
    return best if best > 1 else None


def said(labels: Sequence[str] | None) -> str:
    """The part of a file's name that tells the classes, or whatever else was asked for."""
    plain = "-".join(re.sub(r"\W+", "_", label) for label in labels or ())
    return f"-of-{plain[:40]}" if plain else ""


def write_points(points: Tensor, toy: str, target: Path, *, npz: bool) -> None:
    """Writes points as an array, or draws them over the density of the toy they should be like."""
    from ..data import toys
    from ..pictures import grid, plane
    from ..plane import truth

    if npz:
        write_array(target, points=points.numpy())
    else:
        grid.save(plane.portrait(truth(toys.find(toy)), points.numpy(), side=640), target)


def write_array(target: Path, **arrays: np.ndarray) -> None:
    """Writes arrays in NumPy's format."""
    import numpy as np

    with open(target, "wb") as file:  # given a name, it would add .npz to another suffix
        np.savez_compressed(file, allow_pickle=False, **arrays)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Says in plain words that a place cannot be written.

    Raises:
        LockedError: that.
    """
    from ..errors import LockedError

    try:
        yield
    except OSError as error:
        raise LockedError(
            f"cannot write {target}: {(error.strerror or str(error)).lower()}", where="--out", fix="--out PATH"
        ) from error
