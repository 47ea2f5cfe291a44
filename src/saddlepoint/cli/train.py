"""`saddle train RECIPE [DATA]`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import typer

from ..data.policy import Policy
from ..errors import UsageError
from . import flags, launch
from .options import GIVEN, RecipeCommand
from .output import emit, finished
from .policy import with_policy
from .progress import shown
from .values import listed

if TYPE_CHECKING:
    from ..api import Trained


# Flags that `api.train` takes under the same name.
PASSED_ON = (
    *("preset", "steps", "epochs", "device", "precision", "seed", "workers", "threads", "accumulate", "compile"),
    *("name", "out", "checkpoint_every", "sample_every", "flip", "holdout", "dry_run"),
)


class TrainCommand(RecipeCommand):
    """`train`, with the flags of the recipe on the line."""


@with_policy
def train(
    ctx: typer.Context,
    recipe: flags.RecipeArgument,
    data: flags.DataArgument = None,
    *,
    policy: Policy,
    preset: flags.Preset = None,
    steps: flags.Steps = None,
    epochs: flags.Epochs = None,
    device: flags.Device = "auto",
    precision: flags.Precision = "fp32",
    seed: flags.Seed = 0,
    workers: flags.Workers = 0,
    threads: flags.Threads = None,
    devices: flags.Devices = 1,
    accumulate: flags.Accumulate = 1,
    compile: flags.Compile = False,
    name: flags.Name = None,
    out: flags.Out = "runs",
    checkpoint_every: flags.CheckpointEvery = None,
    sample_every: flags.SampleEvery = None,
    eval_every: flags.EvalEvery = 0,
    eval_metrics: flags.Eval = "fd",
    eval_n: flags.EvalCount = 2000,
    eval_network: flags.EvalNetwork = "lite0",
    eval_side: flags.EvalSide = None,
    flip: flags.Flip = False,
    holdout: flags.Holdout = 0.0,
    by: flags.By = None,
    dry_run: flags.DryRun = False,
    json: flags.Json = False,
) -> None:
    """Train a GAN on your pictures.

    A recipe adds flags of its own, most of them --size and --batch: see `saddle train RECIPE --help`.
    """
    if steps is not None and epochs is not None:
        raise UsageError("--steps and --epochs exclude each other", where="--epochs", fix="give one of them")
    if launch.needed(devices, device, ctx.meta[GIVEN].get("batch")):
        raise typer.Exit(launch.spawn(devices, ctx.obj))
    from .. import api

    settings = {parameter: ctx.params[parameter] for parameter in PASSED_ON}
    with shown() as display:
        watching = api.Watching(eval_every, listed(eval_metrics), eval_n, eval_network, eval_side)
        settings |= {"policy": policy, "watching": watching, "observers": (display,), "command": said(ctx)}
        settings["progress"] = display.reading
        settings["by"] = () if by is None else by  # an empty text is a choice, too, and refused
        trained = api.train(recipe, data, **settings, **ctx.meta[GIVEN])
    rehearsed(trained, as_json=json) if dry_run else finished(trained, as_json=json)


def said(ctx: typer.Context) -> str:
    """The command as the user said it, for the record."""
    return shlex.join(["saddle", *ctx.obj])


def rehearsed(trained: Trained, *, as_json: bool) -> None:
    """Says what would have been trained."""
    players = {name: sum(p.numel() for p in player.params) for name, player in trained.game.players().items()}
    facts = {"dry_run": True, "folder": str(trained.folder), **trained.config, "players": players}
    if as_json:
        emit(facts)
        return
    print(f"{facts['recipe']} would play {facts['steps']:,} steps in {trained.folder}")
    for name, count in players.items():
        print(f"  player {name}: {count:,} parameters")
