"""`saddle traverse RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import flags
from .breed import Columns
from .output import emit
from .sample import Labels, Truncation, said
from .values import listed, number, whole
from .walk import Fps

COORDINATE = whole("--coordinates", 0, 4095)

Coordinates = Annotated[
    str | None, typer.Option("--coordinates", metavar="I,J", help="Of the latents, from 0; by default the last two.")
]
Rows = Annotated[int, flags.valued("--rows", whole("--rows", 1, 100), "N", "Rows for each coordinate.")]
Reach = Annotated[float, flags.valued("--reach", number("--reach", 0, 100), "X", "Each goes from -X to X.")]
Steps = Annotated[int, flags.valued("--steps", whole("--steps", 1, 1000), "N", "Frames of a film on either way.")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="A sheet (.png), or a film (.webp, .gif, .mp4).")
]


def traverse(
    run: flags.RunArgument,
    coordinates: Coordinates = None,
    labels: Labels = None,
    rows: Rows = 5,
    columns: Columns = 9,
    reach: Reach = 2.0,
    steps: Steps = 48,
    fps: Fps = 24.0,
    seed: flags.Seed = 0,
    truncation: Truncation = None,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Move one coordinate of the latents at a time, all else held: InfoGAN's last ones are its codes."""
    from .. import api

    words = listed(coordinates) if coordinates else None
    moved = None if words is None else [COORDINATE(word) for word in words]
    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    target = out or trained.run.folder / "generated" / f"traverse{said(words)}-seed-{seed}.png"
    how: dict[str, Any] = {"rows": rows, "columns": columns, "reach": reach, "steps": steps, "fps": fps}
    how |= {"labels": listed(labels) if labels else None, "seed": seed, "truncation": truncation}
    path = trained.traverse(moved, target, **how)
    if json:
        emit({"run": trained.run.name, "coordinates": moved, **how, "path": str(path)})
    else:
        print(path)
