"""`saddle walk RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import flags
from .output import emit
from .sample import Labels, Truncation
from .values import choice, listed, number, whole

OVER = ("latents", "classes")
KINDS = ("slerp", "linear", "explore")

Over = Annotated[
    str,
    flags.valued("--over", choice("--over", OVER), "|".join(OVER), "What moves; the other stays."),
]
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
States = Annotated[int, flags.valued("--states", whole("--states", 2, 1000), "N", "Latents that it passes.")]
Steps = Annotated[
    int, flags.valued("--steps", whole("--steps", 1, 1000), "N", "Frames from one latent, or class, to the next.")
]
Fps = Annotated[float, flags.valued("--fps", number("--fps", 0, 120), "N", "Frames per second.")]
Target = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="A film (.webp, .gif, .mp4) or a sheet (.png); by default in the run."),
]


def walk(
    run: flags.RunArgument,
    over: Over = "latents",
    labels: Labels = None,
    kind: Kind = "slerp",
    count: Count = 16,
    states: States = 8,
    steps: Steps = 24,
    fps: Fps = 24.0,
    seed: flags.Seed = 0,
    truncation: Truncation = None,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Film a walk through the latents, or with --over classes from class to class, that ends where it began."""
    from .. import api

    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    chosen = listed(labels) if labels else None
    way: dict[str, Any] = {"over": over, "kind": kind, "labels": chosen, "seed": seed, "truncation": truncation}
    path = trained.walk(out, count=count, states=states, steps=steps, fps=fps, **way)
    if json:
        emit({"run": trained.run.name, **way, "path": str(path)})
    else:
        print(path)
