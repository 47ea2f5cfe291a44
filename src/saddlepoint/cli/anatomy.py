"""What a recipe builds, layer by layer: one round is played on blank data and the shapes are written down."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from ..data.blank import Blank
    from ..game import Game, Stage
    from ..recipe import Options, Recipe

# Enough for statistics over groups of four.
BATCH = 4


def dissect(recipe: Recipe, options: Options, data: Blank) -> dict[str, Any]:
    """A recipe's networks and players as plain values.

    Args:
        recipe: what to build.
        options: its validated options.
        data: stands for the data, where the recipe takes shapes from them.

    Returns:
        `players` with their parameter counts, `networks` with their layers, each with its kind, output shape (N for
        the batch) and parameters, `stages` with their steps.
    """
    stages = list(recipe.stages(options, data))
    game = stages[-1].game
    players = {
        name: {"parameters": sum(p.numel() for p in player.params), "optimizer": type(player.optimizer).__name__}
        for name, player in game.players().items()
    }
    return {
        "recipe": recipe.name,
        "options": options.model_dump(mode="json"),
        "stages": [{"name": stage.name, "steps": stage.steps, "batch": stage.data.batch} for stage in stages],
        "game": type(game).__name__,
        "players": players,
        "networks": {name: {"layers": rows} for name, rows in layers(stages[-1]).items()},
        "parameters": sum(p.numel() for p in game.parameters()),
    }


def layers(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    """Every layer of every network of a stage's game in the order of a round, with the shape of what it first gave out.

    The round is played for real, on the CPU with a few samples: torch's meta device would cost less, but layers may
    ask what device they are on, and every game that trains at all can be played so.
    """
    import torch

    game = stage.game
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in game.named_children()}
    seen: set[str] = set()

    def watch(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if name not in seen:
                seen.add(name)
                network, _, layer = name.partition(".")
                rows[network].append(_row(layer or network, module, output))

        return hook

    for name, module in game.named_modules():
        if name and not list(module.children()):
            module.register_forward_hook(watch(name))
    with torch.random.fork_rng(devices=[]):
        _play(game, stage)
    return {name: found for name, found in rows.items() if found}


def _row(name: str, module: nn.Module, output: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": type(module).__name__,
        "detail": module.extra_repr(),
        "shape": _shape(output),
        "parameters": sum(p.numel() for p in module.parameters()),
    }


def _shape(output: Any) -> list[Any] | None:
    """`["N", 3, 64, 64]` of a tensor, or of the first of several."""
    if isinstance(output, (tuple, list)):
        output = next((part for part in output if hasattr(part, "shape")), None)
    return None if output is None else ["N", *output.shape[1:]]


def _play(game: Game, stage: Stage) -> None:
    import torch

    batches = (stage.data.read(start, BATCH) for start in itertools.count(0, BATCH))
    game.train()
    with torch.enable_grad():
        for _ in game.turns(batches):
            pass
