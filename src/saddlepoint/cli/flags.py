"""The shared flags, each written once: name, meaning, bounds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .values import choice, number, whole

HOW, WHERE, DATA = "How it runs", "What it leaves", "Data"
MEASURED = "How it is measured while it trains"


def valued(name: str, parser: Any, metavar: str, meaning: str, panel: str | None = None) -> Any:
    return typer.Option(name, parser=parser, metavar=metavar, help=meaning, rich_help_panel=panel)


def switch(name: str, meaning: str, panel: str | None = None) -> Any:
    return typer.Option(name, help=meaning, rich_help_panel=panel)


RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe of `saddle list`, or a file of your own: ./my_gan.py.")
]
DataArgument = Annotated[
    str | None, typer.Argument(metavar="DATA", help="A folder, a zip, an npz, or a set of `saddle data list`.")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its name in runs/, or `last`.")]

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="A named variant of the recipe.")]
Steps = Annotated[int | None, valued("--steps", whole("--steps", 1, 10**9), "N", "Rounds to play.")]
Epochs = Annotated[
    float | None, valued("--epochs", number("--epochs", 0, 1e6), "N", "Passes over the data, instead of --steps.")
]
DEVICE = choice("--device", ("auto", "cpu", "cuda"))
Device = Annotated[str, valued("--device", DEVICE, "auto|cpu|cuda", "Where it runs.", HOW)]
PRECISION = choice("--precision", ("auto", "fp32", "bf16"))
Precision = Annotated[
    str, valued("--precision", PRECISION, "auto|fp32|bf16", "Arithmetic of the networks; auto: the faster.", HOW)
]
Seed = Annotated[int, valued("--seed", whole("--seed", 0, 2**32 - 1), "N", "Of weights, noise and order.", HOW)]
Workers = Annotated[
    int, valued("--workers", whole("--workers", 0, 64), "N", "Threads that read ahead; never changes results.", HOW)
]
Threads = Annotated[
    int | None, valued("--threads", whole("--threads", 1, 1024), "N", "Threads of one operation on a CPU.", HOW)
]
Devices = Annotated[
    int, valued("--devices", whole("--devices", 1, 64), "N", "Processes, one a GPU; the batch is shared.", HOW)
]
Accumulate = Annotated[
    int, valued("--accumulate", whole("--accumulate", 1, 4096), "N", "Micro-batches a step, to save memory.", HOW)
]
Compile = Annotated[bool, switch("--compile", "Compile each network with torch.compile (for GPUs).", HOW)]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the run.", rich_help_panel=WHERE)]
Out = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the runs.", rich_help_panel=WHERE)]
CheckpointEvery = Annotated[
    int | None,
    valued("--checkpoint-every", whole("--checkpoint-every", 1, 10**9), "N", "Steps between checkpoints.", WHERE),
]
SampleEvery = Annotated[
    int | None, valued("--sample-every", whole("--sample-every", 1, 10**9), "N", "Steps between pictures.", WHERE)
]
EvalEvery = Annotated[
    int, valued("--eval-every", whole("--eval-every", 0, 10**9), "N", "Steps between measurements; 0: none.", MEASURED)
]
Eval = Annotated[
    str,
    typer.Option("--eval", metavar="NAMES", help="Scores; the first keeps the best model.", rich_help_panel=MEASURED),
]
EvalCount = Annotated[int, valued("--eval-n", whole("--eval-n", 2, 10**7), "N", "Samples that are measured.", MEASURED)]
EvalNetwork = Annotated[
    str, typer.Option("--eval-network", metavar="NAME", help="What looks at them.", rich_help_panel=MEASURED)
]
EvalSide = Annotated[
    int | None, valued("--eval-side", whole("--eval-side", 8, 4096), "PIXELS", "It looks at so many.", MEASURED)
]
Flip = Annotated[bool, switch("--flip", "Mirror each picture with probability 1/2.", DATA)]
Holdout = Annotated[
    float, valued("--holdout", number("--holdout", 0, 1), "SHARE", "Part of the pictures kept to measure with.", DATA)
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME[,NAME…]", help="Attributes that are the classes: `data check`.", rich_help_panel=DATA
    ),
]
Best = Annotated[bool, switch("--best", "The model that scored best while it trained, instead of the newest.")]
DryRun = Annotated[bool, switch("--dry-run", "Check everything, print the plan, train nothing.")]
Json = Annotated[bool, switch("--json", "Print one JSON object on standard output.")]
RecipeFile = Annotated[
    str | None, typer.Option("--recipe", metavar="FILE", help="The recipe file of a run that has one of its own.")
]
