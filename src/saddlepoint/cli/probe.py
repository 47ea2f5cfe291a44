"""`saddle probe RUN [DATA]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from . import flags
from .data import counted
from .output import aligned, emit
from .values import listed, whole

LABEL = whole("--labels", 2, 20_000)
# Flags that `probe` takes under the same name.
PASSED_ON = ("test", "by", "seeds", "count", "steps", "best", "device", "recipe_file")

Data = Annotated[str | None, typer.Argument(metavar="[DATA]", help="Pictures with classes; by default the run's own.")]
Labels = Annotated[str, typer.Option("--labels", metavar="N,N", help="How many labels, equally many of each class.")]
Test = Annotated[
    str | None, typer.Option("--test", metavar="DATA", help="Pictures to ask about; by default such as it never saw.")
]
Seeds = Annotated[int, flags.valued("--seeds", whole("--seeds", 1, 1000), "N", "Choices of labels to average over.")]
Count = Annotated[int, flags.valued("-n", whole("-n", 1, 10_000_000), "N", "Most pictures to ask about.")]
Steps = Annotated[
    int, flags.valued("--steps", whole("--steps", 0, 10**6), "N", "Steps of the supervised network; 0: without it.")
]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Record to write; by default probe.json in the run.")
]


def probe(
    ctx: typer.Context,
    run: flags.RunArgument,
    data: Data = None,
    labels: Labels = "100,1000",
    by: flags.By = None,
    test: Test = None,
    seeds: Seeds = 5,
    count: Count = 10_000,
    steps: Steps = 500,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Learn classes from a discriminator's features and a few labels; beside pixels and a supervised network."""
    from ..evaluation.probe import probe as measure

    settings = {name: ctx.params[name] for name in PASSED_ON} | {"by": by or ()}
    with counted("learning from labels") as progress:
        found = measure(run, data, labels=list(map(LABEL, listed(labels))), progress=progress, **settings)
    home = found.trained.run.folder  # of a model alone its file, if that was named
    path = found.write(out or (home if home.is_dir() else home.parent) / "probe.json")
    facts = found.facts()
    if json:
        emit({**facts, "path": str(path)})
        return
    for line in aligned(list(rows(facts["rows"]))):
        print(line)
    print(*notes(facts["how"]), path, sep="\n")


def rows(found: list[Mapping[str, Any]]) -> Iterator[list[str]]:
    """The head, and a row for each number of labels: accuracies with their deviations, in percent."""
    names = [name for name in found[0] if name != "labels"]
    yield ["labels", *names]
    for row in found:
        yield [f"{row['labels']:,}", *(share(row[name]["mean"], row[name]["std"]) for name in names)]


def share(mean: float, std: float | None) -> str:
    """`97.1% ± 0.4`."""
    return f"{mean:.1%}" + ("" if std is None else f" ± {100 * std:.1f}")


def notes(how: Mapping[str, Any]) -> Iterator[str]:
    """What has to be known of the accuracies."""
    of = how["questions"].rpartition(", ")[0]
    seen = {None: "", True: ", which the run was trained on", False: ", which the run never saw"}
    yield f"of {how['asked']:,} pictures of {of}{seen[how['seen in training']]}; guessing gets {how['guessed']:.1%}"
    if how["taught classes in training"]:
        yield "its discriminator was taught these classes while it trained"
