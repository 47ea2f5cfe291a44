"""`saddle compare RUN RUN …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import flags
from .output import aligned, emit

Runs = Annotated[list[str], typer.Argument(metavar="RUN …", help="Two runs or more: folders, or names in runs/.")]
Page = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page; by default in the first run.")]


def compare(runs: Runs, out: Page = None, json: flags.Json = False) -> None:
    """Show runs side by side on one page: samples, scores of `saddle eval`, and curves over the same steps."""
    from ..pictures import compare as pages
    from ..run import find

    folders = [find(run).folder for run in runs]
    path = pages.compare(folders, out or folders[0] / "compare.html")
    scores, names = pages.score_table(folders), [folder.name for folder in folders]
    if json:
        found = {score: dict(zip(names, values, strict=True)) for score, values in scores.items()}
        emit({"runs": names, "path": str(path), "scores": found})
        return
    if scores:
        for line in aligned([["score", *names], *pages.score_rows(scores)]):
            print(line)
    print(path)
