"""`saddle eval RUN|DATA`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import flags
from .data import counted
from .output import aligned, emit
from .values import choice, listed, whole

if TYPE_CHECKING:
    from ..evaluation.evaluate import Evaluation

# Flags that `api.evaluate` takes under the same name.
PASSED_ON = ("count", "size", "network", "weights", "side", "rule", "seed", "device", "best", "by_class", "recipe_file")
LOOK = "What looks at the pictures"

SubjectArgument = Annotated[
    str, typer.Argument(metavar="RUN|DATA", help="A run, a model, or pictures: a folder, a zip, an npz, a named set.")
]
Against = Annotated[
    str | None, typer.Option("--against", metavar="DATA", help="What to compare with; by default a run's own data.")
]
Metrics = Annotated[
    str | None, typer.Option("--metrics", metavar="NAMES", help="Only these scores, with commas between them.")
]
Count = Annotated[int, flags.valued("-n", whole("-n", 2, 10_000_000), "N", "Samples, and pictures of the data.")]
Size = Annotated[int | None, flags.valued("--size", whole("--size", 8, 4096), "PIXELS", "Of pictures of many sizes.")]
Network = Annotated[
    str,
    typer.Option("--network", metavar="NAME", help="lite0, inception, vgg16, digits or pixels.", rich_help_panel=LOOK),
]
Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FILE", help="For inception: its weights.", rich_help_panel=LOOK)
]
NetworkSide = Annotated[
    int | None, flags.valued("--side", whole("--side", 8, 4096), "PIXELS", "It looks at so many; fewer: faster.", LOOK)
]
RULE = choice("--rule", ("clean", "tensorflow", "pytorch"))
Rule = Annotated[str, flags.valued("--rule", RULE, "clean|tensorflow|pytorch", "How pictures are resized.", LOOK)]
ByClass = Annotated[bool, flags.switch("--by-class", "Measure each class by itself as well.")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write; by default in the run's folder.")
]


def evaluate(
    ctx: typer.Context,
    subject: SubjectArgument,
    against: Against = None,
    metrics: Metrics = None,
    count: Count = 5000,
    size: Size = None,
    network: Network = "lite0",
    weights: Weights = None,
    side: NetworkSide = None,
    rule: Rule = "clean",
    seed: flags.Seed = 0,
    device: flags.Device = "auto",
    out: Target = None,
    best: flags.Best = False,
    by_class: ByClass = False,
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Measure a run, or pictures against pictures: how good, how varied, how new.

    Scores: fd, kd, is, precision, swd, ms_ssim, memory, nearest_neighbor, and of classes accuracy; when asked for also
    fd_infinity, classes and ppl; of points modes and sliced; of translated pairs l1, psnr, ssim and perceptual, of
    translated sets also cycle.
    """
    from .. import api

    settings = {parameter: ctx.params[parameter] for parameter in PASSED_ON}
    with counted("looking at pictures") as progress:
        found = api.evaluate(
            subject, against, metrics=listed(metrics) if metrics else None, progress=progress, **settings
        )
    page = write(found, subject, out)
    if json:
        emit({**found.facts(), "path": str(page)})
        return
    show(found)
    print(page)


def write(found: Evaluation, subject: str, out: Path | None) -> Path:
    """Writes record and page: where asked, else into the run's folder, else into this one."""
    from ..evaluation.subject import is_run
    from ..pictures.evaluation import FOLDER, write_evaluation
    from ..run import find

    if out is None and is_run(subject, Path("runs")) and not Path(subject, "model.safetensors").is_file():
        out = find(subject).folder / FOLDER
    return write_evaluation(out or Path(FOLDER), found.facts(), found.sheets)


def show(found: Evaluation) -> None:
    """Prints the scores as a table, and what has to be known of them."""
    from ..pictures.evaluation import HEAD, class_notes, class_rows, score_rows

    facts = found.facts()
    scores = facts["scores"]
    for line in aligned([HEAD, *score_rows(scores)]):
        print(line)
    for against, each in facts["by_class"].items():
        print(f"\nby class, against {against}")
        for line in aligned(class_rows(each)):
            print(line)
        for name, note in class_notes(each).items():
            print(f"{name}: {note}")
        print()
    notes = {score["name"]: score["note"] for score in scores if score["note"]}
    for name, note in {**notes, **{name: f"left out: {why}" for name, why in found.skipped.items()}}.items():
        print(f"{name}: {note}")
