"""`saddle tradeoff RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import flags
from .data import counted
from .evaluate import Network, NetworkSide, Rule, Weights
from .output import aligned, emit
from .values import listed, number, whole

THRESHOLD = number("--thresholds", 0, 8)
# Flags that `tradeoff` takes under the same name.
PASSED_ON = ("against", "count", "network", "weights", "side", "rule", "seed", "device", "best", "recipe_file")

Thresholds = Annotated[
    str, typer.Option("--thresholds", metavar="T,T", help="Where latents are cut off; all of them are measured too.")
]
Against = Annotated[
    str | None, typer.Option("--against", metavar="DATA", help="What to compare with; by default the run's own data.")
]
Count = Annotated[int, flags.valued("-n", whole("-n", 6, 10_000_000), "N", "Samples for each, and real pictures.")]
Target = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write; by default in the run's folder.")
]


def tradeoff(
    ctx: typer.Context,
    run: flags.RunArgument,
    thresholds: Thresholds = "2,1.5,1,0.7,0.5,0.3,0.1",
    against: Against = None,
    count: Count = 2000,
    network: Network = "lite0",
    weights: Weights = None,
    side: NetworkSide = None,
    rule: Rule = "clean",
    seed: flags.Seed = 0,
    out: Target = None,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Truncate the latents ever more, and measure what that costs in variety and gains in fidelity."""
    from ..evaluation.tradeoff import tradeoff as measure
    from ..pictures.tradeoff import tradeoff_rows

    settings = {parameter: ctx.params[parameter] for parameter in PASSED_ON}
    with counted("looking at pictures") as progress:
        found = measure(run, thresholds=list(map(THRESHOLD, listed(thresholds))), progress=progress, **settings)
    written = found.write(out or found.trained.run.folder / "tradeoff", seed=seed)
    facts = found.facts()
    if json:
        emit({**facts, "paths": [str(path) for path in written]})
        return
    for line in aligned(tradeoff_rows(facts["points"])):
        print(line)
    print(*written, sep="\n")
