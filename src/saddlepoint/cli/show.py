"""`saddle show RECIPE`."""

from __future__ import annotations

from typing import Any

import typer

from . import flags
from .options import GIVEN, RECIPE, RecipeCommand
from .output import console, emit


class ShowCommand(RecipeCommand):
    """`show`, with the flags of the recipe on the line."""


def show(
    ctx: typer.Context,
    recipe: flags.RecipeArgument,
    preset: flags.Preset = None,
    json: flags.Json = False,
) -> None:
    """Show what a recipe builds: networks layer by layer, players, parameters, shapes.

    Nothing is trained and no data is read; three channels are assumed where the recipe takes them from its data, and
    points of ring8 for the preset `plane`.
    """
    from ..data.blank import Blank
    from ..data.toys import find
    from .anatomy import dissect

    found = ctx.meta[RECIPE]
    options = found.configure(preset, **ctx.meta[GIVEN])
    facts = dissect(found, options, Blank(toy=find("ring8") if preset == "plane" else None))
    facts["presets"] = {name: dict(values) for name, values in found.presets.items()}
    if json:
        emit(facts)
    else:
        draw(facts, found.module.__doc__ or "")


def draw(facts: dict[str, Any], doc: str) -> None:
    """Prints the recipe's own words, then a table for each network and a line for each player."""
    from rich.table import Table

    screen = console()
    screen.print(doc.strip() + "\n")
    for name, network in facts["networks"].items():
        table = Table("layer", "kind", "output", title=name, title_justify="left", title_style="bold")
        table.add_column("parameters", justify="right")
        for layer in network["layers"]:
            kind = f"{layer['kind']}({layer['detail']})"
            shape = "" if layer["shape"] is None else " x ".join(map(str, layer["shape"]))
            table.add_row(layer["name"], kind, shape, f"{layer['parameters']:,}")
        screen.print(table)
    for name, player in facts["players"].items():
        screen.print(f"player {name}: {player['parameters']:,} parameters, {player['optimizer']}")
    for stage in facts["stages"]:
        screen.print(f"stage {stage['name']}: {stage['steps']:,} steps of batch {stage['batch']}")
    screen.print(f"presets: {', '.join(facts['presets']) or 'none'}")
