"""`saddle list`."""

from __future__ import annotations

from . import flags
from .output import console, emit


def list_recipes(json: flags.Json = False) -> None:
    """List the recipes: the GANs that can be trained."""
    from .. import recipe

    summaries = recipe.summaries()
    if json:
        emit({"recipes": [{"name": name, "summary": summary} for name, summary in summaries.items()]})
        return
    width = max(map(len, summaries), default=0)
    screen = console()
    for name, summary in summaries.items():
        screen.print(f"{name:{width}}  {summary}")
    screen.print("\nsaddle show NAME explains one, saddle train NAME --help lists its options.")
