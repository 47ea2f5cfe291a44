"""`saddle resume RUN`."""

from __future__ import annotations

from typing import Annotated

import typer

from . import flags, launch
from .output import finished
from .progress import shown

AcceptDataChange = Annotated[
    bool, flags.switch("--accept-data-change", "Go on although the pictures are not those the run began with.")
]
LongerSteps = Annotated[
    int | None,
    flags.valued("--steps", flags.whole("--steps", 1, 10**9), "N", "Train to this step instead; also a finished run."),
]
MaybeDevice = Annotated[
    str | None,
    flags.valued("--device", flags.DEVICE, "auto|cpu|cuda", "Where it runs; by default where it ran.", flags.HOW),
]


def resume(
    ctx: typer.Context,
    run: flags.RunArgument,
    steps: LongerSteps = None,
    device: MaybeDevice = None,
    workers: flags.Workers = 0,
    threads: flags.Threads = None,
    devices: flags.Devices = 1,
    accept_data_change: AcceptDataChange = False,
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Go on with a run as if it had never stopped."""
    if launch.needed(devices, device):
        raise typer.Exit(launch.spawn(devices, ctx.obj))
    from .. import api

    with shown() as display:
        trained = api.resume(
            run,
            steps=steps,
            device=device,
            workers=workers,
            threads=threads,
            accept_data_change=accept_data_change,
            recipe_file=recipe_file,
            observers=(display,),
            progress=display.reading,
        )
    finished(trained, as_json=json)
