"""What a verb prints: one JSON object for a script, lines and tables for a person."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ..trained import Trained

RESULTS = ("report.html", "progress.webp", "progress.mp4", "evolution.png", "real_vs_fake.png", "losses.png", "samples")
"""What a person wants to look at after a training, best first."""


def emit(facts: dict[str, Any]) -> None:
    """Prints `facts` as the one JSON object of a `--json` call; paths and the like become strings."""
    print(json.dumps(facts, indent=2, ensure_ascii=False, default=str))


def duration(seconds: float) -> str:
    """`8 s`, `3:20`, `1:02:05`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of equal length as lines, in columns: numbers to the right, words to the left."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    # The first row is the head, and follows what stands below it.
    right = [all(cell[:1] in "-–0123456789" for cell in column[1:]) for column in columns]
    for row in rows:
        cells = (f"{cell:>{w}}" if r else f"{cell:{w}}" for cell, w, r in zip(row, widths, right, strict=True))
        yield "  ".join(cells).rstrip()


def console(*, stderr: bool = False) -> Console:
    """A rich console that reads `[` and `:` in names and paths as themselves."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def finished(trained: Trained, *, as_json: bool) -> None:
    """Says where the results of a training are; of several processes only the first speaks."""
    if os.environ.get("RANK", "0") != "0":
        return
    run = trained.run
    facts = run.facts()
    made = [path for path in map(run.folder.joinpath, RESULTS) if path.exists()]
    if as_json:
        emit({"run": run.name, "folder": str(run.folder), **facts, "results": [str(path) for path in made]})
        return
    print(f"{run.name}: {facts['status']} at step {facts['step']:,} after {duration(facts['seconds'])}")
    for path in made:
        print(f"  {path}")
    translates = "translate" in trained.config.get("abilities", ())
    uses = f"saddle translate {run.name} IN OUT" if translates else f"saddle sample {run.name}, saddle walk {run.name}"
    print(f"next: {uses}")
