"""`saddle breed RUN A B [C D]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import flags
from .output import emit
from .sample import Truncation, said
from .values import whole
from .walk import Fps

Parents = Annotated[list[str], typer.Argument(metavar="A B [C D]", help="Two classes or four, by name or number.")]
Rows = Annotated[int, flags.valued("--rows", whole("--rows", 2, 100), "N", "Rows of the sheet, pictures in a frame.")]
Columns = Annotated[int, flags.valued("--columns", whole("--columns", 2, 100), "N", "Columns of the sheet.")]
Steps = Annotated[int, flags.valued("--steps", whole("--steps", 1, 1000), "N", "Frames from one class to the next.")]
Target = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="A sheet (.png) or a film (.webp, .gif, .mp4); by default both."),
]


def breed(
    run: flags.RunArgument,
    parents: Parents,
    rows: Rows = 8,
    columns: Columns = 9,
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
    """Mix two classes from left to right, a latent a row, or four between the corners of the sheet; and film it."""
    from .. import api

    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    name = trained.run.folder / "generated" / f"breed{said(parents)}-seed-{seed}"
    targets = [out] if out else [Path(f"{name}.png"), Path(f"{name}.webp")]
    how: dict[str, Any] = {
        "rows": rows,
        "columns": columns,
        "steps": steps,
        "fps": fps,
        "seed": seed,
        "truncation": truncation,
    }
    paths = [trained.breed(parents, target, **how) for target in targets]
    if json:
        emit({"run": trained.run.name, "classes": parents, **how, "paths": [str(path) for path in paths]})
    else:
        print(*paths, sep="\n")
