"""`saddle sample RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import flags
from .output import emit
from .values import whole

if TYPE_CHECKING:
    from torch import Tensor

Count = Annotated[int, flags.valued("-n", whole("-n", 1, 1_000_000), "N", "Pictures to make.")]
Each = Annotated[bool, flags.switch("--each", "Write one PNG a picture into a folder, instead of one sheet.")]
Npz = Annotated[bool, flags.switch("--npz", "Write one npz with a uint8 array `images` (N, H, W, C).")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="PATH", help="File or folder to write; by default in the run's folder.")
]


def sample(
    run: flags.RunArgument,
    count: Count = 64,
    seed: flags.Seed = 0,
    each: Each = False,
    npz: Npz = False,
    out: Target = None,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Make new pictures with a trained run: one sheet, or --each by itself."""
    from .. import api
    from ..errors import UsageError

    if each and npz:
        raise UsageError("--each and --npz exclude each other", where="--npz", fix="give one of them")
    trained = api.load(run, device=device, recipe_file=recipe_file)
    suffix = "" if each else ".npz" if npz else ".png"
    target = out or trained.run.folder / "generated" / f"seed-{seed}-n-{count}{suffix}"
    write(trained.sample(count, seed=seed), target, each=each, npz=npz)
    if json:
        emit({"run": trained.run.name, "count": count, "seed": seed, "path": str(target)})
    else:
        print(target)


def write(images: Tensor, target: Path, *, each: bool, npz: bool) -> None:
    """Writes pictures as a sheet, as files in a folder, or as an array.

    Raises:
        LockedError: the place cannot be written.
    """
    import numpy as np

    from ..errors import LockedError
    from ..pictures import grid

    try:
        (target if each else target.parent).mkdir(parents=True, exist_ok=True)
        if npz:
            with open(target, "wb") as file:  # np.savez would add .npz to another suffix
                np.savez_compressed(file, images=grid.to_uint8(images))
        elif each:
            for index, image in enumerate(images):
                grid.save(grid.grid(image[None], padding=0), target / f"{index:06d}.png")
        else:
            grid.save(grid.grid(images), target)
    except OSError as error:
        raise LockedError(
            f"cannot write {target}: {(error.strerror or str(error)).lower()}", where="--out", fix="--out PATH"
        ) from error
