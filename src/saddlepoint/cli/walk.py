"""`saddle walk RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import flags
from .output import emit
from .values import choice, number, whole

KINDS = ("slerp", "linear", "explore")

Kind = Annotated[
    str,
    flags.valued(
        "--kind",
        choice("--kind", KINDS),
        "|".join(KINDS),
        "Along great circles, along chords, or a big sheet on chords.",
    ),
]
Count = Annotated[int, flags.valued("-n", whole("-n", 1, 400), "N", "Pictures in a frame.")]
States = Annotated[int, flags.valued("--states", whole("--states", 2, 1000), "N", "Latents that the walk passes.")]
Steps = Annotated[int, flags.valued("--steps", whole("--steps", 1, 1000), "N", "Frames from one latent to the next.")]
Fps = Annotated[float, flags.valued("--fps", number("--fps", 0, 120), "N", "Frames per second.")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help=".webp, .gif or .mp4; by default in the run's folder.")
]


def walk(
    run: flags.RunArgument,
    kind: Kind = "slerp",
    count: Count = 16,
    states: States = 8,
    steps: Steps = 24,
    fps: Fps = 24.0,
    seed: flags.Seed = 0,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Film a walk through the latent space that ends where it began."""
    from .. import api

    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    path = trained.walk(out, kind=kind, seed=seed, count=count, states=states, steps=steps, fps=fps)
    if json:
        emit({"run": trained.run.name, "kind": kind, "seed": seed, "path": str(path)})
    else:
        print(path)
